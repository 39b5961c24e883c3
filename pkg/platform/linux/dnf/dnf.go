// Package dnf is the manager of RPM systems with dnf 4 or 5.
package dnf

import (
	_ "embed"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed words.sh
var dnfWords string

//go:embed rpm.sh
var rpmScript string

//go:embed dnf.sh
var dnfScript string

//go:embed exact.sh
var exactScript string

//go:embed jobs.sh
var dnfJobs string

// RHEL is Red Hat Enterprise Linux and what is built like it.
const RHEL fact.Platform = "rhel" // Rocky, Alma, CentOS, Oracle, Fedora, Amazon … with dnf

// Manager is dnf: it rules Red Hat Enterprise Linux and what is built like it, with dnf 4 or 5.
func Manager() linux.Manager {
	return linux.Manager{
		Name: "dnf", Is: dnfPlatform, Drives: []fact.Platform{RHEL},
		Order: version.RPM, Kernels: version.RPM, NeedsArch: true, Ending: ".rpm",
		Spec:  spec,
		Key:   func(name, arch, _ string) string { return name + "." + arch },
		Reads: reads(), Shared: []string{dnfWords, rpmScript}, Script: dnfScript, Acts: exactScript + dnfJobs,
		Aside: aside(), Shows: shows(),
		Read: read, Health: health, Simulated: transaction, Due: restartDue,
	}
}

// aside are the units that install, or hold dnf's lock while they fetch lists.
func aside() []string {
	return []string{
		"dnf-automatic.timer", "dnf-automatic-install.timer", "dnf-automatic-download.timer", "dnf-automatic-notifyonly.timer",
		"dnf5-automatic.timer", "dnf-makecache.timer", "dnf5-makecache.timer",
	}
}

func spec(u patch.Update, _ string) string { return u.Name + "-" + u.To + "." + u.Arch }

func dnfPlatform(os fact.OS) fact.Platform {
	for _, name := range []string{"rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"} {
		if os.ID == name || slices.Contains(os.Like, name) {
			return RHEL
		}
	}
	return ""
}

// reads are what its probe reads.
func reads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/etc/dnf/dnf.conf", "/etc/yum.repos.d", "/etc/dnf/vars", "/etc/yum/vars", "/var/cache/dnf", "/var/cache/libdnf5"}},
		{What: linux.UnknownHolds, Paths: []string{"/etc/dnf/plugins/versionlock.list", "/etc/dnf/versionlock.toml"}},
		{What: linux.UnknownManager, Paths: []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/var/lib/dnf"}},
		{What: linux.UnknownLock, Paths: []string{"/var/lib/dnf/rpmdb_lock.pid", "/var/cache/dnf/metadata_lock.pid", "/var/cache/dnf/download_lock.pid"}},
	}
}
