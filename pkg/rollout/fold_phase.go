package rollout

import (
	"errors"
	"fmt"
	"time"
)

// The phase of the whole: a person's words, and the ends.

func (e Halted) check(s *State) error { return s.goesOn() }

func (e Halted) apply(s *State, _ time.Time) { s.phase, s.reasons = PhaseHalted, e.Reasons }

func (e Paused) check(s *State) error {
	if s.phase != PhaseOpen {
		return fmt.Errorf("only an open rollout can be paused; this one is %s", s.phase)
	}
	return nil
}

func (e Paused) apply(s *State, _ time.Time) { s.phase, s.reasons = PhasePaused, said(e.Reason) }

func (e Resumed) check(s *State) error {
	if s.phase != PhasePaused {
		return fmt.Errorf("only a paused rollout can be resumed; this one is %s", s.phase)
	}
	return nil
}

func (e Resumed) apply(s *State, _ time.Time) { s.phase, s.reasons = PhaseOpen, nil }

func (e Aborted) check(s *State) error {
	if s.phase == PhaseFinished || s.phase == PhaseAborted {
		return fmt.Errorf("the rollout is %s", s.phase)
	}
	return nil
}

func (e Aborted) apply(s *State, _ time.Time) { s.phase, s.reasons = PhaseAborted, said(e.Reason) }

func (e Finished) check(s *State) error {
	if s.phase != PhaseOpen && s.phase != PhasePaused {
		return fmt.Errorf("the rollout is %s", s.phase)
	}
	for _, r := range s.rings {
		if !r.done() {
			return errors.New("ring " + r.Name + " has not ended")
		}
	}
	return nil
}

func (e Finished) apply(s *State, _ time.Time) { s.phase, s.reasons = PhaseFinished, e.Reasons }

func said(reason string) []string {
	if reason == "" {
		return nil
	}
	return []string{reason}
}
