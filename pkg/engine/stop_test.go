package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/rollout"
)

// Ctrl-C before Run was called, e.g. while the plan was made: no host is begun.
func TestStoppedBeforeItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, p := setup(t, &journaltest.Memory{}, fleet())
		stop := make(chan struct{})
		close(stop)
		s, waits, err := e.Run(t.Context(), stop)
		if err != nil || len(waits) != 1 || s.Phase() != rollout.PhaseOpen || s.Seq() != 1 {
			t.Errorf("%s, %d events, waits %v, %v", summary(s), s.Seq(), waits, err)
		}
		if begun := p.begun(); len(begun) > 0 {
			t.Errorf("begun though it was stopped: %v", begun)
		}
	})
}

// Ctrl-C at the very moment of any event: no host is begun that was not begun by
// then, and those at work come to their end.
func TestStopAtAnyEvent(t *testing.T) {
	for at := uint64(2); ; at++ {
		finished := false
		synctest.Test(t, func(t *testing.T) { finished = stopAt(t, at) })
		if finished {
			return
		}
	}
}

// stopAt tells whether the rollout had come to its end before the event.
func stopAt(t *testing.T, at uint64) bool {
	t.Helper()
	e, p := setup(t, &journaltest.Memory{}, fleet())
	stop, stopped, batch := make(chan struct{}), false, false
	e.Observe = func(ev rollout.Event, _ *rollout.State) {
		started, ok := ev.Entry.(rollout.StepStarted)
		if ev.Seq == at {
			close(stop)
			stopped, batch = true, true
		}
		batch = batch && ok // was journaled together with the event before
		if stopped && !batch && ok && started.Step == rollout.FlowBegin {
			t.Errorf("stopped at %d, and %s was begun at %d", at, started.Host, ev.Seq)
		}
	}
	s, _, err := e.Run(t.Context(), stop)
	if err != nil || len(s.AtWork()) > 0 {
		t.Errorf("stopped at %d: %s, %v", at, summary(s), err)
	}
	p.check(t)
	return !stopped
}
