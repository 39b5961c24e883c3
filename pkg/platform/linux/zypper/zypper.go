// Package zypper drives SUSE Linux Enterprise and openSUSE: zypper and rpm.
package zypper

import (
	_ "embed"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed zypper.sh
var script string

//go:embed jobs.sh
var jobs string

// SUSE is SUSE Linux Enterprise Server, openSUSE Leap and Tumbleweed.
const SUSE fact.Platform = "suse"

// Manager is zypper. What it prints is read as XML, never as a table.
func Manager() linux.Manager {
	return linux.Manager{
		Name: "zypper", Is: platform, Drives: []fact.Platform{SUSE},
		Order: version.RPM, Kernels: version.RPM, NeedsArch: true, Ending: ".rpm",
		Spec:  func(u patch.Update, _ string) string { return u.Name + "." + u.Arch + "=" + u.To },
		Key:   func(name, arch, _ string) string { return name + "." + arch },
		Reads: reads(), Script: script, Acts: jobs, Aside: aside(), Shows: shows(),
		Read: read, Simulated: simulated, Due: due,
	}
}

// aside are what updates SUSE's hosts on its own. transactional-update's timer is there on
// image-based hosts alone, which this does not drive.
func aside() []string {
	return []string{
		"packagekit-background.timer", "yast2-online-update.timer", "zypp-refresh.timer",
		"os-update.timer", "transactional-update.timer",
	}
}

func platform(os fact.OS) fact.Platform {
	for _, name := range []string{"sles", "sled", "sles_sap", "suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed"} {
		if os.ID == name || slices.Contains(os.Like, name) {
			return SUSE
		}
	}
	return ""
}

// reads are what its probe reads.
func reads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/etc/zypp/zypp.conf", "/etc/zypp/repos.d", "/etc/zypp/services.d", "/etc/zypp/vars.d", "/var/cache/zypp/raw", "/var/cache/zypp/solv"}},
		{What: linux.UnknownHolds, Paths: []string{"/etc/zypp/locks"}},
		{What: linux.UnknownManager, Paths: []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm"}},
		{What: linux.UnknownLock, Paths: []string{"/run/zypp.pid"}},
	}
}
