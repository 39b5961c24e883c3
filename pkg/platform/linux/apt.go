package linux

import (
	_ "embed"
	"slices"
	"strconv"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed apt.sh
var aptScript string

// Apt drives Debian, Ubuntu and their derivatives.
// Its updates carry no CVEs: apt's lists tell which updates are security fixes, not of what.
type Apt struct{ Name fact.Platform }

var (
	_ platform.Driver   = Apt{}
	_ platform.Resolver = Apt{}
	_ platform.Locker   = Apt{}
	_ platform.Marker   = Apt{}
)

// quiet keeps everything that could ask, or act on its own, quiet. That the admin's
// configuration files stay is said to dpkg by options, and here to ucf.
func quiet() []string {
	return []string{
		"APT_LISTBUGS_FRONTEND=none", "APT_LISTCHANGES_FRONTEND=none", "DEBIAN_FRONTEND=noninteractive",
		"DEBIAN_PRIORITY=critical", "NEEDRESTART_MODE=l", "NEEDRESTART_SUSPEND=1", "UCF_FORCE_CONFFOLD=1",
	}
}

func aptScheme() scheme {
	return scheme{
		manager: "apt", order: version.Dpkg,
		spec: func(u patch.Update, native string) string { return aptKey(u.Name, u.Arch, native) + "=" + u.To },
		key:  aptKey,
	}
}

// aptKey is a package's name as apt wants it: with the architecture only where it
// is a foreign one. A package that turns from "all" to the native one is the same.
func aptKey(name, arch, native string) string {
	if arch == "" || arch == "all" || arch == native {
		return name
	}
	return name + ":" + arch
}

// Read gives what Read of this package gives.
func (Apt) Read(results []remote.Result) (fact.Facts, error) { return Read(results) }

// Capabilities of the driver.
func (a Apt) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: a.Name, Class: fact.ClassServer, Detects: true, Upgrades: true, Locks: true}
}

// Resolve simulates the installation of exactly these versions, as root and without locks.
func (Apt) Resolve(f fact.Facts, want []patch.Update) remote.Command {
	return aptScheme().resolve(f, want)
}

// Resolved reads the simulation.
func (Apt) Resolved(f fact.Facts, want []patch.Update, r remote.Result) (platform.Resolution, error) {
	return aptScheme().resolved(f, want, r, aptTransaction)
}

// Steps are preflight, stage, install and, unless the playbook says never, reboot.
func (Apt) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	s := aptScheme()
	if err := s.check(f, w); err != nil {
		return nil, err
	}
	specs := s.specs(f, w.Install)
	stage := append([]string{
		"apt-get", "-q", "-y", "--download-only", "--no-remove", "-o", "DPkg::Lock::Timeout=600",
		"-o", "Acquire::Retries=2", "install",
	}, specs...)
	fresh := newHere(f, w)
	install := slices.Concat([]string{"sh", "-c", aptScript, "patchring-apt", strconv.Itoa(len(fresh))}, fresh, specs)
	return s.steps(f, w, stage, install, quiet(), aptTransaction)
}

// newHere are the packages that come as dependencies and were not there before.
func newHere(f fact.Facts, w patch.Work) []string {
	var list []string
	for _, u := range w.Install {
		if u.From == "" && u.Dependency {
			list = append(list, aptKey(u.Name, u.Arch, f.Arch))
		}
	}
	return list
}

// steps puts the parts together; without updates only the reboot is left.
func (s scheme) steps(f fact.Facts, w patch.Work, stage, install, env []string, read func(fact.Facts, section) transaction) ([]platform.Step, error) {
	var steps []platform.Step
	if len(w.Install) > 0 {
		transaction, err := s.transactionSteps(f, w, stage, install, env)
		if err != nil {
			return nil, err
		}
		steps = append([]platform.Step{s.preflight(f, w, read)}, transaction...)
	}
	reboot, err := s.reboot(f, w)
	return append(steps, reboot...), err
}
