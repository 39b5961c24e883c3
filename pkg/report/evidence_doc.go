package report

import (
	"time"

	"github.com/patchring/patchring/pkg/evidence"
)

// Evidence is the document of `evidence verify`: what a bundle proves, part by part.
type Evidence struct {
	Header
	Exit     Ending         `json:"exit"`
	Standing string         `json:"standing"` // proven | not proven | broken
	Bundle   EvidenceBundle `json:"bundle"`
	Parts    []EvidencePart `json:"parts"`
	Limits   []string       `json:"limits"` // what it can't prove
}

// EvidenceBundle is what the manifest says of the bundle. It is worth what the standing of
// the manifest is worth.
type EvidenceBundle struct {
	Rollout   string    `json:"rollout"`
	Site      string    `json:"site"`
	Playbook  string    `json:"playbook"`
	Tool      string    `json:"tool"`
	Opened    time.Time `json:"opened,omitzero"`
	Changed   time.Time `json:"changed,omitzero"` // when the last record was written
	Phase     string    `json:"phase"`
	Finished  bool      `json:"finished"`
	Records   int       `json:"records"` // of the journal
	Line      string    `json:"line"`    // digest of the last one
	Plan      string    `json:"plan"`
	Source    string    `json:"playbook_digest"`
	Inventory string    `json:"inventory_digest"`
	Signer    string    `json:"signer"`   // empty: nobody
	Demanded  []string  `json:"demanded"` // what had to be signed: approvals, plans, checkpoints, four_eyes
}

// EvidencePart is one thing that was looked at.
type EvidencePart struct {
	Part     string   `json:"part"`
	Standing string   `json:"standing"` // proven | not proven | absent | broken
	Demanded bool     `json:"demanded"`
	Why      []string `json:"why"`
}

// NewEvidence builds the document.
func NewEvidence(v evidence.Verdict) Evidence {
	m := v.Manifest
	doc := Evidence{
		Header: header("evidence"), Standing: v.Standing().String(), Parts: []EvidencePart{}, Limits: cleanAll(v.Limits),
		Bundle: EvidenceBundle{
			Rollout: clean(m.Rollout), Site: clean(m.Site), Playbook: clean(m.Playbook), Tool: clean(m.Tool), Opened: m.Opened, Changed: m.Changed,
			Phase: clean(string(m.Phase)), Finished: v.Finished, Records: m.Records, Line: clean(string(m.Line)), Plan: clean(string(m.Plan)),
			Source: clean(string(m.Source)), Inventory: clean(string(m.Inventory)), Signer: clean(v.Signer), Demanded: demanded(m),
		},
	}
	for _, p := range v.Parts {
		doc.Parts = append(doc.Parts, EvidencePart{Part: p.Name, Standing: p.Standing.String(), Demanded: p.Demanded, Why: cleanAll(p.Why)})
	}
	doc.Exit = evidenceEnding(v)
	return doc
}

func demanded(m evidence.Manifest) []string {
	all := []string{}
	for _, rule := range []struct {
		name string
		on   bool
	}{
		{"plans", m.Trust.Plans}, {"approvals", m.Trust.Approvals}, {"checkpoints", m.Trust.Checkpoints}, {"four_eyes", m.Trust.FourEyes},
	} {
		if rule.on {
			all = append(all, rule.name)
		}
	}
	return all
}

// evidenceEnding: 0 only where all that is demanded is proven.
func evidenceEnding(v evidence.Verdict) Ending {
	switch v.Standing() {
	case evidence.Proven:
		return ending(nil, "all that is demanded is proven")
	case evidence.Broken:
		return ending([]claim{{ExitError, "the bundle does not hold: " + partsThat(v, evidence.Broken)}}, "")
	case evidence.NotProven, evidence.Absent:
	}
	return ending([]claim{{ExitNeedsPerson, "nothing contradicts the bundle, but it does not prove: " + partsThat(v, evidence.NotProven, evidence.Absent)}}, "")
}
