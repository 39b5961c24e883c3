package rollout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// settle makes a rollout whose test ring has ended with so many hosts in each state.
func settle(limit int, states map[HostState]int, unasked int) (*State, *ring) {
	first := &ring{Ring: plan.Ring{Name: "test", FailureLimit: limit}, by: states, unasked: unasked, opened: true}
	for _, n := range states {
		first.ended += n
	}
	first.all = make([]int, first.ended)
	second := &ring{Ring: plan.Ring{Name: "production"}, at: 1, by: map[HostState]int{}}
	return &State{phase: PhaseOpen, rings: []*ring{first, second}}, second
}

func TestGate(t *testing.T) {
	type states = map[HostState]int
	tests := []struct {
		name    string
		limit   int
		states  states
		unasked int
		want    GateState
		reason  string
	}{
		{"all healthy", 0, states{HostHealthy: 2}, 0, GateOpen, "2 of 2 hosts healthy"},
		{"some with nothing to do", 0, states{HostHealthy: 1, HostNothing: 5}, 0, GateOpen, "5 with nothing to do"},
		{"nobody had anything to do", 0, states{HostNothing: 3}, 0, GateOpen, "nothing is proven"},
		{"nobody had anything to do, one of 20 gone", 0, states{HostNothing: 19, HostUnreachable: 1}, 0, GateOpen, "nothing is proven"},
		{"no hosts at all", 0, states{}, 0, GateOpen, "nothing is proven"},
		{"one failed, limit 0", 0, states{HostHealthy: 1, HostFailed: 1}, 0, GateClosed, "1 of 2 hosts failed or are unknown, and the limit is 0"},
		{"one failed, limit 1", 1, states{HostHealthy: 1, HostFailed: 1}, 0, GateOpen, "1 failed (limit 1)"},
		{"all failed within the limit", 2, states{HostFailed: 2}, 0, GateClosed, "nothing is proven"},
		{"failed, the rest had nothing to do", 1, states{HostFailed: 1, HostNothing: 3}, 0, GateClosed, "nothing is proven"},
		{"touched then unknown within the limit", 5, states{HostHealthy: 9, HostUnknown: 1}, 0, GateInconclusive, "changed and then unknown"},
		{"unknown, but never touched", 5, states{HostHealthy: 39, HostUnknown: 1}, 1, GateOpen, "39 of 40"},
		{"never touched counts as gone", 5, states{HostHealthy: 9, HostUnknown: 1}, 1, GateClosed, "only 9 of 10 hosts took part"},
		{"one of 19 gone", 0, states{HostHealthy: 18, HostUnreachable: 1}, 0, GateClosed, "only 18 of 19 hosts took part, and 95 % must"},
		{"one of 20 gone", 0, states{HostHealthy: 19, HostUnreachable: 1}, 0, GateOpen, "19 of 20"},
		{"gone and unknown", 5, states{HostHealthy: 8, HostUnknown: 1, HostUnreachable: 1}, 0, GateClosed, "look at them"},
		{"still at work", 0, states{HostHealthy: 2}, 0, GateClosed, "2 of 3 hosts have ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, second := settle(tt.limit, tt.states, tt.unasked)
			if tt.name == "still at work" {
				s.rings[0].all = make([]int, 3)
			}
			s.setCalendar(schedule.Calendar{})
			v := s.judge(second, time.Time{})
			if v.state != tt.want || !strings.Contains(strings.Join(v.reasons, "\n"), tt.reason) {
				t.Errorf("%q %q, want %q %q", v.state, v.reasons, tt.want, tt.reason)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	o := twoRings()
	o.Problems = map[string]plan.Problem{"hq/c": {Code: "host_key_changed", What: "the key changed", Hint: "look"}}
	tp := newTape(t, o)
	st := tp.s.Status(time.Time{})
	if st.Rings[0].Gate != GateClosed || st.Rings[1].Gate != GateClosed || st.Phase != PhaseOpen {
		t.Errorf("before anything: %+v", st)
	}
	c := st.Hosts[2]
	if c.State != HostUnreachable || c.Code != "host_key_changed" || c.Touched || c.Notes[0] != "look" {
		t.Errorf("a host with a problem is %+v", c)
	}
	tp.add(GateOpened{Ring: "test", Reasons: []string{"first"}})
	tp.step(FlowBegin, began())
	for _, s := range began().Began.Steps {
		tp.step(s, StepEnded{Outcome: OutcomeOK, Proven: []patch.Proven{{Domain: "debian 12 amd64", Name: "bash", Version: "2"}}})
	}
	d := tp.s.Decide(Moment{})
	open, _ := d.Record[0].(GateOpened)
	if open.Ring != "production" || len(open.Frozen.Proven) != 1 || open.Set != plan.SetDigest(open.Frozen) {
		t.Fatalf("decided %+v", d)
	}
	tp.add(open)
	if got, ok := tp.s.Frozen(open.Set); !ok || len(got.Proven) != 1 {
		t.Error("the frozen set is not to be had")
	}
	st = tp.s.Status(time.Time{})
	if st.Rings[1].Gate != GateOpen || st.Rings[1].Set != open.Set || st.Rings[0].ByState[HostHealthy] != 1 || st.Rings[0].Ended.IsZero() {
		t.Errorf("with the gate open: %+v", st.Rings)
	}
	d = tp.s.Decide(Moment{})
	if len(d.Do) != 1 || d.Do[0].Set != open.Set || d.Do[0].Host != id("b") || d.Do[0].Ring != "production" {
		t.Errorf("the next task is %+v", d.Do)
	}
}

func TestOpenOfPlan(t *testing.T) {
	p := &plan.Plan{Playbook: "monthly", Site: "hq", Rings: twoRings().Rings, Hosts: []plan.Host{
		{ID: id("a"), Install: []patch.Update{{Name: "bash"}}}, {ID: id("b")}, {ID: id("c"), Problem: &plan.Problem{Code: "auth", What: "no"}},
	}}
	o := Open("r", p, "sha256:x")
	if fmt.Sprint(o.Idle) != fmt.Sprint([]fact.HostID{id("b")}) || len(o.Problems) != 1 || o.Problems["hq/c"].What != "no" {
		t.Errorf("opened as %+v", o)
	}
	tp := newTape(t, o)
	if tp.host("b").State != HostNothing || tp.host("a").State != HostWaiting {
		t.Errorf("hosts are %+v", tp.s.Status(time.Time{}).Hosts)
	}
}
