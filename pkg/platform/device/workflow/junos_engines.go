package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
)

// pendingOn tells that the next boot of an engine brings the target.
func (t *task) pendingOn(v *view, m fact.Member) string {
	if slices.ContainsFunc(slots(v.now, m.ID), t.holds(fact.SlotNext)) {
		return ", and its next boot starts " + clean(t.to)
	}
	return ""
}

// ahead tells which members run the target while others do not.
func (t *task) ahead(v *view) string {
	if ids := t.runs(v).target; len(ids) > 0 {
		return "; it runs already on " + strings.Join(ids, ", ")
	}
	return ""
}

// switchTakes is how long two routing engines refuse to change places after one came up,
// and then take for it.
const switchTakes = 10 * time.Minute

// enginesSettled is the step that waits until the two may change places.
func (t *task) enginesSettled(primary, backup fact.Member) platform.Step {
	step := t.step("settle", "wait until both routing engines are settled", t.up.Time.Settle+switchTakes)
	step.Look = t.look(func(v *view) platform.Standing {
		young := v.now.Values["young"]
		switch _, known := t.leader(v, primary, backup); {
		case !known:
			return running("its routing engines do not agree yet which one leads")
		case young != "":
			return running("one of its routing engines has been up for " + clean(young) + " only")
		}
		return done()
	})
	step.Look.Reconnects = true
	return step
}

// leadsAgain is the step that gives the lead back to the engine that had it, where it has
// moved: a device on which the other one leads is not as it was before, and raises an alarm.
func (t *task) leadsAgain(primary, backup fact.Member) platform.Step {
	step := t.step("lead", "let "+engineName(primary)+" lead again", t.up.Time.Settle+switchTakes)
	step.Changes, step.Do = true, []platform.Operation{t.typed("lead", nil)}
	step.Look = t.look(func(v *view) platform.Standing {
		switch leads, known := t.leader(v, primary, backup); {
		case !known:
			return unknown("its routing engines do not agree which one leads")
		case leads.Serial == primary.Serial:
			return done()
		}
		return notDone("both run " + clean(t.to) + ", and " + engineName(backup) + " leads")
	})
	step.Look.Reconnects = true
	return step
}

// leader is which of two engines leads, where both run the new software and say the same.
func (t *task) leader(v *view, one, other fact.Member) (leads fact.Member, known bool) {
	a, there := bySerial(v.now.Members, one.Serial)
	b, ready := bySerial(v.now.Members, other.Serial)
	switch {
	case !there || !ready || !t.is(a.Version, t.to) || !t.is(b.Version, t.to):
		return fact.Member{}, false
	case a.Role == fact.RoleActive && b.Role == fact.RoleStandby:
		return a, true
	case a.Role == fact.RoleStandby && b.Role == fact.RoleActive:
		return b, true
	}
	return fact.Member{}, false
}
