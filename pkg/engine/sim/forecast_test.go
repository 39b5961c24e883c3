package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
			ID: id, Ring: ring.Name, Domain: "debian 12 amd64", Takes: []time.Duration{20 * time.Minute, 30 * time.Minute, 45 * time.Minute}[i%3],
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

// The test ring is done by Monday 09:45; the soak by Wednesday; the window opens on
// Saturday at 22:00, and a host of 45 minutes can begin in it until 02:30.
func TestForecast(t *testing.T) {
	p := weekly(1000)
	f := forecastOf(t, p, Assumptions{})
	production := f.Rings[1]
	saturday := time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC)
	if !f.Finished() || len(f.Waits) > 0 || !production.Opens.Equal(saturday) || !production.Begins.Equal(saturday) {
		t.Errorf("%s, waits %v; production opens %v", f.Phase, f.Waits, production.Opens)
	}
	want := []Span{
		{Kind: Soak, From: monday().Add(45 * time.Minute), Until: monday().Add(48*time.Hour + 45*time.Minute), Why: "soak of 48h"},
		{Kind: Window, From: monday().Add(45 * time.Minute), Until: saturday, Why: "window weekend"},
	}
	if !slices.Equal(production.Waits, want) {
		t.Errorf("its gate waits for %+v", production.Waits)
	}
	if o := production.Openings; len(o) != 2 || o[0].Started == 0 || o[0].Started+o[1].Started != 990 || !o[1].From.Equal(saturday.Add(24*time.Hour)) {
		t.Errorf("openings of the window: %+v", o)
	}
	if b := production.Batches; len(b) != 4 || b[0].Hosts != 1 || b[1].Hosts != 100 || b[2].Hosts != 500 || b[3].Hosts != 389 || !b[3].Ends.Equal(f.Ends) {
		t.Errorf("batches: %+v", b)
	}
}

func forecastOf(t *testing.T, p *plan.Plan, a Assumptions) Forecast {
	t.Helper()
	f, err := For(rollout.Open("r", p, "sha256:x"), p, monday(), a)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What does not come to its end says why.
func TestForecastThatDoesNotEnd(t *testing.T) {
	tests := map[string]struct {
		change  func(*plan.Plan)
		assumed Assumptions
		phase   rollout.Phase
		starved int
		says    string
	}{
		"nobody approves":        {assumed: Assumptions{NotApproved: true}, phase: rollout.PhaseOpen, starved: 99, says: "approval: board 0 of 1"},
		"only the starter could": {change: func(p *plan.Plan) { p.Rings[1].Gate.Approval.People = []string{"jane"} }, assumed: Assumptions{Starter: "jane"}, phase: rollout.PhaseOpen, starved: 99, says: "approval"},
		"too little is proven": {change: func(p *plan.Plan) {
			p.Rings[1].Gate.Coverage = 100
			p.Hosts[50].Install = []patch.Update{{Name: "nginx", To: "2"}}
		}, phase: rollout.PhaseHalted, starved: 99, says: "coverage"},
		"a host is too slow":    {change: func(p *plan.Plan) { p.Hosts[50].Takes = 4 * time.Hour }, phase: rollout.PhaseOpen, starved: 39, says: "window weekend"},
		"it takes too long":     {assumed: Assumptions{Until: monday().Add(5*24*time.Hour + 13*time.Hour + 30*time.Minute)}, phase: rollout.PhaseOpen, starved: 1, says: ""},
		"the test ring is gone": {change: func(p *plan.Plan) { p.Hosts[0].Problem = &plan.Problem{What: "gone"} }, phase: rollout.PhaseHalted, starved: 99, says: "took part"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := weekly(100)
			if tt.change != nil {
				tt.change(p)
			}
			f := forecastOf(t, p, tt.assumed)
			text := fmt.Sprint(f.Waits, f.Reasons)
			if f.Phase != tt.phase || f.Finished() || len(f.Waits) == 0 || !strings.Contains(text, tt.says) {
				t.Errorf("%s: %s", f.Phase, text)
			}
			if r := f.Rings[1]; len(r.Starved) < tt.starved || len(r.Starved) > 0 && r.StarvedReason == "" {
				t.Errorf("%d hosts are not begun: %s", len(r.Starved), r.StarvedReason)
			}
		})
	}
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
