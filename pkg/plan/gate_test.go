package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// gated has two windows, two lists, and gates at production.
func gated(t *testing.T) Input {
	t.Helper()
	in := everything(t)
	site := in.Inventory.Sites["hq"]
	site.Windows["nights"] = weekend()
	site.Approvers["desk"] = []string{"kim@hq.example", "kim@hq.example", "lee@hq.example"}
	in.Urgent = false
	return in
}

func TestGateIsResolved(t *testing.T) {
	p := build(t, gated(t))
	test, ring := p.Rings[0], p.Rings[1]
	if test.Window != "" || test.Gate.Soak != nil || test.Gate.Approval != nil {
		t.Errorf("test: %+v", test)
	}
	g := ring.Gate
	if ring.Window != "weekend" || g.Soak.For != 48*time.Hour || g.MinParticipation != 90 || g.Coverage != 80 || len(g.Checks) != 1 || p.Urgent {
		t.Errorf("production: %+v", ring)
	}
	if got := fmt.Sprint(*g.Approval); got != "{board [jane@hq.example omar@hq.example] 1 168h0m0s}" {
		t.Errorf("approval %s", got)
	}
	if p.FailureLimit == nil || *p.FailureLimit != 3 { // half of the 7 hosts that are not in quarantine
		t.Errorf("failure limit %v", p.FailureLimit)
	}
}

func TestUrgentLane(t *testing.T) {
	span := func(d time.Duration) *time.Duration { return &d }
	text := func(s string) *string { return &s }
	gateOf := func(lane playbook.Urgent) [2]Ring {
		in := gated(t)
		in.Urgent, in.Playbook.Urgent = true, &lane
		p := build(t, in)
		if !p.Urgent {
			t.Error("the plan does not say that it is urgent")
		}
		return [2]Ring{p.Rings[0], p.Rings[1]}
	}
	if r := gateOf(playbook.Urgent{})[1]; r.Window != "weekend" || r.Gate.Soak.For != 48*time.Hour || r.Gate.Approval.Approvers != "board" {
		t.Errorf("a lane that says nothing: %+v", r)
	}
	rings := gateOf(playbook.Urgent{Soak: span(4 * time.Hour), Window: text("any"), Approval: &playbook.Approval{Approvers: "desk", Count: 2}})
	r := rings[1]
	if r.Window != "" || r.Gate.Soak.For != 4*time.Hour || r.Gate.Soak.Interval != 10*time.Minute || r.Gate.Soak.Successes != 2 || r.Gate.Coverage != 80 {
		t.Errorf("the lane: %+v %+v", r, r.Gate.Soak)
	}
	if got := fmt.Sprint(r.Gate.Approval.People, r.Gate.Approval.Count); got != "[kim@hq.example lee@hq.example] 2" {
		t.Errorf("approval %s", got)
	}
	if g := rings[0].Gate; g.Soak != nil || g.Approval != nil {
		t.Errorf("the test ring has a gate: %+v", g)
	}
	if r := gateOf(playbook.Urgent{Soak: span(0), Window: text("nights")}); r[1].Gate.Soak != nil || r[1].Window != "nights" || r[0].Window != "nights" {
		t.Errorf("no soak, and a window: %+v", r)
	}
}

func TestUrgentSoak(t *testing.T) {
	ring := &playbook.Soak{For: 48 * time.Hour, Pace: playbook.Pace{InitialDelay: 2 * time.Hour, Interval: 5 * time.Minute}, MaxGap: time.Hour}
	if s := urgentSoak(ring, 4*time.Hour); s.Interval != 5*time.Minute || s.InitialDelay != 10*time.Minute || s.MaxGap != time.Hour || ring.For != 48*time.Hour {
		t.Errorf("the ring's pace: %+v", s)
	}
	if s := urgentSoak(nil, 10*time.Minute); s.For != 10*time.Minute || s.Interval != time.Minute || s.MaxGap != soakGap {
		t.Errorf("a ring without a soak: %+v", s)
	}
	if s := urgentSoak(nil, 100*time.Hour); s.Interval != time.Hour {
		t.Errorf("a long one: %+v", s)
	}
}

