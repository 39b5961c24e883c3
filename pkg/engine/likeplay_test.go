package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/engine/sim"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// drawn is a random rollout and its fleet. No two steps ever end at the same moment,
// so that there is only one order of events.
type drawn struct {
	opened rollout.Opened
	fleet  sim.Fleet
}

func draws() *rapid.Generator[drawn] {
	return rapid.Custom(func(t *rapid.T) drawn {
		d := drawn{opened: rollout.Opened{Rollout: "r", Playbook: "monthly", Site: "hq"}, fleet: sim.Fleet{}}
		bit := time.Nanosecond // each step has a bit of its own in the sum of times
		for i := range rapid.IntRange(1, 3).Draw(t, "rings") {
			r := plan.Ring{
				Name: fmt.Sprintf("ring%d", i), MaxInFlight: rapid.IntRange(1, 3).Draw(t, "in flight"),
				FailureLimit: rapid.IntRange(0, 3).Draw(t, "limit"), Batches: []int{1, 2},
			}
			for j := range rapid.IntRange(1, 2).Draw(t, "hosts") {
				id := host(fmt.Sprintf("r%d-%d", i, j))
				h := fleet()[host("t1")]
				h.Takes = map[platform.StepID]time.Duration{rollout.FlowBegin: time.Minute + bit}
				bit *= 2
				if rapid.IntRange(0, 2).Draw(t, "trouble") == 0 {
					step := rapid.SampledFrom([]platform.StepID{rollout.FlowBegin, "install", rollout.FlowVerify, rollout.FlowEnd}).Draw(t, "where")
					o := rapid.SampledFrom([]rollout.Outcome{rollout.OutcomeFailed, rollout.OutcomeUnknown, rollout.OutcomeUnreachable}).Draw(t, "what")
					h.Ends = map[platform.StepID]rollout.Outcome{step: o}
				}
				h.Checks = []health.Result{{Check: "x", Verdict: rapid.SampledFrom([]health.Verdict{health.Pass, health.Pass, health.Fail}).Draw(t, "verdict")}}
				r.Hosts, d.fleet[id] = append(r.Hosts, id), h
			}
			d.opened.Rings = append(d.opened.Rings, r)
		}
		return d
	})
}

// The engine, with its goroutines and its journal, does exactly what a forecast of the
// same fleet foresees: the same events in the same order at the same times.
func TestEngineDoesWhatPlayForesees(t *testing.T) {
	for seed := range 60 {
		d := draws().Example(seed)
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			foreseen, state, _, err := sim.Play(d.opened, begin, d.fleet)
			if err != nil {
				t.Fatal(err)
			}
			j := &journaltest.Memory{}
			e := &engine.Engine{Journal: j, Performer: d.fleet}
			if err := e.Record(t.Context(), d.opened); err != nil {
				t.Fatal(err)
			}
			s, _, err := e.Run(t.Context(), nil)
			if err != nil || summary(s) != summary(state) {
				t.Fatalf("seed %d: %s, %v; foreseen %s", seed, summary(s), err, summary(state))
			}
			sameEvents(t, seed, j, foreseen)
		})
	}
}

// So it does through a soak that sees a sick host for a while, and checks that fail once:
// what it waits for comes when it was foreseen.
func TestEngineWaitsAsPlayForesees(t *testing.T) {
	for name, sick := range map[string]time.Duration{"well": 0, "sick for a while": 3 * time.Hour, "sick": 1000 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			o := opened()
			o.Rings[1].Gate = gate()
			w := &sim.World{Fleet: oneByOne(o), Answer: func(_ string, _ playbook.When, at time.Time) (health.Verdict, string) {
				if at.Before(begin.Add(30 * time.Hour)) {
					return health.Unknown, "no answer"
				}
				return health.Pass, "open"
			}}
			if sick > 0 {
				h := w.Fleet[host("t1")]
				h.SickFrom, h.SickUntil = begin.Add(5*time.Hour), begin.Add(5*time.Hour+sick)
				w.Fleet[host("t1")] = h
			}
			var foreseen []rollout.Event
			played, err := w.Play(o, begin, time.Time{}, func(e rollout.Event, _ *rollout.State) { foreseen = append(foreseen, e) })
			if err != nil {
				t.Fatal(err)
			}
			j := &journaltest.Memory{}
			e := &engine.Engine{Journal: j, Performer: w, Patience: 40 * time.Hour}
			if err := e.Record(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			s, _, err := e.Run(t.Context(), nil)
			if err != nil || summary(s) != summary(played.State) || (s.Phase() == rollout.PhaseFinished) == (sick > 100*time.Hour) {
				t.Fatalf("%s: %s, %v; foreseen %s", name, summary(s), err, summary(played.State))
			}
			sameEvents(t, 0, j, foreseen)
		})
	}
}

// oneByOne is a fleet of which no two steps end at the same moment.
func oneByOne(o rollout.Opened) sim.Fleet {
	f, bit := fleet(), time.Nanosecond
	for _, r := range o.Rings {
		for _, id := range r.Hosts {
			h := f[id]
			h.Takes = map[platform.StepID]time.Duration{rollout.FlowBegin: time.Minute + bit}
			f[id], bit = h, 2*bit
		}
	}
	return f
}

// gate asks nothing twice at the same moment.
func gate() plan.Gate {
	return plan.Gate{
		Soak:   &playbook.Soak{For: 24 * time.Hour, MaxGap: 26 * time.Hour, Pace: playbook.Pace{Interval: time.Hour, FailureLimit: 4}},
		Checks: []playbook.Inquiry{{Name: "shop", When: playbook.WhenBefore, Pace: playbook.Pace{Interval: 7 * time.Minute, Successes: 2}}},
	}
}

func sameEvents(t *testing.T, seed int, j journal.Journal, foreseen []rollout.Event) {
	t.Helper()
	records := journaltest.All(t, j, 1)
	if len(records) != len(foreseen) {
		t.Fatalf("seed %d: %d events, foreseen %d", seed, len(records), len(foreseen))
	}
	for i, r := range records {
		kind, payload, err := rollout.Marshal(foreseen[i].Entry)
		if err != nil || r.Kind != kind || string(r.Payload) != string(payload) || !r.Time.Equal(foreseen[i].Time) {
			t.Fatalf("seed %d, event %d: %s %s at %v\nforeseen %s %s at %v (%v)", seed, i+1, r.Kind, r.Payload, r.Time, kind, payload, foreseen[i].Time, err)
		}
	}
}
