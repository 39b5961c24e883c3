package rollout

import (
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
