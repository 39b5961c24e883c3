// Package apk drives Alpine Linux. What it knows of apk is from apk-tools' manual and
// sources (2.14 and 3): no real apk was asked.
package apk

import (
	_ "embed"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed apk.sh
var script string

//go:embed jobs.sh
var jobs string

// Alpine is Alpine Linux, and nothing that is made from it.
const Alpine fact.Platform = "alpine"

// Manager is apk. Its repositories keep one version of each package, so whatever is
// installed is installed from files: those that were staged, sent or kept. Its lists tell
// neither which updates are security fixes nor of what.
func Manager() linux.Manager {
	return linux.Manager{
		Name: "apk", Is: ruled, Drives: []fact.Platform{Alpine},
		Order: version.Apk, Ending: ".apk",
		Spec:  func(u patch.Update, _ string) string { return u.Name + "=" + u.To },
		Key:   func(name, _, _ string) string { return name }, // nothing is installed for two architectures
		Reads: reads(), Script: script, Acts: jobs, Shows: shows(),
		Read: read, Health: trouble, Simulated: simulated, Due: due,
	}
}

func ruled(os fact.OS) fact.Platform {
	if os.ID == "alpine" {
		return Alpine
	}
	return ""
}

// reads are what its probe reads.
func reads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/etc/apk/repositories", "/etc/apk/repositories.d", "/etc/apk/keys", "/var/cache/apk"}},
		{What: linux.UnknownHolds, Paths: []string{"/etc/apk/world"}},
		{What: linux.UnknownManager, Paths: []string{"/lib/apk/db", "/usr/lib/apk/db"}},
	}
}
