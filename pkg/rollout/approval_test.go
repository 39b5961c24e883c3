package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

func board(count int) *plan.Approval {
	return &plan.Approval{Approvers: "board", People: people, Count: count, Expires: 24 * time.Hour}
}

// approved is a word for the production ring, that holds for a day.
func approved(as string, set patch.Digest) Approved {
	return Approved{Ring: "production", Set: set, By: as, As: as, Expires: saturday.Add(24 * time.Hour)}
}

func TestApprovals(t *testing.T) {
	jane, omar := people[0], people[1]
	tests := []struct {
		name  string
		count int
		words func(patch.Digest) []Approved
		at    time.Duration
		want  string
		open  bool
	}{
		{"none", 1, func(patch.Digest) []Approved { return nil }, 0, "approval: board 0 of 1", false},
		{"one", 1, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, 0, "approval: board 1 of 1 (jane@hq.example, unauthenticated)", true},
		{"one of two", 2, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, 0, "approval: board 1 of 2", false},
		{"the same person twice", 2, func(s patch.Digest) []Approved { return []Approved{approved(jane, s), approved(jane, s)} }, 0, "approval: board 1 of 2", false},
		{"two names typed by one", 2, func(s patch.Digest) []Approved {
			other := approved(omar, s)
			other.By = jane
			return []Approved{approved(jane, s), other}
		}, 0, "approval: board 1 of 2", false},
		{"two", 2, func(s patch.Digest) []Approved { return []Approved{approved(jane, s), approved(omar, s)} }, 0, "approval: board 2 of 2", true},
		{"for another set", 1, func(patch.Digest) []Approved { return []Approved{approved(jane, "sha256:other")} }, 0, "approval: board 0 of 1", false},
		{"for no set", 1, func(patch.Digest) []Approved { return []Approved{approved(jane, "")} }, 0, "approval: board 0 of 1", false},
		{"still good", 1, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, 24*time.Hour - 1, "approval: board 1 of 1", true},
		{"run out", 1, func(s patch.Digest) []Approved { return []Approved{approved(jane, s)} }, 24 * time.Hour, "approval: board 0 of 1", false},
		{"run out, and given again", 1, func(s patch.Digest) []Approved {
			again := approved(jane, s)
			again.Expires = saturday.Add(72 * time.Hour)
			return []Approved{approved(jane, s), again}
		}, 48 * time.Hour, "approval: board 1 of 1", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tp := gated(t, plan.Gate{Approval: board(tt.count)})
			for _, a := range tt.words(tp.setOf("production")) {
				tp.add(a)
			}
			v := tp.at(tt.at).verdict()
			if (v.state == GateOpen) != tt.open || v.wait.Person == tt.open || !strings.Contains(strings.Join(v.reasons, "; "), tt.want) {
				t.Errorf("%q, person %v: %q; want %q", v.state, v.wait.Person, v.reasons, tt.want)
			}
		})
	}
}

// An approval is for the set that the ring would get: after a retry that proved more, it
// is another.
func TestApprovalIsForOneSet(t *testing.T) {
	o := twoRings()
	o.Rings[0].Hosts, o.Rings[0].FailureLimit = append(o.Rings[0].Hosts, id("a2")), 1
	o.Rings[1].Gate.Approval = board(1)
	tp := (&tape{t: t, s: &State{}}).at(0).add(o, GateOpened{Ring: "test"})
	if _, err := tp.s.Approve("production", people[0], people[0], "", false, tp.now); err == nil {
		t.Error("it was approved before anybody knew what it gets")
	}
	tp.through().add(StepStarted{Host: id("a2"), Step: FlowBegin, Mode: Start}, StepEnded{Host: id("a2"), Step: FlowBegin, Outcome: OutcomeFailed})
	a, err := tp.s.Approve("production", people[0], people[0], "fine", false, tp.now)
	if err != nil || a.Expires != tp.now.Add(24*time.Hour) || a.Set != tp.setOf("production") {
		t.Fatalf("%+v, %v", a, err)
	}
	tp.add(a)
	if v := tp.verdict(); v.state != GateOpen {
		t.Fatalf("approved, and %q: %q", v.state, v.reasons)
	}
	tp.add(Retried{Hosts: []fact.HostID{id("a2")}})
	a2 := &tape{t: t, s: tp.s, now: tp.now}
	a2.add(StepStarted{Host: id("a2"), Step: FlowBegin, Mode: Start, Try: 2})
	end := began()
	end.Host, end.Step = id("a2"), FlowBegin
	a2.add(end)
	for _, step := range end.Began.Steps {
		e := StepEnded{Host: id("a2"), Step: step, Outcome: OutcomeOK}
		if step == FlowVerify {
			e.Proven = []patch.Proven{{Domain: "debian 12 amd64", Name: "nginx", Version: "9"}}
		}
		a2.add(StepStarted{Host: id("a2"), Step: step, Mode: Start, Try: 2}, e)
	}
	if v := tp.verdict(); v.state == GateOpen || !strings.Contains(v.wait.For, "board 0 of 1") {
		t.Errorf("the ring would get more than was approved, and the gate is %q: %q", v.state, v.reasons)
	}
}

