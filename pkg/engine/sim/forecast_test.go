package sim

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// monday is where the forecasts of the tests begin: Mon 2026-11-23 09:00 UTC.
func monday() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

func weekend() schedule.Calendar {
	days := []schedule.Day{{Weekday: time.Saturday}, {Weekday: time.Sunday}}
	return schedule.Calendar{Windows: map[string]schedule.Window{
		"weekend": {Rules: []schedule.Rule{{Days: days, Start: "22:00", Length: 6 * time.Hour}}},
	}}
}

// weekly is a plan of n hosts: a hundredth tests, the rest is production in the weekend's
// window, after a soak of two days and an approval, within a budget of the site and one
// of each hundred hosts.
func weekly(n int) *plan.Plan {
	p := &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq", Made: monday(), Calendar: weekend()}
	test := plan.Ring{Name: "test", MaxInFlight: n, FailureLimit: n}
	production := plan.Ring{Name: "production", MaxInFlight: n / 5, FailureLimit: n, Batches: []int{1, n / 10, n / 2}, Window: "weekend", Gate: plan.Gate{
		Soak:     &playbook.Soak{For: 48 * time.Hour, MaxGap: 26 * time.Hour, Pace: playbook.Pace{Interval: time.Hour}},
		Approval: &plan.Approval{Approvers: "board", People: []string{"jane", "omar"}, Count: 1, Expires: 7 * 24 * time.Hour},
	}}
	site := plan.Budget{Name: "site hq", Most: n / 4}
	for i := range n {
		id := fact.HostID{Site: "hq", Name: fmt.Sprintf("h%06d", i)}
		ring := &production
		if i < max(1, n/100) {
			ring = &test
		}
		ring.Hosts = append(ring.Hosts, id)
		p.Hosts = append(p.Hosts, plan.Host{
			ID: id, Ring: ring.Name, Domain: "debian 12", Takes: []time.Duration{20, 30, 45}[i%3] * time.Minute,
			Install: []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2"}, {Name: "openssl", Arch: "amd64", From: "3", To: "4"}},
		})
		site.Hosts = append(site.Hosts, id)
		if i%100 == 0 {
			p.Budgets = append(p.Budgets, plan.Budget{Name: fmt.Sprintf("group g%d", i/100), Most: 25})
		}
		b := &p.Budgets[len(p.Budgets)-1]
		b.Hosts = append(b.Hosts, id)
	}
	p.Budgets = append(p.Budgets, site)
	p.Rings = []plan.Ring{test, production}
	return p
}

func TestForecast(t *testing.T) {
	p := weekly(1000)
	f, err := For(rollout.Open("r", p, "sha256:x"), p, monday(), Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
}

// The cost of a forecast must grow with the hosts, not with their square.
func BenchmarkForecast(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := weekly(n)
			for b.Loop() {
				f, err := For(rollout.Open("r", p, "sha256:x"), p, monday(), Assumptions{})
				if err != nil || f.Phase != rollout.PhaseFinished {
					b.Fatal(f.Phase, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/host")
		})
	}
}
