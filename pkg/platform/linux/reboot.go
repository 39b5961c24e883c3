package linux

import (
	"cmp"
	_ "embed"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed reboot_look.sh
var rebootLookScript string

//go:embed reboot.sh
var rebootScript string

// rebootWithin is how long a host may take where the work does not say: the self-test of
// a large machine takes a quarter of an hour.
const rebootWithin = 20 * time.Minute

// reboot is the step that restarts the host: always, or where the look on the host
// finds that it is needed. A new boot id proves it, and then the kernel that was to run
// must run, the boot must last, and no unit may have failed that did not before.
func (s Manager) reboot(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	rule, obstacle := w.Reboot, rebootObstacle(f)
	switch {
	case rule == patch.RebootNever:
		return nil, nil
	case rule != patch.RebootIfNeeded && rule != patch.RebootAlways:
		return nil, Refuse(f, "", "not a reboot rule: %q", remote.Clean(string(rule), 40))
	case rule == patch.RebootAlways && obstacle != "":
		return nil, Refuse(f, "set reboot: if_needed or never for this host", "%s", obstacle)
	}
	o := restart{manager: s, facts: f, work: w, order: jobID(w, "reboot"), obstacle: obstacle, again: s.takesRunning(f, w)}
	title := "reboot if needed"
	if rule == patch.RebootAlways {
		title = "reboot"
	}
	steps := append(s.bootOnce(f, w), o.step("reboot", title))
	return append(steps, s.newDefault(f, w)...), nil
}

// restart is one reboot as part of a work.
type restart struct {
	manager  Manager
	facts    fact.Facts // as they were before the work
	work     patch.Work
	order    string // its name on the host
	obstacle string // why it can't be done, or ""
	again    bool   // the work has restarted the host before: a new boot id proves nothing
	kernel   string // the one that is to run; "": the newest
}

func (o restart) step(id platform.StepID, title string) platform.Step {
	command := o.manager.looks(string(id)+" "+o.work.ID, o.facts, o.work, rebootLookScript, o.order)
	step := platform.Step{
		ID: id, On: o.facts.Host, Title: title, Deadline: cmp.Or(o.work.RebootWithin, rebootWithin), Changes: true, Rest: true,
		Look: platform.Look{Do: []platform.Operation{{Command: &command}}, Judge: o.judge, Reconnects: true},
	}
	if o.obstacle == "" {
		boot := o.facts.BootID
		if o.again {
			boot = ""
		}
		args := []string{boot, o.order, o.manager.Name, strconv.Itoa(quietSeconds(step.Deadline))}
		command := look(remote.Changes, 0, args, frameScript, commonScript, o.manager.text(), rebootScript)
		step.Do = []platform.Operation{{Command: &command, MayDrop: true}}
	}
	return step
}

// quietSeconds is how long the order waits on the host for the package manager's lock: as
// long as an installation does, and well within the step's deadline.
func quietSeconds(deadline time.Duration) int {
	return int(min(deadline/2, 10*time.Minute) / time.Second)
}

// rebootObstacle is why a reboot can't be done or proven on this host, or "". All
// containers of a machine share its boot id; systemd-nspawn gives each boot its own.
func rebootObstacle(f fact.Facts) string {
	switch {
	case f.Container != "" && (f.Container != "systemd-nspawn" || f.Init != "systemd"):
		return "this is a container (" + remote.Clean(f.Container, 40) + "): it is restarted from outside"
	case f.BootID == "":
		return "the boot id is not known, so that a reboot could not be proven"
	}
	return ""
}

func (o restart) judge(results []remote.Result) platform.Standing {
	rep, trouble := WholeReport(results)
	signs := rep.Fields("signs")
	if trouble == "" && signs["boot_id"] == "" && o.obstacle == "" {
		trouble = "the host's boot id can't be read"
	}
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	ordered := readOrder(rep.Get("order").Lines())
	switch {
	case o.obstacle != "": // then it is only asked whether one is due
	case ordered.name == o.order && ordered.boot == signs["boot_id"]:
		return goesDown(rep, signs, ordered)
	case ordered.name == o.order, !o.again && signs["boot_id"] != o.facts.BootID:
		return o.returned(rep, signs, ordered)
	}
	if o.kernel != "" {
		return waiting(rep, o.former(signs))
	}
	if o.work.Reboot == patch.RebootAlways {
		return waiting(rep, platform.Standing{State: platform.NotDone, Progress: "restarting"})
	}
	return waiting(rep, o.manager.judgeNeed(o.work, o.obstacle, o.manager.dueNow(rep, signs)))
}

// waiting tells of who holds the package manager where a restart is to be ordered: the
// order itself waits for them on the host, as only there nobody can come in between.
func waiting(rep Report, s platform.Standing) platform.Standing {
	holders := readHolders(rep.Get("locks").Lines())
	if s.State != platform.NotDone || len(holders) == 0 {
		return s
	}
	reason := "waiting: the package manager is locked by " + strings.Join(holders, ", ")
	s.Reasons, s.Progress = append(s.Reasons, reason), reason
	return s
}

// dueNow judges by the same signs as detection.
func (s Manager) dueNow(rep Report, signs map[string]string) rebootDue {
	kernel := fact.Kernel{Running: signs["kernel"]}
	if signs["container"] == "" {
		kernel.Newest = newestKernel(kernel.Running, rep.Get("kernels").Lines(), s.kernelOrder())
	}
	return judgeReboot(rebootSigns{
		flag: rep.Get("reboot_flag"), kernel: kernel, container: signs["container"], boot: signs["boot"] == "readable",
		live: rep.Get("livepatch").Lines(), report: rep, ruler: s,
	})
}

// judgeNeed: where the host can't tell whether a reboot is due, what was installed decides.
func (s Manager) judgeNeed(w patch.Work, obstacle string, due rebootDue) platform.Standing {
	if due.needed == patch.Unknown {
		core := coreUpdates(w.Install)
		if len(core) == 0 {
			return platform.Standing{State: platform.Done, Notes: []string{"no reboot: nothing of the system's core was updated (" + due.unclear + ")"}}
		}
		due = rebootDue{needed: patch.Yes, reasons: []string{"the system's core was updated: " + strings.Join(core, ", ")}}
	}
	switch {
	case due.needed == patch.No:
		return platform.Standing{State: platform.Done, Notes: []string{"no reboot was needed"}}
	case obstacle != "":
		return platform.Standing{State: platform.Failed, Reasons: append([]string{"a reboot is needed, but " + obstacle}, due.reasons...)}
	}
	return platform.Standing{State: platform.NotDone, Reasons: due.reasons, Progress: "restarting: " + strings.Join(due.reasons, ", ")}
}

// coreUpdates are those after which needs-restarting -r asks for a reboot.
func coreUpdates(updates []patch.Update) []string {
	var core []string
	for _, u := range updates {
		switch u.Name {
		case "kernel", "kernel-core", "kernel-rt", "kernel-rt-core", "kernel-uek", "glibc", "linux-firmware", "systemd", "dbus",
			"dbus-broker", "dbus-daemon", "openssl-libs", "gnutls", "libc6", "libssl3", "libssl3t64",
			"kernel-default", "dbus-1", "libopenssl3", "libopenssl1_1", "linux", "linux-lts", "linux-virt", "musl":
			core = append(core, u.Name)
		default:
			if strings.HasPrefix(u.Name, "linux-image-") {
				core = append(core, u.Name)
			}
		}
	}
	return core
}
