// Package apt is how apt and dpkg are asked and told, and how what they print is read.
package apt

import (
	_ "embed"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed words.sh
var aptWords string

//go:embed apt.sh
var aptScript string

//go:embed jobs.sh
var aptJobs string

// The platforms that apt rules.
const (
	Debian fact.Platform = "debian" // and what says it is like it
	Ubuntu fact.Platform = "ubuntu"
)

// Manager is apt: it rules Debian, Ubuntu and their derivatives.
// Its updates carry neither CVEs nor a severity: apt's lists tell which updates are
// security fixes, not of what or how bad; changelogs, which do, are not among them.
func Manager() linux.Manager {
	return linux.Manager{
		Name: "apt", Is: aptPlatform, Drives: []fact.Platform{Debian, Ubuntu},
		Order: version.Dpkg, Kernels: version.Dpkg, Ending: ".deb",
		Spec:  func(u patch.Update, native string) string { return aptKey(u.Name, u.Arch, native) + "=" + u.To },
		Key:   aptKey,
		Reads: reads(), Script: aptWords + aptScript, Acts: aptJobs, Env: quiet(), Aside: aside(), Shows: shows(),
		Read: read, Health: dpkgTrouble, Simulated: aptTransaction, Due: imageDue,
	}
}

// aside are the units that start package runs by themselves: they stand aside for a
// transaction, as far as a host has them. The hook of unattended-upgrades installs while
// the host shuts down.
func aside() []string {
	return []string{
		"apt-daily.timer", "apt-daily-upgrade.timer", "apt-daily.service", "apt-daily-upgrade.service",
		"unattended-upgrades.service",
	}
}

func aptPlatform(os fact.OS) fact.Platform {
	is := func(name string) bool { return os.ID == name || slices.Contains(os.Like, name) }
	switch {
	case is("ubuntu"):
		return Ubuntu
	case is("debian"):
		return Debian
	}
	return ""
}

// quiet keeps everything that could ask, or act on its own, quiet. That the admin's
// configuration files stay is said to dpkg by options, and here to ucf.
func quiet() []string {
	return []string{
		"APT_LISTBUGS_FRONTEND=none", "APT_LISTCHANGES_FRONTEND=none", "DEBIAN_FRONTEND=noninteractive",
		"DEBIAN_PRIORITY=critical", "NEEDRESTART_MODE=l", "NEEDRESTART_SUSPEND=1", "UCF_FORCE_CONFFOLD=1",
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

// reads are what its probe reads. apt passes over a list of sources that it can't read, and
// is content: repositories with a password in their address have such lists.
func reads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{
			"/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/preferences", "/etc/apt/preferences.d", "/var/lib/apt/lists",
		}},
		{What: linux.UnknownHolds, Paths: []string{"/var/lib/apt/extended_states"}},
		{What: linux.UnknownManager, Paths: []string{"/var/lib/dpkg/status", "/var/lib/dpkg/updates"}},
		{What: linux.UnknownLock, Paths: []string{"/var/cache/apt/archives"}},
		{What: linux.UnknownSettings, Paths: []string{"/etc/apt/apt.conf", "/etc/apt/apt.conf.d"}},
	}
}
