package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// TestRules: over random fleets, outcomes, crashes and words, in virtual time, no
// rule is ever broken, and every rollout comes to an end or waits for a named thing.
func TestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		if _, err := s.run(sound()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDeterministic: the same scenario gives the same events, and folding them again
// gives the same status.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		a, errA := s.run(sound())
		b, errB := s.run(sound())
		if errA != nil || errB != nil || !slices.EqualFunc(a.events, b.events, sameEvent) {
			t.Fatalf("two runs differ: %v, %v", errA, errB)
		}
		again := &State{}
		for _, e := range a.events {
			if err := again.Fold(e); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := fmt.Sprintf("%+v", again.Status()), fmt.Sprintf("%+v", a.state.Status()); got != want {
			t.Fatalf("folded again: %s\nwant %s", got, want)
		}
	})
}

func sameEvent(a, b Event) bool {
	_, x, _ := Marshal(a.Entry)
	_, y, _ := Marshal(b.Entry)
	return a.Seq == b.Seq && a.Time.Equal(b.Time) && a.Entry.Kind() == b.Entry.Kind() && string(x) == string(y)
}

// TestCrashEverywhere cuts one rollout at every event, with the work of the tasks done
// and not done: every host ends as in the uncut run, and nothing happens twice.
func TestCrashEverywhere(t *testing.T) {
	for seed := range 30 {
		s := scenarios().Example(seed)
		s.Crashes, s.Words, s.StopAt = nil, nil, 0
		whole, err := s.run(sound())
		if err != nil {
			t.Fatalf("seed %d, uncut: %v", seed, err)
		}
		for at := 1; at <= len(whole.events); at++ {
			for _, done := range []bool{true, false} {
				s.Crashes = map[uint64]bool{uint64(at): done}
				cut, err := s.run(sound())
				if err != nil {
					t.Fatalf("seed %d, cut behind event %d (%s), done %v: %v", seed, at, whole.events[at-1].Entry.Kind(), done, err)
				}
				sameEnd(t, whole, cut, fmt.Sprintf("seed %d, cut behind event %d, done %v", seed, at, done))
			}
		}
	}
}

// sameEnd: a halted rollout may have begun other hosts when the timing changed; each
// host that both runs began must have come to the same end.
func sameEnd(t *testing.T, whole, cut *world, where string) {
	t.Helper()
	if whole.phase == PhaseFinished && cut.phase != PhaseFinished {
		t.Fatalf("%s: %s, and uncut it finished", where, cut.phase)
	}
	for _, id := range slices.SortedFunc(maps.Keys(whole.truth), fact.HostID.Compare) {
		a, b := whole.truth[id], cut.truth[id]
		if a.begun && b.begun && a.final != b.final {
			t.Fatalf("%s: %s is %s, and uncut %s", where, id, b.final, a.final)
		}
		if whole.phase == PhaseFinished && a.begun != b.begun {
			t.Fatalf("%s: %s begun %v, and uncut %v", where, id, b.begun, a.begun)
		}
	}
}

// TestMutations: for each rule a deliberately broken policy is caught; else the
// properties would prove nothing.
func TestMutations(t *testing.T) {
	tests := []struct {
		rule   string
		mutate func(*policy)
	}{
		{"rule 1: the gate is always open", func(p *policy) {
			p.gate = func(*State, *ring) verdict { return verdict{state: GateOpen} }
		}},
		{"rule 1: touched-then-unknown counts as healthy", func(p *policy) {
			p.gate = func(s *State, r *ring) verdict {
				if v := s.judge(r); v.state != GateInconclusive {
					return v
				}
				return verdict{state: GateOpen}
			}
		}},
		{"rule 3: the failure limit does not stop", func(p *policy) {
			p.tripped = func(*ring) bool { return false }
			p.room = func(r *ring) int { return max(0, 1-r.by[HostWorking]) }
		}},
		{"rule 3: one failure too many", func(p *policy) {
			p.tripped = func(r *ring) bool { return r.failures() > r.FailureLimit+1 }
			p.room = func(r *ring) int { return max(0, 1-r.by[HostWorking]) }
		}},
		{"rule 3: hosts in flight are not held to the allowance", func(p *policy) {
			p.room = func(r *ring) int { return max(0, max(1, r.MaxInFlight)-r.by[HostWorking]) }
		}},
		{"rule 4: begun again after a crash", func(p *policy) {
			p.mode = func(*host) Mode { return Start }
		}},
		{"rule 5: sick hosts prove too", func(p *policy) { p.freeze = freezeAll }},
		{"rule 5: a later ring works without its set", func(p *policy) {
			p.set = func(*ring) patch.Digest { return "" }
		}},
		{"rule 5: what is proven gets lost", func(p *policy) {
			p.freeze = func(*State, *ring) patch.PatchSet { return plan.Freeze(nil) }
		}},
		{"batches: all at once", func(p *policy) {
			p.next = func(r *ring, hosts []*host, room int) []int {
				whole := *r
				whole.Batches = nil
				return whole.next(hosts, room)
			}
		}},
		{"rule 6: hosts at work are left when the rollout stops", func(p *policy) {
			p.carryOn = func(s *State) bool { return s.phase == PhaseOpen }
		}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			p := sound()
			tt.mutate(&p)
			rule, _, _ := strings.Cut(tt.rule, ":")
			for seed := range 3000 {
				s := scenarios().Example(seed)
				if _, err := s.run(p); err != nil && strings.HasPrefix(err.Error(), rule) {
					t.Logf("caught at seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("nobody noticed that %s is broken", rule)
		})
	}
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
