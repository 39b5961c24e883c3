package rollout

import (
	"errors"
	"fmt"
	"time"
)

// Checkpoints: whoever carries a rollout on signs its chain when it was opened, at every
// gate, and when it came to a stop, so that the history before that can't be written anew
// without their key.

// SealDue tells whether something is journaled that asks for a checkpoint and has none yet,
// and what.
func (s *State) SealDue() (why string, due bool) {
	return s.notable.why, s.notable.seq > s.sealed
}

// notable is the last event that asks for a checkpoint.
type notable struct {
	seq uint64
	why string
}

// note keeps what asks for a checkpoint.
func (s *State) note(e Event) {
	why := ""
	switch entry := e.Entry.(type) {
	case Opened:
		why = "opened"
	case GateOpened:
		why = "gate " + entry.Ring
	case Halted:
		why = "halted"
	case Aborted:
		why = "aborted"
	case Finished:
		why = "finished"
	}
	if why != "" {
		s.notable = notable{e.Seq, why}
	}
}

func (e Sealed) check(s *State) error {
	switch {
	case e.Seq == 0 || e.Seq > s.seq:
		return fmt.Errorf("a checkpoint of record %d, and the last one is %d", e.Seq, s.seq)
	case e.Line == "" || e.Signature == "" || e.Key == "":
		return errors.New("a checkpoint without digest, key or signature")
	}
	return nil
}

// apply keeps who signed first: that is who started the rollout.
func (e Sealed) apply(s *State, _ time.Time) {
	if s.sealed == 0 {
		s.starterKey, s.starterAs = e.Key, e.As
	}
	s.sealed = max(s.sealed, e.Seq)
}
