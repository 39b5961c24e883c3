// Package sim carries rollouts out over hosts that exist only as descriptions, in
// virtual time: for forecasts, and for tests of everything above the hosts. The
// decisions are those of package rollout, the same as for real hosts.
package sim

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// Host is how one host would behave.
type Host struct {
	Domain  string
	Install []patch.Update
	Steps   []platform.Step                     // the driver's
	Extras  rollout.Extras                      // what the playbook does around them
	Ends    map[platform.StepID]rollout.Outcome // what is not named goes well
	Checks  []health.Result                     // of the check step
	Takes   map[platform.StepID]time.Duration   // what is not named takes a minute
	// SickFrom is when the host, once it has come through, falls sick, so that samples of
	// a soak see it; zero: never. SickUntil is when it is well again; zero: never.
	SickFrom, SickUntil time.Time
	// Retry is how it behaves when it is begun again; nil: as before.
	Retry *Host
}

// Fleet is every host of a rollout.
type Fleet map[fact.HostID]Host

// World is all that a rollout meets. The zero value of all but the Fleet means that
// nothing goes wrong. It may be used for one engine at a time: it keeps which hosts have
// come through.
type World struct {
	Fleet
	// Answer is what an inquiry is told at a time; nil: every one passes.
	Answer func(check string, when playbook.When, at time.Time) (health.Verdict, string)
	// Approve says when the people approve of a ring whose gate began to ask for it; the
	// zero time: never. nil: at once. Only Play asks it.
	Approve func(ring string, asked time.Time) time.Time
	// Say is what people say where nothing else happens at a moment. What means nothing is
	// passed over. Only Play asks it.
	Say func(now time.Time, s *rollout.State, waits []rollout.Wait) []rollout.Entry
	// Starter opens the rollout, and so can't approve of it; empty: "forecast".
	Starter string

	seen census
}

// behaves is the host as it is at its so manieth try.
func (h Host) behaves(try int) Host {
	for ; try > 1 && h.Retry != nil; try-- {
		h = *h.Retry
	}
	return h
}

// takes is how long a task is under way. A question is answered at once.
func (f Fleet) takes(t rollout.Task) time.Duration {
	if t.Ask != "" {
		return 0
	}
	if takes, ok := f[t.Host].behaves(t.Try).Takes[t.Step]; ok {
		return takes
	}
	return time.Minute
}

// End says how the step of a host ends, and how long it takes. It is the same each time.
func (f Fleet) End(t rollout.Task) (rollout.StepEnded, time.Duration) {
	host, known := f[t.Host]
	h := host.behaves(t.Try)
	end := rollout.StepEnded{Host: t.Host, Step: t.Step, Outcome: rollout.OutcomeOK}
	if o, ok := h.Ends[t.Step]; ok {
		end.Outcome, end.Reasons = o, []string{"as foreseen"}
	}
	if !known {
		end.Outcome, end.Reasons = rollout.OutcomeUnknown, []string{"nothing is known of this host"}
	}
	switch t.Step {
	case rollout.FlowBegin:
		steps, changing := rollout.Flow(h.Steps, h.Extras)
		end.Began = &rollout.Began{Work: patch.Work{Install: h.Install}, Steps: steps, Changing: changing, Confirming: rollout.Confirming(h.Steps)}
	case rollout.FlowVerify:
		for _, u := range h.Install {
			end.Proven = append(end.Proven, patch.Proven{Domain: h.Domain, Name: u.Name, Arch: u.Arch, Version: u.To})
		}
	case rollout.FlowCheck:
		end.Checks = h.Checks
	}
	return end, f.takes(t)
}

// sick tells whether the host is, and was, not well at a time.
func (h Host) sick(at time.Time) (is, was bool) {
	if h.SickFrom.IsZero() || at.Before(h.SickFrom) {
		return false, false
	}
	return h.SickUntil.IsZero() || at.Before(h.SickUntil), true
}

// sample looks at so many hosts at once, of which these may be sick.
func (f Fleet) sample(ring string, at time.Time, asked int, frail []fact.HostID) rollout.Sampled {
	out := rollout.Sampled{Ring: ring, Pass: asked}
	for _, id := range frail {
		is, was := f[id].sick(at)
		if !was {
			continue
		}
		if out.Changed == nil {
			out.Changed = map[string]string{}
		}
		out.Changed[id.String()] = ""
		if is {
			out.Changed[id.String()] = "sick as foreseen"
			out.Pass, out.Fail = out.Pass-1, out.Fail+1
		}
	}
	return out
}

// frail are the hosts that fall sick at some time, sorted.
func (f Fleet) frail() []fact.HostID {
	var out []fact.HostID
	for id, h := range f {
		for try := &h; try != nil; try = try.Retry {
			if !try.SickFrom.IsZero() {
				out = append(out, id)
				break
			}
		}
	}
	slices.SortFunc(out, fact.HostID.Compare)
	return out
}
