package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

func weekend() schedule.Calendar {
	rule := schedule.Rule{Days: []schedule.Day{{Weekday: time.Saturday}}, Start: "22:00", Length: 6 * time.Hour}
	return schedule.Calendar{Zone: "Europe/London", Windows: map[string]schedule.Window{"weekend": {Rules: []schedule.Rule{rule}}}}
}

func ids(names ...string) []fact.HostID {
	out := make([]fact.HostID, 0, len(names))
	for _, n := range names {
		out = append(out, id(n))
	}
	return out
}

func TestExceeds(t *testing.T) {
	web := plan.Budget{Name: "group web", Most: 1, Hosts: ids("a", "b", "c")}
	two := plan.Budget{Name: "site hq", Most: 2, Hosts: ids("a", "b", "c", "d", "e")}
	pair := plan.Budget{Name: "unit core", Most: 1, Hosts: ids("d", "e"), Members: true}
	units := map[string]string{"hq/d": "core", "hq/e": "core"}
	tests := []struct {
		name    string
		budgets []plan.Budget
		host    string
		out     []string
		want    string // empty: it may start
	}{
		{"none", nil, "a", []string{"b"}, ""},
		{"nobody out", []plan.Budget{web}, "a", nil, ""},
		{"one out", []plan.Budget{web}, "a", []string{"b"}, "budget of group web: 1 of 1 out (hq/b down)"},
		{"itself alone", []plan.Budget{web}, "a", []string{"a"}, ""},
		{"itself and another", []plan.Budget{web}, "a", []string{"a", "b"}, "1 of 1 out (hq/b down)"},
		{"somebody that does not count", []plan.Budget{web}, "a", []string{"d"}, ""},
		{"a host that does not count", []plan.Budget{web}, "d", []string{"a"}, ""},
		{"room in one, none in another", []plan.Budget{two, web}, "a", []string{"b"}, "group web"},
		{"two of two", []plan.Budget{two}, "c", []string{"a", "b"}, "site hq: 2 of 2 out (hq/a down, hq/b down)"},
		{"a pair counts once", []plan.Budget{two}, "a", []string{"d", "e"}, ""},
		{"its pair is out already", []plan.Budget{two}, "d", []string{"a", "b", "e"}, ""},
		{"but not both of a pair", []plan.Budget{two, pair}, "d", []string{"e"}, "unit core: 1 of 1 out (hq/e down)"},
		{"out before itself, and begun again", []plan.Budget{web, two}, "a!", []string{"b", "c"}, ""},
		{"more out than allowed", []plan.Budget{two}, "a", []string{"b", "c", "d"}, "site hq: 3 of 2 out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := map[fact.HostID]string{}
			for _, name := range tt.out {
				out[id(name)] = "down"
			}
			host, again := strings.CutSuffix(tt.host, "!")
			if again {
				out[id(host)] = outBefore
			}
			why, is := Exceeds(tt.budgets, units, id(host), out)
			if is != (tt.want != "") || !strings.Contains(why, tt.want) {
				t.Errorf("%q, want %q", why, tt.want)
			}
		})
	}
	many := map[fact.HostID]string{id("a"): "x", id("b"): "x", id("c"): "x", id("d"): "x", id("e"): "x"}
	if why, _ := Exceeds([]plan.Budget{{Name: "all", Most: 1, Hosts: ids("a", "b", "c", "d", "e", "f")}}, nil, id("f"), many); !strings.HasSuffix(why, "and 2 more)") {
		t.Errorf("who is out is not cut short: %s", why)
	}
}

// budgeted is twoRings with the hosts of the second ring, which is open, and a peer
// outside the rings under one budget.
func budgeted(t *testing.T) *tape {
	t.Helper()
	return gated(t, plan.Gate{}, func(o *Opened) {
		o.Rings[1].FailureLimit = 5
		o.Budgets = []plan.Budget{{Name: "group web", Most: 1, Hosts: ids("b", "c", "peer")}}
	}).add(GateOpened{Ring: "production", Set: plan.SetDigest(plan.Freeze(nil)), Frozen: plan.Freeze(nil)})
}

