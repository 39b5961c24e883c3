package linux

import (
	_ "embed"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed dnf.sh
var dnfScript string

// Dnf drives Red Hat Enterprise Linux and what is built like it, with dnf 4 or 5.
type Dnf struct{}

var (
	_ platform.Driver   = Dnf{}
	_ platform.Resolver = Dnf{}
	_ platform.Locker   = Dnf{}
	_ platform.Marker   = Dnf{}
)

func dnfScheme() scheme {
	return scheme{
		manager: "dnf", order: version.RPM,
		spec: func(u patch.Update, _ string) string { return u.Name + "-" + u.To + "." + u.Arch },
		key:  func(name, arch, _ string) string { return name + "." + arch },
	}
}

// Read gives what Read of this package gives.
func (Dnf) Read(results []remote.Result) (fact.Facts, error) { return Read(results) }

// Capabilities of the driver.
func (Dnf) Capabilities() platform.Capabilities {
	return platform.Capabilities{Platform: RHEL, Class: fact.ClassServer, Detects: true, Upgrades: true, Locks: true}
}

// Resolve asks dnf for its transaction without going on.
func (Dnf) Resolve(f fact.Facts, want []patch.Update) remote.Command {
	return dnfScheme().resolve(f, want)
}

// Resolved reads dnf's transaction.
func (Dnf) Resolved(f fact.Facts, want []patch.Update, r remote.Result) (platform.Resolution, error) {
	return dnfScheme().resolved(f, want, r, dnfTransaction)
}

// Steps are preflight, stage, install and, unless the playbook says never, reboot.
// The lists that detection saw are used to the end: metadata_expire=-1.
func (Dnf) Steps(f fact.Facts, w patch.Work) ([]platform.Step, error) {
	s := dnfScheme()
	if err := s.check(f, w); err != nil {
		return nil, err
	}
	specs := s.specs(f, w.Install)
	stage := append([]string{"dnf", "-y", "--setopt=metadata_expire=-1", "--downloadonly", "install"}, specs...)
	install := append([]string{"sh", "-c", dnfScript, "patchring-dnf"}, specs...)
	return s.steps(f, w, stage, install, nil, dnfTransaction)
}
