package engine_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/rollout"
)

// The journal fails at the Nth append, for every N: nothing is performed that it does
// not know of, the run says so, and the next one carries on to the same end.
func TestJournalFails(t *testing.T) {
	for n := 1; ; n++ {
		failed := false
		synctest.Test(t, func(t *testing.T) {
			j := &journaltest.Memory{}
			e, p := setup(t, j, fleet())
			left := n
			j.Fail = func([]journal.Record) error {
				if left--; left == 0 {
					failed = true
					return syscall.ENOSPC
				}
				return nil
			}
			_, _, err := e.Run(t.Context(), nil)
			if failed != errors.Is(err, syscall.ENOSPC) {
				t.Errorf("append %d failed: %v, and Run gave %v", n, failed, err)
			}
			j.Fail = nil
			s, _, err := e.Run(t.Context(), nil)
			if err != nil || summary(s) != allHealthy {
				t.Errorf("append %d: run again: %s, %v", n, summary(s), err)
			}
			p.check(t)
		})
		if !failed {
			if n < 20 {
				t.Fatalf("only %d appends in a whole rollout", n)
			}
			return
		}
	}
}

// Cut behind every event, the next process brings it to the same end, and begins no
// step blindly that was begun before.
func TestCrashBehindEveryEvent(t *testing.T) {
	var whole *journaltest.Memory
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e, _ := setup(t, j, fleet())
		if s, _, err := e.Run(t.Context(), nil); err != nil || summary(s) != allHealthy {
			t.Fatal(summary(s), err)
		}
		whole = j
	})
	last := uint64(len(journaltest.All(t, whole, 1)))
	for at := uint64(1); at <= last; at++ {
		synctest.Test(t, func(t *testing.T) {
			j := whole.Cut(at)
			p := newProbe(j, fleet())
			s, _, err := (&engine.Engine{Journal: p, Performer: p}).Run(t.Context(), nil)
			if err != nil || summary(s) != allHealthy {
				t.Fatalf("cut behind event %d: %s, %v", at, summary(s), err)
			}
			p.check(t)
			begunOnce(t, j, at)
		})
	}
}

func begunOnce(t *testing.T, j journal.Journal, at uint64) {
	t.Helper()
	begun := map[string]int{}
	err := j.Read(t.Context(), 1, func(r journal.Record) error {
		event, err := engine.EventOf(r)
		if s, ok := event.Entry.(rollout.StepStarted); ok && s.Mode == rollout.Start {
			begun[fmt.Sprintf("%s of %s", s.Step, s.Host)]++
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for what, n := range begun {
		if n != 1 {
			t.Errorf("cut behind event %d: %s was begun %d times", at, what, n)
		}
	}
}
