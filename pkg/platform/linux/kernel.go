package linux

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// kernelForm is a release as uname -r gives it: it begins with its numbers.
var kernelForm = regexp.MustCompile(`^([0-9]+(?:[.-][0-9]+)*)([A-Za-z0-9.+:~_-]*)$`)

// kernels fills in the newest installed kernel of the running one's flavour. In a
// container the kernel is the host's: nothing installed here matters.
func (r *reader) kernels() {
	if r.facts.Container != "" {
		return
	}
	if !r.boot {
		r.problem("kernel", "/boot can't be read: the newest installed kernel is not known")
		return
	}
	compare := kernelOrder(r.facts.Manager.Name)
	r.facts.Kernel.Newest = newestKernel(r.facts.Kernel.Running, r.report.get("kernels").lines(), compare)
}

func kernelOrder(manager string) func(a, b string) int {
	if manager == "dnf" {
		return version.RPM
	}
	return version.Dpkg
}

// newestKernel looks through /boot's vmlinuz-RELEASE files for the newest of the
// running kernel's flavour ("-cloud-amd64", "+rt"); "" where there is none.
func newestKernel(running string, files []string, compare func(a, b string) int) string {
	flavour := kernelFlavour(running)
	newest := ""
	for _, file := range files {
		release, found := strings.CutPrefix(file, "vmlinuz-")
		if !found || !kernelForm.MatchString(release) || strings.Contains(release, "rescue") || kernelFlavour(release) != flavour {
			continue
		}
		if newest == "" || compare(release, newest) > 0 {
			newest = release
		}
	}
	return newest
}

// kernelFlavour is what tells builds of one version apart: Debian and Ubuntu append
// it after a hyphen ("6.12.43+deb13-cloud-amd64"), Red Hat after a plus.
func kernelFlavour(release string) string {
	m := kernelForm.FindStringSubmatch(release)
	if m == nil {
		return release
	}
	for _, mark := range []string{"-", "+"} {
		if i := strings.Index(m[2], mark); i >= 0 {
			return m[2][i:]
		}
	}
	return ""
}

// reboot weighs the signals. One that says yes is enough; no needs all that this
// platform has to have been read.
func (r *reader) reboot() {
	d := judgeReboot(rebootSigns{
		flag: r.report.get("reboot_flag"), restarting: r.report.get("needs_restarting"), image: r.report.get("image"),
		kernel: r.facts.Kernel, build: r.build, container: r.facts.Container, manager: r.facts.Manager.Name, boot: r.boot,
	})
	r.facts.Reboot = fact.Reboot{Needed: d.needed, Reasons: d.reasons}
	if d.needed == patch.Unknown {
		r.problem("reboot", "%s", d.unclear)
	}
}

// rebootSigns is all that tells whether a reboot is due.
type rebootSigns struct {
	flag, restarting, image section
	kernel                  fact.Kernel
	build                   string // uname -v: Debian writes the package's version into it
	container, manager      string
	boot                    bool // /boot could be read
}

type rebootDue struct {
	needed  patch.Tri
	reasons []string
	unclear string // why it is unknown
}

func judgeReboot(s rebootSigns) rebootDue {
	var d rebootDue
	d.reasons = append(flagReasons(s.flag), kernelReasons(s)...)
	restart, known := restartReason(s.restarting)
	if restart != "" {
		d.reasons = append(d.reasons, restart)
	}
	switch {
	case len(d.reasons) > 0:
		d.needed = patch.Yes
	case !s.flag.ok():
		d.unclear = "/run/reboot-required could not be looked for"
	case s.container == "" && !s.boot:
		d.unclear = "the newest installed kernel is not known"
	case s.manager == "dnf" && !known:
		d.unclear = "needs-restarting can't tell (install yum-utils or dnf-utils): " + s.restarting.why()
	default:
		d.needed = patch.No
	}
	return d
}

func flagReasons(flag section) []string {
	lines := flag.lines()
	if len(lines) == 0 {
		return nil
	}
	reason := remote.Clean(lines[0], 100) + " exists"
	if wanted := lines[1:]; len(wanted) > 0 {
		reason += " for " + remote.Clean(strings.Join(wanted, ", "), 300)
	}
	return []string{reason}
}

var debianBuild = regexp.MustCompile(` Debian ([0-9][A-Za-z0-9.+:~-]*) \(`)

// kernelReasons compares what runs with what is installed: another release, or the
// same release built again (Debian's security updates within one ABI).
func kernelReasons(s rebootSigns) []string {
	if s.container != "" {
		return nil
	}
	if s.kernel.Newest != "" && kernelOrder(s.manager)(s.kernel.Newest, s.kernel.Running) > 0 {
		return []string{fmt.Sprintf("kernel %s runs, %s is installed", s.kernel.Running, s.kernel.Newest)}
	}
	built := debianBuild.FindStringSubmatch(s.build)
	installed, status, _ := strings.Cut(strings.TrimSpace(s.image.out), " ")
	if built == nil || status != "installed" || !isVersion(installed) || installed == built[1] {
		return nil
	}
	return []string{fmt.Sprintf("kernel build %s runs, %s is installed", remote.Clean(built[1], 100), installed)}
}

// restartReason reads needs-restarting -r. Its exit status 1 also means that the
// command is missing, so only its words count.
func restartReason(s section) (reason string, known bool) {
	switch {
	case strings.Contains(s.out, "Reboot is required"):
		return "needs-restarting: a reboot is required", true
	case s.ok():
		return "", true
	}
	return "", false
}
