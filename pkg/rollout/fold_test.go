package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

func id(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

// tape folds entries one after the other, a minute apart, unless it is told the time.
type tape struct {
	t   *testing.T
	s   *State
	now time.Time
}

func newTape(t *testing.T, entries ...Entry) *tape {
	t.Helper()
	tp := &tape{t: t, s: &State{}}
	return tp.add(entries...)
}

// at sets the clock to so long after the first event.
func (tp *tape) at(d time.Duration) *tape {
	tp.now = saturday.Add(d)
	return tp
}

var saturday = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

func (tp *tape) add(entries ...Entry) *tape {
	tp.t.Helper()
	for _, e := range entries {
		at := saturday.Add(time.Duration(tp.s.Seq()) * time.Minute)
		if !tp.now.IsZero() {
			at = tp.now
		}
		if err := tp.s.Fold(Event{Seq: tp.s.Seq() + 1, Time: at, Actor: starter, Entry: e}); err != nil {
			tp.t.Fatal(err)
		}
	}
	return tp
}

// step begins and ends a step of host a.
func (tp *tape) step(step platform.StepID, end StepEnded) *tape {
	tp.t.Helper()
	end.Host, end.Step = id("a"), step
	h := tp.host("a")
	try := h.Try
	if try == 1 {
		try = 0
	}
	return tp.add(StepStarted{Host: end.Host, Step: step, Mode: Start, Try: try}, end)
}

// through brings host a through all of THE LIST, all of it well.
func (tp *tape) through() *tape {
	tp.t.Helper()
	tp.step(FlowBegin, began())
	for _, s := range began().Began.Steps {
		end := ok()
		if s == FlowVerify {
			end.Proven = []patch.Proven{{Domain: "debian 12 amd64", Name: "bash", Version: "2"}}
		}
		tp.step(s, end)
	}
	return tp
}

func (tp *tape) host(name string) HostStatus {
	h, _ := tp.s.Host(id(name))
	return h
}

func twoRings() Opened {
	return Opened{Rollout: "r", Playbook: "monthly", Site: "hq", Rings: []plan.Ring{
		{Name: "test", Hosts: []fact.HostID{id("a")}, MaxInFlight: 20},
		{Name: "production", Hosts: []fact.HostID{id("b"), id("c")}, MaxInFlight: 20},
	}}
}

func ok() StepEnded { return StepEnded{Outcome: OutcomeOK} }

func began() StepEnded {
	steps, changing := Flow(driverSteps(), Extras{})
	return StepEnded{Outcome: OutcomeOK, Began: &Began{Steps: steps, Changing: changing}}
}

// upTo brings host a through THE LIST until before the given step.
func upTo(t *testing.T, stop platform.StepID) *tape {
	t.Helper()
	tp := newTape(t, twoRings(), GateOpened{Ring: "test"})
	if stop == FlowBegin {
		return tp
	}
	tp.step(FlowBegin, began())
	for _, s := range began().Began.Steps {
		if s == stop {
			break
		}
		tp.step(s, ok())
	}
	return tp
}

// What each outcome of each step makes of a host.
func TestOutcomes(t *testing.T) {
	bad := func(o Outcome) StepEnded { return StepEnded{Outcome: o, Code: fault.Lost, Reasons: []string{"why"}} }
	checked := func(v health.Verdict) StepEnded {
		return StepEnded{Outcome: OutcomeOK, Checks: []health.Result{{Check: "nginx", Verdict: v, Seen: "inactive"}}}
	}
	tests := []struct {
		step    platform.StepID
		end     StepEnded
		state   HostState
		touched bool
		next    platform.StepID
		reason  string
		lock    bool // it is said that the lock stays
	}{
		{FlowBegin, bad(OutcomeUnreachable), HostUnreachable, false, "", "why", false},
		{FlowBegin, bad(OutcomeNothing), HostNothing, false, "", "", false},
		{FlowBegin, bad(OutcomeFailed), HostFailed, false, "", "why", false},
		{FlowBegin, bad(OutcomeUnknown), HostUnknown, false, "", "why", false},
		{FlowBegin, ok(), HostUnknown, false, "", "did not say what follows", true},
		{FlowBegin, began(), HostWorking, false, FlowBefore, "", false},
		{FlowBefore, bad(OutcomeUnreachable), HostWorking, false, FlowEnd, "why", false},
		{"preflight", bad(OutcomeFailed), HostWorking, false, FlowEnd, "why", false},
		{"preflight", bad(OutcomeUnreachable), HostWorking, false, FlowEnd, "why", false},
		{"preflight", bad(OutcomeUnknown), HostUnknown, false, "", "why", true},
		{"install", ok(), HostWorking, true, "reboot", "", false},
		{"install", bad(OutcomeFailed), HostWorking, true, FlowEnd, "why", false},
		{"install", bad(OutcomeUnreachable), HostUnknown, true, "", "why", true},
		{"install", bad(OutcomeUnknown), HostUnknown, true, "", "why", true},
		{"install", bad(OutcomeNothing), HostUnknown, true, "", "why", true},
		{FlowVerify, bad(OutcomeFailed), HostWorking, true, FlowEnd, "why", false},
		{FlowCheck, checked(health.Pass), HostWorking, true, FlowEnd, "", false},
		{FlowCheck, checked(health.Fail), HostWorking, true, FlowEnd, "check nginx: fail: inactive", false},
		{FlowCheck, checked(health.Unknown), HostUnknown, true, "", "check nginx: unknown: inactive", true},
		{FlowEnd, ok(), HostHealthy, true, "", "", false},
		{FlowEnd, bad(OutcomeFailed), HostHealthy, true, "", "", true},
		{FlowEnd, bad(OutcomeUnreachable), HostHealthy, true, "", "", true},
	}
	for _, tt := range tests {
		t.Run(string(tt.step)+" "+outcomeName(tt.end.Outcome), func(t *testing.T) {
			tp := upTo(t, tt.step).step(tt.step, tt.end)
			h := tp.host("a")
			if h.State != tt.state || h.Touched != tt.touched {
				t.Errorf("the host is %s, touched %v; want %s, %v", h.State, h.Touched, tt.state, tt.touched)
			}
			if got, want := tp.s.rings[0].unasked == 1, tt.state == HostUnknown && !tt.touched; got != want {
				t.Errorf("counted as unknown without having been touched: %v, want %v", got, want)
			}
			if got := tp.s.hosts[0].following(); !tp.s.hosts[0].ended && got != tt.next {
				t.Errorf("next is %q, want %q", got, tt.next)
			}
			if got := strings.Join(h.Reasons, "; "); !strings.Contains(got, tt.reason) || tt.reason == "" && got != "" {
				t.Errorf("reasons %q, want %q", got, tt.reason)
			}
			if got := slices.Contains(h.Notes, lockLeft); got != tt.lock {
				t.Errorf("said that the lock stays: %v, want %v", got, tt.lock)
			}
		})
	}
}

func TestFailedHostEndsFailed(t *testing.T) {
	tp := upTo(t, "install").step("install", StepEnded{Outcome: OutcomeFailed, Code: fault.HostFailed, Reasons: []string{"dpkg said 1"}})
	tp.step(FlowEnd, StepEnded{Outcome: OutcomeUnreachable, Reasons: []string{"no route"}})
	h := tp.host("a")
	if h.State != HostFailed || h.Code != fault.HostFailed || !slices.Contains(h.Notes, "no route") {
		t.Errorf("the host is %+v", h)
	}
	d := tp.s.Decide(Moment{})
	if len(d.Record) != 1 || len(d.Do) != 0 {
		t.Fatalf("decided %+v, want the halt alone", d)
	}
	halt, ok := d.Record[0].(Halted)
	if !ok || halt.Gate || halt.Ring != "test" {
		t.Errorf("decided %+v, want ring test halted by its limit", d.Record[0])
	}
}

// What Fold must refuse: no patchring that keeps the rules writes these.
func TestFoldRefuses(t *testing.T) {
	start := func(h string, s platform.StepID, m Mode) StepStarted {
		return StepStarted{Host: id(h), Step: s, Mode: m}
	}
	tests := []struct {
		name string
		tape func() *tape
		bad  Entry
		want string
	}{
		{"not opened", func() *tape { return newTape(t) }, Paused{}, "has not been opened"},
		{"opened twice", func() *tape { return newTape(t, twoRings()) }, twoRings(), "open already"},
		{"no rings", func() *tape { return newTape(t) }, Opened{Rollout: "r"}, "at least one ring"},
		{"a host twice", func() *tape { return newTape(t) }, Opened{Rollout: "r", Rings: []plan.Ring{{Name: "x", Hosts: []fact.HostID{id("a"), id("a")}}}}, "two places"},
		{"a ring twice", func() *tape { return newTape(t) }, Opened{Rollout: "r", Rings: []plan.Ring{{Name: "x"}, {Name: "x"}}}, "two rings"},
		{"an unknown ring", func() *tape { return newTape(t, twoRings()) }, GateOpened{Ring: "x"}, "no ring"},
		{"a gate before its time", func() *tape { return newTape(t, twoRings()) }, GateOpened{Ring: "production", Set: plan.SetDigest(plan.Freeze(nil)), Frozen: plan.Freeze(nil)}, "has not ended"},
		{"a set without its digest", func() *tape { return newTape(t, twoRings()) }, GateOpened{Ring: "production"}, "digest"},
		{"a gate twice", func() *tape { return upTo(t, FlowBegin) }, GateOpened{Ring: "test"}, "open already"},
		{"a step without its gate", func() *tape { return newTape(t, twoRings()) }, start("a", FlowBegin, Start), "gate"},
		{"an unknown host", func() *tape { return upTo(t, FlowBegin) }, start("z", FlowBegin, Start), "not in this rollout"},
		{"a step out of order", func() *tape { return upTo(t, "install") }, start("a", FlowVerify, Start), "comes next"},
		{"a step left out at the start", func() *tape { return upTo(t, FlowBegin) }, start("a", "install", Start), "comes next"},
		{"begun blindly again", func() *tape { return upTo(t, "install").add(start("a", "install", Start)) }, start("a", "install", Start), "has not ended"},
		{"nothing to reconcile", func() *tape { return upTo(t, "install") }, start("a", "install", Reconcile), "nothing to look at"},
		{"reconciling another step", func() *tape { return upTo(t, "install").add(start("a", "install", Start)) }, start("a", "reboot", Reconcile), "nothing to look at"},
		{"ended without a start", func() *tape { return upTo(t, "install") }, StepEnded{Host: id("a"), Step: "install"}, "without having begun"},
		{"begun while paused", func() *tape { return upTo(t, FlowBegin).add(Paused{}) }, start("a", FlowBegin, Start), "no further host"},
		{"paused twice", func() *tape { return newTape(t, twoRings(), Paused{}) }, Paused{}, "can be paused"},
		{"resumed unpaused", func() *tape { return newTape(t, twoRings()) }, Resumed{}, "can be resumed"},
		{"resumed after a halt", func() *tape { return newTape(t, twoRings(), Halted{}) }, Resumed{}, "can be resumed"},
		{"aborted twice", func() *tape { return newTape(t, twoRings(), Aborted{}) }, Aborted{}, "aborted"},
		{"a gate after a halt", func() *tape { return newTape(t, twoRings(), Halted{}) }, GateOpened{Ring: "test"}, "halted"},
		{"finished too early", func() *tape { return newTape(t, twoRings()) }, Finished{}, "has not ended"},
		{"nothing", func() *tape { return newTape(t, twoRings()) }, nil, "not an event"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := tt.tape()
			seq := tp.s.Seq()
			err := tp.s.Fold(Event{Seq: seq + 1, Entry: tt.bad})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Fold: %v, want %q", err, tt.want)
			}
			if tp.s.Seq() != seq {
				t.Error("a refused event was counted")
			}
		})
	}
	if err := newTape(t, twoRings()).s.Fold(Event{Seq: 3, Entry: Paused{}}); err == nil {
		t.Error("a gap in the events was not seen")
	}
}

