// Package bsd drives FreeBSD (pkg and freebsd-update), and looks at OpenBSD. What it knows
// of them is from their manuals and sources, and from outputs that others have published:
// no real one was asked.
package bsd

import (
	_ "embed"
	"regexp"
	"strconv"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

//go:embed freebsd.sh
var freebsdScript string

//go:embed freebsd_jobs.sh
var freebsdJobs string

//go:embed openbsd.sh
var openbsdScript string

// Platforms of this package.
const (
	FreeBSD fact.Platform = "freebsd"
	OpenBSD fact.Platform = "openbsd"
)

// Base is FreeBSD's base system as one thing to update: a release and its patch level.
const Base = "freebsd-base"

// Managers are FreeBSD's and OpenBSD's.
func Managers() linux.Managers { return linux.Managers{freebsd(), openbsd()} }

// freebsd: its repositories have one version of a package at a time, and so has
// freebsd-update, which can take back the last update that it has installed.
func freebsd() linux.Manager {
	return linux.Manager{
		Name: "freebsd", Is: func(fact.OS) fact.Platform { return FreeBSD }, Drives: []fact.Platform{FreeBSD},
		Order: order, Kernels: order, Ending: ".pkg",
		Spec:  spec,
		Key:   func(name, _, _ string) string { return name },
		Env:   []string{"PAGER=cat"},
		Reads: freebsdReads(), Script: freebsdScript, Acts: freebsdJobs, Shows: shows(),
		Read: readFreeBSD, Health: trouble, Simulated: simulated, Due: due,
	}
}

// spec is how pkg names a version, and this package the base system's.
func spec(u patch.Update, _ string) string {
	if u.Name == Base {
		return Base + "=" + u.To
	}
	return u.Name + "-" + u.To
}

// openbsd is looked at only.
func openbsd() linux.Manager {
	return linux.Manager{
		Name: "openbsd", Is: func(fact.OS) fact.Platform { return OpenBSD }, Drives: []fact.Platform{OpenBSD},
		Refused: "its mirrors have only the newest packages, syspatch installs all patches or none, " +
			"and nothing names a boot, so that neither versions nor a reboot could be held to a plan",
		Order: version.OpenBSD, Ending: ".tgz",
		Spec:   func(u patch.Update, _ string) string { return u.Name + "-" + u.To },
		Key:    func(name, _, _ string) string { return name },
		Script: openbsdScript,
		Read:   readOpenBSD,
		Simulated: func(fact.Facts, patch.Work, linux.Section) linux.Transaction {
			return linux.Transaction{Refused: "OpenBSD is only looked at"}
		},
		Due: func(linux.Report) linux.Due {
			return linux.Due{Unclear: "whether a patched kernel waits for a boot can't be told"}
		},
	}
}

// releaseForm is a release as freebsd-version gives it: 14.1-RELEASE-p5.
var releaseForm = regexp.MustCompile(`^([0-9]{1,3})\.([0-9]{1,3})-RELEASE(?:-p([0-9]{1,5}))?$`)

// order knows releases, in which pkg would see a name and a version.
func order(a, b string) int {
	ma, mb := releaseForm.FindStringSubmatch(a), releaseForm.FindStringSubmatch(b)
	if ma == nil || mb == nil {
		return version.FreeBSD(a, b)
	}
	for i := 1; i < len(ma); i++ {
		na, _ := strconv.Atoi(ma[i]) // without a patch level it is 0
		nb, _ := strconv.Atoi(mb[i])
		if na != nb {
			return map[bool]int{true: -1, false: 1}[na < nb]
		}
	}
	return 0
}

// freebsdReads are what its probe reads.
func freebsdReads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/usr/local/etc/pkg/repos", "/var/db/freebsd-update", "/var/db/freebsd-update/tag", "/var/db/pkg"}},
	}
}
