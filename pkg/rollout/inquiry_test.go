package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// asked is an answer at a minute.
type askedAt struct {
	minute  int
	verdict health.Verdict
}

// Right before a ring the last answers must pass, enough of them in a row, the last not
// too long ago; the question is asked again at its interval.
func TestInquiryBefore(t *testing.T) {
	const pass, fail, unknown = health.Pass, health.Fail, health.Unknown
	pace := playbook.Pace{Interval: 10 * time.Minute, FailureLimit: 1}
	twice := pace
	twice.Successes = 2
	delayed := pace
	delayed.InitialDelay = time.Hour
	tests := []struct {
		name    string
		pace    playbook.Pace
		answers []askedAt
		at      int // minutes
		state   GateState
		ask     bool
		wake    int // minutes; 0: none
		reason  string
	}{
		{"not asked yet", pace, nil, 0, GateClosed, true, 0, "check q (before): not asked yet"},
		{"not before the initial delay", delayed, nil, 59, GateClosed, false, 60, "not asked yet"},
		{"behind the initial delay", delayed, nil, 60, GateClosed, true, 0, "not asked yet"},
		{"passed", pace, []askedAt{{1, pass}}, 1, GateOpen, false, 0, "check q (before): seen"},
		{"passed, as long ago as the interval", pace, []askedAt{{1, pass}}, 11, GateOpen, false, 0, "seen"},
		{"passed too long ago", pace, []askedAt{{1, pass}}, 12, GateClosed, true, 0, "pass (seen), 1 in a row"},
		{"failed once", pace, []askedAt{{1, fail}}, 2, GateClosed, false, 11, "fail (seen), 0 in a row"},
		{"asked again", pace, []askedAt{{1, fail}}, 11, GateClosed, true, 0, "fail"},
		{"failed once, then passed", pace, []askedAt{{1, fail}, {11, pass}}, 11, GateOpen, false, 0, "seen"},
		{"failed too often", pace, []askedAt{{1, fail}, {11, fail}}, 11, GateClosed, false, 0, "failed 2 times, and the limit is 1: seen"},
		{"failed too often, though it passes now", pace, []askedAt{{1, fail}, {11, fail}, {21, pass}}, 21, GateClosed, false, 0, "failed 2 times"},
		{"nobody can tell", pace, []askedAt{{1, unknown}}, 2, GateInconclusive, false, 11, "unknown (seen), 0 in a row"},
		{"nobody could tell for a while", pace, []askedAt{{1, unknown}, {11, pass}}, 11, GateOpen, false, 0, "seen"},
		{"one of two in a row", twice, []askedAt{{1, pass}}, 2, GateClosed, false, 11, "1 in a row"},
		{"two in a row", twice, []askedAt{{1, pass}, {11, pass}}, 11, GateOpen, false, 0, "seen"},
		{"two, but not in a row", twice, []askedAt{{1, pass}, {11, unknown}, {21, pass}}, 21, GateClosed, false, 31, "1 in a row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := gated(t, plan.Gate{Checks: []playbook.Inquiry{{Name: "q", When: before, Pace: tt.pace}}})
			for _, a := range tt.answers {
				tp.at(time.Duration(a.minute) * time.Minute).add(Asked{Ring: "production", Check: "q", When: before, Verdict: a.verdict, Seen: "seen"})
			}
			v := tp.at(time.Duration(tt.at) * time.Minute).verdict()
			if v.state != tt.state || (len(v.ask) == 1) != tt.ask || v.final != strings.Contains(tt.reason, "limit") && v.final != strings.Contains(tt.name, "too often") {
				t.Errorf("%q, asks %+v, final %v: %q", v.state, v.ask, v.final, v.reasons)
			}
			if !strings.Contains(strings.Join(v.reasons, ";"), tt.reason) {
				t.Errorf("reasons %q, want %q", v.reasons, tt.reason)
			}
			if want := saturday.Add(time.Duration(tt.wake) * time.Minute); tt.wake > 0 && !v.wake.Equal(want) || tt.wake == 0 && !v.wake.IsZero() {
				t.Errorf("wakes at %s, want %s", v.wake, want)
			}
		})
	}
}