func TestBudgetHolds(t *testing.T) {
	begin := StepStarted{Host: id("b"), Step: FlowBegin, Mode: Start}
	back := StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeBack, Out: map[string]string{"hq/peer": "unreachable"}}
	locked := StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeBack, Out: map[string]string{"hq/peer": "locked by jane@desk"}}
	unknown := StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeUnknown}
	held := map[fact.HostID]string{id("peer"): HeldBy + "rollout other"}
	elsewhere := map[fact.HostID]string{id("x"): HeldBy + "rollout other"}
	tests := []struct {
		name   string
		add    []Entry
		at     time.Duration
		others map[fact.HostID]string
		begins string // hosts
		wait   string
		person bool
		wakes  bool
	}{
		{"one starts, the other does not", nil, 0, nil, "hq/b", "", false, false},
		{"one is at work", []Entry{begin}, 0, nil, "", "group web: 1 of 1 out (hq/b at work)", false, false},
		{"another rollout of the folder holds the peer", nil, 0, held, "", "1 of 1 out (hq/peer held by rollout other)", false, false},
		{"it holds somebody else", nil, 0, elsewhere, "hq/b", "", false, false},
		{"stepped back from a peer that is gone", []Entry{begin, back}, 0, nil, "", "1 of 1 out (hq/peer unreachable)", true, true},
		{"stepped back from a peer that is locked", []Entry{begin, locked}, 0, nil, "", "1 of 1 out (hq/peer locked by jane@desk)", false, true},
		{"and some time later", []Entry{begin, back}, time.Hour, nil, "hq/b", "", false, false},
		{"some time later, and another rollout holds it", []Entry{begin, back}, time.Hour, held, "", "held by rollout other", false, false},
		{"one is sick for good", []Entry{begin, unknown}, 0, nil, "", "1 of 1 out (hq/b unknown)", true, false},
		{"one is sick for good, and another rollout is busy elsewhere", []Entry{begin, unknown}, 0, elsewhere, "", "1 of 1 out (hq/b unknown)", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := budgeted(t).add(tt.add...).at(tt.at)
			d := tp.s.Decide(Moment{Now: tp.now, Others: tt.others, Live: map[string]bool{"hq/b": len(tt.add) == 1}})
			var begins []string
			for _, task := range d.Do {
				begins = append(begins, task.Host.String())
			}
			if strings.Join(begins, " ") != tt.begins {
				t.Errorf("begins %q, want %q", begins, tt.begins)
			}
			if text := fmt.Sprint(d.Waits); !strings.Contains(text, tt.wait) {
				t.Errorf("waits for %s, want %q", text, tt.wait)
			}
			if tt.wait != "" && person(d, "group web") != tt.person {
				t.Errorf("a person is asked: %v, want %v: %+v", !tt.person, tt.person, d.Waits)
			}
			if d.Wake.After(tp.now) != tt.wakes || !tt.wakes && !d.Wake.IsZero() {
				t.Errorf("wakes at %s, and it is %s", d.Wake, tp.now)
			}
		})
	}
}

// person tells whether somebody must act for a wait that says this.
func person(d Decision, says string) bool {
	for _, w := range d.Waits {
		if strings.Contains(w.For, says) {
			return w.Person
		}
	}
	return false
}

// What others of the state folder must count.
func TestHeld(t *testing.T) {
	tp := budgeted(t)
	held := func(want string) {
		t.Helper()
		if got := fmt.Sprint(tp.s.Held()); got != want {
			t.Errorf("holds %s, want %s", got, want)
		}
		if _, out := tp.s.IsOut(id("b")); out != strings.Contains(want, "hq/b") || len(tp.s.Out()) != strings.Count(want, "hq/") {
			t.Errorf("out are %v, and it holds %s", tp.s.Out(), want)
		}
	}
	held("[]")
	tp.add(StepStarted{Host: id("b"), Step: FlowBegin, Mode: Start})
	held("[hq/b]")
	tp.add(StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeUnknown})
	held("[hq/b]")
	tp.add(Retried{Hosts: ids("b")}) // it was not touched, and waits
	held("[]")
	tp.add(StepStarted{Host: id("b"), Step: FlowBegin, Mode: Start, Try: 2}, StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeUnknown})
	tp.add(Aborted{Reason: "over"}) // what is sick behind it, others see by looking
	if got := tp.s.Held(); len(got) != 0 || len(tp.s.Out()) != 1 {
		t.Errorf("over, and it holds %v; out are %v", got, tp.s.Out())
	}
}

// The pauses behind a step back differ by minutes, so that two who stepped back from each
// other do not meet for ever; and they grow, but not without end.
func TestPauses(t *testing.T) {
	var least, most time.Duration = time.Hour, 0
	for i := range 200 {
		d := spread(2*time.Minute, "r", fmt.Sprint("host", i), "1")
		least, most = min(least, d), max(most, d)
	}
	if least > 5*time.Second || most < 115*time.Second || most >= 2*time.Minute {
		t.Errorf("pauses are from %s to %s", least, most)
	}
	tp := budgeted(t)
	for i := range 8 {
		from := backFor << min(i, 3) / 2
		tp.at(time.Duration(i) * time.Hour).add(StepStarted{Host: id("b"), Step: FlowBegin, Mode: Start})
		tp.add(StepEnded{Host: id("b"), Step: FlowBegin, Outcome: OutcomeBack})
		if pause := tp.host("b").NotBefore.Sub(tp.now); pause < from || pause >= 3*from {
			t.Errorf("after %d times it waits %s", i+1, pause)
		}
	}
}
