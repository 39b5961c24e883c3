package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func host(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

// opened is a rollout of a test ring of two hosts and a production of four.
func opened() rollout.Opened {
	return rollout.Opened{Rollout: "r", Playbook: "monthly", Site: "hq", Rings: []plan.Ring{
		{Name: "test", Hosts: []fact.HostID{host("t1"), host("t2")}, Batches: []int{2}, MaxInFlight: 20, FailureLimit: 2},
		{Name: "production", Hosts: []fact.HostID{host("p1"), host("p2"), host("p3"), host("p4")}, Batches: []int{1, 3}, MaxInFlight: 20, FailureLimit: 2},
	}}
}

func fleet() sim.Fleet {
	f := sim.Fleet{}
	for _, r := range opened().Rings {
		for _, id := range r.Hosts {
			f[id] = sim.Host{
				Domain: "debian 12", Install: []patch.Update{{Name: "bash", From: "1", To: "2"}},
				Steps: []platform.Step{{ID: "preflight"}, {ID: "install", Changes: true}, {ID: "reboot", Changes: true}},
			}
		}
	}
	return f
}

// probe stands before a journal and a performer, and keeps the truth: what was begun,
// and whether the journal had it before.
type probe struct {
	journal.Journal
	engine.Performer

	mu        sync.Mutex
	journaled map[fact.HostID]rollout.StepStarted
	tasks     []rollout.Task
	wrong     []string
}

func newProbe(j journal.Journal, p engine.Performer) *probe {
	return &probe{Journal: j, Performer: p, journaled: map[fact.HostID]rollout.StepStarted{}}
}

func (p *probe) Append(ctx context.Context, after uint64, records ...journal.Record) error {
	if err := p.Journal.Append(ctx, after, records...); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range records {
		event, err := engine.EventOf(r)
		if err != nil {
			return err
		}
		if s, ok := event.Entry.(rollout.StepStarted); ok {
			p.journaled[s.Host] = s
		}
	}
	return nil
}

func (p *probe) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	p.mu.Lock()
	p.tasks = append(p.tasks, t)
	if p.journaled[t.Host] != (rollout.StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode}) {
		p.wrong = append(p.wrong, fmt.Sprintf("%s of %s was not journaled before it began", t.Step, t.Host))
	}
	delete(p.journaled, t.Host)
	p.mu.Unlock()
	return p.Performer.Perform(ctx, t)
}

// begun lists the tasks so far, as "host step mode".
func (p *probe) begun() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, t := range p.tasks {
		out = append(out, fmt.Sprintf("%s %s %s", t.Host.Name, t.Step, t.Mode))
	}
	return out
}

func (p *probe) check(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wrong {
		t.Error(w)
	}
}

// setup opens a rollout in a journal.
func setup(t *testing.T, j journal.Journal, f engine.Performer) (*engine.Engine, *probe) {
	t.Helper()
	p := newProbe(j, f)
	e := &engine.Engine{Journal: p, Performer: p, Actor: "jane@desk"}
	if err := e.Record(t.Context(), opened()); err != nil {
		t.Fatal(err)
	}
	return e, p
}

func summary(s *rollout.State) string {
	var out []string
	for _, h := range s.Status().Hosts {
		out = append(out, fmt.Sprintf("%s %s", h.ID.Name, h.State))
	}
	return string(s.Phase()) + ": " + strings.Join(out, ", ")
}

const allHealthy = "finished: t1 healthy, t2 healthy, p1 healthy, p2 healthy, p3 healthy, p4 healthy"

func TestRunToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e, p := setup(t, j, fleet())
		var seen []uint64
		e.Observe = func(ev rollout.Event, s *rollout.State) {
			seen = append(seen, ev.Seq)
			if s.Seq() != ev.Seq {
				t.Errorf("told of event %d with the state of %d", ev.Seq, s.Seq())
			}
		}
		s, waits, err := e.Run(t.Context(), nil)
		if err != nil || len(waits) != 0 || summary(s) != allHealthy {
			t.Fatalf("%s, waits %v, %v", summary(s), waits, err)
		}
		if !slices.IsSorted(seen) || uint64(len(seen)) != s.Seq()-1 {
			t.Errorf("observed %d events of %d, in order %v", len(seen), s.Seq()-1, slices.IsSorted(seen))
		}
		p.check(t)
		tasks := len(p.begun())
		again, _, err := e.Run(t.Context(), nil)
		if err != nil || again.Seq() != s.Seq() || len(p.begun()) != tasks {
			t.Errorf("run again: %d events, %d tasks more, %v", again.Seq()-s.Seq(), len(p.begun())-tasks, err)
		}
	})
}

