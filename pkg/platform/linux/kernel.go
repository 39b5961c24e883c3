package linux

import (
	"fmt"
	"regexp"
	"slices"
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
func (r *Reader) kernels() {
	if r.Facts.Container != "" {
		return
	}
	if !r.boot {
		r.Problem("kernel", "/boot can't be read: the newest installed kernel is not known")
		return
	}
	all := kernelsLike(r.Facts.Kernel.Running, r.Report.Get("kernels").Lines(), r.ruler.kernelOrder())
	if len(all) > 0 {
		r.Facts.Kernel.Newest = all[0]
	}
	if len(all) > 1 {
		r.Facts.Kernel.Installed = all
	}
}

// kernelOrder is dpkg's where the manager says none.
func (m Manager) kernelOrder() func(a, b string) int {
	if m.Kernels != nil {
		return m.Kernels
	}
	return version.Dpkg
}

// kernelsLike looks through /boot's vmlinuz-RELEASE files for those of the running
// kernel's flavour ("-cloud-amd64", "+rt"), newest first.
func kernelsLike(running string, files []string, compare func(a, b string) int) []string {
	flavour := kernelFlavour(running)
	var all []string
	for _, file := range files {
		release, found := strings.CutPrefix(file, "vmlinuz-")
		if found && kernelForm.MatchString(release) && !strings.Contains(release, "rescue") && kernelFlavour(release) == flavour {
			all = append(all, release)
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return compare(b, a) })
	return all
}

// newestKernel is the first of them; "" where there is none.
func newestKernel(running string, files []string, compare func(a, b string) int) string {
	if all := kernelsLike(running, files, compare); len(all) > 0 {
		return all[0]
	}
	return ""
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
func (r *Reader) reboot() {
	d := judgeReboot(rebootSigns{
		flag: r.Report.Get("reboot_flag"), kernel: r.Facts.Kernel, container: r.Facts.Container, boot: r.boot,
		live: r.Report.Get("livepatch").Lines(), report: r.Report, ruler: r.ruler,
	})
	r.Facts.Reboot = fact.Reboot{Needed: d.needed, Reasons: d.reasons}
	if d.needed == patch.Unknown {
		r.Problem("reboot", "%s", d.unclear)
	}
}

// rebootSigns is all that tells whether a reboot is due.
type rebootSigns struct {
	flag      Section
	kernel    fact.Kernel
	container string
	boot      bool     // /boot could be read
	live      []string // live patches that are loaded
	report    Report   // with the sections of the manager's signs
	ruler     Manager
}

type rebootDue struct {
	needed  patch.Tri
	reasons []string
	unclear string // why it is unknown
}

func judgeReboot(s rebootSigns) rebootDue {
	var d rebootDue
	d.reasons = append(flagReasons(s.flag), kernelReasons(s)...)
	var more Due
	if s.ruler.Due != nil {
		more = s.ruler.Due(s.report)
	}
	d.reasons = append(d.reasons, more.Reasons...)
	switch {
	case len(d.reasons) > 0:
		d.needed = patch.Yes
	case !s.flag.OK():
		d.unclear = "/run/reboot-required could not be looked for"
	case s.container == "" && !s.boot:
		d.unclear = "the newest installed kernel is not known"
	case more.Unclear != "":
		d.unclear = more.Unclear
	default:
		d.needed = patch.No
	}
	return d
}

func flagReasons(flag Section) []string {
	lines := flag.Lines()
	if len(lines) == 0 {
		return nil
	}
	reason := remote.Clean(lines[0], 100) + " exists"
	if wanted := lines[1:]; len(wanted) > 0 {
		reason += " for " + remote.Clean(strings.Join(wanted, ", "), 300)
	}
	return []string{reason}
}

// kernelReasons compares what runs with what is installed.
func kernelReasons(s rebootSigns) []string {
	if s.container != "" {
		return nil
	}
	if s.kernel.Newest == "" || s.ruler.kernelOrder()(s.kernel.Newest, s.kernel.Running) <= 0 {
		return nil
	}
	reasons := []string{fmt.Sprintf("kernel %s runs, %s is installed", s.kernel.Running, s.kernel.Newest)}
	if len(s.live) > 0 {
		// Which of the new kernel's fixes it carries, nobody here can tell: due it stays.
		reasons = append(reasons, "a live patch covers the running kernel ("+remote.Clean(strings.Join(s.live, ", "), 100)+"), so that the reboot is less urgent")
	}
	return reasons
}
