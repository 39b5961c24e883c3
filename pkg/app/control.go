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
	if err == nil && o.Word == Abort {
		err = e.sealAbort(ctx, o)
	}
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

// sealAbort signs the end that somebody has put to a rollout. To stop must never wait for a
// key: without one the checkpoint is left for later.
func (e Env) sealAbort(ctx context.Context, o ControlOptions) error {
	r, err := o.openRollout(ctx, o.Rollout)
	if err != nil {
		return err
	}
	defer r.Close()
	if o.SignKey == "" {
		if r.state.Opening().Trust.Checkpoints {
			e.say("note: no checkpoint was signed; do it with: patchring evidence export %s --sign-key KEY", r.ID)
		}
		return nil
	}
	inv, err := o.loadInventory()
	if err != nil {
		return err
	}
	if r.signer, err = e.demandedSigner(ctx, o.Options, inv, r.Site, true); err != nil {
		return err
	}
	return e.sealNow(ctx, inv, r)
}
