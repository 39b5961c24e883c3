package workflow

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/device"
)

// slotPlan is where the new software goes.
type slotPlan struct {
	name    string
	version string // "version build", as the device prints it
	create  bool   // the slot does not exist yet
	filled  bool   // it holds the target already
}

// dualSlot installs beside what runs, gives the traffic to the partner, and boots the
// other slot. The former software stays in its slot, with its configuration.
//
// While the two units of a pair run different versions they can't synchronise: that is
// expected then, and only then.
func dualSlot(t *task) ([]platform.Step, error) {
	if t.arrived() {
		return t.slotProved()
	}
	plan, err := t.chosenSlot()
	if err != nil {
		return nil, err
	}
	on := device.Values{"slot": plan.name, "name": t.backupName()}
	steps := []platform.Step{t.ready(t.pairReady, func(v *view) []string { return t.slotFree(v, plan) })}
	if t.work.Image != nil {
		steps = append(steps, t.stage()...)
	}
	steps = append(steps, t.backup()...)
	steps = append(steps, t.archived(on))
	if t.work.Image != nil && !plan.filled {
		steps = append(steps, t.checkImage(), t.slotInstalled(plan, on))
	}
	steps = append(steps, t.madeStandby(plan), t.slotBooted(plan, on))
	more := func(v *view) []string { return t.slotRuns(v, plan) }
	steps = append(steps, t.proven(more))
	return append(steps, t.twice(false, more)...), nil
}

// slotProved are the steps where an earlier try has booted the target already.
func (t *task) slotProved() ([]platform.Step, error) {
	want, err := t.wanted()
	if err != nil {
		return nil, err
	}
	if t.work.Image == nil {
		want = t.facts.Version + " " + t.before.Build
	}
	i := slices.IndexFunc(t.before.Slots, func(s fact.Slot) bool { return s.State == fact.SlotRunning })
	if i < 0 {
		return nil, t.refuseOn("which of its slots runs is not known")
	}
	plan := slotPlan{name: t.before.Slots[i].Name, version: want}
	return t.whatIsLeft(func(v *view) []string { return t.slotRuns(v, plan) }), nil
}

// wanted is the target as a slot tells it: with its build, where an image's name says that.
func (t *task) wanted() (string, error) {
	if t.work.Image == nil {
		return t.to, nil
	}
	m := imageForm.FindStringSubmatch(t.image.Name)
	if len(m) < 3 || m[1] != t.to {
		return "", refuse("give the file the name that F5 gives it: BIGIP-VERSION-BUILD.iso; hotfix images are not supported",
			"the name of %s does not tell version %s and its build", t.image.Name, clean(t.to))
	}
	return m[1] + " " + m[2], nil
}

// imageForm is a full image's name, which tells its version and build:
// BIGIP-16.1.4-0.0.9.iso. A hotfix is named otherwise, and needs its base first.
var imageForm = regexp.MustCompile(`^BIGIP-(\d+(?:\.\d+){1,4})-(\d+(?:\.\d+){1,4})(?:\.ALL-\S+)?\.iso$`)

// chosenSlot is where the target goes: where it lies already, else an empty slot, else the
// one that does not run with the oldest software, else a new one. Never the one that runs.
func (t *task) chosenSlot() (slotPlan, error) {
	want, err := t.wanted()
	if err != nil {
		return slotPlan{}, err
	}
	idle := slices.DeleteFunc(slices.Clone(t.before.Slots), func(s fact.Slot) bool { return s.State != fact.SlotIdle })
	for _, s := range idle {
		if v := slotVersion(s); v == want || t.work.Image == nil && strings.HasPrefix(v, want+" ") {
			return slotPlan{name: s.Name, version: v, filled: t.work.Again || t.work.Back}, nil
		}
	}
	if t.work.Image == nil {
		return slotPlan{}, refuse("name an image of it in the playbook", "no slot holds %s any more", clean(want))
	}
	if len(idle) > 0 {
		slices.SortStableFunc(idle, bySlotAge)
		return slotPlan{name: idle[0].Name, version: want}, nil
	}
	return t.newSlot(want)
}

