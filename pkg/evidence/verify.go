package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// Check is what an auditor has.
type Check struct {
	Archive []byte
	// Allowed says who may sign; nil: nobody is known, and nothing can be proven.
	Allowed *sshsig.Allowed
	// Published are checkpoints as they were published elsewhere: JSON documents one after
	// the other; nil: there are none.
	Published []byte
	// Demand is what must be signed and proven, whatever the rollout says that it demanded.
	Demand plan.Trust
	Now    time.Time
}

// Verify looks at every part of a bundle. It gives an error only where this patchring can't
// read that kind of bundle at all.
func Verify(c Check) (Verdict, error) {
	a := &audit{Check: c, files: map[string][]byte{}}
	for _, look := range []func() error{a.archive, a.manifest, a.journal, a.rebuild} {
		if err := look(); err != nil {
			if fault.CodeOf(err) == fault.Unsupported {
				return a.verdict, err
			}
			a.unseen()
			a.inOrder()
			return a.verdict, nil
		}
	}
	a.signedManifest()
	a.signedPlan()
	seals := a.checkpoints(a.history.opened.Trust.Checkpoints)
	seals.Demanded = seals.Demanded || a.Demand.Checkpoints
	a.add(seals)
	a.approvals()
	a.gates()
	a.published()
	a.limits()
	a.inOrder()
	return a.verdict, nil
}

// audit is a verification under way.
type audit struct {
	Check
	verdict Verdict
	entries []entry
	files   map[string][]byte
	history *history
	plan    *plan.Plan
}

func (a *audit) add(p Part) { a.verdict.Parts = append(a.verdict.Parts, p) }

// broken ends the verification: what follows rests on this part.
func (a *audit) broken(name string, err error) error {
	a.add(Part{Name: name, Standing: Broken, Demanded: true, Why: []string{err.Error()}})
	return err
}

func (a *audit) archive() error {
	entries, err := unpack(a.Archive)
	if err != nil {
		return a.broken(PartArchive, err)
	}
	a.entries = entries
	for _, e := range entries {
		a.files[e.name] = e.content
	}
	return nil
}

// manifest: every file is there as the manifest says, and no other.
func (a *audit) manifest() error {
	m, err := parseManifest(a.files[nameManifest])
	if err != nil {
		return a.broken(PartManifest, err)
	}
	a.verdict.Manifest = m
	var wrong []string
	named := map[string]bool{nameManifest: true, nameManifestSig: true}
	for _, f := range m.Files {
		content, there := a.files[f.Name]
		named[f.Name] = true
		switch {
		case !there:
			wrong = append(wrong, f.Name+" is missing")
		case fileOf(entry{f.Name, content}) != f:
			wrong = append(wrong, f.Name+" is not what the manifest says")
		}
	}
	for _, e := range a.entries {
		if !named[e.name] {
			wrong = append(wrong, e.name+" is not in the manifest")
		}
	}
	if len(wrong) > 0 {
		return a.broken(PartArchive, errors.New(some(wrong)))
	}
	return nil
}

// journal: the chain is unbroken, tells a possible history, and is that of the plan.
func (a *audit) journal() error {
	h, err := readHistory(a.files[nameJournal])
	if err != nil {
		return a.broken(PartJournal, err)
	}
	a.history = h
	if err := exactly(a.Archive, a.entries, h.last()); err != nil {
		return a.broken(PartArchive, err)
	}
	p, err := plan.Decode(a.files[namePlan])
	if err != nil {
		return a.broken(PartPlan, err)
	}
	if got := patch.DigestOf(a.files[namePlan]); got != h.opened.Plan {
		return a.broken(PartPlan, fmt.Errorf("the journal is of plan %s, and plan.json is %s", h.opened.Plan.Short(), got.Short()))
	}
	if err := follows(h.opened, p); err != nil {
		return a.broken(PartPlan, err)
	}
	a.plan = p
	a.verdict.Finished = over(h)
	a.add(unless(nil, PartArchive, fmt.Sprintf("%d files, each as the manifest says, and nothing else", len(a.entries))))
	a.add(unless(nil, PartJournal, fmt.Sprintf("%d records, each follows from the one before it, and none is impossible", len(h.events))))
	a.add(unless(nil, PartPlan, "the one that the journal names"))
	return nil
}

