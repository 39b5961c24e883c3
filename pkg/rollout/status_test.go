package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// What a gate has gathered is told, before it opens and afterwards.
func TestProgress(t *testing.T) {
	gate := plan.Gate{
		Soak: hours(2), Approval: board(1),
		Checks: []playbook.Inquiry{{Name: "q", When: playbook.WhenBoth, Pace: playbook.Pace{Interval: time.Hour}}},
	}
	tp := gated(t, gate)
	if p := tp.s.Status(tp.now).Rings[0].Progress; p != nil {
		t.Errorf("a ring that asks for nothing tells %+v", p)
	}
	tp.sampled([4]int{1, 3, 0, 0}, [4]int{2, 3, 0, 1})
	tp.add(approved(people[1], "sha256:another"), approved(people[0], tp.setOf("production")))
	tp.add(Asked{Ring: "production", Check: "q", When: before, Verdict: health.Pass, Seen: "change 7 is open"})
	p := tp.s.Status(tp.now).Rings[1].Progress
	if s := p.Soak; s.Soaked != time.Hour || s.For != 2*time.Hour || s.Samples != 2 || s.Pass != 3 || s.Unknown != 1 || !s.Doubtful || s.Passed || s.Shut {
		t.Errorf("soak %+v", s)
	}
	if a := p.Approval; a.Approvers != "board" || a.Count != 1 || len(a.Given) != 1 || a.Given[0].As != people[0] {
		t.Errorf("approval %+v", a)
	}
	if q := p.Inquiries; len(q) != 2 || !q[0].Passed || q[0].Seen != "change 7 is open" || q[1].When != after || q[1].Asked != 0 || q[1].Passed {
		t.Errorf("inquiries %+v", q)
	}
	tp.sampled([4]int{3, 3, 0, 0}, [4]int{4, 3, 0, 0})
	d := tp.s.Decide(Moment{Now: tp.now})
	if len(d.Do) != 1 || d.Do[0].Ask != "check:q" {
		t.Fatalf("two hours after the answer it decided %+v", d)
	}
	tp.add(Asked{Ring: "production", Check: "q", When: before, Verdict: health.Pass})
	tp.add(tp.s.Decide(Moment{Now: tp.now}).Record...)
	if p = tp.s.Status(tp.now.Add(100 * time.Hour)).Rings[1].Progress; !p.Soak.Passed || len(p.Approval.Given) != 1 {
		t.Errorf("opened long ago: %+v, %+v", p.Soak, p.Approval)
	}
}

// Whatever is at work, and whatever was left out, is told.
func TestStatusTells(t *testing.T) {
	tp := upTo(t, "install").add(StepStarted{Host: id("a"), Step: "install", Mode: Start})
	if got := tp.s.AtWork(); len(got) != 1 || got[0] != "hq/a (install)" {
		t.Errorf("at work: %v", got)
	}
	if tp.s.ID() != "r" || tp.s.Plan() != "" || tp.s.Budgeted() {
		t.Errorf("%s, %s, budgeted %v", tp.s.ID(), tp.s.Plan(), tp.s.Budgeted())
	}
	d := tp.s.Decide(Moment{Live: tp.live()})
	if len(d.Waits) != 1 || d.Waits[0].For != "hq/a is at work (install)" {
		t.Errorf("it waits for %+v", d.Waits)
	}
	left := patch.Left{Update: patch.Update{Name: "bash", Security: patch.Yes}, Reason: patch.ReasonUntested}
	p := &plan.Plan{Hosts: []plan.Host{{ID: id("a")}, {ID: id("b"), Left: []patch.Left{left}}, {ID: id("c")}}}
	if n := tp.s.Status(saturday).SecurityLeft(p); n != 1 {
		t.Errorf("%d security fixes were left out, want 1", n)
	}
	empty := &State{}
	if d := empty.Decide(Moment{}); len(d.Waits) != 1 || !d.Waits[0].Person {
		t.Errorf("not opened, and it decided %+v", d)
	}
}

// The calendar that holds is the last that was journaled; an override lets hosts outside
// their window, is told, and lets nobody into a freeze.
func TestCalendars(t *testing.T) {
	tp := gated(t, plan.Gate{}, weekends).at(24 * time.Hour)
	closed := func(says string) {
		t.Helper()
		if d := tp.s.Decide(Moment{Now: tp.now}); len(d.Record) > 0 || !strings.Contains(d.Waits[0].For, says) || !d.Wake.After(tp.now) {
			t.Errorf("want %q, and it decided %+v", says, d)
		}
	}
	closed("opens not before Sat 22:00 Europe/London: window weekend")
	frozen := weekend()
	frozen.Freezes = []schedule.Freeze{{From: "2026-11-20", Through: "2026-11-29", Reason: "year-end"}}
	tp.add(CalendarSet{Calendar: frozen}, WindowOverridden{Reason: "CVE-2026-1", Until: tp.now.Add(3 * time.Hour)})
	closed("freeze: year-end")
	tp.add(CalendarSet{Calendar: weekend()})
	if got := tp.s.Calendar(); len(got.Freezes) != 0 || got.Zone != "Europe/London" {
		t.Errorf("the calendar is %+v", got)
	}
	d := tp.s.Decide(Moment{Now: tp.now})
	if len(d.Record) != 1 || !strings.Contains(strings.Join(d.Record[0].(GateOpened).Reasons, ";"), "window weekend overridden: CVE-2026-1") {
		t.Fatalf("overridden, and it decided %+v", d)
	}
	tp.add(d.Record[0]).at(28 * time.Hour)
	closed("window weekend")
}

// A host starts only if there is time for the way there and back.
func TestTimeForTheWayBack(t *testing.T) {
	tp := gated(t, plan.Gate{}, weekends, func(o *Opened) {
		o.Rings[1].FailureLimit = 9
		o.Takes = map[string]time.Duration{"hq/b": 4 * time.Hour, "hq/c": time.Hour}
	})
	for at, want := range map[time.Duration]string{
		0: "hq/c", 4 * time.Hour: "hq/c", 4*time.Hour + time.Second: "", 7*24*time.Hour + 4*time.Hour: "hq/c",
	} {
		open := *tp
		open.s = &State{}
		for _, e := range []Entry{tp.s.opened, GateOpened{Ring: "test"}} {
			open.add(e)
		}
		open.through().add(GateOpened{Ring: "production", Set: plan.SetDigest(plan.Freeze(nil)), Frozen: plan.Freeze(nil)})
		var got []string
		d := open.s.Decide(Moment{Now: saturday.Add(at)})
		for _, task := range d.Do {
			got = append(got, task.Host.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("at %s %v begin, want %s", at, got, want)
		}
		if want == "" && (len(d.Waits) != 1 || d.Waits[0].Until.IsZero()) {
			t.Errorf("at %s it waits for %+v", at, d.Waits)
		}
	}
}
