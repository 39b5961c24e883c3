package rollout

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// goingBack is a rollout whose playbook takes failed hosts back.
func goingBack() Opened {
	o := twoRings()
	o.OnFailure = plan.OnFailure{Rollback: true}
	o.Budgets = []plan.Budget{{Name: "group web", Most: 1, Hosts: []fact.HostID{id("a"), id("b")}}}
	return o
}

// beganWith begins a host that gets bash, and can be taken back as the light says.
func beganWith(light plan.Light) StepEnded {
	end := began()
	end.Began.Return = plan.Return{Light: light}
	end.Began.Work = patch.Work{Install: []patch.Update{{Name: "bash", From: "1", To: "2"}}}
	return end
}

// failing brings host a to its end with an installation that failed, or could not be told.
func failing(t *testing.T, o Opened, light plan.Light, how Outcome) *tape {
	t.Helper()
	tp := newTape(t, o, GateOpened{Ring: "test"}).step(FlowBegin, beganWith(light))
	for _, s := range began().Began.Steps {
		if s == "install" {
			tp.step(s, StepEnded{Outcome: how, Reasons: []string{"postinst"}})
			break
		}
		tp.step(s, ok())
	}
	if how == OutcomeFailed {
		tp.step(FlowEnd, ok())
	}
	return tp
}

func decision(tp *tape) Decision { return tp.s.Decide(Moment{Now: saturday.Add(48 * 60 * 60 * 1e9)}) }

// TestRollbackByItself: a confirmed failure of a host that can go back is taken back, and
// nothing else is.
func TestRollbackByItself(t *testing.T) {
	for name, tt := range map[string]struct {
		open  Opened
		light plan.Light
		how   Outcome
		want  bool
	}{
		"green":           {goingBack(), plan.Green, OutcomeFailed, true},
		"amber":           {goingBack(), plan.Amber, OutcomeFailed, true},
		"red":             {goingBack(), plan.Red, OutcomeFailed, false},
		"could not tell":  {goingBack(), plan.Green, OutcomeUnknown, false},
		"on_failure halt": {func() Opened { o := goingBack(); o.OnFailure = plan.OnFailure{}; return o }(), plan.Green, OutcomeFailed, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := decision(failing(t, tt.open, tt.light, tt.how))
			asked := len(d.Record) == 1 && d.Record[0].Kind() == kindRollbackAsked
			if asked != tt.want {
				t.Errorf("recorded %+v", d.Record)
			}
		})
	}
}

// TestRollbackGoesTheWay: the host is begun again, the other way round, though its budget
// is used up by itself, and ends as rolled back; nothing of it is proven.
func TestRollbackGoesTheWay(t *testing.T) {
	tp := failing(t, goingBack(), plan.Green, OutcomeFailed)
	tp.add(decision(tp).Record...)
	if h := tp.host("a"); h.State != HostRollback || !h.Back || len(h.Did) != 1 {
		t.Fatalf("%+v", h)
	}
	if _, out := tp.s.IsOut(id("a")); !out {
		t.Error("a host that waits to be taken back is out of use")
	}
	d := decision(tp)
	if len(d.Do) != 1 || !d.Do[0].Back || d.Do[0].Try != 2 || d.Do[0].Step != FlowBegin {
		t.Fatalf("%+v", d.Do)
	}
	tp.through()
	h := tp.host("a")
	if h.State != HostRolledBack || len(h.Did) != 1 {
		t.Errorf("%+v", h)
	}
	if _, out := tp.s.IsOut(id("a")); out {
		t.Error("it is well again, and in use")
	}
	d = decision(tp)
	if len(d.Record) != 1 || d.Record[0].Kind() != kindHalted {
		t.Errorf("a ring whose host was taken back has not come through: %+v", d.Record)
	}
	tp.add(d.Record...)
	if d := decision(tp); len(d.Do)+len(d.Record) > 0 {
		t.Errorf("it is not taken back twice: %+v", d)
	}
}

