package workflow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// activateCommit is the way of IOS-XE in install mode: the image is added on every member,
// activated (all of them restart), and committed when the checks have passed. Until then a
// timer on the device brings the former software back.
//
// Adding and activating are done by the device's own installer, of which only one
// operation is at work at a time. A command that is sent twice after a lost connection is
// therefore refused by the device, and never done twice; and while the log of the
// installer shows an operation without its end, nothing is sent at all.
func activateCommit(t *task) ([]platform.Step, error) {
	trial := t.anySlot(t.before, t.onTrial)
	switch {
	case t.work.Back && trial && !t.is(t.from, t.to):
		return t.aborted(), nil
	case trial && t.work.Again && t.is(t.facts.Version, t.to):
		return t.fromProven(), nil // of a stack half of which has it, proven says so
	case trial:
		return nil, t.refuseOn("an uncommitted activation is pending that is not of this work: commit or abort it first (install commit, install abort)")
	case t.arrived():
		return t.whatIsLeft(t.keeps, t.netAsk()), nil
	}
	if t.work.Image == nil {
		return nil, t.refuseOn("what runs is committed, and there is no image of %s to go back to", clean(t.to))
	}
	steps := append([]platform.Step{t.ready(t.idleInstaller, t.netOff)}, t.stage()...)
	steps = append(steps, t.backup()...)
	steps = append(steps, t.checkImage(), t.added(), t.activated())
	return append(steps, t.fromProven()...), nil
}

// fromProven is what remains once the new software runs: also where an earlier work was
// cut off there, and its activation still waits for the commit.
func (t *task) fromProven() []platform.Step {
	proven := t.provenThen(t.netArmed, t.activeSlots, t.netAsk())
	return append([]platform.Step{proven, t.committed()}, t.twice(true, t.keeps, t.netAsk())...)
}

// onTrial is a slot that runs and is not committed.
func (t *task) onTrial(s fact.Slot) bool { return s.State == fact.SlotTrial }

func (t *task) anySlot(d *fact.Device, fits func(fact.Slot) bool) bool {
	return slices.ContainsFunc(d.Slots, fits)
}

// busyAsk asks for the installer's log, where the definition has it.
func (t *task) busyAsk() ask { return ask{cmd: t.fill(entry(t.up.Commands, "busy").Cmd, nil)} }

// atWork tells whether the last operation of the installer's log has begun and not ended:
// the command busy, whose ok is a beginning and whose fail is an end.
func (t *task) atWork(v *view) bool {
	c := entry(t.up.Commands, "busy")
	out, answered := v.out[t.busyAsk().cmd]
	if c.Cmd == "" || !answered {
		return false
	}
	begun, ended := lastAt(t.p.Re(c.OK).FindAllIndex(out, -1)), -1
	for _, fail := range c.Fail {
		ended = max(ended, lastAt(t.p.Re(fail).FindAllIndex(out, -1)))
	}
	return begun > ended
}

func lastAt(hits [][]int) int {
	if len(hits) == 0 {
		return -1
	}
	return hits[len(hits)-1][0]
}

// idleInstaller: no other operation is at work.
func (t *task) idleInstaller(v *view) []string {
	if t.atWork(v) {
		return []string{"the device's installer is at work: somebody else's operation has not ended"}
	}
	return nil
}

func (t *task) netAsk() ask { return ask{cmd: t.fill(t.up.Net.Cmd, nil)} }

// netOff: no timer runs. Where nobody can tell, it may.
func (t *task) netOff(v *view) []string {
	if t.up.Net.Kind != "timer" || t.up.Net.Off == "" || t.p.Re(t.up.Net.Off).Match(v.out[t.netAsk().cmd]) {
		return nil
	}
	return []string{"nobody can tell that the device's own fall-back timer is off"}
}

// checksTake is what the checks of the host may take of the timer, beside the settling.
const checksTake = 10 * time.Minute

// netRequired is the value with which a definition allows to go on without its timer: "no".
const netRequired = "net_required"

// netArmed judges the timer once the new software runs, and is not committed. One that is
// not armed takes nothing back by itself: then a person decides, unless the definition
// says that it may be done without. One that runs out early does what it is there for.
func (t *task) netArmed(v *view) platform.Standing {
	if t.up.Net.Kind != "timer" || t.boots(v) {
		return done()
	}
	out, answered := v.out[t.netAsk().cmd]
	m := t.p.Re(t.up.Net.Re).FindSubmatch(out)
	switch {
	case len(m) < 2 && t.value(netRequired) == "no":
		return done("the device's fall-back timer is not armed: it is not relied upon")
	case !answered:
		return unknown("nobody can tell whether the device's fall-back timer is armed: " + t.byHand())
	case len(m) < 2:
		return unknown("the device's fall-back timer is not armed, so that nothing takes " + clean(t.to) + " back by itself: " + t.byHand())
	}
	left, ok := clock(string(m[1]))
	if need := t.up.Time.Settle + checksTake; !ok || left < need {
		return done(fmt.Sprintf("the device's fall-back timer has %s left, and %s are needed: it is not relied upon", clean(string(m[1])), need))
	}
	return done(fmt.Sprintf("the device's fall-back timer is armed, with %s left", left))
}