// bySlotAge puts empty slots first, then the oldest software.
func bySlotAge(a, b fact.Slot) int {
	switch {
	case older(a.Version, b.Version):
		return -1
	case older(b.Version, a.Version):
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

func slotVersion(s fact.Slot) string { return strings.Join(strings.Fields(s.Version), " ") }

var slotForm = regexp.MustCompile(`^([A-Z]{2}\d\.)(\d{1,2})$`)

// newSlot is the next number on the disk of what runs.
func (t *task) newSlot(want string) (slotPlan, error) {
	disk, highest := "", 0
	for _, s := range t.before.Slots {
		m := slotForm.FindStringSubmatch(s.Name)
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(m[2]); err == nil {
			highest = max(highest, n)
		}
		if s.State == fact.SlotRunning {
			disk = m[1]
		}
	}
	if disk == "" {
		return slotPlan{}, t.refuseOn("which of its slots runs is not known")
	}
	return slotPlan{name: fmt.Sprintf("%s%d", disk, highest+1), version: want, create: true}, nil
}

// backupName names this work's archive on the device.
func (t *task) backupName() string { return "patchring-" + patch.DigestOf([]byte(t.work.ID)).Short() }

// slotFree: what was chosen does not run by now, and nothing is being installed.
func (t *task) slotFree(v *view, plan slotPlan) []string {
	var reasons []string
	if s, ok := slotNamed(v.now, plan.name); ok && s.State == fact.SlotRunning {
		reasons = append(reasons, plan.name+" runs now, and was idle when the work was planned")
	}
	for _, at := range t.installing(v) {
		if !hasFailed(at) {
			reasons = append(reasons, "something is being installed: "+clean(at))
		}
	}
	if len(v.now.Slots) == 0 {
		reasons = append(reasons, "its slots can't be read")
	}
	return reasons
}

// installing are the rows of slots that are not complete, as the device prints them: the
// definition's value progress finds them.
func (t *task) installing(v *view) []string {
	var rows []string
	for _, field := range entry(t.def.Facts.Values, "progress") {
		for _, m := range t.p.Re(field.Re).FindAllSubmatch(v.out[field.Cmd], 50) {
			if len(m) > 1 {
				rows = append(rows, string(m[1]))
			}
		}
	}
	return rows
}

// hasFailed tells of a row whose installation has ended.
func hasFailed(row string) bool { return strings.Contains(row, " failed") }

func slotNamed(d *fact.Device, name string) (fact.Slot, bool) {
	i := slices.IndexFunc(d.Slots, func(s fact.Slot) bool { return s.Name == name })
	if i < 0 {
		return fact.Slot{}, false
	}
	return d.Slots[i], true
}

// archived is the step that keeps the whole configuration in an archive on the device.
func (t *task) archived(on device.Values) platform.Step {
	step := t.step("archive", "keep the whole configuration in an archive on the device", t.commandTime("archive")+lookBriefly)
	step.Changes, step.Do = true, []platform.Operation{t.typed("archive", on)}
	there := entry(t.up.Commands, "archived")
	present := ask{cmd: t.fill(there.Cmd, on)}
	step.Look = t.look(func(v *view) platform.Standing {
		if out, ok := v.out[present.cmd]; ok && t.p.Re(there.OK).Match(out) {
			return done()
		}
		return notDone("the archive is not there")
	}, present)
	return step
}

// slotInstalled is the step that installs beside what runs; the device does it by itself,
// whatever becomes of the connection.
func (t *task) slotInstalled(plan slotPlan, on device.Values) platform.Step {
	name := "install"
	if plan.create {
		name = "install_new"
	}
	step := t.step("add", "install "+t.image.Name+" on "+plan.name, t.up.Time.Deadline)
	step.Changes, step.Rest = true, true
	step.Do = append(t.each(on, "verify"), t.typed(name, on))
	step.Look = t.look(func(v *view) platform.Standing { return t.slotHolds(v, plan) })
	return step
}

func (t *task) slotHolds(v *view, plan slotPlan) platform.Standing {
	s, there := slotNamed(v.now, plan.name)
	progress := ""
	for _, row := range t.installing(v) {
		if strings.HasPrefix(row, plan.name+" ") {
			progress = strings.Join(strings.Fields(row), " ")
		}
	}
	switch {
	case len(v.now.Slots) == 0:
		return unknown("its slots can't be read")
	case there && s.State == fact.SlotRunning && slotVersion(s) != plan.version:
		return unknown(plan.name + " runs: nothing may be installed there")
	case there && s.State != "" && slotVersion(s) == plan.version:
		return done()
	case hasFailed(progress):
		return failed("the installation failed: " + clean(progress))
	case there && s.State == "":
		return running(cmp.Or(clean(progress), plan.name+" is not complete"))
	}
	return notDone(plan.name + " does not hold " + clean(plan.version))
}

// madeStandby is the step that gives the traffic to the partner, where it is ready. Once
// the chosen slot runs, that is over.
func (t *task) madeStandby(plan slotPlan) platform.Step {
	step := t.step("standby", "give the traffic to the partner", t.up.Time.Settle)
	step.Changes, step.Do = true, []platform.Operation{t.typed("standby", nil)}
	step.Look = t.look(func(v *view) platform.Standing {
		booted, ok := slotNamed(v.now, plan.name)
		switch {
		case alone(v.now) && alone(t.before), v.now.Role == fact.RoleStandby, ok && booted.State == fact.SlotRunning:
			return done()
		case v.now.Role != fact.RoleActive:
			return unknown("nobody can tell whether it is active or standby")
		case v.now.Values["partner"] == "":
			return failed("it is active, and no partner is ready to take over")
		}
		return notDone("it is active")
	})
	return step
}

// slotBooted is the step that boots the chosen slot.
func (t *task) slotBooted(plan slotPlan, on device.Values) platform.Step {
	step := t.step("install", "boot "+plan.name, t.reload())
	step.Changes, step.Do = true, []platform.Operation{t.typed("boot", on)}
	step.Look = t.look(func(v *view) platform.Standing {
		s, ok := slotNamed(v.now, plan.name)
		if ok && s.State == fact.SlotRunning && slotVersion(s) != plan.version {
			return failed(plan.name + " runs, and holds " + clean(slotVersion(s)))
		}
		return t.withoutTraffic(v, t.goesDown(v))
	})
	step.Look.Reconnects = true
	return step
}

// slotRuns is what must hold beside: the very build runs from the chosen slot, its
// configuration is loaded, and it has a role.
func (t *task) slotRuns(v *view, plan slotPlan) []string {
	var waits []string
	if s, ok := slotNamed(v.now, plan.name); !ok || s.State != fact.SlotRunning || slotVersion(s) != plan.version {
		waits = append(waits, plan.name+" does not run "+clean(plan.version))
	}
	if have := v.facts.Version + " " + v.now.Build; have != plan.version {
		waits = append(waits, "it says that it runs "+clean(have))
	}
	if v.now.Values["mcpd"] != "running" {
		waits = append(waits, "its control process is not running yet")
	}
	if loaded := v.now.Values["loaded"]; !strings.HasSuffix(loaded, "load-succeed") {
		waits = append(waits, "its configuration is not loaded: "+clean(loaded))
	}
	if v.now.Role == "" {
		waits = append(waits, "it is neither active nor standby yet")
	}
	return append(waits, t.apart(v)...)
}