// TestRollbackThatFails is not tried again by itself.
func TestRollbackThatFails(t *testing.T) {
	tp := failing(t, goingBack(), plan.Green, OutcomeFailed)
	tp.add(decision(tp).Record...)
	tp.step(FlowBegin, StepEnded{Outcome: OutcomeFailed, Reasons: []string{"bash 1 can be had nowhere"}})
	if h := tp.host("a"); h.State != HostFailed || !h.Back {
		t.Errorf("%+v", h)
	}
	for range 3 {
		d := decision(tp)
		for _, e := range d.Record {
			if e.Kind() == kindRollbackAsked {
				t.Fatal("tried again")
			}
		}
		tp.add(d.Record...)
	}
}

// TestRollbackByAPerson takes healthy hosts back too, halts the rollout, and is refused
// where there is nothing to take back.
func TestRollbackByAPerson(t *testing.T) {
	o := twoRings()
	tp := newTape(t, o, GateOpened{Ring: "test"})
	if _, err := tp.s.Rollback([]fact.HostID{id("a")}, "why"); err == nil || !strings.Contains(err.Error(), "changed nothing") {
		t.Errorf("an untouched host: %v", err)
	}
	tp.step(FlowBegin, beganWith(plan.Red))
	for _, s := range began().Began.Steps {
		tp.step(s, ok())
	}
	e, err := tp.s.Rollback(nil, "slow since then")
	if err != nil || len(e.Hosts) != 1 || e.Auto {
		t.Fatalf("%+v %v", e, err)
	}
	tp.add(e)
	if tp.s.Phase() != PhaseHalted || !tp.s.Returning() {
		t.Errorf("%s, returning %v", tp.s.Phase(), tp.s.Returning())
	}
	if _, out := tp.s.IsOut(id("a")); out {
		t.Error("a healthy host that waits is in use")
	}
	if _, err := tp.s.Rollback([]fact.HostID{id("a")}, "again"); err == nil {
		t.Error("asked twice")
	}
	tp.through()
	if h := tp.host("a"); h.State != HostRolledBack || tp.s.Returning() {
		t.Errorf("%+v", h)
	}
	if _, err := tp.s.Retry([]fact.HostID{id("a")}, "mended"); err != nil {
		t.Errorf("a host that was taken back may be begun again: %v", err)
	}
}

// TestRollbackNeedsBudget: a healthy host is taken out of use for it.
func TestRollbackNeedsBudget(t *testing.T) {
	o := goingBack()
	o.OnFailure = plan.OnFailure{}
	tp := newTape(t, o, GateOpened{Ring: "test"}).step(FlowBegin, beganWith(plan.Green))
	for _, s := range began().Began.Steps {
		tp.step(s, ok())
	}
	e, err := tp.s.Rollback(nil, "slow")
	if err != nil {
		t.Fatal(err)
	}
	tp.add(e)
	m := Moment{Now: saturday, Others: map[fact.HostID]string{id("b"): HeldBy + "rollout r9"}}
	if d := tp.s.Decide(m); len(d.Do) != 0 || len(d.Waits) == 0 {
		t.Errorf("begun though the budget is used up: %+v", d)
	}
	if d := tp.s.Decide(Moment{Now: saturday}); len(d.Do) != 1 {
		t.Errorf("not begun though nobody is out: %+v", d)
	}
}

// TestRollbackWindow: what the playbook does by itself keeps to its window.
func TestRollbackWindow(t *testing.T) {
	o := goingBack()
	o.OnFailure.Window = "never"
	tp := failing(t, o, plan.Green, OutcomeFailed)
	tp.add(decision(tp).Record...)
	if d := decision(tp); len(d.Do) != 0 {
		t.Errorf("begun outside the window: %+v", d.Do)
	}
}

// TestNothingIsDoneOfARefusedWork: what a begin step refused was never installed, and is
// not taken back; and a try that could not even begin is no failure of the work.
func TestNothingIsDoneOfARefusedWork(t *testing.T) {
	tp := failing(t, goingBack(), plan.Green, OutcomeUnknown)
	tp.add(Retried{Hosts: []fact.HostID{id("a")}})
	refused := beganWith(plan.Green)
	refused.Outcome = OutcomeFailed
	refused.Began.Work.Install = []patch.Update{{Name: "other", From: "1", To: "2"}}
	tp.step(FlowBegin, refused)
	if h := tp.host("a"); h.State != HostFailed || len(h.Did) != 1 || h.Did[0].Name != "bash" {
		t.Errorf("%+v", h)
	}
	if d := decision(tp); len(d.Record) > 0 && d.Record[0].Kind() == kindRollbackAsked {
		t.Errorf("nobody knows whether it has failed, and it is taken back: %+v", d.Record)
	}
}