// byHand is what a person can do with software that runs, and is not committed.
func (t *task) byHand() string {
	text := "it runs, and is not committed. Look at it; then type " + strconv.Quote(entry(t.up.Commands, "commit").Cmd) + " to keep it"
	if t.has("abort") {
		text += ", or " + strconv.Quote(entry(t.up.Commands, "abort").Cmd) + " to go back"
	}
	return text
}

// clock reads H:MM:SS.
func clock(text string) (time.Duration, bool) {
	fields := strings.Split(text, ":")
	total := time.Duration(0)
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 10, 16)
		if err != nil {
			return 0, false
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, len(fields) == 3
}

// added is the step after which every member has the image unpacked, and inactive.
func (t *task) added() platform.Step {
	add := t.typed("add", t.there(t.transfer(), nil))
	step := t.step("add", "unpack "+t.image.Name+" on every member", max(add.Exchange.Within, 10*time.Minute)+lookBriefly)
	step.Do, step.Changes, step.Rest = []platform.Operation{add}, true, true
	step.Look = t.look(t.isAdded, t.busyAsk())
	return step
}

func (t *task) isAdded(v *view) platform.Standing {
	has := t.holds(fact.SlotIdle, fact.SlotTrial, fact.SlotRunning)
	switch {
	case t.everySlot(v, has):
		return done()
	case len(v.now.Slots) == 0:
		return unknown("nobody can tell which software is on it")
	case t.atWork(v):
		return running("the device's installer is at work")
	case t.anySlot(v.now, has):
		return failed("not every member has " + clean(t.to) + ": remove what is inactive (install remove inactive), and run it again")
	}
	return notDone(clean(t.to) + " is not added yet")
}

// activated is the step that makes the added image run.
func (t *task) activated() platform.Step {
	step := t.step("install", "activate "+clean(t.to)+"; every member restarts", t.reload())
	step.Do, step.Changes = []platform.Operation{t.typed("activate", nil)}, true
	step.Look = t.look(func(v *view) platform.Standing {
		s := t.goesDown(v)
		if s.State == platform.NotDone && (t.atWork(v) || t.anySlot(v.now, t.onTrial)) {
			return running(clean(t.to) + " is being activated")
		}
		return s
	}, t.busyAsk())
	step.Look.Reconnects = true
	return step
}

// activeSlots is what proven waits for: on every member the target is active, committed
// or not.
func (t *task) activeSlots(v *view) []string {
	if t.everySlot(v, t.holds(fact.SlotTrial, fact.SlotRunning)) {
		return nil
	}
	return []string{clean(t.to) + " is not active on every member"}
}

// committed is the step that makes the new software stay.
func (t *task) committed() platform.Step {
	step := t.step("commit", "commit "+clean(t.to)+": it stays, and the timer stops", 15*time.Minute)
	step.Do, step.Changes, step.Confirm, step.Fresh = []platform.Operation{t.typed("commit", nil)}, true, true, true
	step.Look = t.look(t.isCommitted, t.netAsk(), t.busyAsk())
	step.Look.Reconnects = true
	return step
}

func (t *task) isCommitted(v *view) platform.Standing {
	count := t.runs(v)
	switch {
	case count.allFormer() && t.anySlot(v.now, t.holds(fact.SlotTrial, fact.SlotRunning)):
		return unknown("it runs " + clean(t.from) + ", and says that " + clean(t.to) + " is active: that contradicts itself")
	case count.allFormer():
		return failed("it went back by itself to " + clean(t.from) + " before it was committed")
	case !count.allTarget():
		return unknown("nobody can tell what runs: " + count.String())
	case len(t.keeps(v)) == 0:
		return done()
	case t.atWork(v):
		return running("the device's installer is at work")
	case t.everySlot(v, t.holds(fact.SlotTrial, fact.SlotRunning)):
		return notDone(clean(t.to) + " is not committed yet")
	}
	return unknown("nobody can tell whether it is committed")
}

// keeps says why the new software would not stay: not committed on every member, or the
// timer is not off.
func (t *task) keeps(v *view) []string {
	var not []string
	if !t.everySlot(v, t.holds(fact.SlotRunning)) || t.anySlot(v.now, t.onTrial) {
		not = append(not, clean(t.to)+" is not committed on every member")
	}
	return append(not, t.netOff(v)...)
}

// aborted takes back what was activated and not committed: the device restarts with the
// former software, and that is committed.
func (t *task) aborted() []platform.Step {
	ready := t.step("preflight", "look whether the activation can be taken back", lookBriefly)
	ready.Look = t.look(func(v *view) platform.Standing {
		if bad := append(t.unmoved(v), t.bootTold(v)...); len(bad) > 0 {
			return failed(bad...)
		}
		return done()
	})
	step := t.step("install", "abort the activation; every member restarts", t.reload())
	step.Do, step.Changes = []platform.Operation{t.typed("abort", nil)}, true
	step.Look = t.look(func(v *view) platform.Standing {
		s := t.goesDown(v)
		if s.State == platform.NotDone && t.atWork(v) {
			return running("the activation is being taken back")
		}
		return s
	}, t.busyAsk())
	step.Look.Reconnects = true
	steps := append([]platform.Step{ready}, step)
	return append(steps, append([]platform.Step{t.proven(t.keeps, t.netAsk())}, t.twice(false, t.keeps, t.netAsk())...)...)
}

// anew is rebooted, or that no new boot is to be expected.
func (t *task) anew(v *view) patch.Tri {
	if t.arrived() {
		return patch.Yes
	}
	return t.rebooted(v)
}
