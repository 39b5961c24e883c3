package rollout

import (
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// gated is a rollout of two rings, whose test ring has come through, and whose production
// ring has this gate.
func gated(t *testing.T, gate plan.Gate, change ...func(*Opened)) *tape {
	t.Helper()
	o := twoRings()
	o.Rings[1].Gate = gate
	for _, c := range change {
		c(&o)
	}
	tp := (&tape{t: t, s: &State{}}).at(0)
	return tp.add(o, GateOpened{Ring: "test"}).through()
}

func (tp *tape) verdict() verdict { return tp.s.judge(tp.s.rings[1], tp.now) }

// sampled adds samples: at which hour, and how many pass, fail, and are unknown.
func (tp *tape) sampled(all ...[4]int) *tape {
	tp.t.Helper()
	for _, s := range all {
		tp.at(time.Duration(s[0]) * time.Hour).add(Sampled{Ring: "production", Pass: s[1], Fail: s[2], Unknown: s[3]})
	}
	return tp
}

// The soaked time is what lies between samples that pass.
func TestSoakArithmetic(t *testing.T) {
	pace := playbook.Pace{Interval: 2 * time.Hour}
	tests := []struct {
		name    string
		rule    playbook.Soak
		samples [][4]int
		soaked  time.Duration
		state   GateState
		until   time.Duration // since the rings before have ended
	}{
		{"no sample yet", playbook.Soak{For: 6 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, nil, 0, GateClosed, 6 * time.Hour},
		{"the end of the rings before is the first", playbook.Soak{For: 6 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}}, 2 * time.Hour, GateClosed, 6 * time.Hour},
		{"all of it", playbook.Soak{For: 4 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {4, 6, 0, 0}}, 4 * time.Hour, GateOpen, 0},
		{"a gap that is not too long", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {7, 6, 0, 0}}, 7 * time.Hour, GateClosed, 9 * time.Hour},
		{"a gap that is", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {8, 6, 0, 0}}, 2 * time.Hour, GateClosed, 15 * time.Hour},
		{"a first gap that is", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{6, 6, 0, 0}}, 0, GateClosed, 15 * time.Hour},
		{"a failed sample, and the time around it", playbook.Soak{For: 9 * time.Hour, Pace: playbook.Pace{Interval: 2 * time.Hour, FailureLimit: 1}, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {4, 5, 1, 0}, {6, 6, 0, 0}, {8, 6, 0, 0}}, 4 * time.Hour, GateClosed, 13 * time.Hour},
		{"past the failure limit", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {4, 5, 1, 0}}, 2 * time.Hour, GateClosed, 0},
		{"one that nobody can tell", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {4, 5, 0, 1}}, 2 * time.Hour, GateInconclusive, 0},
		{"and what comes after it", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}, {4, 5, 0, 1}, {6, 6, 0, 0}, {8, 6, 0, 0}}, 4 * time.Hour, GateClosed, 13 * time.Hour},
		{"one that asked nobody", playbook.Soak{For: 9 * time.Hour, Pace: pace, MaxGap: 5 * time.Hour}, [][4]int{{2, 0, 0, 0}}, 0, GateInconclusive, 0},
		{"long enough, but not often enough in a row", playbook.Soak{For: 2 * time.Hour, Pace: playbook.Pace{Interval: 2 * time.Hour, Successes: 3}, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}}, 2 * time.Hour, GateClosed, 6 * time.Hour},
		{"often enough in a row, but not long enough", playbook.Soak{For: 5 * time.Hour, Pace: playbook.Pace{Interval: 2 * time.Hour, Successes: 1}, MaxGap: 5 * time.Hour}, [][4]int{{2, 6, 0, 0}}, 2 * time.Hour, GateClosed, 5 * time.Hour},
		{"a sample before the initial delay is of another time", playbook.Soak{For: 5 * time.Hour, Pace: playbook.Pace{Interval: 2 * time.Hour, InitialDelay: 4 * time.Hour}, MaxGap: 5 * time.Hour}, [][4]int{{3, 6, 0, 0}}, 0, GateClosed, 5 * time.Hour},
		{"the initial delay counts, for the time is seen afterwards", playbook.Soak{For: 5 * time.Hour, Pace: playbook.Pace{Interval: 2 * time.Hour, InitialDelay: 4 * time.Hour}, MaxGap: 5 * time.Hour}, [][4]int{{4, 6, 0, 0}}, 4 * time.Hour, GateClosed, 5 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := gated(t, plan.Gate{Soak: &tt.rule}).sampled(tt.samples...)
			v, soak := tp.verdict(), tp.s.Status(tp.now).Rings[1].Progress.Soak
			if soak.Soaked != min(tt.soaked, tt.rule.For) || v.state != tt.state {
				t.Errorf("soaked %s, and the gate is %q: %q; want %s, %q", soak.Soaked, v.state, v.reasons, tt.soaked, tt.state)
			}
			if got := v.wait.Until; tt.until > 0 && !got.Equal(saturday.Add(tt.until)) {
				t.Errorf("said to open not before %s, want %s", got, saturday.Add(tt.until))
			}
			if v.final != (tt.name == "past the failure limit") || soak.Shut != v.final {
				t.Errorf("final: %v, shut: %v", v.final, soak.Shut)
			}
		})
	}
}

