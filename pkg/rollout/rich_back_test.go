package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

// returning makes the playbooks of a scenario take failed hosts back, all of which can be,
// and gives each host a second update, which is new on it.
func (s *scenario) returning(window string) *scenario {
	for _, p := range s.Parts {
		p.Plan.OnFailure = plan.OnFailure{Rollback: true, Window: window}
		for i := range p.Plan.Hosts {
			h := &p.Plan.Hosts[i]
			h.Return = plan.Return{Light: plan.Green}
			h.Install = append(h.Install, patch.Update{Name: "libnew1", Arch: "amd64", To: "1", Dependency: true})
		}
	}
	return s
}

// takingBack: one host fails half-way, one in its checks, one can't be judged; those that
// failed are taken back in a window of two hours, one at a time, and one of them does not
// come back. The ring behind goes on.
func takingBack() *scenario {
	s := fleet(ringNamed("test", "a", "b", "c", "d", "e"), ringNamed("production", "f")).returning("night")
	p := s.Parts[0].Plan
	p.Calendar = nights(2 * time.Hour)
	p.Rings[0].MaxInFlight, p.Rings[1].Gate.Soak = 1, hours(3)
	often := playbook.Pace{Interval: 10 * time.Minute}
	p.Rings[1].Gate.Soak.Pace, p.Rings[0].Gate.Checks = often, []playbook.Inquiry{{Name: "errors", When: after, Pace: often}}
	s.Parts[0].Helped = false
	s.extras(Extras{Silence: true, Drain: true}, "b", "c")
	s.fails("a", "install", OutcomeFailed).fails("b", FlowCheck, OutcomeFailed).fails("c", FlowVerify, OutcomeFailed)
	b := s.Bodies[id("c")]
	b.Tries[1].Ends = map[platform.StepID]Outcome{FlowCheck: OutcomeFailed} // on the way back
	s.Bodies[id("c")] = b
	return s
}

// takenBack: when all is over, somebody wants it all back. Under the budget of the group
// that is one after the other, and another rollout of the state folder counts.
func takenBack() *scenario {
	s := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c"))
	s.another("other", 0, "x")
	s.returning("").under(1, "a", "b", "c", "x").extras(Extras{Drain: true}, "a", "c")
	for i := range s.Parts {
		s.Parts[i].Helped, s.Parts[i].Late = false, []word{{What: sayRollback, Host: -1}}
	}
	return s
}

// rareBack are scenarios of the way back that random ones seldom have.
func rareBack() []*scenario {
	// Nobody could judge it, and the next try can't even begin with it: no failure for sure.
	doubted := fleet(ringNamed("test", "a")).returning("")
	doubted.Bodies[id("a")] = behaviour{Tries: []script{
		{Ends: map[platform.StepID]Outcome{"install": OutcomeUnknown}, Check: health.Pass},
		{Ends: map[platform.StepID]Outcome{FlowBefore: OutcomeFailed}, Check: health.Pass},
		{Ends: map[platform.StepID]Outcome{FlowBegin: OutcomeFailed}, Check: health.Pass},
	}}

	// Paused at the moment in which the last host fails: it is not over.
	paused := fleet(ringNamed("test", "a")).returning("").fails("a", "install", OutcomeFailed)
	paused.saysAfter(word{What: sayPause}, begins("a", "install"))

	// It waits for a window that never comes, and a person's word does without it.
	hurried := fleet(ringNamed("test", "a")).returning("never").fails("a", FlowCheck, OutcomeFailed)
	hurried.Parts[0].Helped, hurried.Parts[0].Late = false, []word{{What: sayRollback, Host: 0}}

	// Healthy hosts wait for a budget on their way back, and the rollout goes on meanwhile.
	both := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c", "d")).returning("").under(1, "a", "b", "c", "d")
	both.Parts[0].Words = map[uint64][]word{}
	end := both.seqOf(ends("b", FlowEnd))
	both.Parts[0].Words[end] = []word{{What: sayRollback, Host: 0}, {What: sayRetry, Host: -1}}
	paused.Parts[0].Helped, both.Parts[0].Helped = false, false
	return []*scenario{doubted, paused, hurried, both, halfway(), halfway(word{What: sayRollback, Host: -1})}
}

// halfway is installed in two parts: a try that failed in the middle of it, and the retry
// that installs the rest. What is said then comes late.
func halfway(then ...word) *scenario {
	s := fleet(ringNamed("test", "a")).returning("").fails("a", "install", OutcomeFailed)
	s.Parts[0].Plan.OnFailure = plan.OnFailure{}
	s.Parts[0].Helped, s.Parts[0].Late = false, append([]word{{What: sayRetry, Host: -1}}, then...)
	return s
}
