package zypper

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/version"
)

// maxCVEs is how many are kept of one update: a kernel that was left alone has thousands.
const maxCVEs = 256

// wants tells whether a patch is about this package, installed in this version.
func (b bound) wants(name, arch, installed string) bool {
	same := b.name == name && (b.arch == "" || b.arch == arch || arch == "")
	return same && (installed == "" || version.RPM(installed, b.below) < 0)
}

// onTheWay: the update takes the package to where the patch wants it.
func (b bound) onTheWay(u patch.Update) bool {
	return b.wants(u.Name, u.Arch, u.From) && version.RPM(b.below, u.To) <= 0
}

// advice is what the patches tell of packages, by package name.
type advice struct {
	about map[string][]about
	blind bool           // of some patch it is not known what it is about
	cut   map[string]int // how many CVEs an update fixes that has too many of them
	// room is how many more patches are looked at. Each is about few packages; more is a
	// host's attempt to keep us busy.
	room int
}

type about struct {
	bound
	of *fix
}

func newAdvice(fixes []fix) *advice {
	a := advice{about: map[string][]about{}, cut: map[string]int{}, blind: fixes == nil, room: 10_000}
	for i := range fixes {
		a.blind = a.blind || len(fixes[i].replaces) == 0
		for _, b := range fixes[i].replaces {
			a.about[b.name] = append(a.about[b.name], about{b, &fixes[i]})
			a.room += 16
		}
	}
	return &a
}

// update fills in what the patches on the way tell. An update of which no patch speaks is
// unknown: many repositories have no patches. One of which only others speak is no
// security fix, unless a patch could not be read.
func (a *advice) update(u patch.Update) patch.Update {
	if a.room -= len(a.about[u.Name]); a.room < 0 {
		return u
	}
	var cves []string
	for _, b := range a.about[u.Name] {
		if !b.onTheWay(u) {
			continue
		}
		u.Security = max(u.Security, patch.TriOf(b.of.security))
		if b.of.security {
			u.Severity = worse(u.Severity, b.of.severity)
		}
		cves = append(cves, b.of.cves...)
	}
	if a.blind && u.Security == patch.No {
		u.Security = patch.Unknown
	}
	var all int
	if u.CVEs, all = joinCVEs(cves); all > maxCVEs {
		a.cut[u.Key()] = all
	}
	return u
}

// joinCVEs sorts them. Beyond maxCVEs the oldest are cut: what is asked for in a hurry is new.
func joinCVEs(list []string) (kept string, all int) {
	slices.SortFunc(list, newerCVE)
	list = slices.Compact(list)
	all = len(list)
	list = list[:min(len(list), maxCVEs)]
	slices.Sort(list)
	return strings.Join(list, " "), all
}

// newerCVE sorts the newest first. Numbers have four digits or more.
func newerCVE(a, b string) int {
	year := len("CVE-2026")
	return cmp.Or(strings.Compare(b[:year], a[:year]), cmp.Compare(len(b), len(a)), strings.Compare(b, a))
}

// worse takes the higher; a known severity beats unknown.
func worse(a, b patch.Severity) patch.Severity {
	rank := func(s patch.Severity) int { return slices.Index(patch.Severities(), s) }
	if rank(b) > rank(a) {
		return b
	}
	return a
}
