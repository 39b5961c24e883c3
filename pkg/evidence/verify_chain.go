package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/sshsig"
)

// over: nothing will happen to this rollout any more.
func over(h *history) bool {
	switch s := h.state; {
	case s.Returning():
		return false
	case s.Phase() == rollout.PhaseFinished:
		return true
	default:
		return s.Phase() == rollout.PhaseAborted && len(s.AtWork()) == 0
	}
}

// Carried looks at a rollout that is about to be carried on: is the journal that of the plan,
// are its checkpoints over what stands there, did gates that asked for approvals get them? A
// journal that somebody has written anew is found so, as far as somebody else has signed. What
// was cut off in the last append is left out. It is an error where that can't be told at all.
func Carried(journal, rawPlan []byte, allowed *sshsig.Allowed, demanded bool) ([]Part, error) {
	h, err := readHistory(Whole(journal))
	if err != nil {
		return nil, err
	}
	p, err := plan.Decode(rawPlan)
	if err != nil {
		return nil, fmt.Errorf("its plan: %w", err)
	}
	if got := patch.DigestOf(rawPlan); got != h.opened.Plan {
		return nil, fmt.Errorf("the journal is of plan %s, and plan.json is %s", h.opened.Plan.Short(), got.Short())
	}
	if err := follows(h.opened, p); err != nil {
		return nil, err
	}
	a := audit{Check: Check{Allowed: allowed}, history: h, plan: p}
	a.add(a.checkpoints(demanded))
	a.approvals()
	return a.verdict.Parts, nil
}

// checkpoints: each stands over the chain, and there is one wherever the rules ask for it.
func (a *audit) checkpoints(demanded bool) Part {
	p := Part{Name: PartCheckpoints, Demanded: demanded, Standing: Absent}
	signers := map[string]bool{}
	for _, e := range a.history.events {
		entry, ok := e.Entry.(rollout.Sealed)
		if !ok {
			continue
		}
		if p.Standing == Absent {
			p.Standing = Proven
		}
		s, err := a.checkpoint(e, entry)
		if err != nil {
			p.Standing = Broken
			p.say("record %d: %v", e.Seq, err)
			continue
		}
		if !s.known {
			p.Standing = min(p.Standing, NotProven)
		}
		signers[s.String()] = true
	}
	if p.Standing == Absent {
		p.say("there is none: the journal proves the order of its records, and not that nobody wrote it anew")
	}
	for _, who := range slices.Sorted(maps.Keys(signers)) {
		p.say("signed by %s: what stands before them was not written anew since", who)
	}
	a.placed(&p)
	return p
}

// checkpoint verifies one.
func (a *audit) checkpoint(e rollout.Event, entry rollout.Sealed) (signature, error) {
	if entry.Line != a.history.lines[entry.Seq-1] {
		return signature{}, fmt.Errorf("signed for another record %d than the one that stands there", entry.Seq)
	}
	message, err := CheckpointMessage(CheckpointOf(a.history.opened, entry))
	if err == nil {
		err = signedBy([]byte(entry.Signature), message, sshsig.NamespaceCheckpoint, entry.Key)
	}
	if err != nil {
		return signature{}, err
	}
	return a.look([]byte(entry.Signature), message, sshsig.NamespaceCheckpoint, entry.As, e.Time)
}

// placed looks whether a checkpoint stands behind the opening and every gate before
// anything was begun, and behind the end. What is missing is a breach where checkpoints
// are demanded, but at the very end: there the process may have died before it signed.
func (a *audit) placed(p *Part) {
	var due, ends string // what has no checkpoint yet
	var at uint64
	for _, e := range a.history.events {
		switch entry := e.Entry.(type) {
		case rollout.Opened:
			due, at = "the opening", e.Seq
		case rollout.GateOpened:
			due, at = "the gate of ring "+entry.Ring, e.Seq
		case rollout.Halted, rollout.Aborted, rollout.Finished:
			ends, at = "the record that it is "+e.Entry.Kind(), e.Seq
		case rollout.Sealed:
			if entry.Seq >= at {
				due, ends = "", ""
			}
		case rollout.StepStarted:
			a.unsealed(p, due)
			due = ""
		}
	}
	for _, open := range []string{due, ends} {
		if open != "" && p.Standing != Absent {
			p.Standing = min(p.Standing, NotProven)
			p.say("no checkpoint stands behind %s", open)
		}
	}
}

// unsealed: work has begun though a checkpoint was due.
func (a *audit) unsealed(p *Part, due string) {
	switch {
	case due == "" || p.Standing == Absent && !p.Demanded:
		return
	case p.Demanded:
		p.Standing = Broken
	default:
		p.Standing = min(p.Standing, NotProven)
	}
	p.say("work was begun behind %s without a checkpoint", due)
}

