package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// What the definition's value chassis says of a Junos device.
const (
	junosChassis = "chassis"
	junosVC      = "vc"
	junosDual    = "dual"
)

// junos adds a package, which the next boot starts, and reboots. A virtual chassis reloads
// whole. Of two routing engines the backup goes first. The primary, which is the one that
// we talk to, follows when the backup runs the new software, and leads again in the end. With graceful switchover or nonstop routing configured two versions must not
// run side by side, and to switch those off is a change of the configuration: refused.
func junos(t *task) ([]platform.Step, error) {
	dual := t.before.Values[junosChassis] == junosDual
	if t.arrived() {
		return t.proved(nil), nil
	}
	if t.work.Image == nil {
		return junosBack(t)
	}
	checks := []check{t.nothingStaged}
	if dual {
		checks = append(checks, t.enginesReady)
	}
	steps := append([]platform.Step{t.ready(checks...)}, t.stage()...)
	steps = append(steps, t.backup()...)
	steps = append(steps, t.checkImage())
	if dual {
		return t.bothEngines(steps)
	}
	steps = append(steps, t.packageAdded("add", t.left(t.units()), asItIs), t.rebootedInto(t.goesDown))
	return t.proved(steps), nil
}

// junosBack brings the former package back, which a single device keeps.
func junosBack(t *task) ([]platform.Step, error) {
	if !t.has("rollback") {
		return nil, refuse("name an image of the former version in the playbook",
			"a %s of several members goes back only by installing the former package", t.def.Title)
	}
	rollback := t.step("rollback", "let the next boot start "+clean(t.to), t.commandTime("rollback")+lookBriefly)
	rollback.Changes = true
	rollback.Do = t.each(nil, "rollback")
	rollback.Look = t.look(t.staged(t.units()))
	steps := append([]platform.Step{t.ready(t.nothingStaged)}, t.backup()...)
	return t.proved(append(steps, rollback, t.rebootedInto(t.goesDown))), nil
}

func (t *task) proved(steps []platform.Step) []platform.Step {
	steps = append(steps, t.proven(t.bootedWell))
	return append(steps, t.twice(false, t.bootedWell)...)
}

// bothEngines are the steps of two routing engines, one after the other.
func (t *task) bothEngines(steps []platform.Step) ([]platform.Step, error) {
	primary, backup, ok := engines(t.before)
	leads := t.answersFor(primary)
	if !ok {
		return nil, t.refuseOn("which of its two routing engines is the primary is not known")
	}
	on := device.Values{"n": backup.ID}
	other := t.step("reboot_other", "reboot "+engineName(backup)+", the backup", t.reload()+t.up.Time.Settle)
	other.Changes, other.Do = true, []platform.Operation{t.typed("reboot_other", on)}
	other.Look = t.look(func(v *view) platform.Standing { return leads(v, t.engineBack(v, backup)) })

	addOther := t.packageAdded("add_other", []fact.Member{backup}, leads)
	add := t.packageAdded("add", []fact.Member{primary}, leads)
	last := t.rebootedInto(func(v *view) platform.Standing { return leads(v, t.primaryDown(v, primary, backup)) })
	steps = append(steps, addOther, other, add, last)
	if t.has("lead") {
		steps = append(steps, t.enginesSettled(primary, backup), t.leadsAgain(primary, backup))
	}
	return t.proved(steps), nil
}

// weighs judges a standing once more, by what else the look has found.
type weighs func(*view, platform.Standing) platform.Standing

func asItIs(_ *view, s platform.Standing) platform.Standing { return s }

// answersFor lets a command be typed only where the engine that answers still leads, and is
// the one that the steps were made for: else it would reboot the other one, which carries all.
func (t *task) answersFor(primary fact.Member) weighs {
	return func(v *view, s platform.Standing) platform.Standing {
		now, there := bySerial(v.now.Members, primary.Serial)
		if s.State == platform.NotDone && (!there || now.Role != fact.RoleActive || v.now.Role != fact.RoleActive) {
			return unknown("another routing engine leads than before, or nobody can tell: nothing is typed. " + strings.Join(s.Reasons, "; "))
		}
		return s
	}
}

// engines are the two routing engines by their role.
func engines(d *fact.Device) (primary, backup fact.Member, ok bool) {
	p := slices.IndexFunc(d.Members, func(m fact.Member) bool { return m.Role == fact.RoleActive })
	b := slices.IndexFunc(d.Members, func(m fact.Member) bool { return m.Role == fact.RoleStandby })
	if len(d.Members) != 2 || p < 0 || b < 0 {
		return fact.Member{}, fact.Member{}, false
	}
	return d.Members[p], d.Members[b], true
}

func engineName(m fact.Member) string { return "routing engine " + clean(m.ID) }

// enginesReady: we talk to the primary, and nothing is configured that two versions side
// by side would break.
func (t *task) enginesReady(v *view) []string {
	var reasons []string
	if _, _, ok := engines(v.now); !ok {
		reasons = append(reasons, "one of its two routing engines is not the primary, or not the backup")
	}
	if v.now.Role != fact.RoleActive {
		reasons = append(reasons, "the routing engine that answers is not the primary: give its address, or the primary's own")
	}
	for _, c := range []struct{ value, what string }{{"gres", "graceful-switchover"}, {"nsr", "nonstop-routing"}} {
		_, answered := v.out[t.commandOf(c.value)]
		switch {
		case v.now.Values[c.value] != "":
			reasons = append(reasons, c.what+" is configured: deactivate it for the time of the upgrade")
		case !answered:
			reasons = append(reasons, "nobody can tell whether "+c.what+" is configured")
		}
	}
	return reasons
}

