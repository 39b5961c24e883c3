package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// What Fold must refuse of the entries that are gathered for gates, and of retries.
func TestFoldRefusesForGates(t *testing.T) {
	gate := plan.Gate{Soak: hours(4), Approval: board(1), Checks: []playbook.Inquiry{{Name: "q", When: playbook.WhenBoth}}}
	odd := schedule.Calendar{Zone: "Mars/Phobos"}
	waiting := func() *tape { return gated(t, gate) }
	early := func() *tape {
		o := twoRings()
		o.Rings[1].Gate = gate
		return newTape(t, o)
	}
	over := func() *tape { return waiting().add(Aborted{}) }
	open := func() *tape {
		return waiting().add(GateOpened{Ring: "production", Set: plan.SetDigest(plan.Freeze(nil)), Frozen: plan.Freeze(nil)})
	}
	good := Approved{Ring: "production", By: "j", As: people[0], Expires: saturday.Add(time.Hour)}
	change := func(c func(*Approved)) Approved { a := good; c(&a); return a }
	tests := []struct {
		name string
		tape func() *tape
		bad  Entry
		want string
	}{
		{"opened with a calendar of no zone", func() *tape { return newTape(t) }, Opened{Rollout: "r", Rings: twoRings().Rings, Calendar: odd}, "calendar"},
		{"a calendar of no zone", waiting, CalendarSet{Calendar: odd}, "calendar"},
		{"a calendar for what is over", over, CalendarSet{}, "aborted"},
		{"an override without a reason", waiting, WindowOverridden{Until: saturday}, "for a reason"},
		{"an override of what is over", over, WindowOverridden{Reason: "r", Until: saturday}, "aborted"},
		{"an approval of no ring", waiting, change(func(a *Approved) { a.Ring = "x" }), "no ring"},
		{"an approval that nobody asked for", func() *tape { return gated(t, plan.Gate{}) }, good, "asks for no approval"},
		{"an approval of a ring that is open", open, good, "open already"},
		{"an approval of another plan", waiting, change(func(a *Approved) { a.Plan = "sha256:x" }), "another plan"},
		{"an approval by nobody known", waiting, change(func(a *Approved) { a.As = "eve" }), "not one of the approvers"},
		{"an approval by the starter", waiting, change(func(a *Approved) { a.By = starter }), "can't approve it"},
		{"an approval as the starter", waiting, change(func(a *Approved) { a.As = starter }), "can't approve it"},
		{"an approval of what is over", over, good, "aborted"},
		{"a waiver in no ring", waiting, Waived{Ring: "x", What: WaiveSoak, Reason: "r"}, "no ring"},
		{"a waiver without a reason", waiting, Waived{Ring: "production", What: WaiveSoak}, "needs a reason"},
		{"a waiver of no soak", waiting, Waived{Ring: "test", What: WaiveSoak, Reason: "r"}, "asks for no soak"},
		{"a waiver of no check", waiting, Waived{Ring: "production", What: "check:x", Reason: "r"}, "has no check x"},
		{"a waiver of an approval", waiting, Waived{Ring: "production", What: "approval", Reason: "r"}, "can't be waived"},
		{"a waiver of what is over", over, Waived{Ring: "production", What: WaiveSoak, Reason: "r"}, "aborted"},
		{"a sample of no ring", waiting, Sampled{Ring: "x"}, "no ring"},
		{"a sample that nobody asked for", func() *tape { return gated(t, plan.Gate{}) }, Sampled{Ring: "production"}, "asks for no soak"},
		{"a sample too early", early, Sampled{Ring: "production"}, "have not ended"},
		{"a sample too late", open, Sampled{Ring: "production"}, "open already"},
		{"an answer for no ring", waiting, Asked{Ring: "x", Check: "q", When: before}, "no ring"},
		{"an answer to no check", waiting, Asked{Ring: "production", Check: "x", When: before}, "has no check"},
		{"an answer at no time", waiting, Asked{Ring: "production", Check: "q"}, "before or after"},
		{"an answer at both times", waiting, Asked{Ring: "production", Check: "q", When: playbook.WhenBoth}, "before or after"},
		{"an answer after a ring that has not ended", waiting, Asked{Ring: "production", Check: "q", When: after}, "has not ended"},
		{"a retry of nobody", waiting, Retried{}, "no host is named"},
		{"a retry of an unknown host", waiting, Retried{Hosts: ids("z")}, "not in this rollout"},
		{"a retry of a host that waits", waiting, Retried{Hosts: ids("b")}, "is waiting"},
		{"a retry of a host that is well", waiting, Retried{Hosts: ids("a")}, "is healthy"},
		{"a retry of a host twice", sickOne(t), Retried{Hosts: ids("a", "a")}, "is failed"},
		{"a retry of what is over", func() *tape { return sickOne(t)().add(Aborted{}) }, Retried{Hosts: ids("a")}, "aborted"},
		{"a retry of a host that the plan could not look into", unplanned(t), Retried{Hosts: ids("b")}, "is unreachable"},
		{"a start of an old try", func() *tape { return sickOne(t)().add(Retried{Hosts: ids("a")}) }, StepStarted{Host: id("a"), Step: FlowBegin, Mode: Start}, "its try 2, not 1"},
		{"a start of a try to come", waiting, StepStarted{Host: id("b"), Step: FlowBegin, Mode: Start, Try: 2}, "its try 1, not 2"},
		{"a step back from another step", func() *tape { return upTo(t, "install").add(StepStarted{Host: id("a"), Step: "install", Mode: Start}) }, StepEnded{Host: id("a"), Step: "install", Outcome: OutcomeBack}, "can't step back"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := tt.tape()
			seq := tp.s.Seq()
			err := tp.s.Fold(Event{Seq: seq + 1, Time: tp.now, Entry: tt.bad})
			if err == nil || !strings.Contains(err.Error(), tt.want) || tp.s.Seq() != seq {
				t.Errorf("Fold: %v, want %q", err, tt.want)
			}
		})
	}
}