// follows: what the journal was opened with is what the plan says: else its gates could ask
// for less than those of a plan that somebody has signed.
func follows(o rollout.Opened, p *plan.Plan) error {
	opened, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("compare with the plan: %w", err)
	}
	planned, err := json.Marshal(rollout.Open(o.Rollout, p, o.Plan))
	if err != nil {
		return fmt.Errorf("compare with the plan: %w", err)
	}
	if !bytes.Equal(opened, planned) {
		return errors.New("the journal was opened with other rings, gates or rules than the plan has")
	}
	return nil
}

// rebuild makes all that follows from journal, plan and store once more, and compares.
func (a *audit) rebuild() error {
	d := draft{history: a.history, plan: a.plan, source: a.source()}
	again, err := d.entries()
	if err != nil {
		return a.broken(PartDerived, err)
	}
	wrong := map[string][]string{}
	for _, e := range again {
		if got, there := a.files[e.name]; !there || !bytes.Equal(got, e.content) {
			part := partOf(e.name)
			wrong[part] = append(wrong[part], e.name+" is not what follows from the journal")
		}
	}
	expected := map[string]bool{nameManifest: true, nameManifestSig: true}
	for _, e := range again {
		expected[e.name] = true
	}
	for _, e := range a.entries {
		if !expected[e.name] {
			wrong[partOf(e.name)] = append(wrong[partOf(e.name)], e.name+" is nothing that the journal names")
		}
	}
	manifest, err := d.manifest(again).encode()
	if err := same(a.files[nameManifest], manifest, err); err != nil && len(wrong) == 0 {
		wrong[PartDerived] = append(wrong[PartDerived], "the manifest says something else than journal and plan")
	}
	a.add(unless(wrong[PartSets], PartSets, "those that the gates were bound to"))
	a.add(unless(wrong[PartDerived], PartDerived, "they follow from journal, plan and store"))
	a.store(wrong[PartStore])
	return nil
}

// source is what the bundle was made of, as it stands in the bundle.
func (a *audit) source() Source {
	s := Source{
		Journal: a.files[nameJournal], Plan: a.files[namePlan], PlanSignature: a.files[namePlanSig], SBOM: a.files[nameSBOM],
		Tool: a.verdict.Manifest.Tool, Objects: map[patch.Digest][]byte{},
	}
	for name, content := range a.files {
		if hexes, ok := strings.CutPrefix(name, folderStore+"/"); ok {
			s.Objects[patch.Digest("sha256:"+hexes)] = content
		}
	}
	return s
}

// partOf names the part that a file belongs to.
func partOf(name string) string {
	switch {
	case strings.HasPrefix(name, folderSets+"/"):
		return PartSets
	case strings.HasPrefix(name, folderStore+"/"):
		return PartStore
	}
	return PartDerived
}

// store: that an object is gone from the store is no forgery. But what nobody can look at
// any more is not proven.
func (a *audit) store(wrong []string) {
	missing, wanted := len(a.verdict.Manifest.Missing), len(a.history.wanted())
	p := unless(wrong, PartStore, fmt.Sprintf("%d facts and samples, each as the journal names it", wanted))
	p.Demanded = missing > 0
	if p.Standing == Proven && missing > 0 {
		p.Standing, p.Why = NotProven, nil
		p.say("%d of the %d facts and samples that the journal names were not in the store any more", missing, wanted)
	}
	a.add(p)
}

// inOrder puts the parts as allParts has them.
func (a *audit) inOrder() {
	var sorted []Part
	for _, name := range allParts() {
		for _, p := range a.verdict.Parts {
			if p.Name == name {
				sorted = append(sorted, p)
			}
		}
	}
	a.verdict.Parts = sorted
}

// some names the first few of many.
func some(all []string) string {
	const few = 5
	if len(all) > few {
		return fmt.Sprintf("%s, and %d more", strings.Join(all[:few], "; "), len(all)-few)
	}
	return strings.Join(all, "; ")
}
