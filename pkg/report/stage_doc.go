package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// Brought is what came of staging one host.
type Brought struct {
	Host fact.HostID
	Ring string
	End  rollout.StepEnded
}

// Staging is the document of `stage`: what was brought to hosts ahead of their window.
type Staging struct {
	Header
	Exit   Ending        `json:"exit"`
	Plan   string        `json:"plan"` // its digest
	Set    string        `json:"set"`  // the patch set; empty: the plan's own versions
	Hosts  []StagedHost  `json:"hosts"`
	Totals StagingTotals `json:"totals"`
}

// StagedHost is one host of it.
type StagedHost struct {
	Host     string   `json:"host"`
	Ring     string   `json:"ring"`
	State    string   `json:"state"`    // brought | nothing | failed | unreachable | unknown
	Packages int      `json:"packages"` // that are on the host now
	Stored   int      `json:"stored"`   // of them, those that its repositories do not have: from an archive or the store
	Bytes    int64    `json:"bytes"`
	Code     string   `json:"code"`
	Reasons  []string `json:"reasons"`
	Notes    []string `json:"notes"`
}

// StagingTotals counts hosts.
type StagingTotals struct {
	Hosts    int   `json:"hosts"`
	Brought  int   `json:"brought"`
	Nothing  int   `json:"nothing"`
	Failed   int   `json:"failed"` // for whatever reason
	Packages int   `json:"packages"`
	Bytes    int64 `json:"bytes"`
}

// NewStaging builds the document, in the order of its input.
func NewStaging(digest, set patch.Digest, in []Brought) Staging {
	doc := Staging{Header: header("staging"), Plan: string(digest), Set: string(set), Hosts: []StagedHost{}}
	var claims []claim
	for _, b := range in {
		h := newStagedHost(b)
		doc.Hosts = append(doc.Hosts, h)
		doc.Totals.add(h)
		if code := stagingCode(h); code != ExitDone {
			claims = append(claims, claim{code, h.Host})
		}
	}
	doc.Exit = ending(gather(claims, "not staged"), doc.summary())
	return doc
}

func newStagedHost(b Brought) StagedHost {
	h := StagedHost{
		Host: clean(b.Host.String()), Ring: clean(b.Ring), State: orElse(string(b.End.Outcome), "unknown"), Code: string(b.End.Code),
		Reasons: cleanAll(b.End.Reasons), Notes: cleanAll(b.End.Notes),
	}
	if b.End.Outcome != rollout.OutcomeOK {
		return h
	}
	h.State = "brought"
	if b.End.Began != nil {
		for _, u := range b.End.Began.Work.Install {
			h.Packages++
			h.Bytes += max(u.Size, 0)
			if u.Source == patch.SourceStore {
				h.Stored++
			}
		}
	}
	return h
}

// stagingCode is hostCode for a host that nothing was changed on.
func stagingCode(h StagedHost) int {
	switch h.State {
	case "brought", "nothing":
		return ExitDone
	case string(rollout.OutcomeUnreachable):
		return hostCode(rollout.HostStatus{State: rollout.HostUnreachable, Code: fault.Code(h.Code)})
	}
	return hostCode(rollout.HostStatus{State: rollout.HostFailed, Code: fault.Code(h.Code)})
}

func (t *StagingTotals) add(h StagedHost) {
	t.Hosts++
	t.Packages += h.Packages
	t.Bytes += h.Bytes
	switch h.State {
	case "brought":
		t.Brought++
	case "nothing":
		t.Nothing++
	default:
		t.Failed++
	}
}

func (d Staging) summary() string {
	out := fmt.Sprintf("%s brought to %s", count(d.Totals.Packages, "package"), count(d.Totals.Brought, "host"))
	if d.Totals.Nothing > 0 {
		out += fmt.Sprintf(", %d with nothing to bring", d.Totals.Nothing)
	}
	return out
}

func (d Staging) face(brief bool) face {
	f := face{title: "Staged: " + d.summary(), lines: []pair{{"Plan", text(shortDigest(d.Plan))}, {"Patch set", text(shortDigest(d.Set))}}}
	if d.Exit.Code != ExitDone {
		f.lines = append(f.lines, pair{"Exit code", text(fmt.Sprintf("%d %s: %s", d.Exit.Code, d.Exit.Word, d.Exit.Why))})
	}
	s := sheet{columns: []column{
		{head: "HOST", whole: true}, {head: "RING", whole: true}, {head: "STATE", whole: true}, {head: "PACKAGES", right: true}, {head: "SIZE", right: true, least: 9}, {head: "STORE", right: true}, {head: "WHY", least: 20, prose: true},
	}}
	for _, h := range d.Hosts {
		if !brief || stagingCode(h) != ExitDone {
			s.rows = append(s.rows, h.row())
		}
	}
	f.sheets = []sheet{s}
	return f
}

func (h StagedHost) row() []cell {
	packages, bytes, stored := "", "", ""
	if h.State == "brought" {
		packages, bytes = fmt.Sprint(h.Packages), size(h.Bytes)
	}
	if h.Stored > 0 {
		stored = fmt.Sprint(h.Stored)
	}
	return []cell{text(h.Host), text(h.Ring), word(h.State), text(packages), text(bytes), text(stored), text(strings.Join(append(h.Reasons, h.Notes...), "; "))}
}

func (d Staging) records() records {
	r := records{head: []string{"host", "ring", "state", "packages", "stored", "bytes", "code", "reasons", "notes"}}
	for _, h := range d.Hosts {
		r.rows = append(r.rows, []string{h.Host, h.Ring, h.State, fmt.Sprint(h.Packages), fmt.Sprint(h.Stored), fmt.Sprint(h.Bytes), h.Code, strings.Join(h.Reasons, "; "), strings.Join(h.Notes, "; ")})
	}
	return r
}