// sickOne is a rollout whose first host has failed.
func sickOne(t *testing.T) func() *tape {
	t.Helper()
	return func() *tape { return upTo(t, FlowBegin).step(FlowBegin, StepEnded{Outcome: OutcomeFailed}) }
}

// unplanned is a rollout with a host that the plan could not look into.
func unplanned(t *testing.T) func() *tape {
	t.Helper()
	return func() *tape {
		o := twoRings()
		o.Problems = map[string]plan.Problem{"hq/b": {Code: "auth", What: "no"}}
		return newTape(t, o)
	}
}

// A retry takes back a halt, and begins what it names anew; what is over stays over.
func TestRetried(t *testing.T) {
	tp := sickOne(t)().add(Halted{Ring: "test", Reasons: []string{"one failed"}})
	e, err := tp.s.Retry(nil, "looked at it")
	if err != nil || len(e.Hosts) != 1 || e.Hosts[0] != id("a") {
		t.Fatalf("%+v, %v", e, err)
	}
	tp.add(e)
	if d := tp.s.Decide(Moment{Now: saturday}); tp.s.Phase() != PhaseOpen || len(d.Do) != 1 || d.Do[0].Try != 2 || d.Do[0].Host != id("a") {
		t.Errorf("%s, and it decided %+v", tp.s.Phase(), d)
	}
	tp.step(FlowBegin, StepEnded{Outcome: OutcomeUnreachable})
	if e, err := tp.s.Retry(nil, ""); err == nil {
		t.Errorf("what can't be reached is tried again without being named: %+v", e)
	}
	if _, err := tp.s.Retry([]fact.HostID{id("a")}, ""); err != nil {
		t.Error(err)
	}
}

// A host that fell sick in a soak is begun again though it came through healthy; and a
// rollout that is finished is open again when one of its hosts is.
func TestRetriedLater(t *testing.T) {
	tp := gated(t, plan.Gate{Soak: hours(4)})
	tp.at(time.Hour).add(Sampled{Ring: "production", Fail: 1, Changed: map[string]string{"hq/a": "check nginx: fail"}})
	if got := tp.s.Sick("production"); got["hq/a"] == "" || tp.s.Sick("x") != nil {
		t.Errorf("sick are %v", got)
	}
	e, err := tp.s.Retry(nil, "")
	if err != nil || len(e.Hosts) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	if h := tp.add(e).host("a"); h.State != HostWaiting || !h.Touched {
		t.Errorf("begun again: %+v", h)
	}
	o := twoRings()
	o.Rings, o.Rings[0].FailureLimit = o.Rings[:1], 1
	tp = newTape(t, o, GateOpened{Ring: "test"}).step(FlowBegin, StepEnded{Outcome: OutcomeFailed}).add(Finished{})
	if d := tp.s.Decide(Moment{Now: saturday}); len(d.Do)+len(d.Record)+len(d.Waits) > 0 {
		t.Errorf("finished, and it decided %+v", d)
	}
	if tp.add(Retried{Hosts: ids("a")}); tp.s.Phase() != PhaseOpen || len(tp.s.Decide(Moment{Now: saturday}).Do) != 1 {
		t.Errorf("begun again, and it is %s", tp.s.Phase())
	}
}