// When the gate opens, the last good sample must be fresh; until then it is sampled on,
// also while somebody's approval is what is missing.
func TestSoakIsSampledUntilTheGateOpens(t *testing.T) {
	rule := &playbook.Soak{For: 2 * time.Hour, Pace: playbook.Pace{Interval: time.Hour}, MaxGap: 26 * time.Hour}
	tp := gated(t, plan.Gate{Soak: rule, Approval: board(1)}).sampled([4]int{1, 6, 0, 0}, [4]int{2, 6, 0, 0})
	d := tp.s.Decide(Moment{Now: tp.now})
	if len(d.Do) != 0 || !d.Wake.Equal(saturday.Add(3*time.Hour)) || !d.Waits[0].Person {
		t.Errorf("soaked, not approved: it decided %+v", d)
	}
	tp.at(9 * time.Hour).add(approved("jane@hq.example", tp.setOf("production")))
	d = tp.s.Decide(Moment{Now: tp.now})
	if len(d.Record) != 0 || len(d.Do) != 1 || d.Do[0].Ask != AskSample {
		t.Errorf("approved seven hours after the last sample: it decided %+v", d)
	}
	if again := tp.s.Decide(Moment{Now: tp.now, Live: map[string]bool{d.Do[0].Key(): true}}); len(again.Do) != 0 {
		t.Errorf("it asks for a sample that is under way: %+v", again)
	}
	tp.sampled([4]int{9, 6, 0, 0})
	if d = tp.s.Decide(Moment{Now: tp.now}); len(d.Record) != 1 {
		t.Errorf("with a fresh sample it decided %+v", d)
	}
	tp.sampled([4]int{10, 5, 1, 0})
	if d = tp.s.Decide(Moment{Now: tp.now}); len(d.Record) != 1 || d.Record[0].Kind() != kindHalted {
		t.Errorf("a host fell sick, and it decided %+v", d)
	}
}

func (tp *tape) setOf(ring string) (set patch.Digest) {
	_, r := tp.s.ring(ring)
	set, err := tp.s.wanted(r)
	if err != nil {
		tp.t.Fatal(err)
	}
	return set
}

// A ring that is patched again soaks again, and what was asked before that is dropped.
func TestSoakStartsAgain(t *testing.T) {
	o := twoRings()
	o.Rings[0].Hosts, o.Rings[0].FailureLimit = append(o.Rings[0].Hosts, id("a2")), 1
	o.Rings[1].Gate.Soak = hours(4)
	tp := (&tape{t: t, s: &State{}}).at(0).add(o, GateOpened{Ring: "test"}).through()
	tp.add(StepStarted{Host: id("a2"), Step: FlowBegin, Mode: Start}, StepEnded{Host: id("a2"), Step: FlowBegin, Outcome: OutcomeFailed})
	tp.sampled([4]int{1, 1, 0, 0}, [4]int{2, 1, 0, 0})
	tp.add(Retried{Hosts: []fact.HostID{id("a2")}})
	late := Sampled{Ring: "production", Pass: 1}
	if err := tp.s.Check(late); err == nil {
		t.Error("a sample was taken while a host of the ring before is at work")
	}
	tp.at(3*time.Hour).add(StepStarted{Host: id("a2"), Step: FlowBegin, Mode: Start, Try: 2}, StepEnded{Host: id("a2"), Step: FlowBegin, Outcome: OutcomeFailed})
	tp.at(3*time.Hour + time.Minute).add(late) // asked for before the retry
	tp.sampled([4]int{4, 1, 0, 0})
	if k := tp.s.Status(tp.now).Rings[1].Progress.Soak; k.Soaked != time.Hour || k.Samples != 1 {
		t.Errorf("an hour after the retry: %+v", k)
	}
}

// A first ring, and one behind rings that had nothing to do, have nothing to soak.
func TestNothingToSoak(t *testing.T) {
	o := twoRings()
	o.Rings[0].Gate.Soak, o.Rings[1].Gate.Soak, o.Idle = hours(4), hours(4), []fact.HostID{id("a")}
	tp := newTape(t, o)
	for _, r := range tp.s.rings {
		if v := tp.s.judge(r, tp.now); v.state != GateOpen {
			t.Errorf("ring %s is %q: %q", r.Name, v.state, v.reasons)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		48 * time.Hour: "48h", 90 * time.Minute: "1h30m", 45 * time.Minute: "45m", 20 * time.Second: "20s", 0: "0s",
		31*time.Hour + 59*time.Second: "31h", time.Hour + time.Minute + time.Second: "1h1m",
	} {
		if got := span(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
