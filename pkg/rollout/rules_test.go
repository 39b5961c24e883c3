package rollout

import (
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// The rules of DESIGN.md section 3, checked against the world's own truth.

// judge keeps the truth about a host after a step, by the words of the rules.
func (w *world) judge(t Task, end StepEnded) {
	tr := w.truth[t.Host]
	switch t.Step {
	case FlowBegin:
		switch end.Outcome {
		case OutcomeOK:
		case OutcomeNothing:
			tr.final = HostNothing
		case OutcomeUnreachable:
			tr.final = HostUnreachable
		case OutcomeFailed:
			tr.final = HostFailed
		default:
			tr.final = HostUnknown
		}
	case FlowEnd:
		tr.final = HostHealthy
		if tr.failed {
			tr.final = HostFailed
		}
	default:
		bad, unknown := end.Outcome == OutcomeFailed, end.Outcome == OutcomeUnknown || end.Outcome == OutcomeNothing
		if end.Outcome == OutcomeUnreachable {
			bad, unknown = !tr.touched, tr.touched
		}
		if t.Step == FlowCheck && end.Outcome == OutcomeOK {
			bad, unknown = w.Scripts[t.Host].Check == health.Fail, w.Scripts[t.Host].Check == health.Unknown
		}
		if unknown {
			tr.final = HostUnknown
		}
		tr.failed = tr.failed || bad
	}
}

// checkTask is asked before each task is journaled.
func (w *world) checkTask(t Task) {
	tr := w.truth[t.Host]
	if tr.final != "" {
		w.fail("rule 6: %s has ended, and %s begins", t.Host, t.Step)
	}
	if !tr.begun {
		w.checkStart(t, tr)
		tr.begun = true
	}
	if t.Mode == Start && tr.effects[t.Step] > 0 {
		w.fail("rule 4: %s of %s is begun again without a look", t.Step, t.Host)
	}
	if tr.ring.Name != w.Plan.Rings[0].Name && (t.Set == "" || t.Set != w.opened[tr.ring.Name].Set) {
		w.fail("rule 5: %s works without the frozen set of its ring", t.Host)
	}
	if t.Step == "install" {
		w.checkExact(t, tr)
	}
}

// checkStart: no host is begun that must not be.
func (w *world) checkStart(t Task, tr *truth) {
	if w.phase != PhaseOpen || w.stopping {
		w.fail("rule 3: %s is begun while the rollout is %s, stopping %v", t.Host, w.phase, w.stopping)
	}
	if _, open := w.opened[tr.ring.Name]; !open {
		w.fail("rule 1: %s is begun before its gate has opened", t.Host)
	}
	failures, flying, _ := w.count(tr.ring)
	if failures > tr.ring.FailureLimit {
		w.fail("rule 3: %s is begun past the failure limit", t.Host)
	}
	most := max(1, tr.ring.FailureLimit-failures)
	if tr.ring.MaxInFlight > 0 {
		most = min(most, tr.ring.MaxInFlight)
	}
	if flying >= most {
		w.fail("rule 3: %s is begun with %d in flight, %d failed, limit %d, max %d", t.Host, flying, failures, tr.ring.FailureLimit, tr.ring.MaxInFlight)
	}
	for _, id := range w.batchesBefore(tr.ring, t.Host) {
		if w.truth[id].final == "" {
			w.fail("batches: %s is begun while %s of an earlier batch has not ended", t.Host, id)
		}
	}
}

func (w *world) count(r plan.Ring) (failures, flying, gone int) {
	for _, id := range r.Hosts {
		tr := w.truth[id]
		switch {
		case tr.final == HostFailed || tr.final == HostUnknown:
			failures++
		case tr.begun && tr.final == "":
			flying++
		}
		if tr.final == HostUnreachable || tr.final == HostUnknown && !tr.touched {
			gone++
		}
	}
	return failures, flying, gone
}

// batchesBefore lists the hosts of the batches before the host's own, the long way.
func (w *world) batchesBefore(r plan.Ring, id fact.HostID) []fact.HostID {
	var active []fact.HostID
	for _, other := range r.Hosts {
		if h, _ := w.Plan.Host(other); h.Problem == nil && len(h.Install) > 0 {
			active = append(active, other)
		}
	}
	at, end := slices.Index(active, id), 0
	for i := 0; len(r.Batches) > 0; i++ {
		size := max(1, r.Batches[min(i, len(r.Batches)-1)])
		if end+size > at {
			return active[:end]
		}
		end += size
	}
	return nil
}

// checkGate: a gate opens only when the rings before say so.
func (w *world) checkGate(g GateOpened) {
	allowed := map[patch.Proven]bool{}
	for _, r := range w.Plan.Rings {
		if r.Name == g.Ring {
			break
		}
		failures, _, gone := w.count(r)
		if failures > r.FailureLimit || (len(r.Hosts)-gone)*100 < 95*len(r.Hosts) {
			w.fail("rule 1: gate %s opened with %d failed and %d gone in ring %s", g.Ring, failures, gone, r.Name)
		}
		for _, id := range r.Hosts {
			w.checkProof(g, id, allowed)
		}
	}
	for _, p := range g.Frozen.Proven {
		if !allowed[p] {
			w.fail("rule 5: the set of %s holds %v, which no healthy host has", g.Ring, p)
		}
		delete(allowed, p)
	}
	if len(allowed) > 0 {
		w.fail("rule 5: the set of %s lacks %v", g.Ring, allowed)
	}
}

func (w *world) checkProof(g GateOpened, id fact.HostID, allowed map[patch.Proven]bool) {
	tr := w.truth[id]
	if tr.final == "" {
		w.fail("rule 1: gate %s opened while %s has not ended", g.Ring, id)
	}
	if tr.final == HostUnknown && tr.touched {
		w.fail("rule 1: gate %s opened with %s touched and unknown", g.Ring, id)
	}
	if tr.final != HostHealthy {
		return
	}
	h, _ := w.Plan.Host(id)
	for _, u := range tr.work.Install {
		allowed[patch.Proven{Domain: h.Domain, Name: u.Name, Arch: u.Arch, Version: u.To}] = true
	}
}

// checkExact: a later ring installs what earlier healthy hosts of its kind have, and
// every ring only what the plan names.
func (w *world) checkExact(t Task, tr *truth) {
	h, _ := w.Plan.Host(t.Host)
	for _, u := range tr.work.Install {
		if !slices.Contains(h.Install, u) {
			w.fail("rule 5: %s gets %v, which the plan does not have", t.Host, u)
		}
		if tr.ring.Name != w.Plan.Rings[0].Name && !w.proven(tr.ring, h.Domain, u) {
			w.fail("rule 5: %s gets %v, which nobody proved", t.Host, u)
		}
	}
}

func (w *world) proven(before plan.Ring, domain string, u patch.Update) bool {
	for _, r := range w.Plan.Rings {
		if r.Name == before.Name {
			return false
		}
		for _, id := range r.Hosts {
			h, _ := w.Plan.Host(id)
			if tr := w.truth[id]; tr.final == HostHealthy && h.Domain == domain && slices.Contains(tr.work.Install, u) {
				return true
			}
		}
	}
	return false
}

// finish checks what must hold when nothing is left to do.
func (w *world) finish(d Decision) error {
	for _, h := range w.state.Status().Hosts {
		tr := w.truth[h.ID]
		want := tr.final
		if want == "" && !tr.begun {
			want = HostWaiting
		}
		if h.State != want {
			w.fail("rule 6: %s is %q when all is over, and the truth is %q (begun %v)", h.ID, h.State, tr.final, tr.begun)
		}
		if h.State == HostHealthy && h.Touched && tr.effects["install"] != 1 {
			w.fail("rule 4: install took place %d times on %s", tr.effects["install"], h.ID)
		}
		for step, n := range tr.effects {
			if n > 1 {
				w.fail("rule 4: %s took place %d times on %s", step, n, h.ID)
			}
		}
	}
	if w.phase != PhaseFinished && (len(d.Waits) == 0 || d.Waits[0].For == "") {
		w.fail("%v: phase %s", errStuck, w.phase)
	}
	return w.broken
}
