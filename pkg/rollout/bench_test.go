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
	"github.com/patchring/patchring/pkg/schedule"
)

// large is a rollout of n hosts in two rings, with a soak between them.
func large(n int, change func(*plan.Plan)) *plan.Plan {
	p := &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq"}
	for i, name := range []string{"test", "production"} {
		r := plan.Ring{Name: name, MaxInFlight: 200, FailureLimit: n}
		for j := range n / 2 {
			h := plan.Host{ID: fact.HostID{Site: "hq", Name: fmt.Sprintf("%d%06d", i, j)}, Ring: name, Domain: "debian 12 amd64", Takes: 30 * time.Minute}
			h.Install = []patch.Update{{Name: "bash", Arch: "amd64", From: "1", To: "2", Security: patch.Yes}}
			r.Hosts = append(r.Hosts, h.ID)
			p.Hosts = append(p.Hosts, h)
		}
		p.Rings = append(p.Rings, r)
	}
	p.Rings[1].Gate.Soak = hours(48)
	change(p)
	return p
}

// bigBudget is one over all hosts, and many small ones: a pair of hosts is a unit.
func bigBudget(p *plan.Plan) {
	all := plan.Budget{Name: "site hq", Most: 50}
	for i := range p.Hosts {
		all.Hosts = append(all.Hosts, p.Hosts[i].ID)
		p.Hosts[i].Unit = "u" + strconv.Itoa(i/2)
	}
	p.Budgets = append(p.Budgets, all)
	for i := 0; i+1 < len(p.Hosts); i += 2 {
		p.Budgets = append(p.Budgets, plan.Budget{Name: "unit " + p.Hosts[i].Unit, Most: 1, Hosts: all.Hosts[i : i+2], Members: true})
	}
}

func nightly(p *plan.Plan) {
	rule := schedule.Rule{Start: "22:00", Length: 6 * time.Hour}
	for day := range 7 {
		rule.Days = append(rule.Days, schedule.Day{Weekday: time.Weekday(day)})
	}
	p.Calendar = schedule.Calendar{Windows: map[string]schedule.Window{"night": {Rules: []schedule.Rule{rule}}}}
	p.Rings[0].Window, p.Rings[1].Window = "night", "night"
}

// march carries a rollout out in which all goes well, until so many events are written;
// 0: to its end. Every task takes five minutes.
type march struct {
	tb     testing.TB
	s      *State
	now    time.Time
	live   map[string]bool
	under  []Task
	events []Event
}

func (m *march) run(p *plan.Plan, most int) *march {
	m.tb.Helper()
	m.s, m.now, m.live = &State{}, beginning, map[string]bool{}
	m.add(Open("id", p, ""))
	for most == 0 || len(m.events) < most {
		d := m.s.Decide(Moment{Now: m.now, Live: m.live})
		for _, e := range d.Record {
			m.add(e)
		}
		for _, t := range d.Do {
			m.start(t)
		}
		switch {
		case len(m.under) > 0:
			m.end()
		case d.Wake.After(m.now):
			m.now = d.Wake
		case len(d.Record) == 0:
			return m
		}
	}
	return m
}

func (m *march) add(e Entry) {
	event := Event{Seq: uint64(len(m.events)) + 1, Time: m.now, Entry: e}
	m.events = append(m.events, event)
	if err := m.s.Fold(event); err != nil {
		m.tb.Fatal(err)
	}
}

func (m *march) start(t Task) {
	m.under = append(m.under, t)
	m.live[t.Key()] = true
	if t.Ask == "" {
		m.add(StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode})
	}
}

func (m *march) end() {
	t := m.under[0]
	m.under = m.under[1:]
	delete(m.live, t.Key())
	m.now = m.now.Add(5 * time.Minute / 200)
	if t.Ask == AskSample {
		m.add(Sampled{Ring: t.Ring, Pass: m.s.rings[0].by[HostHealthy]})
		return
	}
	end := StepEnded{Host: t.Host, Step: t.Step, Outcome: OutcomeOK}
	switch t.Step {
	case FlowBegin:
		steps, changing := Flow(driverSteps(), Extras{Drain: true})
		end.Began = &Began{Steps: steps, Changing: changing}
	case FlowVerify:
		end.Proven = []patch.Proven{{Domain: "debian 12 amd64", Name: "bash", Arch: "amd64", Version: "2"}}
	case FlowCheck:
		end.Checks = []health.Result{{Check: "nginx", Verdict: health.Pass}}
	}
	m.add(end)
}

func nothingMore(*plan.Plan) {}

// BenchmarkFold folds the journal of 10,000 hosts with budgets and a soak; it must stay
// under a second.
func BenchmarkFold(b *testing.B) {
	events := (&march{tb: b}).run(large(10_000, bigBudget), 0).events
	for b.Loop() {
		s := &State{}
		for _, e := range events {
			if err := s.Fold(e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(events)), "events")
}

var kinds = []struct {
	name   string
	change func(*plan.Plan)
}{{"plain", nothingMore}, {"budget", bigBudget}, {"window", nightly}}

// BenchmarkRollout is one whole rollout, decided and folded: its cost is that of its
// events, however large the fleet.
func BenchmarkRollout(b *testing.B) {
	for _, k := range kinds {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(k.name+"/"+strconv.Itoa(n), func(b *testing.B) {
				p, events := large(n, k.change), 0
				for b.Loop() {
					events += len((&march{tb: b}).run(p, 0).events)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
			})
		}
	}
}

// BenchmarkDecide is one decision in the middle of the first ring: while hosts may be
// begun, while a budget is used up, and while the window is closed.
func BenchmarkDecide(b *testing.B) {
	for _, k := range kinds {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(k.name+"/"+strconv.Itoa(n), func(b *testing.B) {
				m := (&march{tb: b}).run(large(n, k.change), 5*n)
				at := Moment{Now: m.now, Live: m.live}
				if k.name == "window" {
					at.Now = beginning.Add(16 * time.Hour)
				}
				for b.Loop() {
					m.s.Decide(at)
				}
			})
		}
	}
}

// A decision must not look at every host: where the fleet is a hundred times larger, and
// everything else is the same, it allocates no more.
func TestDecideDoesNotGrow(t *testing.T) {
	for _, k := range kinds {
		var allocs [2]float64
		for i, n := range []int{600, 12_000} {
			m := (&march{tb: t}).run(large(n, k.change), 3_000)
			for _, at := range []time.Time{m.now, beginning.Add(16 * time.Hour)} {
				allocs[i] += testing.AllocsPerRun(10, func() { m.s.Decide(Moment{Now: at, Live: m.live}) })
			}
		}
		if allocs[1] > allocs[0]*1.5+20 {
			t.Errorf("%s: %v allocations in a small fleet, %v in a large one", k.name, allocs[0], allocs[1])
		}
	}
}
