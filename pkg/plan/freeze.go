package plan

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// Proven lists those of the updates whose planned version is installed by these
// facts. They become part of a patch set once the host is found healthy. domain is
// the host's, see fact.Facts.Domain; a host without one proves nothing for others.
func Proven(domain string, updates []patch.Update, f fact.Facts) []patch.Proven {
	if domain == "" {
		return nil
	}
	f = Spelled(f, updates)
	var out []patch.Proven
	for _, u := range updates {
		if slices.Contains(present(f, u), u.To) {
			p := patch.Proven{Domain: domain, Name: u.Name, Arch: u.Arch, Version: u.To}
			if u.Name == patch.ImageName && u.Digest != "" {
				p.Digest, p.Assurance = u.Digest, patch.AssurancePlaybook
			}
			out = append(out, p)
		}
	}
	return out
}

// present are the versions of a package that are installed and whole: several where
// the platform keeps old ones beside the new one (kernels).
func present(f fact.Facts, u patch.Update) []string {
	var out []string
	for _, p := range f.Packages {
		if same(f, p, u) && p.Status == "installed" {
			out = append(out, p.Version)
		}
	}
	return out
}

// broken says what is wrong with a package that is there but not whole, e.g. left
// half-configured by a transaction that was cut. Only its configuration files
// being there is the same as not being installed.
func broken(f fact.Facts, u patch.Update) string {
	for _, p := range f.Packages {
		switch {
		case !same(f, p, u), p.Status == "installed", p.Status == "config-files", p.Status == "not-installed":
		case p.Status == "":
			return "in a state that could not be told"
		default:
			return p.Status
		}
	}
	return ""
}

// same: one package, whatever it is called: a package may turn from the native
// architecture into one for all, or back. A foreign architecture is another package.
func same(f fact.Facts, p fact.Package, u patch.Update) bool {
	return p.Name == u.Name && foreign(p.Arch, f.Arch) == foreign(u.Arch, f.Arch)
}

func foreign(arch, native string) string {
	switch arch {
	case native, "all", "noarch":
		return ""
	}
	return arch
}

// Freeze makes a patch set: sorted, without duplicates, so that the same proofs in
// any order have one digest. Of several proofs of one version and file the one that rests
// on most is kept; one without a digest adds nothing to one with it, and a host's word
// nothing to a signed index. Two with different digests that rest on the same both stay:
// then nobody can tell which file was tested.
func Freeze(proven []patch.Proven) patch.PatchSet {
	sorted := append([]patch.Proven{}, proven...)
	slices.SortFunc(sorted, func(a, b patch.Proven) int {
		return cmp.Or(compareProven(a, b), -cmp.Compare(weight(a), weight(b)), -cmp.Compare(a.Digest, b.Digest),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Signer, b.Signer), cmp.Compare(a.Size, b.Size))
	})
	kept := []patch.Proven{}
	for i, p := range sorted {
		last := len(kept) - 1
		again := i > 0 && kept[last].Bare() == p.Bare()
		if !again || kept[last].Digest != p.Digest && weight(p) == weight(kept[last]) {
			kept = append(kept, p)
		}
	}
	return patch.PatchSet{Proven: kept}
}

// weight orders by what a digest rests on.
func weight(p patch.Proven) int {
	return slices.Index([]patch.Assurance{patch.AssuranceNone, patch.AssuranceHost, patch.AssurancePlaybook, patch.AssuranceSigned}, p.Assurance)
}

// Detail fills in what is known of the files of proven versions.
func Detail(proven, known []patch.Proven) []patch.Proven {
	files := map[patch.Proven][]patch.Proven{}
	for _, k := range Freeze(known).Proven {
		files[k.Bare()] = append(files[k.Bare()], k)
	}
	out := slices.Clone(proven)
	for i, p := range out {
		if found := files[p.Bare()]; len(found) == 1 { // of two, nobody can tell which it was
			out[i] = found[0]
		}
	}
	return out
}

// compareProven orders by which version is proven where.
func compareProven(a, b patch.Proven) int {
	return cmp.Or(
		cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Version, b.Version),
	)
}

// SetDigest names a patch set by its JSON. An empty set has a digest too: it says
// that nothing is proven, which is not the same as having no set.
func SetDigest(set patch.PatchSet) patch.Digest {
	if set.Proven == nil {
		set.Proven = []patch.Proven{}
	}
	raw, err := json.Marshal(set)
	if err != nil { // four strings a line: it can't
		return ""
	}
	return patch.DigestOf(raw)
}