// commandOf is the command that a value of the definition is read from.
func (t *task) commandOf(value string) string {
	if fields := entry(t.def.Facts.Values, value); len(fields) > 0 {
		return fields[0].Cmd
	}
	return ""
}

// nothingStaged: the next boot starts what runs.
func (t *task) nothingStaged(v *view) []string {
	for _, s := range v.now.Slots {
		if s.State == fact.SlotNext && !(t.is(s.Version, t.to) && t.work.Again) {
			return []string{"the next boot would start " + clean(s.Version) + ", which somebody has added: take it back (request system software rollback), or reboot into it first"}
		}
	}
	return nil
}

// packageAdded is the step after which the next boot of these members starts the target.
func (t *task) packageAdded(name string, on []fact.Member, weigh weighs) platform.Step {
	step := t.step(platform.StepID(name), "add "+t.image.Name+" to "+namesOf(on), t.commandTime("validate")+t.commandTime(name)+lookBriefly)
	step.Changes = true
	step.Do = t.each(t.there(t.transfer(), device.Values{"n": on[0].ID}), "validate", name)
	judge := t.staged(on)
	step.Look = t.look(func(v *view) platform.Standing { return weigh(v, judge(v)) })
	return step
}

// commandTime bounds a command of the definition.
func (t *task) commandTime(name string) time.Duration {
	return max(entry(t.up.Commands, name).Timeout, time.Minute)
}

// staged judges whether the next boot of these members starts the target. A package that
// is only being added is not seen: then its command is waited for, and not sent again.
func (t *task) staged(on []fact.Member) func(*view) platform.Standing {
	return func(v *view) platform.Standing {
		ready, old := 0, 0
		for _, m := range on {
			now, there := bySerial(v.now.Members, m.Serial)
			if !there {
				return unknown(nameOf(m) + " does not answer")
			}
			list := slots(v.now, m.ID)
			switch {
			case t.is(t.versionOf(v, now), t.to), slices.ContainsFunc(list, t.holds(fact.SlotNext)):
				ready++
			case slices.ContainsFunc(list, func(s fact.Slot) bool { return s.State == fact.SlotNext }):
				return failed("the next boot of " + nameOf(m) + " would start something else")
			case t.is(t.versionOf(v, now), t.from):
				old++
			}
		}
		switch {
		case ready == len(on) && ready > 0:
			return done()
		case old == len(on) && old > 0:
			return notDone(clean(t.to) + " is not added" + t.ahead(v))
		}
		return unknown("only a part of the members would start " + clean(t.to) + ", or nobody can tell")
	}
}

// versionOf is what a member runs now: of one alone, what the device says.
func (t *task) versionOf(v *view, m fact.Member) string {
	if m.Version == "" && len(t.units()) == 1 {
		return v.facts.Version
	}
	return m.Version
}

// rebootedInto is the step that reboots.
func (t *task) rebootedInto(judge func(*view) platform.Standing) platform.Step {
	step := t.step("install", "reboot into "+clean(t.to), t.reload())
	step.Changes, step.Do = true, []platform.Operation{t.typed("reboot", nil)}
	step.Look = t.look(judge)
	step.Look.Reconnects = true
	return step
}

// engineBack judges the backup's own reboot, which our connection does not feel.
func (t *task) engineBack(v *view, backup fact.Member) platform.Standing {
	now, there := bySerial(v.now.Members, backup.Serial)
	switch {
	case !there || now.Version == "":
		return running(engineName(backup) + " does not answer yet")
	case t.is(now.Version, t.to) && now.Role == fact.RoleStandby:
		return done()
	case t.is(now.Version, t.to):
		return running(engineName(backup) + " is not the backup yet")
	case t.is(now.Version, t.from):
		return notDone(engineName(backup) + " still runs " + clean(t.from) + t.pendingOn(v, backup))
	}
	return unknown(engineName(backup) + " runs " + clean(now.Version))
}

// primaryDown judges the reboot of the engine that we talk to, while the other runs the
// target already.
func (t *task) primaryDown(v *view, primary, backup fact.Member) platform.Standing {
	now, there := bySerial(v.now.Members, primary.Serial)
	other, ready := bySerial(v.now.Members, backup.Serial)
	switch {
	case !there || now.Version == "":
		return running(engineName(primary) + " does not answer yet")
	case t.is(now.Version, t.to):
		return t.goesDown(v)
	case !t.is(now.Version, t.from):
		return unknown(engineName(primary) + " runs " + clean(now.Version))
	case !ready || !t.is(other.Version, t.to):
		return failed(engineName(backup) + " does not run " + clean(t.to) + " any more: the primary is left alone")
	}
	// Which engine answers may have changed, so the boot time of one says nothing of the
	// other: that the old version came back by itself, only the deadline tells.
	return notDone(engineName(primary) + " still runs " + clean(t.from) + t.pendingOn(v, primary) + t.ahead(v))
}

// bootedWell: it did not come up from what it keeps for emergencies.
func (t *task) bootedWell(v *view) []string {
	if alarm := v.now.Values["alarms"]; alarm != "" {
		return []string{"it came up from its backup: " + clean(alarm)}
	}
	if _, answered := v.out[t.commandOf("alarms")]; !answered {
		return []string{"its alarms can't be read"}
	}
	if i := slices.IndexFunc(v.now.Slots, func(s fact.Slot) bool { return s.State == fact.SlotNext && !t.is(s.Version, t.to) }); i >= 0 {
		return []string{"the next boot would start " + clean(v.now.Slots[i].Version)}
	}
	return nil
}