// TestRollbackTakenOver: a person's word does without the window that the playbook's waits for.
func TestRollbackTakenOver(t *testing.T) {
	o := goingBack()
	o.OnFailure.Window = "never"
	tp := failing(t, o, plan.Green, OutcomeFailed)
	tp.add(decision(tp).Record...)
	e, err := tp.s.Rollback(nil, "now")
	if err != nil || len(e.Hosts) != 1 {
		t.Fatal(e, err)
	}
	tp.add(e)
	if d := decision(tp); len(d.Do) != 1 || tp.host("a").Try != 2 {
		t.Errorf("%+v", d)
	}
	if _, err := tp.s.Rollback(nil, "now"); err == nil {
		t.Error("asked twice by a person")
	}
}

// TestRollbackRefusedLeavesInUse: a healthy host that can't even be begun with is in use
// as before, and that is told.
func TestRollbackRefusedLeavesInUse(t *testing.T) {
	tp := newTape(t, twoRings(), GateOpened{Ring: "test"}).step(FlowBegin, beganWith(plan.Red))
	for _, s := range began().Began.Steps {
		tp.step(s, ok())
	}
	e, err := tp.s.Rollback(nil, "slow")
	if err != nil {
		t.Fatal(err)
	}
	tp.add(e).step(FlowBegin, StepEnded{Outcome: OutcomeFailed, Reasons: []string{"bash 1 can be had nowhere"}})
	h := tp.host("a")
	if _, out := tp.s.IsOut(id("a")); out || h.State != HostFailed || len(h.Notes) != 1 {
		t.Errorf("out %v: %+v", out, h)
	}
}

// TestDidRemembersTheFirst: over several tries, what was there before the first counts.
func TestDidRemembersTheFirst(t *testing.T) {
	of := func(w patch.Work) *Began { return &Began{Work: w, Changing: []platform.StepID{"repair", StepInstall}} }
	first := of(patch.Work{Install: []patch.Update{{Name: "bash", From: "1", To: "2"}, {Name: "new", To: "1"}}})
	second := of(patch.Work{Install: []patch.Update{{Name: "bash", From: "2", To: "3"}, {Name: "new", From: "1", To: "2"}}})
	did := Did(Did(nil, first, StepInstall), second, StepInstall)
	if len(did) != 2 || did[0] != (patch.Update{Name: "bash", From: "1", To: "3"}) || did[1] != (patch.Update{Name: "new", To: "2"}) {
		t.Errorf("%+v", did)
	}
	if again := Did(did, second, StepInstall); !slices.Equal(again, did) {
		t.Errorf("looked at again, it is another: %+v", again)
	}
	back := of(patch.Work{Back: true, Install: []patch.Update{{Name: "x", From: "2", To: "1"}}})
	for name, got := range map[string][]patch.Update{
		"the way back": Did(did, back, StepInstall), "a repair": Did(did, of(patch.Work{Install: []patch.Update{{Name: "y", To: "1"}}}), "repair"),
		"nothing begun": Did(did, nil, StepInstall), "no change": Did(did, &Began{Work: patch.Work{Install: []patch.Update{{Name: "y", To: "1"}}}}, StepInstall),
	} {
		if len(got) != 2 {
			t.Errorf("%s adds nothing: %+v", name, got)
		}
	}
}

// TestDidOnlyWhatWasBegun: a work that ends before its installation starts has done nothing.
func TestDidOnlyWhatWasBegun(t *testing.T) {
	tp := newTape(t, goingBack(), GateOpened{Ring: "test"}).step(FlowBegin, beganWith(plan.Green))
	for _, s := range began().Began.Steps {
		if h := tp.host("a"); len(h.Did) != 0 {
			t.Fatalf("before %s: %+v", s, h.Did)
		}
		if s == StepInstall {
			break
		}
		tp.step(s, ok())
	}
	if h := tp.add(StepStarted{Host: id("a"), Step: StepInstall}).host("a"); len(h.Did) != 1 || !h.Touched {
		t.Errorf("%+v", h)
	}
}
