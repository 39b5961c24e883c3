package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/rollout"
)

// errFound ends a reading that has found what it looked for.
var errFound = errors.New("found")

// SealNow appends the checkpoint that is due, if one is: for a rollout that came to its end
// in a run that could not sign.
func (e *Engine) SealNow(ctx context.Context) error {
	s := &rollout.State{}
	if err := catchUp(ctx, e.Journal, s, nil); err != nil {
		return err
	}
	return e.seal(ctx, s)
}

// seal appends a checkpoint where one is due. What others append meanwhile does not matter
// to it: it covers what it covers.
func (e *Engine) seal(ctx context.Context, s *rollout.State) error {
	why, due := s.SealDue()
	if e.Seal == nil || !due {
		return nil
	}
	mark, err := e.mark(ctx, s.Seq())
	if err != nil {
		return err
	}
	sealed, err := e.Seal(ctx, why, mark)
	if err != nil {
		return fmt.Errorf("the checkpoint (%s) was not signed: %w", why, err)
	}
	for range maxTries {
		err := e.append(ctx, s, []rollout.Entry{sealed})
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		if err := catchUp(ctx, e.Journal, s, e.Observe); err != nil {
			return err
		}
	}
	return fmt.Errorf("gave up after %d tries: %w", maxTries, journal.ErrMoved)
}

// mark is the place behind the record seq.
func (e *Engine) mark(ctx context.Context, seq uint64) (journal.Mark, error) {
	var mark journal.Mark
	err := e.Journal.Read(ctx, seq, func(r journal.Record) error {
		_, after, err := journal.Line(journal.Mark{Seq: r.Seq - 1, Line: r.Prev}, r)
		if err != nil {
			return err //nolint:wrapcheck // names the record
		}
		mark = after
		return errFound
	})
	if !errors.Is(err, errFound) {
		return mark, errors.Join(err, fmt.Errorf("record %d is not there to be signed", seq))
	}
	return mark, nil
}
