package evidence

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// summaryDoc is summary.json: the rollout as a whole, and every word of a person.
type summaryDoc struct {
	Version  int           `json:"version"`
	Kind     string        `json:"kind"`
	Rollout  string        `json:"rollout"`
	Site     string        `json:"site"`
	Playbook string        `json:"playbook"`
	Plan     patch.Digest  `json:"plan"`
	Phase    rollout.Phase `json:"phase"`
	Finished bool          `json:"finished"`
	Opened   time.Time     `json:"opened"`
	Changed  time.Time     `json:"changed"`
	Starter  string        `json:"starter"` // user@machine, as typed
	Urgent   bool          `json:"urgent"`
	Reasons  []string      `json:"reasons,omitempty"`
	// SecurityLeft counts the security fixes that were left out.
	SecurityLeft int        `json:"security_fixes_left_out"`
	Rings        []*ringDoc `json:"rings"`
	// Words are what people said to the rollout, with their reasons: pauses, waivers,
	// overrides of windows, retries, rollbacks, the end by hand.
	Words       []wordDoc       `json:"words"`
	Checkpoints []checkpointDoc `json:"checkpoints"`
	Exceptions  []exceptionDoc  `json:"exceptions"`
	Quarantined []quarantineDoc `json:"quarantined"`
}

// ringDoc is a ring with what its gate has measured.
type ringDoc struct {
	Ring         string                    `json:"ring"`
	Hosts        int                       `json:"hosts"`
	ByState      map[rollout.HostState]int `json:"by_state"`
	Window       string                    `json:"window,omitempty"`
	FailureLimit int                       `json:"failure_limit"`
	Began        time.Time                 `json:"began,omitzero"`
	Ended        time.Time                 `json:"ended,omitzero"`
	Asks         asksDoc                   `json:"gate_asks"`
	Opened       *openedDoc                `json:"gate_opened,omitempty"`
	Samples      []sampleDoc               `json:"soak_samples"`
	Answers      []answerDoc               `json:"inquiries"`
	Approvals    []approvalDoc             `json:"approvals"`
}

// asksDoc is what a ring's gate asks for beside the health of the rings before.
type asksDoc struct {
	SoakSeconds      int64    `json:"soak_seconds,omitempty"`
	Approvers        string   `json:"approvers,omitempty"` // the name of the list
	People           []string `json:"people,omitempty"`    // who is on it
	Approvals        int      `json:"approvals,omitempty"` // how many different ones
	MinParticipation int      `json:"min_participation_percent,omitempty"`
	Coverage         int      `json:"coverage_percent,omitempty"`
	Checks           []string `json:"checks,omitempty"`
}

func asks(g plan.Gate) asksDoc {
	doc := asksDoc{MinParticipation: g.MinParticipation, Coverage: g.Coverage}
	if g.Soak != nil {
		doc.SoakSeconds = int64(g.Soak.For / time.Second)
	}
	if a := g.Approval; a != nil {
		doc.Approvers, doc.People, doc.Approvals = a.Approvers, a.People, a.Count
	}
	for _, c := range g.Checks {
		doc.Checks = append(doc.Checks, string(c.When)+": "+c.Name)
	}
	return doc
}

// openedDoc is the opening of a gate. Its reasons tell the soak, the participation and the
// coverage that were measured.
type openedDoc struct {
	At      time.Time    `json:"at"`
	Record  uint64       `json:"record"`
	Set     patch.Digest `json:"set,omitempty"`
	Reasons []string     `json:"reasons"`
}

type sampleDoc struct {
	At      time.Time         `json:"at"`
	Record  uint64            `json:"record"`
	Pass    int               `json:"pass"`
	Fail    int               `json:"fail"`
	Unknown int               `json:"unknown"`
	Changed map[string]string `json:"changed,omitempty"`
	Results patch.Digest      `json:"results,omitempty"` // in store/
}

type answerDoc struct {
	At      time.Time `json:"at"`
	Record  uint64    `json:"record"`
	Check   string    `json:"check"`
	When    string    `json:"when"`
	Verdict string    `json:"verdict"`
	Seen    string    `json:"seen,omitempty"`
}

type approvalDoc struct {
	At      time.Time    `json:"at"`
	Record  uint64       `json:"record"`
	As      string       `json:"as"`
	By      string       `json:"typed_by"`
	Plan    patch.Digest `json:"plan"`
	Set     patch.Digest `json:"set,omitempty"`
	Expires time.Time    `json:"expires"`
	Reason  string       `json:"reason,omitempty"`
	Signed  bool         `json:"signed"` // a signature is there; whether it is good, verify tells
	Key     string       `json:"key,omitempty"`
}

type wordDoc struct {
	At     time.Time     `json:"at"`
	Record uint64        `json:"record"`
	By     string        `json:"by"`
	Word   string        `json:"word"`
	Ring   string        `json:"ring,omitempty"`
	What   string        `json:"what,omitempty"`
	Set    patch.Digest  `json:"set,omitempty"`
	Until  time.Time     `json:"until,omitzero"`
	Hosts  []fact.HostID `json:"hosts,omitempty"`
	Reason string        `json:"reason,omitempty"`
}

type checkpointDoc struct {
	At     time.Time    `json:"at"`
	Record uint64       `json:"record"`
	Covers uint64       `json:"covers"`
	Line   patch.Digest `json:"line"`
	Why    string       `json:"why"`
	As     string       `json:"as,omitempty"`
	Key    string       `json:"key"`
}

