package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/rollout"
)

// checkOf gives the inquiry that a question is about.
func checkOf(a rollout.Ask) (string, bool) { return strings.CutPrefix(string(a), "check:") }

// Perform makes a World an engine's Performer: it waits as long as the task takes. In
// a testing/synctest bubble that is no time at all. A sample asks the hosts that this
// World has seen come through.
func (w *World) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	if err := w.wait(ctx, t); err != nil {
		return nil, err
	}
	return w.end(&w.seen, t, time.Now()), nil
}

// Perform is that of a World in which nothing goes wrong but the hosts. A Fleet keeps
// nothing, so that a sample asks every host that it has.
func (f Fleet) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	if err := f.wait(ctx, t); err != nil {
		return nil, err
	}
	if t.Ask == rollout.AskSample {
		return f.sample(t.Ring, time.Now(), len(f), f.frail()), nil
	}
	return (&World{Fleet: f}).end(&census{}, t, time.Now()), nil
}

func (f Fleet) wait(ctx context.Context, t rollout.Task) error {
	timer := time.NewTimer(f.takes(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("perform %s%s on %s: %w", t.Step, t.Ask, t.Key(), ctx.Err())
	}
}
