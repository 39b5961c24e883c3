package report

import (
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// NewRollout builds the document of a rollout. It cleans and bounds every text.
func NewRollout(s Source) Rollout {
	st := s.Status
	doc := Rollout{
		Header: header("rollout"), ID: clean(st.Rollout), Playbook: clean(st.Playbook), Site: clean(st.Site),
		Plan: string(st.Plan), Phase: orElse(string(st.Phase), "none"), Exit: Exit(s), Next: Next(s),
		Opened: st.Opened.UTC(), Changed: st.Changed.UTC(), Seconds: between(st.Opened, st.Changed),
		Reasons: append(cleanAll(st.Reasons), backSince(s)...), Rings: []Ring{}, Hosts: []Host{}, Waits: []Wait{}, Skipped: []Skipped{},
		Totals: Totals{ByState: zeroStates()}, Timeline: timeline(s.Events),
		Starter: clean(st.Starter), Urgent: st.Urgent, Out: sickOf(st.Out), Quarantined: []Quarantined{},
		Override: Override{clean(st.Override.Reason), st.Override.Until.UTC()},
		Late:     newLate(s), Uncovered: newUncovered(s.Plan),
	}
	sets := newSets(s)
	for _, r := range st.Rings {
		ring := newRing(s, r)
		if set, ok := sets[ring.Name]; ok {
			ring.Digests = &set
		}
		doc.Rings = append(doc.Rings, ring)
	}
	doc.Waits = newWaits(s)
	if s.Plan != nil {
		doc.Quarantined = newQuarantined(s.Plan.Quarantined)
	}
	for _, q := range doc.Quarantined {
		doc.Skipped = append(doc.Skipped, q.skipped())
	}
	planned := s.planned()
	for _, h := range st.Hosts {
		host := newHost(s, h, planned[h.ID])
		doc.Hosts = append(doc.Hosts, host)
		doc.Skipped = append(doc.Skipped, skippedOf(host, st.Phase, doc.Reasons)...)
		doc.Totals.add(host)
	}
	doc.Totals.LeftFixes, doc.Totals.LeftMaybe = securityLeft(s)
	return doc
}

func newRing(s Source, r rollout.RingStatus) Ring {
	p := s.planRing(r.Name)
	out := Ring{
		Name: clean(r.Name), Set: string(r.Set), Hosts: r.Hosts, FailureLimit: r.FailureLimit,
		Gate:    newGate(r),
		Window:  windowName(orElse(r.Window, p.Window)),
		Batches: append([]int{}, p.Batches...), ByState: zeroStates(),
		Began: r.Began.UTC(), Ended: r.Ended.UTC(),
	}
	for state, n := range r.ByState {
		out.ByState[stateWord(state)] += n
	}
	return out
}

// gateWord gives the zero value, the worst, its word.
func gateWord(g rollout.GateState) string { return orElse(string(g), "inconclusive") }

// stateWord gives a state that nobody set, the worst, its word.
func stateWord(s rollout.HostState) string { return orElse(string(s), string(rollout.HostUnknown)) }

// hostStates lists all states in the order in which people count them.
func hostStates() []rollout.HostState {
	return []rollout.HostState{
		rollout.HostHealthy, rollout.HostNothing, rollout.HostWorking, rollout.HostWaiting,
		rollout.HostFailed, rollout.HostRollback, rollout.HostRolledBack, rollout.HostUnknown, rollout.HostUnreachable,
	}
}

// zeroStates counts none of every state, so that a reader finds each name.
func zeroStates() map[string]int {
	out := map[string]int{}
	for _, s := range hostStates() {
		out[string(s)] = 0
	}
	return out
}

func newHost(s Source, h rollout.HostStatus, planned plan.Host) Host {
	end := h.Ended
	if end.IsZero() && h.State == rollout.HostWorking {
		end = s.Now
		if end.IsZero() {
			end = s.Status.Changed
		}
	}
	reasons := cleanAll(h.Reasons)
	if len(reasons) == 0 && planned.Problem != nil {
		reasons = cleanAll([]string{planned.Problem.What})
	}
	return Host{
		Host: clean(h.ID.String()), Ring: clean(h.Ring), State: stateWord(h.State), Touched: h.Touched,
		Step: clean(string(h.Step)), Code: string(h.Code), Updates: changes(h, shareOf(h, planned)),
		Reboot: Restart{Expected: planned.Reboot.String(), Done: h.Rebooted},
		Kernel: kernelOf(s.Facts, h.ID), Checks: newChecked(h.Checks),
		Reasons: reasons, Notes: cleanAll(h.Notes),
		Started: h.Started.UTC(), Ended: h.Ended.UTC(), Seconds: between(h.Started, end),
		Unit: clean(planned.Unit), Try: max(h.Try, 1), Drained: h.Drained, Silenced: h.Silenced, NotBefore: h.NotBefore.UTC(),
		Back: wayBackOf(h, planned), TakenBack: newTakenBack(h), Image: newPlanImage(planned),
	}
}

func kernelOf(facts map[fact.HostID]fact.Facts, id fact.HostID) Kernel {
	k := facts[id].Kernel
	return Kernel{Running: clean(k.Running), Newest: clean(k.Newest)}
}

func newChecked(results []health.Result) []Checked {
	out := make([]Checked, 0, len(results))
	for _, r := range results {
		out = append(out, Checked{Check: clean(r.Check), Verdict: r.Verdict.String(), Seen: clean(r.Seen), Tries: r.Tries})
	}
	return out
}

// changes lists what the host was to get, then what it was not.
func changes(h rollout.HostStatus, s share) []Change {
	out := make([]Change, 0, len(s.install)+len(s.left))
	seen := seenInstalled(h.Proven)
	for _, u := range s.install {
		c := newChange(u)
		c.Outcome = outcome(h, seen(u))
		out = append(out, c)
	}
	for _, l := range s.left {
		c := newChange(l.Update)
		c.Outcome, c.Reason, c.Detail = "left", clean(string(l.Reason)), clean(l.Detail)
		out = append(out, c)
	}
	return out
}

func newChange(u patch.Update) Change {
	return Change{
		Package: clean(u.Name), Arch: clean(u.Arch), From: clean(u.From), To: clean(u.To), Origin: clean(u.Origin),
		Security: u.Security.String(), Severity: orElse(clean(string(u.Severity)), string(patch.SeverityUnknown)),
		Dependency: u.Dependency,
	}
}

// seenInstalled answers from what the verify step saw on the host. An architecture
// that one side does not name fits any.
func seenInstalled(proven []patch.Proven) func(patch.Update) bool {
	type version struct{ name, arch, version string }
	known := map[version]bool{}
	for _, p := range proven {
		known[version{p.Name, p.Arch, p.Version}] = true
		known[version{p.Name, "*", p.Version}] = true
	}
	return func(u patch.Update) bool {
		if u.Arch == "" {
			return known[version{u.Name, "*", u.To}]
		}
		return known[version{u.Name, u.Arch, u.To}] || known[version{u.Name, "", u.To}]
	}
}

// outcome of an update that was to be installed. Only what was seen afterwards is
// called installed, whatever the host's state is.
func outcome(h rollout.HostStatus, seen bool) string {
	switch {
	case h.State == rollout.HostRolledBack && h.Back:
		return "taken_back"
	case seen:
		return "installed"
	case !h.Touched && (h.State == rollout.HostWaiting || h.State == rollout.HostWorking):
		return "planned"
	case !h.Touched && h.State != rollout.HostHealthy:
		return "not_done"
	case h.State == rollout.HostWorking:
		return "planned"
	}
	return "unconfirmed"
}

// skippedOf lists what was not done to a host, and why.
func skippedOf(h Host, phase rollout.Phase, why []string) []Skipped {
	var out []Skipped
	whole := Skipped{Host: h.Host, Ring: h.Ring, Reason: h.State, Detail: strings.Join(h.Reasons, "; ")}
	switch rollout.HostState(h.State) {
	case rollout.HostNothing, rollout.HostUnreachable:
		out = append(out, whole)
	case rollout.HostFailed:
		if !h.Touched {
			out = append(out, whole)
		}
	case rollout.HostWaiting:
		if phase != rollout.PhaseOpen {
			whole.Detail = "not started, the rollout is " + string(phase) + ": " + strings.Join(why, "; ")
			out = append(out, whole)
		}
	}
	for _, c := range h.Updates {
		if c.Outcome == "left" {
			out = append(out, Skipped{Host: h.Host, Ring: h.Ring, Package: c.Package, To: c.To, Reason: c.Reason, Detail: c.Detail})
		}
	}
	return out
}

func (t *Totals) add(h Host) {
	t.Hosts++
	t.ByState[h.State]++
	if h.Touched {
		t.Touched++
	}
	if h.Reboot.Done {
		t.Rebooted++
	}
	for _, c := range h.Updates {
		switch c.Outcome {
		case "installed":
			t.Installed++
			if c.Security == "yes" {
				t.Security++
			}
		case "left":
			t.Left++
		case "unconfirmed":
			t.Unconfirmed++
		}
	}
}

// between is whole seconds; 0 where an end is not known or clocks ran backwards.
func between(from, to time.Time) int64 {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return int64(to.Sub(from) / time.Second)
}
