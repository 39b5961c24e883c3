package rollout

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// checkWait: where nothing is done now, what it waits for has a name; where time is what
// it needs it says when, and that is not now; where a person is, it says so.
func (o *operator) checkWait(d Decision) {
	if !d.Wake.IsZero() && !d.Wake.After(o.w.now) {
		o.w.fail("wait: it wants to be asked again at %s, which is not after %s", d.Wake, o.w.now)
	}
	for _, wait := range d.Waits {
		if strings.TrimSpace(wait.For) == "" {
			o.w.fail("wait: it waits for nothing that has a name: %+v", d.Waits)
		}
		if wait.Ring != "" && o.phase == PhaseOpen && !o.stopping {
			if _, open := o.opened[wait.Ring]; !open {
				o.promised[wait.Ring] = later(o.promised[wait.Ring], wait.Until)
			}
		}
	}
	if o.phase == PhaseFinished && !o.falling() || len(o.live) > 0 {
		return
	}
	ofOthers := func(w Wait) bool { return w.Person || strings.Contains(w.For, HeldBy) }
	if len(d.Waits) == 0 || d.Wake.IsZero() && !slices.ContainsFunc(d.Waits, ofOthers) {
		o.w.fail("wait: nothing is under way, nobody is asked, and it never wakes: %+v", d.Waits)
	}
}

// finish checks what must hold when nothing is left to do.
func (o *operator) finish() {
	if o.phase == PhaseNone {
		return
	}
	for _, h := range o.state.Status(o.w.now).Hosts {
		o.finishHost(h)
	}
}

func (o *operator) finishHost(h HostStatus) {
	tr, b := o.truth[h.ID], o.w.bodies[h.ID]
	want := tr.final
	switch {
	case want == "" && tr.back:
		want = HostRollback
	case want == "" && !tr.begun:
		want = HostWaiting
	}
	o.finishBack(h, tr, b)
	if h.State != want {
		o.w.fail("rule 6: %s is %q when all is over, and the truth is %q (begun %v)", h.ID, h.State, tr.final, tr.begun)
	}
	if h.State == HostHealthy && !tr.checked {
		o.w.fail("rule 1: %s counts as healthy, and nobody saw it pass", h.ID)
	}
	for did, n := range tr.effects {
		if n > 1 {
			o.w.fail("rule 4: %s took place %d times on %s in try %d", did.step, n, h.ID, did.try)
		}
	}
	if h.State == HostHealthy && len(tr.did) > 0 && b.installed[tr.did[0].Name] != tr.did[0].To {
		o.w.fail("rule 6: %s is healthy without %v", h.ID, tr.did[0])
	}
	o.finishDrain(h, tr, b)
}

// finishDrain: what is owed to a host was given back, or is said; what is sick stays out.
func (o *operator) finishDrain(h HostStatus, tr *truth, b *body) {
	mine := tr.effects[effect{tr.try, FlowDrain}] > 0 || h.Drained
	if b.drained && mine && (!h.Drained || tr.final != "" && !slices.Contains(h.Notes, drainLeft)) {
		o.w.fail("drain: %s is still drained, and nobody says so: %v", h.ID, h.Notes)
	}
	if b.silenced && tr.effects[effect{tr.try, FlowSilence}] > 0 && !h.Silenced {
		o.w.fail("drain: alerts about %s are still silenced, and nobody says so", h.ID)
	}
	_, out := o.state.IsOut(h.ID)
	if b.sick && tr.broken() && !out {
		o.w.fail("rule 2: %s is sick, and does not count as out", h.ID)
	}
	if before := o.digestBefore(h.ID); tr.touched && before && h.Before == "" {
		o.w.fail("retry: what %s was before its first try is forgotten", h.ID)
	}
}

// digestBefore: some try took the state before.
func (o *operator) digestBefore(id fact.HostID) bool {
	return slices.ContainsFunc(o.events, func(e Event) bool {
		end, is := e.Entry.(StepEnded)
		return is && end.Host == id && end.Before != ""
	})
}
