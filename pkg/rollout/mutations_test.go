package rollout

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// mutation is a deliberately broken variant. What it breaks is its name up to the colon;
// the property of that name must notice.
type mutation struct {
	name string
	hurt func(*tampered)
}

// TestMutations: each broken variant is caught, and by its own property; else the
// properties would prove nothing.
func TestMutations(t *testing.T) {
	t.Parallel()
	drawn := sync.OnceValue(examples)
	for _, m := range slices.Concat(ofGate, ofBudget, ofStop, ofTime, ofDrain, ofBack) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			rule, _, _ := strings.Cut(m.name, ":")
			for seed, s := range drawn() {
				broken := tampered{policy: sound()}
				m.hurt(&broken)
				if _, err := s.runTampered(broken); err != nil && strings.HasPrefix(err.Error(), rule) {
					t.Logf("caught at %d: %v", seed, err)
					return
				}
			}
			t.Errorf("nobody noticed that %s is broken", rule)
		})
	}
}

// examples are drawn once for all mutations.
func examples() []scenario {
	var all []scenario
	for _, s := range rare() {
		all = append(all, *s)
	}
	written := rich()
	for _, name := range slices.Sorted(maps.Keys(written)) {
		all = append(all, *written[name])
	}
	for seed := range 300 {
		all = append(all, scenarios().Example(seed), rivals().Example(seed))
	}
	return all
}

// withGate judges a ring whose gate asks for less than it does.
func withGate(less func(*State, *ring)) func(*tampered) {
	return func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			other := *r
			other.Gate.Checks = slices.Clone(r.Gate.Checks)
			other.approved, other.waived = slices.Clone(r.approved), slices.Clone(r.waived)
			less(s, &other)
			return s.judge(&other, now)
		}
	}
}

var ofGate = []mutation{
	{"rule 1: the gate is always open", func(b *tampered) {
		b.gate = func(*State, *ring, time.Time) verdict { return verdict{state: GateOpen} }
	}},
	{"rule 1: touched-then-unknown counts as healthy", func(b *tampered) {
		b.gate = func(s *State, r *ring, now time.Time) verdict {
			if v := s.judge(r, now); v.state != GateInconclusive || !v.final {
				return v
			}
			return verdict{state: GateOpen}
		}
	}},
	{"rule 1: nobody waits for the soak", withGate(func(_ *State, r *ring) { r.Gate.Soak = nil })},
	{"rule 1: time without samples counts as soaked", withGate(func(s *State, r *ring) {
		if k := &r.soak; k.samples > 0 {
			k.soaked = k.last.Sub(s.quiet(r))
		}
	})},
	{"rule 1: failed samples are forgotten", withGate(func(_ *State, r *ring) { r.soak.failed = 0 })},
	{"rule 1: a soak goes on where it was after a retry", func(b *tampered) {
		kept := map[string]soaked{}
		b.fold = func(s *State, e Entry) {
			for _, r := range s.rings {
				if _, retried := e.(Retried); retried && !r.opened && len(kept[s.opened.Rollout+r.Name].sick) == 0 {
					r.soak = kept[s.opened.Rollout+r.Name]
				}
				kept[s.opened.Rollout+r.Name] = r.soak
			}
		}
	}},
	{"rule 1: nobody is asked for an approval", withGate(func(_ *State, r *ring) { r.Gate.Approval = nil })},
	{"rule 1: approvals never run out", withGate(func(_ *State, r *ring) {
		for i := range r.approved {
			r.approved[i].Expires = beginning.Add(1000 * time.Hour)
		}
	})},
	{"rule 1: one person is enough", withGate(func(_ *State, r *ring) {
		if r.Gate.Approval != nil {
			one := *r.Gate.Approval
			one.Count = 1
			r.Gate.Approval = &one
		}
	})},
	{"rule 1: the user's questions are not asked", withGate(func(_ *State, r *ring) { r.Gate.Checks = nil })},
	{"rule 1: questions that failed are forgotten", func(b *tampered) {
		b.fold = func(s *State, _ Entry) {
			for _, r := range s.rings {
				for _, a := range r.asked {
					a.failed = 0
				}
			}
		}
	}},
	{"rule 1: anything is coverage enough", withGate(func(_ *State, r *ring) { r.Gate.Coverage = 0 })},
	{"rule 1: nobody need take part", withGate(func(_ *State, r *ring) { r.Gate.MinParticipation = 1 })},
	{"rule 1: what nobody could tell needs no waiver", withGate(func(s *State, r *ring) {
		for _, q := range r.Gate.Checks {
			set, _ := s.wanted(r)
			r.waived = append(r.waived, Waived{What: "check:" + q.Name, When: before, Set: set})
		}
	})},
	{"rule 1: a waived soak needs no sample", withGate(func(s *State, r *ring) {
		if set, _ := s.wanted(r); slices.ContainsFunc(r.waived, func(w Waived) bool { return w.What == WaiveSoak && w.Set == set }) {
			r.Gate.Soak = nil
		}
	})},
	{"rule 5: sick hosts prove too", func(b *tampered) { b.freeze = freezeAll }},
	{"rule 5: a later ring works without its set", func(b *tampered) { b.set = func(*ring) patch.Digest { return "" } }},
	{"rule 5: what is proven gets lost", func(b *tampered) {
		b.freeze = func(*State, *ring) patch.PatchSet { return plan.Freeze(nil) }
	}},
}

