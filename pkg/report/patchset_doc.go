package report

import (
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Frozen is a patch set and where it comes from.
type Frozen struct {
	plan.SetFile
	// Stored tells whether the state folder's store has the file of a version; nil: not asked.
	Stored func(patch.Digest) bool
	// Open: the gate of Ring has not opened, so it may still become another set.
	Open bool
}

// PatchSet is the document of a patch set: exactly what a ring may install.
type PatchSet struct {
	Header
	Set      string      `json:"set"` // its digest
	Rollout  string      `json:"rollout"`
	Playbook string      `json:"playbook"`
	Site     string      `json:"site"`
	Ring     string      `json:"ring"`  // that is bound to it; empty: none yet
	State    string      `json:"state"` // frozen | open
	Frozen   time.Time   `json:"frozen,omitzero"`
	Domains  []SetDomain `json:"domains"`
	Totals   SetTotals   `json:"totals"`
}

// SetDomain is what is proven for hosts of one distribution, release and architecture.
type SetDomain struct {
	Domain   string       `json:"domain"`
	Versions []SetVersion `json:"versions"`
}

// SetVersion is one version that was proven, and its file.
type SetVersion struct {
	Package    string `json:"package"`
	Arch       string `json:"arch"`
	Version    string `json:"version"`
	Repository string `json:"repository"`
	File       string `json:"file"`   // within the repository
	Digest     string `json:"digest"` // empty: not known
	Bytes      int64  `json:"bytes"`  // 0: unknown
	Signer     string `json:"signer"`
	Assurance  string `json:"assurance"` // signed_index | playbook | host | none: what the digest rests on
	Stored     bool   `json:"stored"`    // the state folder has the file
}

// SetTotals of a patch set.
type SetTotals struct {
	Versions int `json:"versions"`
	Signed   int `json:"signed_index"`
	Host     int `json:"host"`
	Playbook int `json:"playbook"` // images: the playbook's digest, which each device has computed too
	None     int `json:"none"`
	Stored   int `json:"stored"`
}

// NewPatchSet builds the document of a patch set.
func NewPatchSet(in Frozen) PatchSet {
	doc := PatchSet{
		Header: header("patchset"), Set: string(plan.SetDigest(in.Set)), Rollout: clean(in.Rollout), Playbook: clean(in.Playbook),
		Site: clean(in.Site), Ring: clean(in.Ring), State: "frozen", Frozen: in.Frozen.UTC(), Domains: []SetDomain{},
	}
	if in.Open {
		doc.State, doc.Frozen = "open", time.Time{}
	}
	for _, p := range in.Set.Proven {
		v := newSetVersion(p)
		v.Stored = in.Stored != nil && p.Digest != "" && in.Stored(p.Digest)
		doc.Totals.add(v)
		domain := clean(p.Domain)
		at := slices.IndexFunc(doc.Domains, func(d SetDomain) bool { return d.Domain == domain })
		if at < 0 {
			at = len(doc.Domains)
			doc.Domains = append(doc.Domains, SetDomain{Domain: domain})
		}
		doc.Domains[at].Versions = append(doc.Domains[at].Versions, v)
	}
	return doc
}

func newSetVersion(p patch.Proven) SetVersion {
	return SetVersion{
		Package: clean(p.Name), Arch: clean(p.Arch), Version: clean(p.Version), Repository: clean(p.Repository), File: clean(p.File),
		Digest: string(p.Digest), Bytes: max(p.Size, 0), Signer: clean(p.Signer), Assurance: orElse(clean(string(p.Assurance)), "none"),
	}
}

func (t *SetTotals) add(v SetVersion) {
	t.Versions++
	switch patch.Assurance(v.Assurance) {
	case patch.AssuranceSigned:
		t.Signed++
	case patch.AssuranceHost:
		t.Host++
	case patch.AssurancePlaybook:
		t.Playbook++
	default:
		t.None++
	}
	if v.Stored {
		t.Stored++
	}
}

// totalsOf counts a set without its store.
func totalsOf(set patch.PatchSet) SetTotals {
	var t SetTotals
	for _, p := range set.Proven {
		t.add(newSetVersion(p))
	}
	return t
}

// SetDiff is the document of two patch sets compared.
type SetDiff struct {
	Header
	From    string      `json:"from"` // digest of the first
	To      string      `json:"to"`
	Same    bool        `json:"same"`
	Changes []SetChange `json:"changes"`
}

// SetChange is a package that the two sets do not have alike.
type SetChange struct {
	Domain  string `json:"domain"`
	Package string `json:"package"`
	Arch    string `json:"arch"`
	Change  string `json:"change"` // added | removed | changed | digest: the same version as another file
	From    string `json:"from"`
	To      string `json:"to"`
}

// NewSetDiff compares two patch sets.
func NewSetDiff(a, b patch.PatchSet) SetDiff {
	doc := SetDiff{Header: header("patchset_diff"), From: string(plan.SetDigest(a)), To: string(plan.SetDigest(b)), Changes: []SetChange{}}
	doc.Same = doc.From == doc.To
	before, after := versionsByPackage(a), versionsByPackage(b)
	for _, key := range sortedKeys(before, after) {
		c := SetChange{Domain: clean(key.Domain), Package: clean(key.Name), Arch: clean(key.Arch), From: listed(before[key]), To: listed(after[key])}
		switch {
		case c.From == "":
			c.Change = "added"
		case c.To == "":
			c.Change = "removed"
		case c.From != c.To:
			c.Change = "changed"
		case !slices.Equal(digests(before[key]), digests(after[key])):
			c.Change = "digest"
			c.From, c.To = withDigests(before[key]), withDigests(after[key])
		default:
			continue
		}
		doc.Changes = append(doc.Changes, c)
	}
	return doc
}

func versionsByPackage(set patch.PatchSet) map[patch.Proven][]patch.Proven {
	out := map[patch.Proven][]patch.Proven{}
	for _, p := range set.Proven {
		key := patch.Proven{Domain: p.Domain, Name: p.Name, Arch: p.Arch}
		out[key] = append(out[key], p)
	}
	return out
}

func sortedKeys(maps ...map[patch.Proven][]patch.Proven) []patch.Proven {
	var all []patch.Proven
	for _, m := range maps {
		for key := range m {
			all = append(all, key)
		}
	}
	return plan.Freeze(all).Proven
}

func listed(all []patch.Proven) string {
	var out []string
	for _, p := range all {
		out = append(out, p.Version)
	}
	return clean(strings.Join(slices.Compact(out), ", "))
}

func digests(all []patch.Proven) []patch.Digest {
	var out []patch.Digest
	for _, p := range all {
		out = append(out, p.Digest)
	}
	return out
}

func withDigests(all []patch.Proven) string {
	var out []string
	for _, p := range all {
		out = append(out, p.Version+" "+orElse(p.Digest.Short(), "without a digest"))
	}
	return clean(strings.Join(out, ", "))
}
