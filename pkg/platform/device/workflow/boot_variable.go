package workflow

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// bootVariable is the way of IOS-XE in bundle mode and of EOS: the image lies in flash,
// the boot variable names it, and the device is restarted. Nothing goes back by itself;
// where the platform takes several boot lines, the former image stays as the second.
func bootVariable(t *task) ([]platform.Step, error) {
	switch {
	case t.arrived():
		t.image.Name = cmp.Or(t.before.Values[runningFile], t.image.Name, t.formerFile())
		return t.whatIsLeft(t.startsTarget), nil
	case t.work.Image == nil:
		return t.bootBack()
	}
	former := t.formerFile()
	switch {
	case former == "" && t.has("fallback"):
		return nil, t.refuseOn("the file that it runs is not known, so that it could not stay as what it falls back to")
	case former == t.image.Name:
		return nil, t.refuseOn("the file that it runs has the image's name, %s: give the image another", clean(t.image.Name))
	}
	steps := append([]platform.Step{t.ready(t.nothingPending)}, t.stage()...)
	if fs := t.value("member_fs"); fs != "" {
		steps = append(steps, t.copies(fs)...)
	}
	steps = append(steps, t.backup()...)
	steps = append(steps, t.checkImage())
	return append(steps, t.booted(former)...), nil
}

// booted are the steps from the boot variable on.
func (t *task) booted(former string) []platform.Step {
	steps := []platform.Step{t.bootSet(former), t.reloaded(), t.proven(t.startsTarget)}
	return append(steps, t.twice(false, t.startsTarget)...)
}

// fallbackFile is the file that the boot variable names second.
const fallbackFile = "fallback"

// bootBack starts the former image again, if its file is still there. Nobody knows its
// digest; what it is, its version tells once it runs.
func (t *task) bootBack() ([]platform.Step, error) {
	name := t.before.Values[fallbackFile]
	if name == "" && strings.Contains(t.outgoing, t.from) {
		name = strings.ReplaceAll(t.outgoing, t.from, t.to)
	}
	if name == "" || name == t.formerFile() {
		return nil, t.refuseOn("nobody knows a file of %s on it, and there is no image of it to install", clean(t.to))
	}
	t.image.Name, t.values["file"] = name, name
	present := t.present(nil)
	if present.cmd == "" {
		return nil, t.refuseOn("nobody can tell whether %s is still there", clean(name))
	}
	ready := t.step("preflight", "look whether "+name+" is still there", lookBriefly)
	if named := versionForm.FindString(name); named != "" && !t.names(named, t.to) {
		return nil, t.refuseOn("its second file is %s, which is not %s", clean(name), clean(t.to))
	}
	ready.Look = t.look(func(v *view) platform.Standing {
		reasons := slices.Concat(t.unmoved(v), t.wellMembers(v), t.unguarded(v), t.bootTold(v), t.nothingPending(v))
		if _, there := t.sizeThere(v, present); !there {
			reasons = append(reasons, name+" is not there any more")
		}
		if len(reasons) > 0 {
			return failed(reasons...)
		}
		return done("the former image is still there; its digest is not known")
	}, append(t.guards(), present)...)
	steps := append([]platform.Step{ready}, t.backup()...)
	return append(steps, t.booted(t.formerFile())...), nil
}

// runningFile is the file that runs, where the device tells it.
const runningFile = "image"

// formerFile is the name of the file that runs, where the device tells: else of the one
// that the next boot starts.
func (t *task) formerFile() string {
	if name := t.before.Values[runningFile]; name != "" {
		return name
	}
	for _, s := range t.before.Slots {
		if s.Name != "" {
			return s.Name
		}
	}
	return ""
}

// bootUnset is the value that is there where the device says that its boot variable names
// nothing: so it is after a change of it that was cut off in the middle.
const bootUnset = "boot_unset"

// bootUntold: nobody can tell which file the next boot starts. That it is none that is
// named, is told.
func (t *task) bootUntold(v *view) bool {
	return len(v.now.Slots) == 0 && v.now.Values[bootUnset] == ""
}

// versionForm finds a version in the name of a file: EOS-4.30.5M.swi.
var versionForm = regexp.MustCompile(`[0-9]+(?:\.[0-9]+){2}(?:[A-Za-z][0-9]*)?\b`)

// names tells whether the version in a file's name is this one; EOS-4.30.5M.swi has the
// letter, cat9k_iosxe.17.09.04a.SPA.bin too.
func (t *task) names(inName, version string) bool {
	return t.is(inName, version) || t.is(version, inName)
}

