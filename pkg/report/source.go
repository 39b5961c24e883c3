package report

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// Source is what everything about a rollout is worked out from. Only Status must
// be there; what the rest would tell is left out of the document without it.
type Source struct {
	Status rollout.Status
	Path   string                     // of the playbook, as it was typed; "": not known
	Plan   *plan.Plan                 // nil: not at hand. Hosts that were not begun then show no updates
	Waits  []rollout.Wait             // of the last decision
	Events []rollout.Event            // for the timeline
	Facts  map[fact.HostID]fact.Facts // as the begin step saw each host; for the kernel before the work
	Now    time.Time                  // ends the durations of what still runs; zero: the last event does
	// Detailed asks for exit code 8 instead of 0 where the rollout waits healthily (--detailed-exitcode).
	Detailed bool
}

// planned finds what the plan says of each host.
func (s Source) planned() map[fact.HostID]plan.Host {
	out := map[fact.HostID]plan.Host{}
	if s.Plan == nil {
		return out
	}
	for _, h := range s.Plan.Hosts {
		out[h.ID] = h
	}
	return out
}

// planRing finds what the plan says of a ring.
func (s Source) planRing(name string) plan.Ring {
	if s.Plan != nil {
		for _, r := range s.Plan.Rings {
			if r.Name == name {
				return r
			}
		}
	}
	return plan.Ring{}
}

// share is one host's part of the rollout: what it was to get and what not.
type share struct {
	install []patch.Update
	left    []patch.Left
}

// unexplained is the reason of an update that the plan had and that the work
// neither installs nor leaves alone by name. It must not get lost.
const unexplained patch.Reason = "unexplained"

// shareOf joins the plan with the work that the host really began. The work says
// what is installed; the plan still knows what was left alone from the start.
func shareOf(h rollout.HostStatus, planned plan.Host) share {
	if h.Began == nil {
		return tidy(share{planned.Install, planned.Left})
	}
	work := h.Began.Work
	if work.Back { // its own updates are the former versions; what the host was to get is what it is taken back from
		work.Install, work.Left = h.Did, nil
	}
	s := share{install: work.Install, left: slices.Clone(work.Left)}
	known := map[string]bool{}
	for _, u := range work.Install {
		known[identity(u)] = true
	}
	for _, l := range work.Left {
		known[identity(l.Update)] = true
	}
	for _, l := range planned.Left {
		if !known[identity(l.Update)] {
			known[identity(l.Update)] = true
			s.left = append(s.left, l)
		}
	}
	for _, u := range planned.Install {
		if !known[identity(u)] {
			s.left = append(s.left, patch.Left{Update: u, Reason: unexplained, Detail: whyLeft(work)})
		}
	}
	return tidy(s)
}

func identity(u patch.Update) string { return u.Key() + " " + u.To }

// tidy sorts without touching the caller's slices.
func tidy(s share) share {
	s.install, s.left = slices.Clone(s.install), slices.Clone(s.left)
	slices.SortStableFunc(s.install, compareUpdates)
	slices.SortStableFunc(s.left, func(a, b patch.Left) int { return compareUpdates(a.Update, b.Update) })
	return s
}

func compareUpdates(a, b patch.Update) int {
	if c := strings.Compare(a.Key(), b.Key()); c != 0 {
		return c
	}
	return strings.Compare(a.To, b.To)
}

// missed tells whether an update that was left alone counts against "done": the
// playbook selected it and it could not be had. What somebody excluded on purpose
// (excluded, narrowed) does not count, nor what is there already (installed); a
// reason that this build does not know does.
func missed(r patch.Reason) bool {
	switch r {
	case patch.ReasonExcluded, patch.ReasonNarrowed, patch.ReasonInstalled:
		return false
	}
	return true
}

func whyLeft(w patch.Work) string {
	if w.Back {
		return "it was not installed here, and the host is taken back"
	}
	return w.Refused
}