// statement is what is read of a published checkpoint: the rest of it says the same in
// other words, and is not signed.
type statement struct {
	Message   string `json:"message"`
	Signature string `json:"signature"`
}

// maxStatements bounds what is read of published checkpoints.
const maxStatements = 1 << 20

// readStatements reads JSON documents that stand one after the other.
func readStatements(raw []byte) ([]statement, error) {
	var all []statement
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		var s statement
		err := dec.Decode(&s)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("published checkpoint %d: %w", len(all)+1, err)
		case len(all) == maxStatements:
			return nil, fmt.Errorf("more than %d published checkpoints", maxStatements)
		}
		all = append(all, s)
	}
}

// published: what was published of this rollout stands in its journal. Only so a bundle
// that is older than what has happened, or whose tail was cut before it was signed, is found.
func (a *audit) published() {
	p := Part{Name: PartPublished, Demanded: a.Published != nil, Standing: Absent}
	defer func() { a.add(p) }()
	if a.Published == nil {
		p.say("no published checkpoints were given")
		return
	}
	all, err := readStatements(a.Published)
	if err != nil {
		p.Standing, p.Why = Broken, []string{err.Error()}
		return
	}
	found := 0
	for _, s := range all {
		c, err := ParseCheckpoint([]byte(s.Message))
		if err != nil || c.Rollout != a.history.opened.Rollout || c.Site != a.history.opened.Site {
			continue
		}
		if p.Standing == Absent {
			p.Standing = Proven
		}
		found++
		standing, why := a.compare(c, s)
		if p.Standing = min(p.Standing, standing); why != "" {
			p.say("%s", why)
		}
	}
	p.say("%d of this rollout", found)
}

// compare holds the journal against one published checkpoint.
func (a *audit) compare(c Checkpoint, s statement) (Standing, string) {
	who, err := a.lookPublished(c, s)
	switch {
	case err != nil:
		return Broken, fmt.Sprintf("what was published as checkpoint %d: %v", c.Seq, err)
	case c.Seq > uint64(len(a.history.lines)):
		return Broken, fmt.Sprintf("a checkpoint of record %d was published (%s), and this journal ends with record %d: it is older, or its end was cut off", c.Seq, c.Why, len(a.history.lines))
	case c.Line != a.history.lines[c.Seq-1] || c.Plan != a.history.opened.Plan:
		return Broken, fmt.Sprintf("another record %d was published than the one that stands here: the journal was written anew", c.Seq)
	case !who.known:
		return NotProven, ""
	}
	return Proven, ""
}

// lookPublished verifies a published checkpoint at the time at which the journal says that
// it was made; where it does not say so, at any time since the record that it covers.
func (a *audit) lookPublished(c Checkpoint, s statement) (signature, error) {
	from := a.history.last()
	for _, e := range a.history.events {
		if e.Seq == c.Seq {
			from = e.Time
		}
		if entry, ok := e.Entry.(rollout.Sealed); ok && entry.Seq == c.Seq {
			if found, err := a.look([]byte(s.Signature), []byte(s.Message), sshsig.NamespaceCheckpoint, "", e.Time); err == nil {
				return found, nil
			}
		}
	}
	found, _, err := a.lookBetween([]byte(s.Signature), []byte(s.Message), sshsig.NamespaceCheckpoint, from, a.Now)
	return found, err
}

// limits says what this bundle can't prove.
func (a *audit) limits() {
	say := func(format string, args ...any) {
		a.verdict.Limits = append(a.verdict.Limits, fmt.Sprintf(format, args...))
	}
	h := a.history
	if !a.verdict.Finished {
		say("The rollout was not finished (%s): what came after record %d is not in here.", h.state.Phase(), len(h.events))
	} else if a.Published == nil {
		say("That nothing came after record %d: compare with published checkpoints.", len(h.events))
	}
	if n := h.tail(); n > 0 {
		say("The last %d records have no checkpoint: only the signature of the manifest covers them.", n)
	}
	if t := h.opened.Trust; !t.Approvals || !t.Checkpoints {
		say("The site did not demand signatures for everything: what nobody signed is the word of whoever ran patchring.")
	}
	if n := len(a.verdict.Manifest.Missing); n > 0 {
		say("%d of the %d facts and samples that the journal names are gone: what the hosts were seen to be is not in here.", n, len(h.wanted()))
	}
	say("What the checks and samples saw is what was journaled; that it let each gate open was computed anew.")
	say("Times are those of the machine that ran patchring.")
	say("Versions, boot ids and health are what the hosts said of themselves.")
	say("A stolen key signs as well as its owner.")
}

// tail counts the records behind what the last checkpoint covers, but for checkpoints.
func (h *history) tail() int {
	n := 0
	for _, e := range h.events {
		if s, ok := e.Entry.(rollout.Sealed); ok {
			n = int(e.Seq-s.Seq) - 1 //nolint:gosec // no larger than the journal
			continue
		}
		n++
	}
	return n
}
