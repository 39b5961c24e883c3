package linux

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// bootOnce is the step that has the new kernel started once, with the running one as
// what every later start falls back to. Where the boot loader can't, that is told.
func (s Manager) bootOnce(f fact.Facts, w patch.Work) []platform.Step {
	if !w.OneShot || w.Back || rebootObstacle(f) != "" || f.Container != "" {
		return nil
	}
	b := booting{manager: s, facts: f, work: w, target: s.planned(f, w)}
	return []platform.Step{b.step("one_shot", "start the new kernel once, if there is one", "once", b.judgeOnce)}
}

// newDefault is the step that makes a kernel that was seen running the default.
func (s Manager) newDefault(f fact.Facts, w patch.Work) []platform.Step {
	if !w.OneShot || w.Back || rebootObstacle(f) != "" || f.Container != "" {
		return nil
	}
	b := booting{manager: s, facts: f, work: w, target: s.planned(f, w)}
	return []platform.Step{b.step("new_default", "keep the new kernel, if there is one", "keep", b.judgeKept)}
}

// bootFormer are the steps that start a kernel which stays, where the work takes the
// running one back: a running kernel is never removed.
func (s Manager) bootFormer(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	if !s.takesRunning(f, w) {
		return nil, nil
	}
	gone := s.releases(w, f)
	former := slices.IndexFunc(f.Kernel.Installed, func(r string) bool { return r != f.Kernel.Running && !slices.Contains(gone, r) })
	obstacle := rebootObstacle(f)
	switch {
	case former < 0:
		return nil, Refuse(f, "install another kernel first", "the running kernel %s is to be taken back, and no other is installed", remote.Clean(f.Kernel.Running, 100))
	case w.Reboot == patch.RebootNever:
		return nil, Refuse(f, "set reboot: if_needed", "the running kernel %s is to be taken back, which takes a reboot", remote.Clean(f.Kernel.Running, 100))
	case obstacle != "":
		return nil, Refuse(f, "", "the running kernel is to be taken back, but %s", obstacle)
	}
	b := booting{manager: s, facts: f, work: w, target: f.Kernel.Installed[former]}
	o := restart{manager: s, facts: f, work: w, order: jobID(w, "reboot-former"), kernel: b.target}
	return []platform.Step{
		b.step("boot_former", "have the former kernel "+b.target+" started", "former", b.judgeFormer),
		o.step("reboot_former", "reboot into "+b.target),
	}, nil
}

// former: as long as the restart was not ordered.
func (o restart) former(signs map[string]string) platform.Standing {
	if signs["kernel"] == o.kernel {
		return platform.Standing{State: platform.Done, Notes: []string{"kernel " + o.kernel + " runs already"}}
	}
	return platform.Standing{State: platform.NotDone, Progress: "restarting into kernel " + o.kernel}
}

// booting tells the boot loader what to start.
type booting struct {
	manager Manager
	facts   fact.Facts
	work    patch.Work
	target  string // the release that is to run; "": not known
}

func (b booting) step(id platform.StepID, title, verb string, judge func(loader, string) platform.Standing) platform.Step {
	command := b.manager.looks(string(id)+" "+b.work.ID, b.facts, b.work, grubScript+grubLookScript)
	act := look(remote.Changes, 0, []string{verb, b.target, b.facts.Kernel.Running, jobID(b.work, "boot")}, grubScript, grubActScript)
	step := platform.Step{
		ID: id, On: b.facts.Host, Title: title, Deadline: 5 * time.Minute, Changes: true, Rest: true,
		Look: platform.Look{Do: []platform.Operation{{Command: &command}}, Judge: func(r []remote.Result) platform.Standing {
			rep, trouble := WholeReport(r)
			if trouble == "" && rep.Fields("loader")["kernel"] == "" {
				trouble = "the running kernel can't be read"
			}
			if trouble != "" {
				return platform.Standing{Reasons: []string{trouble}}
			}
			l := readLoader(rep, b.manager.kernelOrder())
			return judge(l, newestKernel(b.facts.Kernel.Running, rep.Get("kernels").Lines(), b.manager.kernelOrder()))
		}},
	}
	if b.target != "" {
		step.Do = []platform.Operation{{Command: &act}}
	}
	return step
}

// judgeOnce: only a kernel that is newer than the running one is started so.
func (b booting) judgeOnce(l loader, newest string) platform.Standing {
	was := b.facts.Kernel.Running
	if l.boot != b.facts.BootID || newest == "" || b.manager.kernelOrder()(newest, l.runs) <= 0 {
		return platform.Standing{State: platform.Done}
	}
	once, stays := pinned(l.menu, newest), pinned(l.menu, was)
	if why := b.whyNot(l, newest, once, stays); why != "" {
		return platform.Standing{State: platform.Done, Notes: []string{"no fall-back to kernel " + was + ": " + why}}
	}
	if l.next != once || started(l.menu, l.saved) != was {
		return platform.Standing{State: platform.NotDone, Progress: "kernel " + newest + " will be started once"}
	}
	notes := []string{fmt.Sprintf("kernel %s is started once; %s stays the default until it was seen running", newest, was)}
	if l.panics {
		notes = append(notes, "the kernel's command line has no panic=: one that panics waits for somebody to switch the machine off and on")
	}
	return platform.Standing{State: platform.Done, Notes: notes}
}

