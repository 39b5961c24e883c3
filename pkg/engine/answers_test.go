package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/rollout"
)

// perform is a performer from a function.
type perform func(context.Context, rollout.Task) (rollout.Entry, error)

func (p perform) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	return p(ctx, t)
}

// Whatever a performer answers that is not the end of the step is unknown.
func TestAnswersThatMeanNothing(t *testing.T) {
	tests := map[string]struct {
		answer func(rollout.Task) (rollout.Entry, error)
		code   fault.Code
		reason string
	}{
		"an error": {func(rollout.Task) (rollout.Entry, error) {
			return nil, &fault.Error{Code: fault.Lost, What: "gone\x1b[2J"}
		}, fault.Lost, `gone\x1b[2J`},
		"nothing":      {func(rollout.Task) (rollout.Entry, error) { return nil, nil }, fault.Internal, "something else"},
		"another kind": {func(rollout.Task) (rollout.Entry, error) { return rollout.Paused{}, nil }, fault.Internal, "something else"},
		"another host": {func(t rollout.Task) (rollout.Entry, error) {
			return rollout.StepEnded{Host: host("x"), Step: t.Step, Outcome: rollout.OutcomeOK}, nil
		}, fault.Internal, "something else"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := fleet()
			e, _ := setup(t, &journaltest.Memory{}, perform(func(_ context.Context, task rollout.Task) (rollout.Entry, error) {
				if task.Step == "install" {
					return tt.answer(task)
				}
				end, _ := f.End(task)
				return end, nil
			}))
			s, _, err := e.Run(t.Context(), nil)
			h, _ := s.Host(host("t1"))
			if err != nil || h.State != rollout.HostUnknown || !h.Touched || h.Code != tt.code || !strings.Contains(strings.Join(h.Reasons, " "), tt.reason) {
				t.Errorf("the host is %+v, %v", h, err)
			}
		})
	}
}

func TestRecordRefuses(t *testing.T) {
	e, _ := setup(t, &journaltest.Memory{}, fleet())
	err := e.Record(t.Context(), rollout.Resumed{})
	if fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
		t.Errorf("resume of an open rollout: %v", err)
	}
	if err := e.Record(t.Context(), opened()); err == nil {
		t.Error("a rollout was opened twice")
	}
}

// Two who speak at once: both words stand, one after the other, or one is refused.
func TestRecordAtOnce(t *testing.T) {
	j := &journaltest.Memory{}
	e, _ := setup(t, j, fleet())
	var wg sync.WaitGroup
	var mu sync.Mutex
	said := 0
	for range 8 {
		wg.Go(func() {
			if err := e.Record(t.Context(), rollout.Paused{Reason: "lunch"}); err == nil {
				mu.Lock()
				said++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if n := len(journaltest.All(t, j, 1)); said != 1 || n != 2 {
		t.Errorf("%d of 8 pauses were taken, and the journal has %d records", said, n)
	}
}

func TestForeignRecord(t *testing.T) {
	j := &journaltest.Memory{}
	e, _ := setup(t, j, fleet())
	newer := journal.Record{Kind: "teleported", Payload: []byte(`{}`)}
	if err := j.Append(t.Context(), 1, newer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Run(t.Context(), nil); fault.CodeOf(err) != fault.Unsupported {
		t.Errorf("a journal of a newer patchring: %v", err)
	}
}