func TestGateMistakes(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Input)
		want   string
	}{
		"no such window":     {func(in *Input) { in.Playbook.Rings[1].Window = "nosuch" }, "site hq has no window named nosuch"},
		"no such list":       {func(in *Input) { in.Playbook.Rings[1].Gate.Approval = &playbook.Approval{Approvers: "nosuch"} }, "no list of approvers named nosuch"},
		"too few people":     {func(in *Input) { in.Playbook.Rings[1].Gate.Approval = &playbook.Approval{Approvers: "desk", Count: 3} }, "asks for 3 approvals, and the list desk of site hq has 2"},
		"no urgent lane":     {func(in *Input) { in.Urgent, in.Playbook.Urgent = true, nil }, "the playbook monthly has no urgent lane"},
		"order of nobody":    {func(in *Input) { in.Playbook.Rings[1].Order = []string{"nosuch"} }, "nosuch"},
		"silence of nobody":  {func(in *Input) { in.Playbook.Silences[0].Hosts = "nosuch" }, "nosuch"},
		"a hook for nobody":  {func(in *Input) { in.Playbook.Hooks[0].Hosts = "nosuch" }, "nosuch"},
		"not a calendar":     {func(in *Input) { in.Playbook.Freezes = []schedule.Freeze{{From: "soon"}} }, "windows and freezes of site hq can't be used"},
		"never long enough":  {func(in *Input) { in.Takes["debian 12 amd64"] = 4 * time.Hour }, "ring production: its window (weekend) is never open for longer than 6h without a break, and there and back 8h are needed: hq/lb1, hq/sw1, hq/sw2 and 3 more would never be started"},
		"a lane that's shut": {func(in *Input) { w := "nosuch"; in.Urgent, in.Playbook.Urgent = true, &playbook.Urgent{Window: &w} }, "ring test: site hq has no window named nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			in := gated(t)
			tt.change(&in)
			_, err := Build(in)
			refused(t, err, tt.want)
		})
	}
}

// Nobody is asked to approve a ring that has no hosts here, and no window is missed.
func TestEmptyRingHasNoGate(t *testing.T) {
	in := gated(t)
	in.Limit, in.Playbook.Rings[1].Window = []fact.HostID{id("t1")}, "nosuch"
	if r := build(t, in).Rings[1]; r.Window != "" || r.Gate.Approval != nil || r.Gate.Soak != nil {
		t.Errorf("%+v", r)
	}
}

// Hosts that just fit are no error; and a window of six hours is enough for three.
func TestJustFits(t *testing.T) {
	in := gated(t)
	in.Takes["debian 12 amd64"] = 3 * time.Hour
	if _, err := Build(in); err != nil {
		t.Error(err)
	}
}

func TestCalendarOf(t *testing.T) {
	in := gated(t)
	c := CalendarOf(in.Inventory, in.Playbook, "hq")
	if c.Zone != "Europe/London" || len(c.Windows) != 2 || len(c.Freezes) != 2 || c.Freezes[1].Reason != "audit" {
		t.Errorf("%+v", c)
	}
	c.Windows["other"] = schedule.Window{}
	c.Freezes[0].Reason = "changed"
	if site := in.Inventory.Sites["hq"]; len(site.Windows) != 2 || site.Freezes[0].Reason != "year-end" {
		t.Error("the calendar and the inventory share what changes")
	}
	plain := CalendarOf(&inventory.Inventory{Sites: map[string]inventory.Site{"hq": {Timezone: time.UTC}}}, &playbook.Playbook{}, "hq")
	if plain.Zone != "" || plain.Windows != nil || plain.Freezes != nil {
		t.Errorf("%+v is not the zero calendar", plain)
	}
}
