package evidence

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// Source is what a bundle is made of, each as it lies in the state folder.
type Source struct {
	Journal       []byte // whole lines
	Plan          []byte
	PlanSignature []byte                  // armoured; nil: the plan was not signed
	Objects       map[patch.Digest][]byte // of the store: those of Wanted that are still there
	Tool          string                  // version of this patchring
	SBOM          []byte                  // see SBOM
}

// Sign makes the signature of the manifest, armoured, in the namespace patchring-evidence.
type Sign func(manifest []byte) ([]byte, error)

// Build makes the bundle. The same source gives the same bytes, as far as the signature
// does: those of ECDSA keys and of security keys differ each time. Without sign it is not
// signed, and proves little.
func Build(s Source, sign Sign) ([]byte, error) {
	h, err := readHistory(s.Journal)
	if err != nil {
		return nil, err
	}
	p, err := plan.Decode(s.Plan)
	if err != nil {
		return nil, err //nolint:wrapcheck // carries a hint
	}
	d := draft{history: h, plan: p, source: s}
	entries, err := d.entries()
	if err != nil {
		return nil, err
	}
	manifest, err := d.manifest(entries).encode()
	if err != nil {
		return nil, err
	}
	entries = append(entries, entry{nameManifest, manifest})
	if sign != nil {
		sealed, err := sealed(manifest, sign)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{nameManifestSig, sealed})
	}
	return pack(entries, h.last())
}

// sealed signs the manifest; the armour is written in the one way that verify takes.
func sealed(manifest []byte, sign Sign) ([]byte, error) {
	armored, err := sign(manifest)
	if err != nil {
		return nil, err
	}
	signature, err := sshsig.Check(armored, manifest, sshsig.NamespaceEvidence)
	if err != nil {
		return nil, fmt.Errorf("what came back is no signature of the manifest: %w", err)
	}
	return signature.Armored(), nil
}

// draft is a bundle in the making, or one that is made again to be compared.
type draft struct {
	history *history
	plan    *plan.Plan
	source  Source
}

// entries gives all files but the manifest and its signature.
func (d draft) entries() ([]entry, error) {
	if got := patch.DigestOf(d.source.Plan); got != d.history.opened.Plan {
		return nil, fmt.Errorf("the journal is of plan %s, and the plan is %s", d.history.opened.Plan.Short(), got.Short())
	}
	derived, err := d.derived()
	if err != nil {
		return nil, err
	}
	all := slices.Concat(derived, []entry{{nameJournal, d.source.Journal}, {namePlan, d.source.Plan}, {nameSBOM, d.source.SBOM}})
	if len(d.source.PlanSignature) > 0 {
		all = append(all, entry{namePlanSig, d.source.PlanSignature})
	}
	for _, digest := range d.history.wanted() {
		content, there := d.source.Objects[digest]
		if !there {
			continue
		}
		if patch.DigestOf(content) != digest {
			return nil, fmt.Errorf("the store's %s does not have its digest", digest.Short())
		}
		all = append(all, entry{storeName(digest), content})
	}
	return all, nil
}

// derived gives the files that follow from journal, plan and store alone.
func (d draft) derived() ([]entry, error) {
	store := objects(d.source.Objects)
	hosts := d.history.hosts(d.plan, store)
	hostsJSON, err := indented(hosts)
	if err != nil {
		return nil, err
	}
	table, err := hosts.csv()
	if err != nil {
		return nil, err
	}
	summary, err := indented(d.history.summary(d.plan))
	if err != nil {
		return nil, err
	}
	all := []entry{{nameHosts, hostsJSON}, {nameHostsCSV, table}, {nameSummary, summary}, {nameReadme, d.readme()}}
	return slices.Concat(all, d.history.sets(), d.history.signed()), nil
}

// sets are the frozen patch sets of the gates, in the form whose digest names them.
func (h *history) sets() []entry {
	var all []entry
	for _, e := range h.events {
		gate, ok := e.Entry.(rollout.GateOpened)
		if !ok || gate.Set == "" || slices.ContainsFunc(all, func(e entry) bool { return e.name == setName(gate.Set) }) {
			continue
		}
		if raw, ok := setBytes(gate); ok {
			all = append(all, entry{setName(gate.Set), raw})
		}
	}
	return all
}

// setBytes gives a patch set as its digest is made of it.
func setBytes(gate rollout.GateOpened) ([]byte, bool) {
	set := gate.Frozen
	if set.Proven == nil {
		set.Proven = []patch.Proven{}
	}
	raw, err := json.Marshal(set)
	return raw, err == nil && patch.DigestOf(raw) == gate.Set
}

// signed are the texts of approvals and checkpoints with their signatures. An approval of
// which no text can be made bears no signature either.
func (h *history) signed() []entry {
	var all []entry
	add := func(folder string, seq uint64, message []byte, err error, signature string) {
		if err != nil {
			return
		}
		all = append(all, entry{messageName(folder, seq), message})
		if signature != "" {
			all = append(all, entry{signatureName(folder, seq), []byte(signature)})
		}
	}
	for _, e := range h.events {
		switch entry := e.Entry.(type) {
		case rollout.Approved:
			message, err := ApprovalMessage(ApprovalOf(h.opened, entry))
			add(folderApproval, e.Seq, message, err, entry.Signature)
		case rollout.Sealed:
			message, err := CheckpointMessage(CheckpointOf(h.opened, entry))
			add(folderCheckpoint, e.Seq, message, err, entry.Signature)
		}
	}
	return all
}

//go:embed readme.txt
var readme string

func (d draft) readme() []byte {
	const most = 200
	o := d.history.opened
	return []byte(strings.NewReplacer(
		"{{rollout}}", remote.Clean(o.Rollout, most), "{{playbook}}", remote.Clean(o.Playbook, most),
		"{{site}}", remote.Clean(o.Site, most), "{{tool}}", remote.Clean(d.source.Tool, most),
	).Replace(readme))
}

// manifest lists the entries.
func (d draft) manifest(entries []entry) Manifest {
	h, s := d.history, d.history.status()
	m := Manifest{
		Version: Version, Kind: kind, Rollout: s.Rollout, Site: s.Site, Playbook: s.Playbook, Tool: d.source.Tool,
		Opened: s.Opened, Changed: h.last(), Phase: s.Phase, Records: len(h.events), Line: h.end(), Plan: h.opened.Plan,
		Source: d.plan.Source, Inventory: d.plan.Inventory, Trust: h.opened.Trust, Missing: []patch.Digest{},
	}
	for _, digest := range h.wanted() {
		if _, there := d.source.Objects[digest]; !there {
			m.Missing = append(m.Missing, digest)
		}
	}
	for _, e := range entries {
		m.Files = append(m.Files, fileOf(e))
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return m
}
