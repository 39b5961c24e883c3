package rollout

import (
	"maps"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// rich are scenarios written by hand in which much happens, and which end the same way
// whenever a process dies. They stand first among the examples of the mutations.
func rich() map[string]*scenario {
	return map[string]*scenario{
		"soak": soaking(), "drain": draining(), "retry": retrying(), "step back": steppingBack(),
		"one folder": oneFolder(), "units": inUnits(), "calendar": byCalendar(), "falls sick": fallingSick(),
		"taking back": takingBack(), "taken back": takenBack(),
	}
}

// soaking: a host falls ill for one sample, a board must approve, and questions are
// asked before and after.
func soaking() *scenario {
	s := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c", "d"))
	s.Parts[0].Prompt = true
	first, second := &s.Parts[0].Plan.Rings[0], &s.Parts[0].Plan.Rings[1]
	pace := playbook.Pace{Interval: time.Hour, FailureLimit: 1, Successes: 2}
	second.Gate = plan.Gate{
		Soak:     &playbook.Soak{For: 4 * time.Hour, Pace: pace, MaxGap: 3 * time.Hour},
		Approval: &plan.Approval{Approvers: "board", People: people, Count: 2, Expires: 7 * 24 * time.Hour},
		Checks:   []playbook.Inquiry{{Name: "change", When: playbook.WhenBoth, Pace: pace}},
	}
	first.Gate.Checks = []playbook.Inquiry{{Name: "errors", When: after, Pace: pace}}
	return s.ill("a", 100*time.Minute, 150*time.Minute)
}

// draining: all the steps around the work, and a host that can't be drained.
func draining() *scenario {
	s := fleet(ringNamed("test", "a", "b", "c"), ringNamed("production", "d", "e"))
	s.extras(Extras{Silence: true, Before: true, Drain: true, After: true}, "a", "b", "c", "d", "e")
	s.fails("b", FlowDrain, OutcomeFailed).fails("c", FlowCheck, OutcomeFailed).fails("e", FlowUndrain, OutcomeFailed)
	s.Parts[0].Helped = false
	return s
}

// fallingSick: a host that was healthy does not stay so in the soak, which halts the
// rollout; it is looked at again until it is well.
func fallingSick() *scenario {
	s := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c")).ill("a", time.Hour, 80*time.Minute)
	s.Parts[0].Plan.Rings[1].Gate.Soak = hours(3)
	return s.extras(Extras{Drain: true}, "a")
}

// retrying: failures halt the rollout, and the hosts are begun again: one that was
// touched, one that was not, one whose state nobody could tell.
func retrying() *scenario {
	s := fleet(ringNamed("test", "a", "b", "c"), ringNamed("production", "d"))
	for i := range s.Parts[0].Plan.Rings {
		s.Parts[0].Plan.Rings[i].FailureLimit = 0
	}
	s.Parts[0].Plan.Rings[1].Gate.Soak = hours(2)
	s.extras(Extras{Drain: true}, "a", "b", "c")
	return s.fails("a", "reboot", OutcomeUnreachable).fails("b", "preflight", OutcomeFailed).fails("c", FlowVerify, OutcomeFailed)
}

// steppingBack: peers outside the rings are not well for a while, and another operator
// works on hosts of the same budget from a folder of their own.
func steppingBack() *scenario {
	s := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c"))
	s.another("other", 1, "x", "y")
	return s.under(1, "a", "b", "c", "peer", "x", "y").ill("peer", 0, 40*time.Minute).ill("peer", 2*time.Hour, 150*time.Minute)
}

// oneFolder: two rollouts of one state folder share two places.
func oneFolder() *scenario {
	s := fleet(ringNamed("test", "a", "b", "c"))
	s.another("other", 0, "x", "y", "z")
	return s.under(2, "a", "b", "c", "x", "y", "z").extras(Extras{Drain: true}, "a", "x")
}

// inUnits: pairs, stages, batches and a limit of the whole rollout.
func inUnits() *scenario {
	s := fleet(ringNamed("test", "a"), ringNamed("production", "p1", "p2", "q1", "q2", "r", "s"))
	p := s.Parts[0].Plan
	two, ring := 2, &p.Rings[1]
	p.FailureLimit, ring.Batches, ring.Stages = &two, []int{1, 2}, []int{5, 1}
	for i := range p.Hosts {
		if name := p.Hosts[i].ID.Name; name[0] == 'p' || name[0] == 'q' {
			p.Hosts[i].Unit = name[:1]
		}
	}
	p.Budgets = append(p.Budgets, plan.Budget{Name: "unit p", Most: 1, Hosts: ring.Hosts[:2], Members: true},
		plan.Budget{Name: "unit q", Most: 1, Hosts: ring.Hosts[2:4], Members: true})
	return s.fails("q1", "install", OutcomeFailed)
}

// byCalendar: a window of two hours a night, in which one host fits a time, and a freeze
// on the second day.
func byCalendar() *scenario {
	s := fleet(ringNamed("test", "a"), ringNamed("production", "b", "c", "d"))
	p := s.Parts[0].Plan
	p.Calendar = nights(2 * time.Hour)
	p.Calendar.Freezes = []schedule.Freeze{{From: day(26), Through: day(26), Reason: "year-end"}}
	p.Rings[1].Window, p.Rings[1].MaxInFlight = "night", 1
	for i := range p.Hosts {
		p.Hosts[i].Takes = 50 * time.Minute
		s.Bodies[p.Hosts[i].ID] = behaviour{Tries: []script{{Check: health.Pass, Takes: map[platform.StepID]int{"install": 30}}}}
	}
	return s
}

// nights is a window from ten in the evening on, every day, in London.
func nights(length time.Duration) schedule.Calendar {
	var days []schedule.Day
	for day := range 7 {
		days = append(days, schedule.Day{Weekday: time.Weekday(day)})
	}
	night := schedule.Window{Rules: []schedule.Rule{{Days: days, Start: "22:00", Length: length}}}
	return schedule.Calendar{Zone: "Europe/London", Windows: map[string]schedule.Window{"night": night}}
}

// another adds a rollout of one ring, of a state folder.
func (s *scenario) another(name string, folder int, hosts ...string) {
	other := fleet(ringNamed("all", hosts...))
	other.Parts[0].ID, other.Parts[0].Plan.Playbook, other.Parts[0].Folder = name, name, folder
	s.Parts = append(s.Parts, other.Parts...)
	maps.Copy(s.Bodies, other.Bodies)
}

// rare are scenarios in which something happens that random ones seldom have.
func rare() []*scenario {
	again := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c")).fails("b", "install", OutcomeFailed)
	again.Parts[0].Plan.Rings[1].Gate.Soak = hours(4)
	again.saysAfter(word{What: sayRetry, Host: -1}, func(e Entry) bool { s, is := e.(Sampled); return is && s.Pass == 1 })

	frozen := byCalendar()
	frozen.saysAfter(word{What: sayOverride, For: 100 * time.Hour}, ends("c", FlowEnd))

	shared := fleet(ringNamed("test", "a", "b"))
	shared.another("other", 1, "a", "x")

	cut := fleet(ringNamed("test", "a"))
	cut.Parts[0].Crashes = map[uint64]bool{cut.seqOf(begins("a", "install")): true}

	sick := fleet(ringNamed("test", "a"), ringNamed("production", "b")).ill("a", time.Hour, 100*time.Minute)
	sick.Parts[0].Plan.Rings[1].Gate.Soak = hours(3)

	asked := fleet(ringNamed("test", "a"))
	asked.Parts[0].Plan.Rings[0].Gate.Checks = []playbook.Inquiry{{Name: "q", When: before, Pace: playbook.Pace{Interval: time.Hour}}}
	asked.Parts[0].Answers = map[string][]health.Verdict{"before q": {health.Fail, health.Pass}}

	unknown := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c")).fails("b", "install", OutcomeUnknown)

	wrong := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c")).fails("b", FlowCheck, OutcomeFailed)
	wrong.Parts[0].Plan.Hosts[1].Install[0].To = "3"

	hurried := fleet(ringNamed("test", "a"), ringNamed("production", "b"))
	hurried.Parts[0].Plan.Rings[1].Gate.Soak = hours(48)
	hurried.saysAfter(word{What: sayWaive, Ring: 1}, ends("a", FlowEnd))

	doubted := fleet(ringNamed("test", "a"))
	doubted.Parts[0].Plan.Rings[0].Gate.Checks = asked.Parts[0].Plan.Rings[0].Gate.Checks
	doubted.Parts[0].Answers = map[string][]health.Verdict{"before q": {health.Unknown, health.Pass}}

	tired := soaking() // one approves, and by the time the other does, that has run out
	tired.Parts[0].Prompt = false
	tired.Parts[0].Plan.Rings[1].Gate.Approval.Expires = time.Hour

	for _, s := range []*scenario{sick, asked, unknown, wrong, hurried, doubted} {
		s.Parts[0].Helped = false // a retry would begin the soak and the questions anew
	}
	return append(rareBack(), again, frozen, shared, cut, tired, sick, asked, unknown, wrong, hurried, doubted)
}
