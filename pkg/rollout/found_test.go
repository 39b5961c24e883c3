package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/playbook"
)

// TestFound are counterexamples that the properties once gave, cut down by hand: each
// must come to its end.
func TestFound(t *testing.T) {
	after1 := playbook.Inquiry{Name: "shop", When: after, Pace: playbook.Pace{Interval: time.Hour}}
	tests := map[string]func() *scenario{
		"a host of an earlier ring waits for the budget that a sick one of a later ring uses up": func() *scenario {
			s := fleet(ringNamed("test", "a", "b"), ringNamed("production", "c")).under(1, "b", "c")
			return s.fails("b", "preflight", OutcomeFailed).fails("c", "install", OutcomeFailed).saysAfter(word{What: sayRetry, Host: -1}, ends("c", FlowEnd))
		},
		"a host of an earlier batch waits for one of a later batch of its ring": func() *scenario {
			s := fleet(ringNamed("test", "a", "b", "c")).under(1, "b", "c")
			s.Parts[0].Plan.Rings[0].Batches = []int{1}
			return s.fails("b", "preflight", OutcomeFailed).fails("c", "install", OutcomeFailed).saysAfter(word{What: sayRetry, Host: -1}, ends("c", FlowEnd))
		},
		"two who stepped back from each other met again for ever: the pause was spread over 4 s": func() *scenario {
			s := fleet(ringNamed("test", "a"))
			s.another("other", 1, "b")
			for _, host := range []string{"a", "b"} {
				s.Bodies[id(host)] = behaviour{Pace: 7}
			}
			return s.under(1, "a", "b", "peer1", "peer2", "peer3", "peer4")
		},
		"the ring between two had nothing to do, and hides the questions after the first": func() *scenario {
			s := fleet(ringNamed("test", "a"), ringNamed("pilot", "b"), ringNamed("production", "c"))
			s.Parts[0].Plan.Rings[0].Gate.Checks = []playbook.Inquiry{after1}
			s.Parts[0].Plan.Hosts[1].Install = nil
			return s
		},
		"the ring before never opened, so the question after it was taken for one before it": func() *scenario {
			s := fleet(ringNamed("test", "a"), ringNamed("production", "b"))
			s.Parts[0].Plan.Rings[0].Gate.Checks = []playbook.Inquiry{after1}
			s.Parts[0].Plan.Hosts[0].Install = nil
			return s
		},
		"stopped while it waits for the answers after the last ring": func() *scenario {
			s := fleet(ringNamed("test", "a"))
			s.Parts[0].Plan.Rings[0].Gate.Checks = []playbook.Inquiry{after1}
			s.Parts[0].StopAt = 5
			return s
		},
	}
	for name, written := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := written().run(sound())
			if err != nil || w.ops[0].phase != PhaseFinished {
				t.Errorf("it is %s: %v; it waits for %+v", w.ops[0].phase, err, w.ops[0].said.Waits)
			}
		})
	}
}

// A host whose turn can never come uses up a budget that others wait for: somebody must be
// told. (The calendar was changed meanwhile, and its window is too short for it now.)
func TestFoundNobodyWasTold(t *testing.T) {
	s := fleet(ringNamed("test", "a", "b", "c")).under(1, "b", "c")
	p := s.Parts[0].Plan
	p.Rings[0].Batches, p.Rings[0].Window, p.Hosts[2].Takes = []int{1}, "night", 3*time.Hour
	p.Calendar = nights(8 * time.Hour)
	s.fails("b", "preflight", OutcomeFailed).fails("c", "install", OutcomeFailed)
	end := s.seqOf(ends("c", FlowEnd))
	s.Parts[0].Words = map[uint64][]word{end: {{What: sayCalendar, Another: nights(2 * time.Hour)}, {What: sayRetry, Host: -1}}}
	w, err := s.run(sound())
	told := false
	for _, wait := range w.ops[0].said.Waits {
		told = told || wait.Person && strings.Contains(wait.For, "hq/c waits")
	}
	if err != nil || w.ops[0].phase != PhaseOpen || !told {
		t.Errorf("it is %s: %v; it waits for %+v", w.ops[0].phase, err, w.ops[0].said.Waits)
	}
}
