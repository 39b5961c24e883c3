package workflow

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// bootVariable is the way of IOS-XE in bundle mode and of EOS: the image lies in flash,
// the boot variable names it, and the device is restarted. Nothing goes back by itself;
// where the platform takes several boot lines, the former image stays as the second.
func bootVariable(t *task) ([]platform.Step, error) {
	if t.work.Image == nil {
		return t.bootBack()
	}
	former := t.formerFile()
	switch {
	case former == "" && t.has("fallback"):
		return nil, refuseOn(t.facts, "the file that it runs is not known, so that it could not stay as what it falls back to")
	case former == t.image.Name:
		return nil, refuseOn(t.facts, "the file that it runs has the image's name, %s: give the image another", clean(t.image.Name))
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
		return nil, refuseOn(t.facts, "nobody knows a file of %s on it, and there is no image of it to install", clean(t.to))
	}
	t.image.Name, t.values["file"] = name, name
	present := t.present(nil)
	if present.cmd == "" {
		return nil, refuseOn(t.facts, "nobody can tell whether %s is still there", clean(name))
	}
	ready := t.step("preflight", "look whether "+name+" is still there", lookBriefly)
	ready.Look = t.look(func(v *view) platform.Standing {
		reasons := slices.Concat(t.unmoved(v), t.wellMembers(v), t.unguarded(v))
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
var versionForm = regexp.MustCompile(`[0-9]+(?:\.[0-9]+){2}[A-Z]?[0-9]*`)

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
		case s.Name == t.image.Name, s.Name == runs:
		case runs != "", named != "" && !is(named, v.facts.Version):
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
	case !t.boots(v):
		return notDone("the next boot does not start " + t.image.Name + " on every member")
	case dirty.cmd != "" && !answered:
		return unknown("nobody can tell whether the configuration is saved")
	case dirty.cmd != "" && t.p.Re(t.def.Save[0].Re).Match(out):
		return notDone("the boot variable is set, and not saved")
	}
	return done()
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
