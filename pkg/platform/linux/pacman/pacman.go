// Package pacman drives Arch Linux and what is built like it.
package pacman

import (
	_ "embed"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed pacman.sh
var script string

//go:embed jobs.sh
var jobs string

// Arch is Arch Linux, and its derivatives with pacman: Manjaro, EndeavourOS …
const Arch fact.Platform = "arch"

// Manager is pacman. Its repositories have one version of each package, so whatever is
// installed is installed from files: those that were staged, sent or kept. Its lists tell
// neither which updates are security fixes nor of what.
func Manager() linux.Manager {
	return linux.Manager{
		Name: "pacman", Is: ruled, Drives: []fact.Platform{Arch},
		Order: version.Pacman, Kernels: version.Pacman, Ending: ".pkg.tar.zst",
		Spec:  func(u patch.Update, _ string) string { return u.Name + "=" + u.To },
		Key:   func(name, _, _ string) string { return name }, // nothing is installed for two architectures
		Reads: reads(), Script: script, Acts: jobs, Shows: shows(),
		Read: read, Health: trouble, Simulated: simulated, Due: due,
	}
}

func ruled(os fact.OS) fact.Platform {
	for _, name := range []string{"arch", "manjaro", "endeavouros", "archarm"} {
		if os.ID == name || slices.Contains(os.Like, name) {
			return Arch
		}
	}
	return ""
}

// reads are what its probe reads.
func reads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/etc/pacman.conf", "/etc/pacman.d", "/var/lib/pacman/sync", "/var/cache/patchring-pacman/sync"}},
		{What: linux.UnknownManager, Paths: []string{"/var/lib/pacman/local"}},
		{What: linux.UnknownLock, Paths: []string{"/var/lib/pacman/db.lck"}},
	}
}
