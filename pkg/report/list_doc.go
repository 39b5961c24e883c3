package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/rollout"
)

// Rollouts is the document of several rollouts: status without a name.
type Rollouts struct {
	Header
	Rollouts []Summary `json:"rollouts"`
}

// Summary is one rollout in a line.
type Summary struct {
	ID       string         `json:"rollout"`
	Playbook string         `json:"playbook"`
	Site     string         `json:"site"`
	Phase    string         `json:"phase"`
	Exit     Ending         `json:"exit"`
	Next     string         `json:"next"`
	Opened   time.Time      `json:"opened,omitzero"`
	Changed  time.Time      `json:"changed,omitzero"`
	ByState  map[string]int `json:"by_state"`
	Reasons  []string       `json:"reasons"`
	Waits    []Wait         `json:"waits"` // of an open one
}

// NewRollouts builds the list, in the order of its input.
func NewRollouts(in []Source) Rollouts {
	doc := Rollouts{Header: header("rollouts"), Rollouts: []Summary{}}
	for _, s := range in {
		r := NewRollout(s)
		if s.Status.Phase != rollout.PhaseOpen { // the others say it by their phase
			r.Waits = []Wait{}
		}
		doc.Rollouts = append(doc.Rollouts, Summary{
			ID: r.ID, Playbook: r.Playbook, Site: r.Site, Phase: r.Phase, Exit: r.Exit, Next: r.Next,
			Opened: r.Opened, Changed: r.Changed, ByState: r.Totals.ByState, Reasons: r.Reasons, Waits: r.Waits,
		})
	}
	return doc
}

func (d Rollouts) face(bool) face {
	s := sheet{columns: []column{{head: "ROLLOUT", whole: true}, {head: "PLAYBOOK", least: 8}, {head: "SITE", least: 4}, {head: "PHASE", least: 10}, {head: "CHANGED (UTC)", whole: true}, {head: "HOSTS", least: 14, prose: true}}}
	for _, r := range d.Rollouts {
		s.rows = append(s.rows, []cell{text(r.ID), text(r.Playbook), text(r.Site), word(r.Phase), text(r.Changed.Format("2006-01-02 15:04")), text(stateCounts(r.ByState))})
	}
	return face{title: count(len(d.Rollouts), "rollout"), sheets: []sheet{s, d.waitSheet()}}
}

// waitSheet says what each open rollout waits for.
func (d Rollouts) waitSheet() sheet {
	s := sheet{title: "Waits for", group: true, columns: []column{{head: "ROLLOUT", whole: true}, {head: "NEEDS", whole: true}, {head: "WHAT", least: 40, prose: true}}}
	for _, r := range d.Rollouts {
		for _, w := range r.Waits {
			s.rows = append(s.rows, []cell{text(r.ID), w.needs(), text(w.Text)})
		}
	}
	return s
}

func (d Rollouts) records() records {
	r := records{head: []string{"rollout", "playbook", "site", "phase", "exit_code", "exit_word", "exit_why", "opened", "changed", "reasons", "next", "waits"}}
	for _, s := range d.Rollouts {
		r.rows = append(r.rows, []string{s.ID, s.Playbook, s.Site, s.Phase, fmt.Sprint(s.Exit.Code), s.Exit.Word, s.Exit.Why,
			s.Opened.Format(time.RFC3339), s.Changed.Format(time.RFC3339), strings.Join(s.Reasons, "; "), s.Next, waitTexts(s.Waits)})
	}
	return r
}
