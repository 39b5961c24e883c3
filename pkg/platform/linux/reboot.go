package linux

import (
	_ "embed"
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

// reboot is the step that restarts the host: always, or where the look on the host
// finds that it is needed. A new boot id proves it.
func (s scheme) reboot(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	rule, obstacle := w.Reboot, rebootObstacle(f)
	switch {
	case rule == patch.RebootNever:
		return nil, nil
	case rule != patch.RebootIfNeeded && rule != patch.RebootAlways:
		return nil, refuse(f, "", "not a reboot rule: %q", remote.Clean(string(rule), 40))
	case rule == patch.RebootAlways && obstacle != "":
		return nil, refuse(f, "set reboot: if_needed or never for this host", "%s", obstacle)
	}
	args := []string{nonce("reboot "+w.ID, f, nil), s.manager}
	command := look(remote.Reads, 0, args, frameScript, commonScript, rebootLookScript)
	step := platform.Step{
		ID: "reboot", On: f.Host, Title: "reboot if needed", Deadline: 20 * time.Minute, Changes: true, Rest: true,
		Look: platform.Look{
			Do:         []platform.Operation{{Command: &command}},
			Judge:      func(r []remote.Result) platform.Standing { return s.judgeReboot(f, w, obstacle, r) },
			Reconnects: true,
		},
	}
	if rule == patch.RebootAlways {
		step.Title = "reboot"
	}
	if obstacle == "" {
		restart := look(remote.Changes, 0, []string{f.BootID}, rebootScript)
		step.Do = []platform.Operation{{Command: &restart, MayDrop: true}}
	}
	return []platform.Step{step}, nil
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

func (s scheme) judgeReboot(f fact.Facts, w patch.Work, obstacle string, results []remote.Result) platform.Standing {
	rep, trouble := wholeReport(results)
	signs := rep.fields("signs")
	if trouble == "" && signs["boot_id"] == "" && obstacle == "" {
		trouble = "the host's boot id can't be read"
	}
	if trouble != "" {
		return platform.Standing{Reasons: []string{trouble}}
	}
	if obstacle == "" && signs["boot_id"] != f.BootID {
		return restarted(signs)
	}
	if w.Reboot == patch.RebootAlways {
		return platform.Standing{State: platform.NotDone, Progress: "restarting"}
	}
	return s.judgeNeed(w, obstacle, s.dueNow(rep, signs))
}

// restarted waits until the services that belong to the start are up as well.
func restarted(signs map[string]string) platform.Standing {
	if state := signs["running"]; state == "starting" || state == "initializing" {
		return platform.Standing{State: platform.Running, Progress: "the host is back and still starting its services"}
	}
	return platform.Standing{State: platform.Done, Notes: []string{"rebooted"}}
}

// dueNow judges by the same signs as detection.
func (s scheme) dueNow(rep report, signs map[string]string) rebootDue {
	kernel := fact.Kernel{Running: signs["kernel"]}
	if signs["container"] == "" {
		kernel.Newest = newestKernel(kernel.Running, rep.get("kernels").lines(), kernelOrder(s.manager))
	}
	return judgeReboot(rebootSigns{
		flag: rep.get("reboot_flag"), restarting: rep.get("needs_restarting"), image: rep.get("image"),
		kernel: kernel, build: signs["build"], container: signs["container"], manager: s.manager,
		boot: signs["boot"] == "readable",
	})
}

// judgeNeed: where the host can't tell whether a reboot is due, what was installed decides.
func (s scheme) judgeNeed(w patch.Work, obstacle string, due rebootDue) platform.Standing {
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
			"dbus-broker", "dbus-daemon", "openssl-libs", "gnutls", "libc6", "libssl3", "libssl3t64":
			core = append(core, u.Name)
		default:
			if strings.HasPrefix(u.Name, "linux-image-") {
				core = append(core, u.Name)
			}
		}
	}
	return core
}
