// Package engine carries a rollout out: decide → append → fold → perform. It knows
// how to keep a journal and run tasks side by side, and nothing of hosts or rules:
// the rules are rollout's, the work is a Performer's.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/rollout"
)

// Performer performs one step of one host and says how it ended. It must look before
// it does: a task of Mode reconcile was begun by a process that ended. Its error means
// that even the performer can't tell; the step then ends as unknown. It is called from
// several goroutines at once, never for one host twice. When ctx ends it returns soon,
// and what runs on the host goes on there.
type Performer interface {
	Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error)
}

// Engine carries out the rollout of one journal. One Engine may Run at a time; the
// caller holds the rollout's lock (statedir). Record needs no lock.
type Engine struct {
	Journal   journal.Journal
	Performer Performer
	Actor     string           // who: "user@machine", written into each record
	Now       func() time.Time // nil: time.Now
	// Observe, where set, is told of every event that comes to the journal while Run or
	// Record works, in order, from one goroutine. The state is that after the event; it
	// must not be kept.
	Observe func(rollout.Event, *rollout.State)
	// Patience is how long Run stays when all it could do is wait for a time to come: a
	// window, the next sample. Zero: it returns, and the next Run goes on.
	Patience time.Duration
	// Idle, where set, is told what a Run with Patience waits for when it begins to wait, and
	// again when that has changed, at most once a minute.
	Idle func([]rollout.Wait)
	// Reserve, where set, makes sure that the budgets hold across all rollouts of the state
	// folder. It is asked before a host is begun, and told when one is no longer out.
	Reserve Reserver
	// Seal, where set, signs the chain up to mark. Run asks it when the rollout was opened,
	// before anything of a ring whose gate has opened, and at the end. Its error ends the
	// run: those at work come to their end, and nothing else is begun.
	Seal func(ctx context.Context, why string, mark journal.Mark) (rollout.Sealed, error)
	// Vouch verifies signatures of approvals; nil: none counts as good.
	Vouch rollout.Voucher
}

// Reserver tells what other rollouts of the state folder hold, and keeps what this one
// holds: nobody else may decide meanwhile. decide is told who holds which host; it gives
// what this rollout holds from then on, which is durable before commit is called.
type Reserver interface {
	Reserve(ctx context.Context, decide func(others map[fact.HostID]string) (hold []fact.HostID, commit func() error, err error)) error
}

// Load folds a journal into the state of its rollout. An empty journal gives a state
// of PhaseNone.
func Load(ctx context.Context, j journal.Journal) (*rollout.State, error) {
	s := &rollout.State{}
	if err := catchUp(ctx, j, s, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// catchUp folds the records that the state has not seen.
func catchUp(ctx context.Context, j journal.Journal, s *rollout.State, observe func(rollout.Event, *rollout.State)) error {
	return j.Read(ctx, s.Seq()+1, func(r journal.Record) error {
		event, err := EventOf(r)
		if err != nil {
			return err
		}
		if err := s.Fold(event); err != nil {
			return fmt.Errorf("the journal breaks a rule: %w", err)
		}
		if observe != nil {
			observe(event, s)
		}
		return nil
	})
}

// EventOf reads one record.
func EventOf(r journal.Record) (rollout.Event, error) {
	entry, err := rollout.Unmarshal(r.Kind, r.Payload)
	if err != nil {
		return rollout.Event{}, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	return rollout.Event{Seq: r.Seq, Time: r.Time, Actor: r.Actor, Entry: entry}, nil
}

// maxTries bounds how often Record begins again because others appended.
const maxTries = 100

// Record appends what a person said: opened, paused, resumed, aborted. It is refused
// when it means nothing where the rollout stands. Nothing of it is performed; a run
// in another process reads it before it starts the next step.
func (e *Engine) Record(ctx context.Context, entries ...rollout.Entry) error {
	s := &rollout.State{}
	if err := catchUp(ctx, e.Journal, s, nil); err != nil {
		return err
	}
	for range maxTries {
		err := e.append(ctx, s, entries)
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		if err := catchUp(ctx, e.Journal, s, e.Observe); err != nil {
			return err
		}
	}
	return fmt.Errorf("gave up after %d tries: %w", maxTries, journal.ErrMoved)
}

// append checks entries against the state, makes them durable, and folds them.
func (e *Engine) append(ctx context.Context, s *rollout.State, entries []rollout.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	events, records, err := e.prepare(s, entries)
	if err != nil {
		return err
	}
	if err := e.Journal.Append(ctx, s.Seq(), records...); err != nil {
		return fmt.Errorf("nothing is done that is not journaled: %w", err)
	}
	for _, event := range events {
		if err := s.Fold(event); err != nil {
			return fmt.Errorf("after it was journaled: %w", err)
		}
		if e.Observe != nil {
			e.Observe(event, s)
		}
	}
	return nil
}

// prepare writes entries as records. All are checked against the state as it is: a
// batch never holds two that depend on each other, so two about one host are refused.
func (e *Engine) prepare(s *rollout.State, entries []rollout.Entry) ([]rollout.Event, []journal.Record, error) {
	events, records := make([]rollout.Event, 0, len(entries)), make([]journal.Record, 0, len(entries))
	now := e.now()
	about := map[fact.HostID]bool{}
	for i, entry := range entries {
		if id, one := hostOf(entry); one {
			if about[id] {
				return nil, nil, fmt.Errorf("two events about host %s would be journaled at once", id)
			}
			about[id] = true
		}
		if err := s.Check(entry); err != nil {
			return nil, nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: err.Error(), Hint: "see: patchring status"}
		}
		kind, payload, err := rollout.Marshal(entry)
		if err != nil {
			return nil, nil, err
		}
		events = append(events, rollout.Event{Seq: s.Seq() + uint64(i) + 1, Time: now, Actor: e.Actor, Entry: entry})
		records = append(records, journal.Record{Time: now, Actor: e.Actor, Kind: kind, Payload: payload})
	}
	return events, records, nil
}

// hostOf gives the host that a step's event is about.
func hostOf(e rollout.Entry) (fact.HostID, bool) {
	switch e := e.(type) {
	case rollout.StepStarted:
		return e.Host, true
	case rollout.StepEnded:
		return e.Host, true
	}
	return fact.HostID{}, false
}

func (e *Engine) now() time.Time {
	if e.Now == nil {
		return time.Now().UTC().Round(0)
	}
	return e.Now().UTC().Round(0)
}