// freezeAll takes in what was seen installed anywhere.
func freezeAll(s *State, r *ring) patch.PatchSet {
	var proven []patch.Proven
	for _, before := range s.rings[:r.at] {
		for _, at := range before.all {
			proven = append(proven, s.hosts[at].Proven...)
		}
	}
	return plan.Freeze(proven)
}

// eased keeps a budget by less than it asks for.
func eased(less func(*tally)) func(*tampered) {
	return func(b *tampered) {
		b.exceeds = func(t *tally, h *host) *spentBudget {
			other := *t
			less(&other)
			return other.exceeds(h)
		}
	}
}

var ofBudget = []mutation{
	{"rule 2: budgets are not kept", func(b *tampered) {
		b.exceeds = func(*tally, *host) *spentBudget { return nil }
	}},
	{"rule 2: what other rollouts hold does not count", eased(func(t *tally) {
		t.more, t.foreign = map[int]map[string]int{}, map[fact.HostID]string{}
		for _, h := range t.picked {
			t.count(h.ID)
		}
	})},
	{"rule 2: what starts at the same moment does not count", eased(func(t *tally) {
		t.more = map[int]map[string]int{}
		for id := range t.foreign {
			t.count(id)
		}
	})},
	{"rule 2: only the first budget of a host counts", func(b *tampered) {
		b.exceeds = func(t *tally, h *host) *spentBudget {
			other := *h
			other.budgets = h.budgets[:min(1, len(h.budgets))]
			return t.exceeds(&other)
		}
	}},
	{"rule 2: one too many", func(b *tampered) {
		b.exceeds = func(t *tally, h *host) *spentBudget {
			spent := t.exceeds(h)
			if spent != nil && len(t.s.budgets[spent.at].out)+len(t.more[spent.at]) == t.s.budgets[spent.at].Most {
				return nil
			}
			return spent
		}
	}},
	{"rule 2: sick hosts do not count as out", func(b *tampered) {
		b.fold = func(s *State, _ Entry) {
			for _, h := range s.hosts {
				if h.ended && h.out {
					touched, drained, state := h.Touched, h.Drained, h.State
					h.Touched, h.Drained, h.State = false, false, HostFailed
					s.count(h)
					h.Touched, h.Drained, h.State = touched, drained, state
				}
			}
		}
	}},
	{"rule 2: the begin step does not look", func(b *tampered) { b.blind = true }},
	{"rule 2: the begin step looks before it locks", func(b *tampered) { b.lookFirst = true }},
	{"rule 8: the begin step goes on without the lock", func(b *tampered) { b.lockless = true }},
}

var ofStop = []mutation{
	{"rule 3: the failure limit does not stop", func(b *tampered) {
		b.tripped = func(*State, *ring) bool { return false }
		b.room = func(s *State, _ *ring) int { return max(0, 1-len(s.working)) }
	}},
	{"rule 3: one failure too many", func(b *tampered) {
		b.tripped = func(_ *State, r *ring) bool { return r.failures() > r.FailureLimit+1 }
		b.room = func(s *State, _ *ring) int { return max(0, 1-len(s.working)) }
	}},
	{"rule 3: the limit of the whole rollout is not kept", func(b *tampered) {
		b.tripped = func(_ *State, r *ring) bool { return r.tripped() }
		b.room = func(s *State, r *ring) int {
			without := *s
			without.opened.FailureLimit = nil
			return without.room(r)
		}
	}},
	{"rule 3: hosts in flight are not held to the allowance", func(b *tampered) {
		b.room = func(s *State, r *ring) int { return max(0, max(1, r.MaxInFlight)-len(s.working)) }
	}},
	{"rule 4: begun again after a crash", func(b *tampered) { b.mode = func(*host) Mode { return Start } }},
	{"batches: all at once", func(b *tampered) {
		b.next = func(x *search, room int) []int {
			x.end = len(x.r.active)
			return x.next(room)
		}
	}},
	{"rule 6: hosts at work are left when the rollout stops", func(b *tampered) {
		b.carryOn = func(s *State) bool { return s.phase == PhaseOpen }
	}},
}