func (b booting) whyNot(l loader, newest, once, stays string) string {
	switch {
	case l.why != "":
		return l.why
	case newest != b.target:
		return "the release of the newest kernel, " + newest + ", was not foreseen"
	case once == "" || stays == "":
		return "the boot loader's menu has no entry that always starts one of the two kernels"
	}
	return ""
}

// judgeKept: somebody else's choice of a default is left alone.
func (b booting) judgeKept(l loader, newest string) platform.Standing {
	was := b.facts.Kernel.Running
	switch chosen := started(l.menu, l.saved); {
	case l.why != "", b.target == "", l.runs == was, l.runs != b.target, l.runs != newest:
		return platform.Standing{State: platform.Done}
	case chosen == l.runs:
		return platform.Standing{State: platform.Done, Notes: []string{"kernel " + l.runs + " is the default"}}
	case chosen == was:
		return platform.Standing{State: platform.NotDone}
	}
	return platform.Standing{State: platform.Done, Notes: []string{"the boot loader's default was left as it is: " + remote.Clean(l.saved, 200)}}
}

// judgeFormer fails before anything was changed where the boot loader can't be told.
func (b booting) judgeFormer(l loader, _ string) platform.Standing {
	entry := pinned(l.menu, b.target)
	refused := func(why string) platform.Standing {
		return platform.Standing{State: platform.Failed, Reasons: []string{
			"the running kernel " + b.facts.Kernel.Running + " can't be taken back, as kernel " + b.target + " can't be started by itself: " + why,
			"start it by hand, and try again",
		}}
	}
	switch {
	case l.runs == b.target:
		return platform.Standing{State: platform.Done}
	case l.why != "":
		return refused(l.why)
	case entry == "":
		return refused("the boot loader's menu has no entry for it alone")
	case l.next == entry && started(l.menu, l.saved) == b.target:
		return platform.Standing{State: platform.Done, Notes: []string{"kernel " + b.target + " is what the host starts from now on"}}
	}
	return platform.Standing{State: platform.NotDone}
}

// planned is the kernel that will be the newest when the work is done, as far as the
// names and versions of packages tell it; "" where that is the running one.
func (s Manager) planned(f fact.Facts, w patch.Work) string {
	best, flavour := f.Kernel.Newest, kernelFlavour(f.Kernel.Running)
	for _, u := range w.Install {
		release := releaseOf(u.Name, u.To, f.Arch)
		if release != "" && kernelFlavour(release) == flavour && (best == "" || s.kernelOrder()(release, best) > 0) {
			best = release
		}
	}
	if best == f.Kernel.Running {
		return ""
	}
	return best
}

// takesRunning tells whether the work takes the running kernel back.
func (s Manager) takesRunning(f fact.Facts, w patch.Work) bool {
	return w.Back && f.Container == "" && f.Kernel.Running != "" && slices.Contains(s.releases(w, f), f.Kernel.Running)
}

// releases are the kernels that the work takes back.
func (Manager) releases(w patch.Work, f fact.Facts) []string {
	var gone []string
	for _, u := range w.Install {
		if release := releaseOf(u.Name, u.From, f.Arch); release != "" && u.From != u.To {
			gone = append(gone, release)
		}
	}
	for _, name := range w.Remove {
		name, arch, _ := strings.Cut(name, ":")
		if arch == "" {
			arch = f.Arch
		}
		if version := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz-"); version != name {
			gone = append(gone, releaseOf(strings.TrimSuffix(name[:len(name)-len(version)], "-"), version, arch))
		}
		gone = append(gone, releaseOf(name, "", arch))
	}
	return slices.DeleteFunc(gone, func(r string) bool { return r == "" })
}

// releaseOf is the kernel that a package brings, as uname -r names it: Debian's name
// holds it, Red Hat's is the version with the architecture; "" where it brings none.
func releaseOf(name, version, arch string) string {
	for _, prefix := range []string{"linux-image-unsigned-", "linux-image-"} {
		if release, found := strings.CutPrefix(name, prefix); found && kernelForm.MatchString(release) {
			return release
		}
	}
	flavour, found := map[string]string{"kernel": "", "kernel-core": "", "kernel-uek": "", "kernel-uek-core": "", "kernel-rt": "+rt", "kernel-rt-core": "+rt"}[name]
	if !found || version == "" {
		return ""
	}
	if _, after, epoch := strings.Cut(version, ":"); epoch {
		version = after
	}
	release := version + "." + arch + flavour
	if !kernelForm.MatchString(release) {
		return ""
	}
	return release
}
