package workflow

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// goesDown judges the step that makes the new software run: done once every member that
// answers runs it, after a boot of its own.
func (t *task) goesDown(v *view) platform.Standing {
	count, again := t.runs(v), t.rebooted(v)
	switch {
	case count.allTarget() && again == patch.Yes:
		return done()
	case count.allTarget() && again == patch.No:
		return unknown("it runs " + clean(t.to) + ", and has not restarted: that contradicts itself")
	case count.allFormer() && again == patch.Yes:
		return t.reverted(v)
	case count.allFormer() && again == patch.No:
		return t.still(v)
	case again == patch.No && t.asLeft(count):
		return notDone("it stands where an earlier try has left it: " + count.String())
	case len(count.target) > 0 && len(count.other) == 0:
		return running("coming up: " + count.String())
	}
	return unknown("nobody can tell what runs: " + count.String())
}

// still: it runs what it ran, and has not restarted.
func (t *task) still(v *view) platform.Standing {
	if t.anySlot(v.now, t.holds(fact.SlotNext)) {
		return notDone("it still runs " + clean(t.from) + ", and the next boot starts " + clean(t.to))
	}
	return notDone("it still runs " + clean(t.from))
}

// asLeft: some members run the target and others do not, just as before the work began.
func (t *task) asLeft(count tally) bool {
	return t.halfway() && len(count.former) == len(t.left(t.units()))
}

// reverted: the device has restarted, and runs what it ran before. It is as before only where
// its slots agree: what says that the new software is active contradicts what runs, and what
// the next boot starts comes up with the next loss of power.
func (t *task) reverted(v *view) platform.Standing {
	back := "it has restarted, and runs " + clean(t.from) + " again"
	switch {
	case t.anySlot(v.now, t.holds(fact.SlotTrial)):
		return unknown(back + ", and says that " + clean(t.to) + " is active, on trial: that contradicts itself")
	case t.anySlot(v.now, t.holds(fact.SlotRunning)):
		return unknown(back + ", and says that " + clean(t.to) + " is active: that contradicts itself")
	case t.anySlot(v.now, t.holds(fact.SlotNext)):
		return failed(back + ", though the next boot starts " + clean(t.to) + ": run it again, or let the next boot start " + clean(t.from))
	case v.now.Values[bootUnset] != "" && t.before.Values[bootUnset] == "":
		return unknown(back + ", and its boot variable names nothing any more: its configuration may be lost")
	}
	return failed(back + ": it went back by itself, or somebody took it back")
}

// standsBy judges, once the new software answers, whether it is all there: every member,
// in a state no worse than before, anew and with the target. More is what the workflow
// wants beside; it may be nil.
func (t *task) standsBy(v *view, more func(*view) []string) platform.Standing {
	count, again := t.runs(v), t.anew(v)
	switch {
	case count.allFormer() && again == patch.Yes:
		return t.reverted(v)
	case len(count.former)+len(count.other) > 0:
		return unknown("not every member runs " + clean(t.to) + ": " + count.String())
	case again == patch.No:
		return unknown("it has not restarted since the work began")
	}
	waits := append(t.unsettled(v), t.unquiet(v)...)
	if t.arrived() { // then it may have been unwell before
		waits = append(waits, t.wellMembers(v)...)
	}
	if len(count.unclear) > 0 {
		waits = append(waits, "nobody knows what runs on "+strings.Join(count.unclear, ", "))
	}
	if again != patch.Yes {
		waits = append(waits, "nobody can tell when it came up")
	}
	if more != nil {
		waits = append(waits, more(v)...)
	}
	if len(waits) > 0 {
		return running(strings.Join(waits, "; "))
	}
	return done()
}

// proven is the step that waits until everything is back, and only looks.
func (t *task) proven(more func(*view) []string, asks ...ask) platform.Step {
	return t.provenThen(func(*view) platform.Standing { return done() }, more, asks...)
}

// provenThen is proven, and once all is back asks then whether it may go on.
func (t *task) provenThen(then func(*view) platform.Standing, more func(*view) []string, asks ...ask) platform.Step {
	step := t.step("proven", "wait until every member is back with "+clean(t.to), t.up.Time.Settle)
	step.Look = t.look(func(v *view) platform.Standing {
		if s := t.standsBy(v, more); s.State != platform.Done {
			return s
		}
		return then(v)
	}, append(asks, t.askAll(settledPrefix)...)...)
	step.Look.Reconnects = true
	return step
}

// twice are the last two steps: the whole evidence, each time on a connection of its own.
func (t *task) twice(confirm bool, more func(*view) []string, asks ...ask) []platform.Step {
	steps := make([]platform.Step, 0, 2)
	for _, id := range []platform.StepID{"done", "done_again"} {
		step := t.proven(more, asks...)
		step.ID, step.Title, step.Fresh, step.Confirm = id, "see it all once more", true, confirm
		steps = append(steps, step)
	}
	return steps
}

// boots tells whether the next boot of every member starts the target.
func (t *task) boots(v *view) bool { return t.everySlot(v, t.holds(fact.SlotRunning, fact.SlotNext)) }
