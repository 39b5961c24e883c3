package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gated is fleetOf with a gate before its second ring.
func gated(n int, g plan.Gate) (rollout.Opened, Fleet) {
	o, f := fleetOf(n, n, n)
	o.Rings[1].Gate = g
	return o, f
}

func soakOf(d time.Duration) *playbook.Soak {
	return &playbook.Soak{For: d, MaxGap: 26 * time.Hour, Pace: playbook.Pace{Interval: time.Hour}}
}

// opening is when the gate of production opens; zero: never.
func opening(t *testing.T, w *World, o rollout.Opened, until time.Time) (time.Time, Played) {
	t.Helper()
	var at time.Time
	played, err := w.Play(o, start(), until, func(e rollout.Event, _ *rollout.State) {
		if g, ok := e.Entry.(rollout.GateOpened); ok && g.Ring == "production" {
			at = e.Time
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return at, played
}

// The test ring is done after eight minutes; then comes what the gate asks for.
func TestPlayGates(t *testing.T) {
	approval := &plan.Approval{Approvers: "board", People: []string{"forecast", "jane", "omar"}, Count: 2, Expires: 48 * time.Hour}
	later := func(d time.Duration) func(string, time.Time) time.Time {
		return func(_ string, asked time.Time) time.Time { return asked.Add(d) }
	}
	never := func(string, time.Time) time.Time { return time.Time{} }
	shop := playbook.Inquiry{Name: "shop", When: playbook.WhenBefore, Pace: playbook.Pace{Interval: 5 * time.Minute, Successes: 3, FailureLimit: 2}}
	fails := func(until time.Time) func(string, playbook.When, time.Time) (health.Verdict, string) {
		return func(_ string, _ playbook.When, at time.Time) (health.Verdict, string) {
			if at.Before(until) {
				return health.Fail, "shut"
			}
			return health.Pass, "open"
		}
	}
	ended := start().Add(8 * time.Minute)
	tests := map[string]struct {
		gate  plan.Gate
		world *World
		opens time.Time
		waits string
		phase rollout.Phase
	}{
		"nothing":                        {opens: ended, phase: rollout.PhaseFinished},
		"a soak":                         {gate: plan.Gate{Soak: soakOf(6 * time.Hour)}, opens: ended.Add(6 * time.Hour), phase: rollout.PhaseFinished},
		"an approval at once":            {gate: plan.Gate{Approval: approval}, opens: ended, phase: rollout.PhaseFinished},
		"an approval later":              {gate: plan.Gate{Approval: approval}, world: &World{Approve: later(30 * time.Hour)}, opens: ended.Add(30 * time.Hour), phase: rollout.PhaseFinished},
		"no approval":                    {gate: plan.Gate{Approval: approval}, world: &World{Approve: never}, waits: "approval", phase: rollout.PhaseOpen},
		"the starter approves of itself": {gate: plan.Gate{Approval: &plan.Approval{Approvers: "board", People: []string{"jane"}, Count: 1, Expires: time.Hour}}, world: &World{Starter: "jane"}, waits: "approval", phase: rollout.PhaseOpen},
		"an approval that runs out":      {gate: plan.Gate{Approval: approval, Soak: soakOf(72 * time.Hour)}, opens: ended.Add(72 * time.Hour), phase: rollout.PhaseFinished},
		"a check three times":            {gate: plan.Gate{Checks: []playbook.Inquiry{shop}}, opens: ended.Add(10 * time.Minute), phase: rollout.PhaseFinished},
		"a check that fails twice":       {gate: plan.Gate{Checks: []playbook.Inquiry{shop}}, world: &World{Answer: fails(ended.Add(9 * time.Minute))}, opens: ended.Add(20 * time.Minute), phase: rollout.PhaseFinished},
		"a check that fails":             {gate: plan.Gate{Checks: []playbook.Inquiry{shop}}, world: &World{Answer: fails(ended.Add(time.Hour))}, waits: "check shop", phase: rollout.PhaseHalted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, f := gated(3, tt.gate)
			world := tt.world
			if world == nil {
				world = &World{}
			}
			world.Fleet = f
			at, played := opening(t, world, o, time.Time{})
			if !at.Equal(tt.opens) || played.State.Phase() != tt.phase || !strings.Contains(fmt.Sprint(played.Waits), tt.waits) {
				t.Errorf("opens %v, want %v; %s, waits %v", at, tt.opens, played.State.Phase(), played.Waits)
			}
		})
	}
}

// A host that falls sick within a soak shuts the gate; begun again, it soaks again.
func TestPlaySoakSick(t *testing.T) {
	o, f := gated(3, plan.Gate{Soak: soakOf(6 * time.Hour)})
	id := o.Rings[0].Hosts[1]
	sick, well := f[id], f[id]
	sick.SickFrom, sick.Retry = start().Add(2*time.Hour), &well
	f[id] = sick
	at, played := opening(t, &World{Fleet: f}, o, time.Time{})
	if !at.IsZero() || played.State.Phase() != rollout.PhaseHalted || !strings.Contains(fmt.Sprint(played.Waits), "sick as foreseen") {
		t.Fatalf("opens %v; %s, waits %v", at, played.State.Phase(), played.Waits)
	}
	again := func(_ time.Time, s *rollout.State, _ []rollout.Wait) []rollout.Entry {
		if s.Phase() != rollout.PhaseHalted {
			return nil
		}
		return []rollout.Entry{rollout.Retried{Hosts: []fact.HostID{id}, Reason: "mended"}}
	}
	at, played = opening(t, &World{Fleet: f, Say: again}, o, time.Time{})
	mended := start().Add(2*time.Hour + 8*time.Minute + 8*time.Minute) // the third sample saw it; then it was patched again
	if want := mended.Add(6 * time.Hour); !at.Equal(want) || played.State.Phase() != rollout.PhaseFinished {
		t.Errorf("begun again: opens %v, want %v; %s, waits %v", at, want, played.State.Phase(), played.Waits)
	}
	if h, _ := played.State.Host(id); h.Try != 2 || h.State != rollout.HostHealthy {
		t.Errorf("the host is %s at its try %d", h.State, h.Try)
	}
}

// A host that is sick for a while costs the soak that time, where failures are allowed.
func TestPlaySoakSickForAWhile(t *testing.T) {
	soak := soakOf(6 * time.Hour)
	soak.FailureLimit = 5
	o, f := gated(2, plan.Gate{Soak: soak})
	h := f[o.Rings[0].Hosts[0]]
	h.SickFrom, h.SickUntil = start().Add(90*time.Minute), start().Add(150*time.Minute)
	f[o.Rings[0].Hosts[0]] = h
	at, played := opening(t, &World{Fleet: f}, o, time.Time{})
	if want := start().Add(8*time.Minute + 8*time.Hour); !at.Equal(want) || played.State.Phase() != rollout.PhaseFinished {
		t.Errorf("opens %v, want %v; %s", at, want, played.State.Phase())
	}
}

// What would happen behind the horizon does not, and that is said.
func TestPlayHorizon(t *testing.T) {
	o, f := gated(2, plan.Gate{Soak: soakOf(48 * time.Hour)})
	until := start().Add(24 * time.Hour)
	at, played := opening(t, &World{Fleet: f}, o, until)
	if !at.IsZero() || !played.Cut || !played.At.Equal(until) || len(played.Waits) == 0 || !strings.Contains(played.Waits[0].For, "soak") {
		t.Errorf("opens %v, cut %v at %v, waits %v", at, played.Cut, played.At, played.Waits)
	}
}

// All that a playbook may do around a host.
func TestPlayExtras(t *testing.T) {
	o, f := fleetOf(1, 1, 1)
	for id, h := range f {
		h.Extras = rollout.Extras{Silence: true, Before: true, Drain: true, After: true}
		f[id] = h
	}
	var steps []platform.StepID
	played, err := (&World{Fleet: f}).Play(o, start(), time.Time{}, func(e rollout.Event, _ *rollout.State) {
		if s, ok := e.Entry.(rollout.StepStarted); ok && s.Host == o.Rings[0].Hosts[0] {
			steps = append(steps, s.Step)
		}
	})
	want := "[begin silence before preflight hook_before drain install reboot verify check undrain hook_after unsilence end]"
	if err != nil || played.State.Phase() != rollout.PhaseFinished || fmt.Sprint(steps) != want {
		t.Errorf("%v, %v\nwant %s", steps, err, want)
	}
}

// Perform takes as long as it is said, answers questions, and leaves when it is told to.
func TestPerform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := fact.HostID{Site: "hq", Name: "a"}
		w := &World{Fleet: Fleet{id: Host{
			Install: []patch.Update{{Name: "bash", To: "2"}}, Takes: map[platform.StepID]time.Duration{rollout.FlowEnd: time.Hour},
			SickFrom: time.Now().Add(2 * time.Hour),
		}}}
		sample := rollout.Task{Ring: "production", Ask: rollout.AskSample}
		if e := perform(t, w, sample); e.(rollout.Sampled).Pass != 0 {
			t.Errorf("before anything came through: %+v", e)
		}
		began := time.Now()
		e := perform(t, w, rollout.Task{Host: id, Step: rollout.FlowEnd})
		if took := time.Since(began); took != time.Hour || e.(rollout.StepEnded).Outcome != rollout.OutcomeOK {
			t.Errorf("%+v after %v", e, took)
		}
		if e := perform(t, w, sample); e.(rollout.Sampled).Pass != 1 {
			t.Errorf("one came through: %+v", e)
		}
		<-time.After(2 * time.Hour)
		if e := perform(t, w, sample).(rollout.Sampled); e.Pass != 0 || e.Fail != 1 || e.Changed[id.String()] == "" {
			t.Errorf("it fell sick: %+v", e)
		}
		if e := perform(t, w.Fleet, sample).(rollout.Sampled); e.Fail != 1 {
			t.Errorf("a fleet by itself: %+v", e)
		}
		check := rollout.Task{Ring: "production", Ask: "check:shop", When: playbook.WhenAfter}
		for _, p := range []performer{w, w.Fleet} {
			if e := perform(t, p, check).(rollout.Asked); e.Check != "shop" || e.When != playbook.WhenAfter || e.Verdict != health.Pass {
				t.Errorf("the answer is %+v", e)
			}
		}
	})
}

type performer interface {
	Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error)
}

func perform(t *testing.T, p performer, task rollout.Task) rollout.Entry {
	t.Helper()
	e, err := p.Perform(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPerformCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := (Fleet{}).Perform(ctx, rollout.Task{Step: rollout.FlowBegin}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it gave %v", err)
		}
	})
}
