package rollout

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// BenchmarkFold folds the journal of 10,000 hosts; it must stay under a second.
func BenchmarkFold(b *testing.B) {
	events := history(b, 10_000)
	b.ReportMetric(float64(len(events)), "events")
	for b.Loop() {
		s := &State{}
		for _, e := range events {
			if err := s.Fold(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkDecide is one whole rollout: it must grow with the hosts, not with their square.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				history(b, n)
			}
		})
	}
}

func history(tb testing.TB, n int) []Event {
	tb.Helper()
	s := scenario{Plan: &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq"}}
	u := []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2", Security: patch.Yes}}
	s.Scripts = map[fact.HostID]script{}
	for i, name := range []string{"test", "production"} {
		r := plan.Ring{Name: name, MaxInFlight: 200, FailureLimit: n}
		for j := range n / 2 {
			h := plan.Host{ID: fact.HostID{Site: "hq", Name: fmt.Sprintf("%d%05d", i, j)}, Ring: name, Platform: "debian", Domain: "debian 12", Install: u}
			r.Hosts = append(r.Hosts, h.ID)
			s.Plan.Hosts = append(s.Plan.Hosts, h)
			s.Scripts[h.ID] = script{Check: health.Pass}
		}
		s.Plan.Rings = append(s.Plan.Rings, r)
	}
	return s.plain(tb)
}

// plain runs a scenario without checking rules, which cost more than the rollout.
func (s *scenario) plain(tb testing.TB) []Event {
	tb.Helper()
	w := s.start(sound())
	var events []Event
	add := func(e Entry) {
		event := Event{Seq: uint64(len(events)) + 1, Time: time.Unix(int64(len(events)), 0), Entry: e}
		events = append(events, event)
		if err := w.state.Fold(event); err != nil {
			tb.Fatal(err)
		}
	}
	add(Open("id", s.Plan, ""))
	for {
		d := w.state.Decide(Moment{})
		if len(d.Record)+len(d.Do) == 0 {
			return events
		}
		for _, e := range d.Record {
			add(e)
		}
		for _, t := range d.Do {
			add(StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode})
		}
		for _, t := range d.Do {
			add(w.outcome(t))
		}
	}
}
