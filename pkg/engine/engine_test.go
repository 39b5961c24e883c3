package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
				Domain: "debian 12 amd64", Install: []patch.Update{{Name: "bash", From: "1", To: "2"}},
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
	for _, h := range s.Status(time.Now()).Hosts {
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