func TestWords(t *testing.T) {
	gate := plan.Gate{Soak: hours(48), Approval: board(1), Checks: []playbook.Inquiry{{Name: "q", When: before, Pace: playbook.Pace{FailureLimit: 2}}}}
	tests := []struct {
		name string
		say  func(*State) error
		want string // empty: taken
	}{
		{"an approval", func(s *State) error {
			_, err := s.Approve("production", "j", people[0], "", false, saturday)
			return err
		}, ""},
		{"by somebody who is not on the list", func(s *State) error { _, err := s.Approve("production", "j", "eve", "", false, saturday); return err }, "not one of the approvers"},
		{"by the starter", func(s *State) error {
			_, err := s.Approve("production", starter, people[0], "", false, saturday)
			return err
		}, "can't approve it"},
		{"as the starter", func(s *State) error { _, err := s.Approve("production", "j", starter, "", false, saturday); return err }, "can't approve it"},
		{"of a ring that asks for none", func(s *State) error { _, err := s.Approve("test", "j", people[0], "", false, saturday); return err }, "open already"},
		{"of no ring", func(s *State) error { _, err := s.Approve("x", "j", people[0], "", false, saturday); return err }, "no ring"},
		{"the soak waived", func(s *State) error { _, err := s.Waive("production", WaiveSoak, "j", "why"); return err }, ""},
		{"without a reason", func(s *State) error { _, err := s.Waive("production", WaiveSoak, "j", ""); return err }, "needs a reason"},
		{"an approval waived", func(s *State) error { _, err := s.Waive("production", "approval", "j", "why"); return err }, "can't be waived"},
		{"a freeze waived", func(s *State) error { _, err := s.Waive("production", "freeze", "j", "why"); return err }, "can't be waived"},
		{"a soak that there is not", func(s *State) error { _, err := s.Waive("test", WaiveSoak, "j", "why"); return err }, "asks for no soak"},
		{"a check that there is not", func(s *State) error { _, err := s.Waive("production", "check:x", "j", "why"); return err }, "has no check"},
		{"a check that nobody asked", func(s *State) error { _, err := s.Waive("production", "check:q", "j", "why"); return err }, "not inconclusive"},
		{"in no ring", func(s *State) error { _, err := s.Waive("x", WaiveSoak, "j", "why"); return err }, "no ring"},
		{"a retry where nothing failed", func(s *State) error { _, err := s.Retry(nil, ""); return err }, "no host is named"},
		{"a retry of a healthy host", func(s *State) error { _, err := s.Retry([]fact.HostID{id("a")}, ""); return err }, "is healthy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.say(gated(t, gate).s)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// What was seen to fail is not waived, neither before the waiver nor behind it.
func TestWaivers(t *testing.T) {
	gate := plan.Gate{Soak: hours(48), Checks: []playbook.Inquiry{{Name: "q", When: before, Pace: playbook.Pace{Interval: time.Hour, FailureLimit: 2}}}}
	gate.Soak.FailureLimit = 2
	tp := gated(t, gate).sampled([4]int{1, 5, 1, 0})
	if _, err := tp.s.Waive("production", WaiveSoak, "j", "why"); err == nil {
		t.Error("a soak that sees a sick host was waived")
	}
	tp.sampled([4]int{2, 6, 0, 0})
	w, err := tp.s.Waive("production", WaiveSoak, "j", "the vendor insists")
	if err != nil {
		t.Fatal(err)
	}
	tp.add(w)
	if v := tp.verdict(); strings.Contains(strings.Join(v.reasons, ";"), "soak") || len(v.ask) != 1 {
		t.Errorf("waived, and it waits for %q, asks %+v", v.reasons, v.ask)
	}
	tp.sampled([4]int{3, 5, 1, 0}) // it was on its way when the soak was waived
	if v := tp.verdict(); !strings.Contains(v.wait.For, "soak waived by j: the vendor insists") {
		t.Errorf("a host fell sick behind the waiver, and it waits for %q", v.wait.For)
	}
	tp.sampled([4]int{4, 6, 0, 0})
	tp.add(Asked{Ring: "production", Check: "q", When: before, Verdict: health.Unknown, Seen: "no answer"})
	w, err = tp.s.Waive("production", "check:q", "j", "the change system is down")
	if err != nil {
		t.Fatal(err)
	}
	tp.add(w)
	if v := tp.verdict(); v.state != GateOpen || !strings.Contains(strings.Join(v.reasons, ";"), "check q (before) waived by j: the change system is down") {
		t.Errorf("both are waived, and the gate is %q: %q", v.state, v.reasons)
	}
	tp.add(Asked{Ring: "production", Check: "q", When: before, Verdict: health.Fail, Seen: "no change is open"})
	if v := tp.verdict(); v.state == GateOpen {
		t.Error("a check that failed behind its waiver is waived")
	}
}
