package zypper

import (
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/version"
)

// missed is what needed patches want and list-updates leaves out: that looks at the
// newest version alone, and where another vendor has it, the fix of the own vendor is
// not listed. `zypper patch` would install it.
type missed struct {
	sure   []patch.Update // a patch is needed for this package, and for no other
	unsure []patch.Update
}

// missing finds them. zypper calls a patch needed only where a package of the patch's
// vendor is too old. Which of several it is, is not told.
func missing(fixes []fix, installed []fact.Package, listed []patch.Update) missed {
	at, coming := newest(installed), byKey(listed)
	found, certain := map[string]patch.Update{}, map[string]bool{}
	for _, f := range fixes {
		open, others := f.open(at, coming)
		for _, u := range open {
			key := u.Key()
			if old, known := found[key]; !known || version.RPM(u.To, old.To) > 0 {
				found[key] = u
				certain[key] = len(open)+others == 1 && !f.optional
			}
		}
	}
	var m missed
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if certain[key] {
			m.sure = append(m.sure, found[key])
		} else {
			m.unsure = append(m.unsure, found[key])
		}
	}
	return m
}

// open are the packages that this patch wants newer and that nothing listed takes there;
// others is how many it wants newer and are listed.
func (f fix) open(at map[string]fact.Package, coming map[string]patch.Update) (open []patch.Update, others int) {
	seen := map[string]bool{}
	for _, b := range f.replaces {
		for _, p := range candidates(b, at) {
			if !b.wants(p.Name, p.Arch, p.Version) {
				continue
			}
			u := patch.Update{Name: p.Name, Arch: p.Arch, From: p.Version, To: b.below, Origin: f.origin, Severity: patch.SeverityUnknown}
			if seen[u.Key()+" "+u.To] {
				continue
			}
			seen[u.Key()+" "+u.To] = true
			if c, listed := coming[u.Key()]; listed && b.onTheWay(c) {
				others++
			} else {
				open = append(open, u)
			}
		}
	}
	return open, others
}

// candidates are the installed packages that a bound may speak of.
func candidates(b bound, at map[string]fact.Package) []fact.Package {
	if b.arch != "" {
		if p, there := at[b.name+":"+b.arch]; there {
			return []fact.Package{p}
		}
		return nil
	}
	var list []fact.Package
	for _, arch := range architectures() {
		if p, there := at[b.name+":"+arch]; there {
			list = append(list, p)
		}
	}
	return list
}

// newest keeps of what is installed side by side (kernels) the newest, by name and
// architecture.
func newest(installed []fact.Package) map[string]fact.Package {
	at := map[string]fact.Package{}
	for _, p := range installed {
		key := p.Name + ":" + p.Arch
		if old, known := at[key]; !known || version.RPM(p.Version, old.Version) > 0 {
			at[key] = p
		}
	}
	return at
}

func byKey(updates []patch.Update) map[string]patch.Update {
	by := make(map[string]patch.Update, len(updates))
	for _, u := range updates {
		by[u.Key()] = u
	}
	return by
}
