package report

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
)

// QuarantineEntry is one host that is left out of plans.
type QuarantineEntry struct {
	Host   fact.HostID `json:"host"`
	Owner  string      `json:"owner"`
	Reason string      `json:"reason"`
	Until  time.Time   `json:"until"` // the end of the last day
	By     string      `json:"by"`
	Since  time.Time   `json:"since"`
	Over   bool        `json:"over"` // its last day is over: the host is in plans again
}

// Quarantine is the document of `quarantine`.
type Quarantine struct {
	Header
	Hosts []QuarantineEntry `json:"hosts"`
}

// NewQuarantine builds it, in the order of its input.
func NewQuarantine(all []QuarantineEntry, now time.Time) Quarantine {
	doc := Quarantine{Header: header("quarantine"), Hosts: []QuarantineEntry{}}
	for _, q := range all {
		q.Over = !now.Before(q.Until)
		doc.Hosts = append(doc.Hosts, q)
	}
	return doc
}

func (d Quarantine) face(bool) face {
	s := sheet{columns: []column{{head: "HOST", whole: true}, {head: "THROUGH (UTC)", whole: true}, {head: "OWNER", least: 10}, {head: "REASON", least: 20, prose: true}}}
	for _, q := range d.Hosts {
		until := q.Until.Add(-time.Minute).UTC().Format("2006-01-02 15:04")
		if q.Over {
			until += " (over)"
		}
		s.rows = append(s.rows, texts(q.Host.String(), until, q.Owner, q.Reason))
	}
	return face{title: count(len(d.Hosts), "host") + " in quarantine", sheets: []sheet{s}}
}

// PrunedEntry is one thing that was removed from the state folder: a rollout, an object
// of the store, or what a killed process had left.
type PrunedEntry struct {
	Rollout string    `json:"rollout,omitempty"`
	Object  string    `json:"object,omitempty"`
	Left    string    `json:"left,omitempty"`
	Bytes   int64     `json:"bytes"`
	Last    time.Time `json:"last"`
}

// Pruned is the document of `state prune`.
type Pruned struct {
	Header
	DryRun bool          `json:"dry_run"`
	Bytes  int64         `json:"bytes"`
	Gone   []PrunedEntry `json:"gone"`
}

// NewPruned builds it, in the order of its input.
func NewPruned(gone []PrunedEntry, dryRun bool) Pruned {
	doc := Pruned{Header: header("pruned"), DryRun: dryRun, Gone: append([]PrunedEntry{}, gone...)}
	for _, p := range gone {
		doc.Bytes += p.Bytes
	}
	return doc
}

func (d Pruned) face(bool) face {
	s := sheet{columns: []column{{head: "ROLLOUT", whole: true}, {head: "LAST CHANGED (UTC)", whole: true}, {head: "BYTES", right: true}}}
	objects := 0
	for _, p := range d.Gone {
		if p.Rollout == "" {
			objects++
			continue
		}
		s.rows = append(s.rows, texts(p.Rollout, p.Last.UTC().Format("2006-01-02 15:04"), fmt.Sprint(p.Bytes)))
	}
	verb := "removed"
	if d.DryRun {
		verb = "would be removed"
	}
	return face{
		title: fmt.Sprintf("%s and %s %s, %d bytes", count(len(s.rows), "rollout"), count(objects, "other file"), verb, d.Bytes), sheets: []sheet{s},
	}
}
