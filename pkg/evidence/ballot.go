package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// asked is what the gate of a ring asks of people; nil: nothing.
func (h *history) asked(ring string) *plan.Approval {
	for _, r := range h.opened.Rings {
		if r.Name == ring {
			return r.Gate.Approval
		}
	}
	return nil
}

// starter is whose key made the first checkpoint, by the auditor's own word; "": nobody says.
// What the journal says of it Fold has seen to.
func (a *audit) starter() string {
	for _, e := range a.history.events {
		entry, ok := e.Entry.(rollout.Sealed)
		if !ok {
			continue
		}
		s, err := a.checkpoint(e, entry)
		if err != nil {
			return ""
		}
		return s.who.Principal
	}
	return ""
}

// ballot counts the approvals of one gate, as they stood when it opened.
type ballot struct {
	*audit
	gate    rollout.GateOpened
	event   rollout.Event
	asked   plan.Approval
	starter string
}

// vote is one person's word that may count.
type vote struct {
	rollout.Approved
	signature signature
	signed    bool // the signature was found good
	starter   bool // four eyes are demanded, and these started the rollout
	refused   string
}

// counted are the people behind a gate, each once in each way of counting.
type counted struct {
	typed, signed, known []vote
	names, refused       []string
}

// take counts one vote: by a signature that is known, by one that is at least good, by a
// typed name.
func (c *counted) take(v vote) {
	if v.refused != "" {
		c.refused = append(c.refused, v.As+": "+v.refused)
	}
	if v.signature.known && !again(c.known, v) {
		c.known, c.names = append(c.known, v), append(c.names, v.signature.String())
	}
	if v.signed && !again(c.signed, v) {
		c.signed = append(c.signed, v)
	}
	if !v.starter && !again(c.typed, v) {
		c.typed = append(c.typed, v)
	}
}

// count judges the gate.
func (b ballot) count() (Standing, []string) {
	var c counted
	for _, v := range b.votes() {
		c.take(v)
	}
	standing, said := b.judge(c)
	said = "ring " + b.gate.Ring + ": " + said
	if len(c.refused) > 0 {
		said += "; not counted: " + strings.Join(c.refused, "; ")
	}
	return standing, []string{said}
}

func (b ballot) judge(c counted) (Standing, string) {
	need, who := b.asked.Count, "approved by "+strings.Join(c.names, ", ")
	switch {
	case len(c.known) >= need && b.Demand.FourEyes && b.starter == "":
		return NotProven, who + ", and nobody can tell who started the rollout"
	case len(c.known) >= need:
		return Proven, who
	case len(c.typed) < need:
		return Broken, fmt.Sprintf("its gate opened with %d of %d approvals that hold", len(c.typed), need)
	case len(c.signed) >= need:
		return NotProven, "approved with good signatures: " + noSigners
	case b.history.opened.Trust.Approvals && b.Allowed != nil:
		return Broken, fmt.Sprintf("%d of %d approvals are signed by those who may", len(c.known), need)
	}
	return NotProven, "approved by names that somebody typed"
}

// fourEyes: by the rollout's own rules, or by the auditor's.
func (b ballot) fourEyes() bool { return b.history.opened.Trust.FourEyes || b.Demand.FourEyes }

// votes are the approvals that hold for this gate: for its set, and not run out when it
// opened. That they are of this plan, by people of the list, and from before, Fold sees to.
func (b ballot) votes() []vote {
	var all []vote
	for _, e := range b.history.events {
		a, ok := e.Entry.(rollout.Approved)
		if ok && a.Ring == b.gate.Ring && a.Set == b.gate.Set && b.event.Time.Before(a.Expires) {
			all = append(all, b.vote(a, e))
		}
	}
	return all
}

// vote verifies one approval.
func (b ballot) vote(a rollout.Approved, e rollout.Event) vote {
	v := vote{Approved: a, starter: b.fourEyes() && b.starter != "" && a.As == b.starter}
	if v.starter {
		v.refused = "started the rollout"
	}
	// What the starter typed is nobody's word; what they brought along signed is its signer's.
	mine := a.By == b.history.events[0].Actor
	if a.Signature == "" || v.starter {
		v.starter = v.starter || mine
		return v
	}
	message, err := ApprovalMessage(ApprovalOf(b.history.opened, a))
	if err == nil {
		v.signature, err = b.look([]byte(a.Signature), message, sshsig.NamespaceApproval, a.As, e.Time)
	}
	if err != nil {
		v.refused, v.starter = err.Error(), mine
		return v
	}
	v.signed = true
	return v
}

// again: the same person, by name, by key, or, where nothing is signed, by who typed it.
func again(given []vote, v vote) bool {
	return slices.ContainsFunc(given, func(g vote) bool {
		return g.As == v.As || v.Key != "" && g.Key == v.Key || (v.Key == "" || g.Key == "") && g.By == v.By
	})
}
