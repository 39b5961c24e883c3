package evidence

import (
	"fmt"
	"slices"
)

// Standing of a part of a bundle. The zero value is the worst.
type Standing uint8

const (
	Broken    Standing = iota // it contradicts itself, or bears a signature that does not hold
	NotProven                 // nothing contradicts it, but nobody who is known vouches for it
	Absent                    // there is nothing to look at
	Proven
)

var standings = [...]string{"broken", "not proven", "absent", "proven"}

func (s Standing) String() string {
	if int(s) < len(standings) {
		return standings[s]
	}
	return standings[0]
}

// MarshalText writes the word.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// The parts, in the order in which they are looked at.
const (
	PartArchive     = "archive"
	PartManifest    = "manifest"
	PartJournal     = "journal"
	PartPlan        = "plan"
	PartPlanSigned  = "plan signature"
	PartSets        = "patch sets"
	PartCheckpoints = "checkpoints"
	PartApprovals   = "approvals"
	PartGates       = "gates"
	PartDerived     = "hosts and summary"
	PartStore       = "store"
	PartPublished   = "published"
)

func allParts() []string {
	return []string{
		PartArchive, PartManifest, PartJournal, PartPlan, PartPlanSigned, PartSets, PartCheckpoints, PartApprovals, PartGates, PartDerived, PartStore, PartPublished,
	}
}

// Part is one thing that was looked at.
type Part struct {
	Name     string
	Standing Standing
	// Demanded: by the rules of the rollout, or because no bundle proves anything without.
	Demanded bool
	Why      []string
}

// unless makes a part of what is wrong with it; if nothing is, what holds is proven.
func unless(wrong []string, name string, holds string) Part {
	if len(wrong) > 0 {
		return Part{Name: name, Demanded: true, Why: []string{some(wrong)}}
	}
	return Part{Name: name, Demanded: true, Standing: Proven, Why: []string{holds}}
}

func (p *Part) say(format string, args ...any) { p.Why = append(p.Why, fmt.Sprintf(format, args...)) }

// Verdict is what verifying a bundle has found.
type Verdict struct {
	Manifest Manifest // zero where it could not be read
	Finished bool     // the rollout was, when the bundle was made
	Parts    []Part
	Signer   string   // who signed the manifest; empty: not known
	Limits   []string // what this bundle can't prove
}

// Standing of the whole: broken if any part is, else the worst of what is demanded.
func (v Verdict) Standing() Standing {
	whole := Broken
	for i, p := range v.Parts {
		switch {
		case p.Standing == Broken:
			return Broken
		case i == 0, p.Demanded && p.Standing < whole:
			whole = p.Standing
		}
	}
	if whole == Absent { // what is demanded and not there is not proven
		return NotProven
	}
	return whole
}

// Part finds one by its name.
func (v Verdict) Part(name string) Part {
	at := slices.IndexFunc(v.Parts, func(p Part) bool { return p.Name == name })
	if at < 0 {
		return Part{Name: name}
	}
	return v.Parts[at]
}

// unseen adds the parts that could not be looked at because of an earlier one.
func (a *audit) unseen() {
	for _, name := range allParts() {
		if !slices.ContainsFunc(a.verdict.Parts, func(p Part) bool { return p.Name == name }) {
			a.add(Part{Name: name, Standing: NotProven, Demanded: true, Why: []string{"not looked at, because of what is broken"}})
		}
	}
}
