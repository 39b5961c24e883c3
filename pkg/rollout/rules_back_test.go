package rollout

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// The rules of the way back.

// checkConfirmed: by itself only a host is taken back that has failed for sure, can go
// back, and was not on that way before.
func (o *operator) checkConfirmed(id fact.HostID, tr *truth) {
	switch {
	case tr.final != HostFailed || !tr.touched || !tr.changed && !tr.judged:
		o.w.fail("back: %s is taken back by itself, and it is %q (touched %v), which is no confirmed failure", id, tr.final, tr.touched)
	case tr.planned.Return.Light == plan.Red:
		o.w.fail("back: %s is taken back by itself, and its light is red", id)
	case tr.back:
		o.w.fail("back: %s is taken back by itself for the second time", id)
	case !o.Plan.OnFailure.Rollback:
		o.w.fail("back: %s is taken back by itself, and the playbook does not say so", id)
	case o.phase != PhaseOpen && o.phase != PhaseHalted:
		o.w.fail("back: %s is taken back by itself while the rollout is %s", id, o.phase)
	}
}

// checkHurried: only a person's word comes over the one that waits already.
func (o *operator) checkHurried(e RollbackAsked, id fact.HostID) {
	if e.Auto || !o.truth[id].auto {
		o.w.fail("back: %s waits to be taken back, and is asked for again (auto %v)", id, e.Auto)
	}
}

// checkStartBack: whom a person wants back, at any time; whom the playbook wants back,
// in its window. A host that is in use needs budget for it.
func (o *operator) checkStartBack(t Task, tr *truth) {
	if _, open := o.opened[tr.ring.Name]; !open || !tr.touched {
		o.w.fail("back: %s is taken back, and was never changed", t.Host)
	}
	if o.stopping || o.phase == PhasePaused {
		o.w.fail("back: %s is begun while the rollout is %s, stopping %v", t.Host, o.phase, o.stopping)
	}
	if o.w.now.Before(tr.notBefore) {
		o.w.fail("rule 2: %s is begun again right after it stepped back", t.Host)
	}
	if tr.auto && !o.fits(o.Plan.OnFailure.Window, tr.planned.Takes, false) {
		o.w.fail("rule 7: %s, which takes %s, is taken back by itself at %s in window %q", t.Host, tr.planned.Takes, o.w.now, o.Plan.OnFailure.Window)
	}
	if most := tr.ring.MaxInFlight; most > 0 && o.allFlying() >= most {
		o.w.fail("rule 3: %s is begun with %d in flight, and at most %d may be", t.Host, o.allFlying(), most)
	}
	if tr.inUse {
		o.checkReserved(t.Host)
	}
}

func (o *operator) flyingBack(r plan.Ring) int {
	return o.countIn(r, func(tr *truth) bool { return tr.begun && tr.final == "" && tr.back })
}

func (o *operator) allFlying() int {
	n := 0
	for _, r := range o.Plan.Rings {
		n += o.flying(r) + o.flyingBack(r)
	}
	return n
}

// checkExactBack is rule 5 on the way back: what this rollout brought becomes what it
// was, and nothing else changes.
func (o *operator) checkExactBack(t Task, tr *truth) {
	for _, u := range tr.work.Install {
		if former, did := tr.former[u.Name]; !did || former != u.To {
			o.w.fail("rule 5: %s goes back to %s %s, and %q was there before (changed %v)", t.Host, u.Name, u.To, former, did)
		}
	}
	for _, name := range bare(tr.work.Remove) {
		if former, did := tr.former[name]; !did || former != "" {
			o.w.fail("rule 5: %s is taken off %s, and was there before", name, t.Host)
		}
	}
}

// checkNoneFalls: a rollout is not over while its own word was not kept.
func (o *operator) checkNoneFalls() {
	for _, r := range o.Plan.Rings {
		for _, id := range r.Hosts {
			if tr := o.truth[id]; tr.back && tr.final == "" || o.mustFall(tr) {
				o.w.fail("back: finished, and %s is to be taken back", id)
			}
		}
	}
}

// mustFall: the playbook has the host taken back, and nobody has asked for it yet.
func (o *operator) mustFall(tr *truth) bool {
	return o.Plan.OnFailure.Rollback && tr.final == HostFailed && !tr.back && (tr.changed || tr.judged && tr.touched) && tr.planned.Return.Possible()
}

// finishBack checks what has become of a host that was to be taken back.
func (o *operator) finishBack(h HostStatus, tr *truth, b *body) {
	switch {
	case h.State == HostHealthy && tr.back:
		o.w.fail("back: %s counts as healthy, and was to be taken back", h.ID)
	case h.State == HostRolledBack && (!tr.checked || tr.effects[effect{tr.try, FlowVerify}] == 0):
		o.w.fail("back: %s counts as rolled back, and nobody has verified and checked it", h.ID)
	case tr.back && tr.final != "" && !slices.Contains([]HostState{HostRolledBack, HostFailed, HostUnknown}, tr.final):
		o.w.fail("back: %s was to be taken back, and is %q", h.ID, tr.final)
	case h.State == HostRollback && !o.namesAReason():
		o.w.fail("back: %s waits to be taken back, and nobody says what for: %+v", h.ID, o.said.Waits)
	case o.mustFall(tr) && (o.phase == PhaseOpen || o.phase == PhaseHalted):
		o.w.fail("back: %s has failed, and is not taken back", h.ID)
	case !tr.back && tr.forgotten(h.Did) != "":
		o.w.fail("back: this rollout has changed %s on %s, and has forgotten it", tr.forgotten(h.Did), h.ID)
	case len(h.Did) > 0 && !tr.installed:
		o.w.fail("back: %s counts as changed, and nothing was begun to be installed on it", h.ID)
	}
	if h.State != HostRolledBack {
		return
	}
	for name, former := range tr.former {
		if now := b.installed[name]; now != former {
			o.w.fail("rule 5: %s was taken back, and has %s %s, not %q", h.ID, name, now, former)
		}
	}
}

// forgotten is a package that was changed, and is not told of.
func (tr *truth) forgotten(told []patch.Update) string {
	for _, u := range tr.did {
		if !slices.ContainsFunc(told, func(d patch.Update) bool { return d.Key() == u.Key() }) {
			return u.Name
		}
	}
	return ""
}

// namesAReason: what waits either waits for a time, for another rollout, or for a person.
func (o *operator) namesAReason() bool {
	return slices.ContainsFunc(o.said.Waits, func(w Wait) bool {
		return w.Person || !w.Until.IsZero() || strings.Contains(w.For, HeldBy) || strings.Contains(w.For, LockedBy)
	})
}