// Stopping, pausing and aborting begin no host, and bring those at work to their end.
func TestNoFurtherHost(t *testing.T) {
	for name, tt := range map[string]struct {
		word Entry
		m    Moment
	}{
		"paused": {Paused{}, Moment{}}, "aborted": {Aborted{}, Moment{}}, "halted": {Halted{}, Moment{}}, "stopping": {nil, Moment{Stopping: true}},
	} {
		t.Run(name, func(t *testing.T) {
			idle, busy := upTo(t, FlowBegin), upTo(t, "install")
			if tt.word != nil {
				idle.add(tt.word)
				busy.add(tt.word)
			}
			if d := idle.s.Decide(tt.m); len(d.Do)+len(d.Record) != 0 || len(d.Waits) == 0 || !d.Waits[0].Person {
				t.Errorf("nothing was begun, and it decided %+v", d)
			}
			if d := busy.s.Decide(tt.m); len(d.Do) != 1 || d.Do[0].Step != "install" || d.Do[0].Mode != Start {
				t.Errorf("a host is at work, and it decided %+v", d)
			}
		})
	}
}

// What a step told is to be had again from the journal, after any crash.
func TestWhatStepsTellIsKept(t *testing.T) {
	tp := upTo(t, FlowBefore)
	tp.step(FlowBefore, StepEnded{Outcome: OutcomeOK, Before: "sha256:02"})
	tp.step("preflight", StepEnded{Outcome: OutcomeOK, Notes: []string{"a note"}})
	tp.step("install", ok()).step("reboot", StepEnded{Outcome: OutcomeOK, Reboots: true}).step(FlowVerify, ok())
	h := tp.host("a")
	if h.Before != "sha256:02" || !h.Rebooted || h.Began == nil || !slices.Equal(h.Notes, []string{"a note"}) {
		t.Errorf("the host is %+v", h)
	}
}

func TestReconcile(t *testing.T) {
	tp := upTo(t, "install").add(StepStarted{Host: id("a"), Step: "install", Mode: Start})
	if d := tp.s.Decide(Moment{Live: map[string]bool{id("a").String(): true}}); len(d.Do) != 0 || len(d.Waits) != 1 {
		t.Errorf("the task is live, and it decided %+v", d)
	}
	d := tp.s.Decide(Moment{})
	if len(d.Do) != 1 || d.Do[0].Mode != Reconcile || d.Do[0].Step != "install" {
		t.Fatalf("the task was left behind, and it decided %+v", d)
	}
	tp.add(StepStarted{Host: id("a"), Step: "install", Mode: Reconcile})
	if h := tp.host("a"); h.Attempt != 2 {
		t.Errorf("attempt %d, want 2", h.Attempt)
	}
}
