package sim

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

func start() time.Time { return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }

// fleetOf makes two rings of n hosts each, with a flow of eight minutes a host.
func fleetOf(n, inFlight, limit int) (rollout.Opened, Fleet) {
	o, f := rollout.Opened{Rollout: "r", Playbook: "monthly", Site: "hq"}, Fleet{}
	for _, name := range []string{"a-test", "production"} {
		r := plan.Ring{Name: name, MaxInFlight: inFlight, FailureLimit: limit}
		for i := range n {
			id := fact.HostID{Site: "hq", Name: fmt.Sprintf("%s-%06d", name, i)}
			r.Hosts = append(r.Hosts, id)
			f[id] = Host{
				Domain: "debian 12 amd64", Install: []patch.Update{{Name: "bash", From: "1", To: "2"}},
				Steps: []platform.Step{{ID: "preflight"}, {ID: "install", Changes: true}, {ID: "reboot", Changes: true}},
			}
		}
		o.Rings = append(o.Rings, r)
	}
	return o, f
}

func TestPlay(t *testing.T) {
	o, f := fleetOf(4, 2, 2)
	events, s, waits, err := Play(o, start(), f)
	if err != nil || s.Phase() != rollout.PhaseFinished || len(waits) != 0 {
		t.Fatalf("%s, waits %v, %v", s.Phase(), waits, err)
	}
	// Four hosts, two at a time, eight steps of a minute: 16 minutes a ring.
	if took := events[len(events)-1].Time.Sub(start()); took != 32*time.Minute {
		t.Errorf("took %v, want 32m", took)
	}
}

func TestPlaySickHost(t *testing.T) {
	o, f := fleetOf(2, 2, 0)
	sick := f[o.Rings[1].Hosts[0]]
	sick.Ends = map[platform.StepID]rollout.Outcome{rollout.FlowVerify: rollout.OutcomeFailed}
	f[o.Rings[1].Hosts[0]] = sick
	_, s, waits, err := Play(o, start(), f)
	if err != nil || s.Phase() != rollout.PhaseHalted || len(waits) != 1 || !waits[0].Person {
		t.Fatalf("%s, waits %v, %v", s.Phase(), waits, err)
	}
	if h, _ := s.Host(o.Rings[1].Hosts[1]); h.State != rollout.HostWaiting {
		t.Errorf("the host behind the sick one is %s", h.State)
	}
}

// The cost of a forecast must grow with the hosts, not with their square.
func BenchmarkPlay(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			o, f := fleetOf(n/2, 200, n)
			for b.Loop() {
				if _, s, _, err := Play(o, start(), f); err != nil || s.Phase() != rollout.PhaseFinished {
					b.Fatal(s.Phase(), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/host")
		})
	}
}
