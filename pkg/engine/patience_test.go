package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// soaking is a rollout whose production soaks for three hours and asks jane.
func soaking(approval bool) rollout.Opened {
	o := opened()
	o.Rings[1].Gate.Soak = &playbook.Soak{For: 3 * time.Hour, Pace: playbook.Pace{Interval: 30 * time.Minute}, MaxGap: 26 * time.Hour}
	if approval {
		o.Rings[1].Gate.Approval = &plan.Approval{Approvers: "board", People: []string{"jane"}, Count: 1, Expires: 24 * time.Hour}
	}
	return o
}

func patient(t *testing.T, o rollout.Opened, j *journaltest.Memory, patience time.Duration) *engine.Engine {
	t.Helper()
	e := &engine.Engine{Journal: j, Performer: &sim.World{Fleet: fleet()}, Actor: "ci@runner", Patience: patience}
	if err := e.Record(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return e
}

// Without patience a run takes what is due and leaves; the next one goes on.
func TestSoakOverManyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := patient(t, soaking(false), &journaltest.Memory{}, 0)
		runs := 0
		for ; runs < 20; runs++ {
			s, waits, err := e.Run(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.Phase() == rollout.PhaseFinished {
				break
			}
			if len(waits) != 1 || waits[0].Until.IsZero() || waits[0].Person {
				t.Fatalf("run %d waits %+v", runs, waits)
			}
			<-time.After(45 * time.Minute) // by the bubble's clock
		}
		if runs != 4 {
			t.Errorf("it took %d runs of 45 minutes to soak for 3 hours", runs)
		}
	})
}

// With patience one run does it all, in about the time that it must take, and says once
// a minute at most what it waits for.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e := patient(t, soaking(false), j, 5*time.Hour)
		var told []string
		e.Idle = func(w []rollout.Wait) { told = append(told, w[0].For) }
		began := time.Now()
		s, _, err := e.Run(t.Context(), nil)
		if err != nil || summary(s) != allHealthy {
			t.Fatalf("%s, %v", summary(s), err)
		}
		if took := time.Since(began); took < 3*time.Hour || took > 4*time.Hour {
			t.Errorf("it took %s", took)
		}
		if len(told) == 0 || len(told) > 180 {
			t.Errorf("told %d times: %q", len(told), told)
		}
		samples := 0
		for _, r := range journaltest.All(t, j, 1) {
			if r.Kind == "sampled" {
				samples++
			}
		}
		if samples < 6 || samples > 8 {
			t.Errorf("%d samples in 3 hours, one each half an hour", samples)
		}
	})
}

// Patience that runs out leaves the rollout as it stands.
func TestPatienceRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := patient(t, soaking(false), &journaltest.Memory{}, time.Hour)
		began := time.Now()
		s, waits, err := e.Run(t.Context(), nil)
		if err != nil || s.Phase() != rollout.PhaseOpen || len(waits) != 1 || time.Since(began) > 2*time.Hour {
			t.Errorf("after %s: %s, %v, %v", time.Since(began), s.Phase(), waits, err)
		}
	})
}

// A word that another process journals is heard by a run that waits; so is Ctrl-C.
func TestWordsWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journaltest.Memory{}
		e := patient(t, soaking(true), j, 48*time.Hour)
		other := &engine.Engine{Journal: j, Actor: "jane@desk"}
		time.AfterFunc(7*time.Hour, func() {
			s, err := engine.Load(t.Context(), j)
			if err != nil {
				t.Error(err)
				return
			}
			a, err := s.Approve("production", "jane@desk", "jane", "", false, time.Now())
			if err != nil {
				t.Error(err)
			} else if err := other.Record(t.Context(), a); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		s, _, err := e.Run(t.Context(), nil)
		if took := time.Since(began); err != nil || summary(s) != allHealthy || took < 7*time.Hour || took > 8*time.Hour {
			t.Errorf("after %s: %s, %v", took, summary(s), err)
		}
	})
}

func TestStopWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := patient(t, soaking(true), &journaltest.Memory{}, 48*time.Hour)
		stop := make(chan struct{})
		time.AfterFunc(5*time.Hour, func() { close(stop) })
		began := time.Now()
		s, _, err := e.Run(t.Context(), stop)
		if took := time.Since(began); err != nil || s.Phase() != rollout.PhaseOpen || took != 5*time.Hour {
			t.Errorf("after %s: %s, %v", took, s.Phase(), err)
		}
	})
}

