// Package linux drives Linux hosts: one probe that learns everything in one go,
// and the drivers for apt and dnf that turn work into steps. It never runs
// anything: it builds commands, and reads what they printed.
package linux

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// The platforms of this package.
const (
	Debian fact.Platform = "debian" // and what says it is like it
	Ubuntu fact.Platform = "ubuntu"
	RHEL   fact.Platform = "rhel"  // Rocky, Alma, CentOS, Oracle, Fedora, Amazon … with dnf
	Other  fact.Platform = "linux" // detected only
)

// maxReport bounds a probe's output: some thousands of updates with their versions.
const maxReport = 8 << 20

// Family is all of Linux; which distribution it is, the probe tells.
func Family() platform.Family {
	return platform.Family{Name: "linux", Match: matches, Probe: Probe, Read: Read}
}

// matches is for the last family asked: any server that has not said it is something else.
func matches(ident string) bool { return !strings.HasPrefix(ident, "SSH-2.0-Cisco-") }

// Probe is one command. Without root it still tells most.
func Probe(q platform.Query) []remote.Command {
	effect, mode := remote.Reads, "read"
	if q.Refresh {
		effect, mode = remote.Refreshes, "refresh"
	}
	// What is not a name can't be installed; it is then simply not among the answers.
	names := slices.DeleteFunc(slices.Clone(q.Packages), func(n string) bool { return !isName(n) })
	slices.Sort(names)
	args := append([]string{cmp.Or(q.Nonce, "0"), mode}, slices.Compact(names)...)
	return []remote.Command{look(effect, maxReport, args, frameScript, commonScript, markerScript, probeScript)}
}

// Drivers of this package, in the order in which they are shown.
// familyOf names the platform by what os-release says and the package manager found.
func familyOf(os fact.OS, manager string) fact.Platform {
	is := func(names ...string) bool {
		return slices.Contains(names, os.ID) || slices.ContainsFunc(os.Like, func(like string) bool { return slices.Contains(names, like) })
	}
	switch {
	case manager == "apt" && is("ubuntu"):
		return Ubuntu
	case manager == "apt" && is("debian"):
		return Debian
	case manager == "dnf" && is("rhel", "fedora", "centos", "rocky", "almalinux", "ol", "amzn"):
		return RHEL
	}
	return Other
}
