package report

import (
	"fmt"

	"github.com/patchring/patchring/pkg/patch"
)

func (d PatchSet) face(brief bool) face {
	f := face{
		title: "Patch set " + shortDigest(d.Set),
		lines: []pair{
			{"Rollout", text(d.Rollout)},
			{"Playbook", text(d.Playbook + " (site " + d.Site + ")")},
			{"Binds", text(d.binds())},
			{"Versions", text(d.Totals.versions(len(d.Domains)))},
			{"Digests", text(d.Totals.assurance())},
			{"In the store", text(fmt.Sprintf("%d of %d files", d.Totals.Stored, d.Totals.Versions))},
		},
	}
	if brief {
		return f
	}
	for _, domain := range d.Domains {
		f.sheets = append(f.sheets, domain.sheet())
	}
	return f
}

// binds says which ring gets this set, and since when that is certain.
func (d PatchSet) binds() string {
	switch {
	case d.Ring == "":
		return "no ring: it is what all healthy hosts prove"
	case d.State == "open":
		return "ring " + d.Ring + ", if its gate opened now"
	}
	return "ring " + d.Ring + ", frozen " + stamp(d.Frozen)
}

func (t *SetTotals) versions(domains int) string {
	return count(t.Versions, "version") + " in " + count(domains, "domain")
}

// assurance says what the digests rest on.
func (t *SetTotals) assurance() string {
	out := fmt.Sprintf("%d of %d from signed indexes", t.Signed, t.Versions)
	if t.Playbook > 0 {
		out += fmt.Sprintf(", %d by the playbook's digest", t.Playbook)
	}
	if t.Host > 0 {
		out += fmt.Sprintf(", %d by the host's word", t.Host)
	}
	if t.None > 0 {
		out += fmt.Sprintf(", %d without a digest", t.None)
	}
	return out
}

func (d SetDomain) sheet() sheet {
	s := sheet{title: d.Domain, columns: []column{
		{head: "PACKAGE", least: 12}, {head: "VERSION", least: 10}, {head: "REPOSITORY", least: 10}, {head: "DIGEST", whole: true}, {head: "RESTS ON", least: 12}, {head: "STORED"},
	}}
	for _, v := range d.Versions {
		s.rows = append(s.rows, []cell{
			text(patch.Update{Name: v.Package, Arch: v.Arch}.Key()), text(v.Version), text(v.Repository), text(shortDigest(v.Digest)), assuranceWord(v.Assurance), text(yesNo(v.Stored)),
		})
	}
	return s
}

func assuranceWord(a string) cell {
	switch patch.Assurance(a) {
	case patch.AssuranceSigned:
		return cell{"+ signed index", good}
	case patch.AssurancePlaybook:
		return cell{"+ playbook", good}
	case patch.AssuranceHost:
		return cell{"~ host's word", warn}
	}
	return cell{"- no digest", warn}
}

func (d PatchSet) records() records {
	r := records{head: []string{"set", "domain", "package", "arch", "version", "repository", "file", "digest", "bytes", "signer", "assurance", "stored"}}
	for _, domain := range d.Domains {
		for _, v := range domain.Versions {
			r.rows = append(r.rows, []string{d.Set, domain.Domain, v.Package, v.Arch, v.Version, v.Repository, v.File, v.Digest, fmt.Sprint(v.Bytes), v.Signer, v.Assurance, yesNo(v.Stored)})
		}
	}
	return r
}

func (d SetDiff) face(bool) face {
	f := face{title: "Patch sets " + shortDigest(d.From) + " and " + shortDigest(d.To)}
	if d.Same {
		f.foot = []string{"They are the same."}
		return f
	}
	if len(d.Changes) == 0 {
		f.foot = []string{"The same versions and files; only what is told of them differs."}
	}
	s := sheet{group: true, columns: []column{{head: "DOMAIN", whole: true}, {head: "PACKAGE", least: 12}, {head: "CHANGE", whole: true}, {head: "VERSIONS", least: 20}}}
	for _, c := range d.Changes {
		s.rows = append(s.rows, []cell{text(c.Domain), text(patch.Update{Name: c.Package, Arch: c.Arch}.Key()), changeWord(c.Change), text(orElse(c.From, "(none)") + " -> " + orElse(c.To, "(none)"))})
	}
	f.sheets = []sheet{s}
	return f
}

func changeWord(change string) cell {
	switch change {
	case "added":
		return cell{"+ added", good}
	case "removed":
		return cell{"- removed", warn}
	case "digest":
		return cell{"x other file", bad}
	}
	return cell{"> changed", warn}
}

func (d SetDiff) records() records {
	r := records{head: []string{"domain", "package", "arch", "change", "from", "to"}}
	for _, c := range d.Changes {
		r.rows = append(r.rows, []string{c.Domain, c.Package, c.Arch, c.Change, c.From, c.To})
	}
	return r
}
