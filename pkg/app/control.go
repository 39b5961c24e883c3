package app

import (
	"context"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/rollout"
)

// Word is what a person says to a rollout.
type Word string

const (
	Pause  Word = "pause"
	Resume Word = "resume"
	Abort  Word = "abort"
)

// ControlOptions are those of pause, resume and abort.
type ControlOptions struct {
	Options
	Word    Word
	Rollout string
	Reason  string
}

// Control journals a person's word. A `run` that is going on in another process
// reads it before it starts the next host.
func (e Env) Control(ctx context.Context, o ControlOptions) (Ending, error) {
	end, err := e.speak(ctx, o.Options, o.Rollout, func(s *rollout.State) (rollout.Entry, error) { return o.entry(s.Phase()) })
	if err == nil && o.Word == Abort && !o.JSON {
		e.say("note: hosts that it began stay marked with it until the next `patchring run` from this state folder; others are refused there until then")
	}
	return end, err
}

// entry refuses a word that means nothing where the rollout stands.
func (o ControlOptions) entry(phase rollout.Phase) (rollout.Entry, error) {
	reason := o.Reason
	if reason == "" {
		reason = "no reason given"
	}
	over := phase == rollout.PhaseFinished || phase == rollout.PhaseAborted
	switch {
	case o.Word == Abort && !over:
		return rollout.Aborted{Reason: reason}, nil
	case o.Word == Pause && phase == rollout.PhaseOpen:
		return rollout.Paused{Reason: reason}, nil
	case o.Word == Resume && phase == rollout.PhasePaused:
		return rollout.Resumed{Reason: reason}, nil
	}
	return nil, fault.Usagef("see: patchring status "+o.Rollout, "can't %s rollout %s: it is %s", o.Word, o.Rollout, phase)
}
