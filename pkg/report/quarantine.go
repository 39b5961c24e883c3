package report

import (
	"time"

	"github.com/patchring/patchring/pkg/plan"
)

// Quarantined is a host that is left out of the rings, on somebody's account, until a day.
type Quarantined struct {
	Host   string    `json:"host"`
	Ring   string    `json:"ring"` // the ring that it would be in
	Owner  string    `json:"owner"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason"`
}

func newQuarantined(all []plan.Quarantined) []Quarantined {
	out := make([]Quarantined, 0, len(all))
	for _, q := range all {
		out = append(out, Quarantined{clean(q.ID.String()), clean(q.Ring), clean(q.Owner), q.Until.UTC(), clean(q.Reason)})
	}
	return out
}

func quarantineSheet(all []Quarantined) sheet {
	s := sheet{title: "Quarantined: left out of the rings", columns: []column{{head: "HOST", whole: true}, {head: "RING", whole: true}, {head: "OWNER", least: 6}, {head: "UNTIL", whole: true}, {head: "WHY", least: 16, prose: true}}}
	for _, q := range all {
		s.rows = append(s.rows, texts(q.Host, q.Ring, q.Owner, q.until(), q.Reason))
	}
	return s
}

func (q Quarantined) until() string {
	switch {
	case q.Until.IsZero():
		return ""
	case q.Until.Equal(q.Until.Truncate(24 * time.Hour)):
		return q.Until.Format(time.DateOnly)
	}
	return q.Until.Format("2006-01-02 15:04") + " UTC"
}

func (q Quarantined) detail() string {
	return "owner " + orElse(q.Owner, "nobody") + ", until " + orElse(q.until(), "no day")
}

func (q Quarantined) skipped() Skipped {
	return Skipped{Host: q.Host, Ring: q.Ring, Reason: "quarantined", Detail: q.why()}
}

// why is the reason, and on whose account.
func (q Quarantined) why() string {
	return orElse(q.Reason, "no reason was given") + " (" + q.detail() + ")"
}

// testcase: skipped, and never well.
func (q Quarantined) testcase(playbook string) testcase {
	return testcase{class: "patchring." + playbook + "." + q.Ring, name: q.Host, kind: "skipped", message: "quarantined: " + q.why()}
}