// nothingPending: on every member the next boot starts what runs, or already what is to
// run. Where the device does not name the file that runs, the version in the other's name
// has to do.
func (t *task) nothingPending(v *view) []string {
	if t.bootUntold(v) {
		return []string{"nobody can tell which file the next boot starts"}
	}
	runs := v.now.Values[runningFile]
	for _, s := range v.now.Slots {
		named := versionForm.FindString(s.Name)
		switch {
		case s.Name == runs, s.Name == t.image.Name: // that of the target is weighed by unclaimed
		case runs != "", named != "" && !t.names(named, v.facts.Version):
			return []string{"the next boot starts " + clean(s.Name) + ", and that is not what runs: a restart is pending that is not ours"}
		}
	}
	return nil
}

// bootSet is the step that names the image in the boot variable, and saves that. The look
// uses a connection of its own: a command that was refused in the middle may have left
// the other one in configuration mode.
func (t *task) bootSet(former string) platform.Step {
	way := t.transfer()
	step := t.step("boot", "let the next boot start "+t.image.Name, lookBriefly)
	step.Do = t.each(nil, "configure", "clear")
	step.Do = append(step.Do, t.typed("boot", t.there(way, nil)))
	if t.has("fallback") {
		second := device.Values{"file": former, "path": t.fill(way.Dir, nil) + former}
		step.Do = append(step.Do, t.typed("fallback", second))
	}
	step.Do = append(step.Do, t.each(nil, "leave", "save")...)
	step.Changes, step.Fresh = true, true
	step.Look = t.look(t.isSet, t.dirtyAsk())
	return step
}

// dirtyAsk asks whether the configuration is saved, where the platform can tell.
func (t *task) dirtyAsk() ask {
	if len(t.def.Save) == 0 {
		return ask{}
	}
	return ask{cmd: t.fill(t.def.Save[0].Dirty, nil)}
}

func (t *task) isSet(v *view) platform.Standing {
	dirty := t.dirtyAsk()
	out, answered := v.out[dirty.cmd]
	switch {
	case t.bootUntold(v):
		return unknown("nobody can tell which file the next boot starts")
	case !t.boots(v) && t.bootChanged(v):
		return unknown("its boot variable is not what it was, and does not start " + t.image.Name + " on every member: " + t.bootByHand() + ", or run it again")
	case !t.boots(v):
		return notDone("the next boot does not start " + t.image.Name + " on every member")
	case dirty.cmd != "" && !answered:
		return unknown("nobody can tell whether the configuration is saved")
	case dirty.cmd != "" && t.p.Re(t.def.Save[0].Re).Match(out):
		return notDone("the boot variable is set, and not saved")
	}
	return done()
}

// bootChanged: the boot variable is neither as it was before nor as it must be. A change
// that was cut off in the middle may have left none of its lines, and then it is not as if
// nothing had happened.
func (t *task) bootChanged(v *view) bool {
	if v.now.Values[bootUnset] != t.before.Values[bootUnset] {
		return true
	}
	return slices.ContainsFunc(v.now.Slots, func(s fact.Slot) bool { return !slices.Contains(t.before.Slots, s) })
}

// bootByHand is what a person types so that the next boot starts what runs.
func (t *task) bootByHand() string {
	way, former := t.transfer(), t.formerFile()
	lines := []string{}
	for _, name := range []string{"configure", "boot", "leave", "save"} {
		if t.has(name) {
			lines = append(lines, strconv.Quote(t.fill(entry(t.up.Commands, name).Cmd, device.Values{"file": former, "path": t.fill(way.Dir, nil) + former})))
		}
	}
	return "type " + strings.Join(lines, ", ") + " to let it start what runs"
}

// reloaded is the step that restarts the device. It is never sent where the next boot
// would start something else.
func (t *task) reloaded() platform.Step {
	step := t.step("install", "restart with "+clean(t.to), t.reload())
	step.Do, step.Changes = []platform.Operation{t.typed("reload", nil)}, true
	step.Look = t.look(func(v *view) platform.Standing {
		s := t.goesDown(v)
		if s.State == platform.NotDone && !t.boots(v) {
			return failed("the next boot would not start " + t.image.Name + ": it is not restarted")
		}
		return s
	})
	step.Look.Reconnects = true
	return step
}

// startsTarget says why the new software would not stay.
func (t *task) startsTarget(v *view) []string {
	if t.boots(v) {
		return nil
	}
	return []string{"the next boot does not start " + t.image.Name + " on every member"}
}
