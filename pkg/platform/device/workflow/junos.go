package workflow

import (
	"slices"
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
	steps = append(steps, t.packageAdded("add", t.units()), t.rebootedInto(t.goesDown))
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
	if !ok {
		return nil, refuseOn(t.facts, "which of its two routing engines is the primary is not known")
	}
	on := device.Values{"n": backup.ID}
	other := t.step("reboot_other", "reboot "+engineName(backup)+", the backup", t.reload()+t.up.Time.Settle)
	other.Changes, other.Do = true, []platform.Operation{t.typed("reboot_other", on)}
	other.Look = t.look(func(v *view) platform.Standing { return t.engineBack(v, backup) })

	addOther := t.packageAdded("add_other", []fact.Member{backup})
	add := t.packageAdded("add", []fact.Member{primary})
	last := t.rebootedInto(func(v *view) platform.Standing { return t.primaryDown(v, primary, backup) })
	steps = append(steps, addOther, other, add, last)
	if t.has("lead") {
		steps = append(steps, t.enginesSettled(primary, backup), t.leadsAgain(primary, backup))
	}
	return t.proved(steps), nil
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
		if s.State == fact.SlotNext && !is(s.Version, t.to) {
			return []string{"the next boot would start " + clean(s.Version) + ", which somebody has added"}
		}
	}
	return nil
}

// packageAdded is the step after which the next boot of these members starts the target.
func (t *task) packageAdded(name string, on []fact.Member) platform.Step {
	step := t.step(platform.StepID(name), "add "+t.image.Name+" to "+namesOf(on), t.commandTime("validate")+t.commandTime(name)+lookBriefly)
	step.Changes = true
	step.Do = t.each(t.there(t.transfer(), device.Values{"n": on[0].ID}), "validate", name)
	step.Look = t.look(t.staged(on))
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
			case is(t.versionOf(v, now), t.to), slices.ContainsFunc(list, t.holds(fact.SlotNext)):
				ready++
			case slices.ContainsFunc(list, func(s fact.Slot) bool { return s.State == fact.SlotNext }):
				return failed("the next boot of " + nameOf(m) + " would start something else")
			case is(t.versionOf(v, now), t.from):
				old++
			}
		}
		switch {
		case ready == len(on) && ready > 0:
			return done()
		case old == len(on) && old > 0:
			return notDone(clean(t.to) + " is not added")
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
	case is(now.Version, t.to) && now.Role == fact.RoleStandby:
		return done()
	case is(now.Version, t.to):
		return running(engineName(backup) + " is not the backup yet")
	case is(now.Version, t.from):
		return notDone(engineName(backup) + " still runs " + clean(t.from))
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
	case is(now.Version, t.to):
		return t.goesDown(v)
	case !is(now.Version, t.from):
		return unknown(engineName(primary) + " runs " + clean(now.Version))
	case !ready || !is(other.Version, t.to):
		return failed(engineName(backup) + " does not run " + clean(t.to) + " any more: the primary is left alone")
	}
	// Which engine answers may have changed, so the boot time of one says nothing of the
	// other: that the old version came back by itself, only the deadline tells.
	return notDone(engineName(primary) + " still runs " + clean(t.from))
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
		return notDone(engineName(backup) + " leads")
	})
	step.Look.Reconnects = true
	return step
}

// leader is which of two engines leads, where both run the new software and say the same.
func (t *task) leader(v *view, one, other fact.Member) (leads fact.Member, known bool) {
	a, there := bySerial(v.now.Members, one.Serial)
	b, ready := bySerial(v.now.Members, other.Serial)
	switch {
	case !there || !ready || !is(a.Version, t.to) || !is(b.Version, t.to):
		return fact.Member{}, false
	case a.Role == fact.RoleActive && b.Role == fact.RoleStandby:
		return a, true
	case a.Role == fact.RoleStandby && b.Role == fact.RoleActive:
		return b, true
	}
	return fact.Member{}, false
}

// bootedWell: it did not come up from what it keeps for emergencies.
func (t *task) bootedWell(v *view) []string {
	if alarm := v.now.Values["alarms"]; alarm != "" {
		return []string{"it came up from its backup: " + clean(alarm)}
	}
	if _, answered := v.out[t.commandOf("alarms")]; !answered {
		return []string{"its alarms can't be read"}
	}
	return nil
}