// exceptionDoc is an update that the playbook keeps from a host; its detail names reason,
// owner and end where the playbook does.
type exceptionDoc struct {
	Host     fact.HostID `json:"host"`
	Package  string      `json:"package"`
	Version  string      `json:"version"`
	Security patch.Tri   `json:"security"`
	Detail   string      `json:"detail"`
}

type quarantineDoc struct {
	Host   fact.HostID `json:"host"`
	Ring   string      `json:"ring"`
	Owner  string      `json:"owner"`
	Until  time.Time   `json:"until"`
	Reason string      `json:"reason"`
}

// summary builds summary.json.
func (h *history) summary(p *plan.Plan) summaryDoc {
	s := h.status()
	doc := summaryDoc{
		Version: Version, Kind: "patchring evidence summary", Rollout: s.Rollout, Site: s.Site, Playbook: s.Playbook, Plan: s.Plan,
		Phase: s.Phase, Finished: s.Phase == rollout.PhaseFinished, Opened: s.Opened, Changed: s.Changed, Starter: s.Starter,
		Urgent: s.Urgent, Reasons: s.Reasons, SecurityLeft: s.SecurityLeft(p),
		Words: []wordDoc{}, Checkpoints: []checkpointDoc{}, Exceptions: exceptions(p), Quarantined: quarantined(p), Rings: rings(s, h.opened),
	}
	for _, e := range h.events {
		doc.gather(e)
	}
	return doc
}

func rings(s rollout.Status, o rollout.Opened) []*ringDoc {
	all := []*ringDoc{}
	for i, r := range s.Rings {
		all = append(all, &ringDoc{
			Ring: r.Name, Hosts: r.Hosts, ByState: r.ByState, Window: r.Window, FailureLimit: r.FailureLimit, Began: r.Began, Ended: r.Ended,
			Asks: asks(o.Rings[i].Gate), Samples: []sampleDoc{}, Answers: []answerDoc{}, Approvals: []approvalDoc{},
		})
	}
	return all
}

// ring finds a ring, which is there: the fold has seen to it.
func (d *summaryDoc) ring(name string) *ringDoc {
	for _, r := range d.Rings {
		if r.Ring == name {
			return r
		}
	}
	return &ringDoc{}
}

// gather takes in one event.
func (d *summaryDoc) gather(e rollout.Event) {
	switch entry := e.Entry.(type) {
	case rollout.GateOpened:
		d.ring(entry.Ring).Opened = &openedDoc{At: e.Time, Record: e.Seq, Set: entry.Set, Reasons: entry.Reasons}
	case rollout.Sampled:
		r := d.ring(entry.Ring)
		r.Samples = append(r.Samples, sampleDoc{At: e.Time, Record: e.Seq, Pass: entry.Pass, Fail: entry.Fail, Unknown: entry.Unknown, Changed: entry.Changed, Results: entry.Samples})
	case rollout.Asked:
		r := d.ring(entry.Ring)
		r.Answers = append(r.Answers, answerDoc{At: e.Time, Record: e.Seq, Check: entry.Check, When: string(entry.When), Verdict: entry.Verdict.String(), Seen: entry.Seen})
	case rollout.Approved:
		r := d.ring(entry.Ring)
		r.Approvals = append(r.Approvals, approvalDoc{
			At: e.Time, Record: e.Seq, As: entry.As, By: entry.By, Plan: entry.Plan, Set: entry.Set, Expires: entry.Expires, Reason: entry.Reason,
			Signed: entry.Signature != "", Key: entry.Key,
		})
	case rollout.Sealed:
		d.Checkpoints = append(d.Checkpoints, checkpointDoc{At: e.Time, Record: e.Seq, Covers: entry.Seq, Line: entry.Line, Why: entry.Why, As: entry.As, Key: entry.Key})
	default:
		d.hear(e)
	}
}

// hear takes in the word of a person.
func (d *summaryDoc) hear(e rollout.Event) {
	w := wordDoc{At: e.Time, Record: e.Seq, By: e.Actor, Word: e.Entry.Kind()}
	switch entry := e.Entry.(type) {
	case rollout.Waived:
		w.Ring, w.What, w.Set, w.Reason = entry.Ring, entry.What, entry.Set, entry.Reason
	case rollout.WindowOverridden:
		w.Until, w.Reason = entry.Until, entry.Reason
	case rollout.Paused:
		w.Reason = entry.Reason
	case rollout.Resumed:
		w.Reason = entry.Reason
	case rollout.Aborted:
		w.Reason = entry.Reason
	case rollout.Retried:
		w.Hosts, w.Reason = entry.Hosts, entry.Reason
	case rollout.RollbackAsked:
		w.Hosts, w.Reason = entry.Hosts, entry.Reason
		if entry.Auto {
			w.What = "the playbook's on_failure"
		}
	default:
		return
	}
	d.Words = append(d.Words, w)
}

func exceptions(p *plan.Plan) []exceptionDoc {
	all := []exceptionDoc{}
	for _, h := range p.Hosts {
		for _, l := range h.Left {
			if l.Reason == patch.ReasonExcluded {
				all = append(all, exceptionDoc{Host: h.ID, Package: l.Update.Key(), Version: l.Update.To, Security: l.Update.Security, Detail: l.Detail})
			}
		}
	}
	return all
}

func quarantined(p *plan.Plan) []quarantineDoc {
	all := []quarantineDoc{}
	for _, q := range p.Quarantined {
		all = append(all, quarantineDoc{Host: q.ID, Ring: q.Ring, Owner: q.Owner, Until: q.Until, Reason: q.Reason})
	}
	return all
}