// folder is what the rollouts of one state folder see of each other.
type folder struct {
	mu   sync.Mutex
	held map[string][]fact.HostID
}

type sharing struct {
	*folder
	who string
}

func (s sharing) Reserve(_ context.Context, decide func(map[fact.HostID]string) ([]fact.HostID, func() error, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	others := map[fact.HostID]string{}
	for who, hosts := range s.held {
		for _, id := range hosts {
			if who != s.who {
				others[id] = rollout.HeldBy + "rollout " + who
			}
		}
	}
	hold, commit, err := decide(others)
	if err != nil {
		return err
	}
	s.held[s.who] = hold
	return commit()
}

// Two rollouts of one state folder share a budget of two: never are more out, and both
// come to their end.
func TestTwoRolloutsOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &folder{held: map[string][]fact.HostID{}}
		var out sync.Map // hosts at work
		var all sync.WaitGroup
		most := 0
		var mu sync.Mutex
		watch := func(e rollout.Event, _ *rollout.State) {
			mu.Lock()
			defer mu.Unlock()
			switch entry := e.Entry.(type) {
			case rollout.StepStarted:
				out.Store(entry.Host, true)
			case rollout.StepEnded:
				if entry.Step == rollout.FlowEnd {
					out.Delete(entry.Host)
				}
			}
			n := 0
			out.Range(func(any, any) bool { n++; return true })
			most = max(most, n)
		}
		for _, who := range []string{"a", "b"} {
			o, f := ofFolder(who)
			e := &engine.Engine{
				Journal: &journaltest.Memory{}, Performer: &sim.World{Fleet: f}, Actor: who, Observe: watch,
				Reserve: sharing{shared, who}, Patience: 24 * time.Hour,
			}
			if err := e.Record(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if s, waits, err := e.Run(t.Context(), nil); err != nil || s.Phase() != rollout.PhaseFinished {
					t.Errorf("%s: %s, %v, %v", who, s.Phase(), waits, err)
				}
			})
		}
		all.Wait()
		if most != 2 {
			t.Errorf("%d hosts were out at once, and the budget is 2", most)
		}
		if left := slices.Concat(slices.Collect(maps.Values(shared.held))...); len(left) > 0 {
			t.Errorf("still held at the end: %v", left)
		}
	})
}

// ofFolder is the rollout of four of the eight hosts that one budget counts.
func ofFolder(who string) (rollout.Opened, sim.Fleet) {
	var budget []fact.HostID
	for _, w := range []string{"a", "b"} {
		for i := range 4 {
			budget = append(budget, host(fmt.Sprint(w, i)))
		}
	}
	o := rollout.Opened{Rollout: who, Playbook: who, Site: "hq", Budgets: []plan.Budget{{Name: "group web", Most: 2, Hosts: budget}}}
	r := plan.Ring{Name: "test", MaxInFlight: 20, FailureLimit: 9, Batches: []int{9}}
	f := sim.Fleet{}
	for i := range 4 {
		id := host(fmt.Sprint(who, i))
		r.Hosts = append(r.Hosts, id)
		f[id] = fleet()[host("t1")]
	}
	o.Rings = []plan.Ring{r}
	return o, f
}

// torn is a state folder whose reservations can't be read.
type torn struct{}

func (torn) Reserve(context.Context, func(map[fact.HostID]string) ([]fact.HostID, func() error, error)) error {
	return errors.New("out.json is damaged")
}

// Hosts at work come to their end though the budgets can't be shared; no other is begun,
// and the error is told.
func TestUnsharedBudgetsBeginNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, f := ofFolder("a")
		whole := &journaltest.Memory{}
		e := &engine.Engine{Journal: whole, Performer: &sim.World{Fleet: f}, Actor: "a"}
		if err := e.Record(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		j := whole.Cut(8) // two hosts are begun, and in the middle of their work
		s, _, err := (&engine.Engine{Journal: j, Performer: &sim.World{Fleet: f}, Reserve: torn{}, Actor: "a"}).Run(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "out.json is damaged") {
			t.Errorf("the error is %v", err)
		}
		by := map[rollout.HostState]int{}
		for _, h := range s.Status(time.Now()).Hosts {
			by[h.State]++
		}
		if by[rollout.HostHealthy] != 2 || by[rollout.HostWaiting] != 2 {
			t.Errorf("hosts are %v", by)
		}
	})
}