// Behind a ring the question is asked once the last host has ended; the next ring's gate
// waits for it, and so does the end of the rollout.
func TestInquiryAfter(t *testing.T) {
	q := playbook.Inquiry{Name: "q", When: after, Pace: playbook.Pace{Interval: time.Hour, InitialDelay: 30 * time.Minute}}
	tp := gated(t, plan.Gate{}, func(o *Opened) {
		o.Rings[0].Gate.Checks = []playbook.Inquiry{q}
		o.Idle = []fact.HostID{id("b"), id("c")}
	})
	d := tp.s.Decide(Moment{Now: tp.now})
	if len(d.Do)+len(d.Record) > 0 || !d.Wake.Equal(saturday.Add(30*time.Minute)) {
		t.Fatalf("right after the ring it decided %+v", d)
	}
	d = tp.s.Decide(Moment{Now: tp.at(30 * time.Minute).now})
	if len(d.Do) != 1 || d.Do[0].Ask != "check:q" || d.Do[0].Ring != "test" || d.Do[0].When != after {
		t.Fatalf("when it is due it decided %+v", d)
	}
	for _, m := range []Moment{{Now: tp.now, Stopping: true}, {Now: tp.now, Live: map[string]bool{d.Do[0].Key(): true}}} {
		if d := tp.s.Decide(m); len(d.Do) > 0 || len(d.Waits) == 0 {
			t.Errorf("stopping, or being asked already, it decided %+v", d)
		}
	}
	tp.add(Asked{Ring: "test", Check: "q", When: after, Verdict: health.Fail, Seen: "shop is down"})
	d = tp.s.Decide(Moment{Now: tp.now})
	if len(d.Record) != 1 || d.Record[0].Kind() != kindHalted {
		t.Fatalf("it failed, and it decided %+v", d)
	}
	tp.add(d.Record[0], Retried{Reason: "the shop is back"})
	if d = tp.s.Decide(Moment{Now: tp.now}); len(d.Do) != 1 || d.Do[0].Ask != "check:q" {
		t.Fatalf("taken up again, it decided %+v", d)
	}
	tp.add(Asked{Ring: "test", Check: "q", When: after, Verdict: health.Pass})
	if d = tp.s.Decide(Moment{Now: tp.now.Add(48 * time.Hour)}); len(d.Record) != 1 || d.Record[0].Kind() != kindFinished {
		t.Fatalf("it passed, two days ago, and it decided %+v", d)
	}
}

// The sentence that stands in the issue.
func TestSentence(t *testing.T) {
	gate := plan.Gate{Soak: hours(48), Approval: board(1)}
	tp := gated(t, gate, weekends)
	for hour := 1; hour <= 31; hour++ {
		tp.at(time.Duration(hour) * time.Hour).add(Sampled{Ring: "production", Pass: 6})
	}
	d := tp.s.Decide(Moment{Now: tp.now})
	want := "opens not before Sat 22:00 Europe/London: window weekend; soak 31h of 48h, 6 of 6 healthy; approval: board 0 of 1"
	if len(d.Waits) != 1 || d.Waits[0].For != want || d.Waits[0].Ring != "production" || !d.Waits[0].Person {
		t.Errorf("it says %+v\nwant %s", d.Waits, want)
	}
	if until := time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC); !d.Waits[0].Until.Equal(until) {
		t.Errorf("until %s, want %s", d.Waits[0].Until, until)
	}
}

// weekends: the production ring may be begun on Saturdays at ten in the evening.
func weekends(o *Opened) {
	o.Calendar = weekend()
	o.Rings[1].Window = "weekend"
	o.Takes = map[string]time.Duration{"hq/b": time.Hour, "hq/c": 3 * time.Hour}
}