// Ctrl-C once: whatever is begun is brought to its end, nothing else is begun.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e, p := setup(t, j, fleet())
		stop := make(chan struct{})
		time.AfterFunc(150*time.Second, func() { close(stop) }) // both test hosts are in their third step
		s, waits, err := e.Run(t.Context(), stop)
		if err != nil || summary(s) != "open: t1 healthy, t2 healthy, p1 waiting, p2 waiting, p3 waiting, p4 waiting" {
			t.Fatalf("%s, %v", summary(s), err)
		}
		if len(waits) != 1 || !strings.Contains(waits[0].For, "stopping") {
			t.Errorf("waits %v", waits)
		}
		s, _, err = e.Run(t.Context(), nil)
		if err != nil || summary(s) != allHealthy {
			t.Errorf("run again: %s, %v", summary(s), err)
		}
		p.check(t)
	})
}

// Ctrl-C twice: it returns at once and says what runs where; the next run looks.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e, p := setup(t, j, fleet())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(210*time.Second, cancel) // both test hosts are installing
		begin := time.Now()
		_, _, err := e.Run(ctx, nil)
		if took := time.Since(begin); took != 210*time.Second {
			t.Errorf("it took %v to return", took)
		}
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "hq/t1 (install), hq/t2 (install)") || fault.HintOf(err) == "" {
			t.Errorf("error: %v", err)
		}
		synctest.Wait()
		s, err := engine.Load(t.Context(), j)
		if h, _ := s.Host(host("t1")); err != nil || h.State != rollout.HostWorking || len(h.Reasons) != 0 {
			t.Errorf("the host is %+v, %v", h, err)
		}
		before := len(p.begun())
		s, _, err = e.Run(t.Context(), nil)
		if err != nil || summary(s) != allHealthy {
			t.Errorf("run again: %s, %v", summary(s), err)
		}
		if next := p.begun()[before : before+2]; !slices.Contains(next, "t1 install reconcile") || !slices.Contains(next, "t2 install reconcile") {
			t.Errorf("run again began %v", next)
		}
	})
}

// A pause from another process, at any time, holds for every host not begun by then.
func TestPauseFromElsewhere(t *testing.T) {
	for minute := range 24 {
		synctest.Test(t, func(t *testing.T) {
			j := &journaltest.Memory{}
			e, p := setup(t, j, fleet())
			other := &engine.Engine{Journal: j, Actor: "omar@phone"}
			paused := make(chan error, 1)
			time.AfterFunc(time.Duration(minute)*time.Minute+time.Second, func() {
				paused <- other.Record(context.WithoutCancel(t.Context()), rollout.Paused{Reason: "lunch"})
			})
			s, waits, err := e.Run(t.Context(), nil)
			if said := <-paused; said != nil || err != nil {
				t.Fatalf("minute %d: pause %v, run %v", minute, said, err)
			}
			if s.Phase() != rollout.PhaseFinished && (s.Phase() != rollout.PhasePaused || len(waits) == 0 || len(s.AtWork()) != 0) {
				t.Fatalf("minute %d: %s, waits %v", minute, summary(s), waits)
			}
			noneBegunAfterPause(t, j)
			p.check(t)
			if s.Phase() == rollout.PhaseFinished {
				return
			}
			if err := other.Record(t.Context(), rollout.Resumed{}); err != nil {
				t.Fatal(err)
			}
			if s, _, err := e.Run(t.Context(), nil); err != nil || summary(s) != allHealthy {
				t.Errorf("minute %d: after resume %s, %v", minute, summary(s), err)
			}
		})
	}
}

func noneBegunAfterPause(t *testing.T, j journal.Journal) {
	t.Helper()
	paused := false
	err := j.Read(t.Context(), 1, func(r journal.Record) error {
		event, err := engine.EventOf(r)
		switch e := event.Entry.(type) {
		case rollout.Paused:
			paused = true
		case rollout.StepStarted:
			if paused && e.Step == rollout.FlowBegin {
				t.Errorf("%s was begun after the pause", e.Host)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

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
