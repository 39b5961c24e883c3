package linux

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// goesWithin is how many seconds after the order a host must be on its way down.
const goesWithin = 180

// rebootOrder is what reboot.sh writes down before it restarts the host.
type rebootOrder struct {
	name, boot string
	up         int      // seconds after the start of that boot; -1: not known
	kernels    []string // /boot's vmlinuz-RELEASE files then
	failed     []string // units that had failed then
}

func readOrder(lines []string) rebootOrder {
	o := rebootOrder{up: -1}
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "=")
		value = remote.Clean(value, 300)
		switch key {
		case "order":
			o.name = value
		case "boot_id":
			o.boot = value
		case "up":
			o.up = seconds(value)
		case "kernel":
			o.kernels = append(o.kernels, value)
		case "failed":
			o.failed = append(o.failed, value)
		}
	}
	return o
}

// seconds gives -1 for what is no number of seconds.
func seconds(text string) int {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<40 {
		return n
	}
	return -1
}

// goesDown is of a host that was ordered to restart and is still there.
func goesDown(rep Report, signs map[string]string, o rebootOrder) platform.Standing {
	now := seconds(signs["up"])
	if signs["running"] == "stopping" || now < 0 || o.up < 0 || now-o.up <= goesWithin {
		return platform.Standing{State: platform.Running, Progress: "restarting"}
	}
	reasons := []string{fmt.Sprintf("the host did not go down: its restart was ordered %d seconds ago", now-o.up)}
	for _, line := range remote.CleanLines(rep.Get("inhibitors").Out, 5, 200) {
		reasons = append(reasons, "it may be held off by: "+strings.Join(strings.Fields(line), " "))
	}
	return platform.Standing{State: platform.Failed, Reasons: reasons}
}

// returned judges a host that is back: it must have started as a whole, the kernel that
// was to run must run, and nothing may have failed that did not before.
func (o restart) returned(rep Report, signs map[string]string, ordered rebootOrder) platform.Standing {
	switch signs["running"] {
	case "starting", "initializing":
		return platform.Standing{State: platform.Running, Progress: "the host is back and still starting its services"}
	case "stopping":
		return platform.Standing{State: platform.Running, Progress: "the host is going down again"}
	case "", "offline", "unknown":
		if o.facts.Init == "systemd" {
			return platform.Standing{State: platform.Running, Progress: "the host is back, and systemd does not answer yet"}
		}
	}
	wrong := o.wrongKernel(rep, signs, ordered)
	if o.manager.Due != nil {
		if due := o.manager.Due(rep); due.Unbooted != "" {
			wrong = append(wrong, due.Unbooted)
		}
	}
	wrong = append(wrong, o.worse(rep, signs["running"], ordered)...)
	if len(wrong) > 0 {
		return platform.Standing{State: platform.Failed, Reasons: wrong, Notes: []string{"rebooted"}}
	}
	notes := []string{"rebooted"}
	if due := o.manager.dueNow(rep, signs); len(due.reasons) > 0 {
		notes = append(notes, "a reboot is still said to be due: "+strings.Join(due.reasons, ", "))
	}
	return platform.Standing{State: platform.Done, Notes: notes}
}

// wrongKernel: the newest one that was there when the restart was ordered must run. What
// came since, by somebody else's hand, is not missed.
func (o restart) wrongKernel(rep Report, signs map[string]string, ordered rebootOrder) []string {
	if signs["container"] != "" || o.facts.Container != "" {
		return nil
	}
	files := ordered.kernels
	if ordered.name != o.order || len(files) == 0 {
		files = rep.Get("kernels").Lines()
	}
	was, runs := o.facts.Kernel.Running, signs["kernel"]
	planned := o.kernel
	if planned == "" {
		planned = newestKernel(was, files, o.manager.kernelOrder())
	}
	switch {
	case planned == "" || planned == runs:
		return nil
	case o.kernel == "" && kernelFlavour(runs) == kernelFlavour(was) && o.manager.kernelOrder()(planned, runs) <= 0:
		return nil
	}
	return []string{fmt.Sprintf("kernel %s was to run, %s runs: did the boot loader fall back?", planned, runs)}
}

// worse tells what is worse than before. Where nobody knows how it was before, being
// degraded is no failure; the health checks know more.
func (o restart) worse(rep Report, state string, ordered rebootOrder) []string {
	section := rep.Get("failed")
	known := ordered.name == o.order
	var news []string
	for _, line := range section.Lines() {
		if unit, _, _ := strings.Cut(remote.Clean(line, 200), " "); unit != "" && !slices.Contains(ordered.failed, unit) {
			news = append(news, unit)
		}
	}
	switch {
	case state == "maintenance":
		return []string{"the host came up in emergency or rescue mode"}
	case state != "degraded":
		return nil
	case known && !section.OK():
		return []string{"which units failed could not be read: " + section.Why()}
	case len(news) > 0 && (known || o.facts.System == "running"):
		return []string{"units failed that had not before the reboot: " + remote.Clean(strings.Join(news[:min(len(news), 20)], ", "), 1000)}
	case !known && o.facts.System == "running":
		return []string{"the host is degraded, as it was not before the reboot"}
	}
	return nil
}
