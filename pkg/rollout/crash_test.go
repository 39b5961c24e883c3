package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

// TestCrashEverywhere cuts rollouts at every event, with the work of the tasks under way
// done and not done: every host ends as in the uncut run, and nothing happens twice.
func TestCrashEverywhere(t *testing.T) {
	t.Parallel()
	all := rich()
	delete(all, "falls sick") // how often it is tried there depends on the time that a cut costs
	for seed := range 8 {
		s := scenarios().Example(seed)
		for i := range s.Parts { // what people say, they say at other moments in a run that was cut
			s.Parts[i].Crashes, s.Parts[i].Words, s.Parts[i].StopAt, s.Parts[i].Helped, s.Parts[i].Late = nil, nil, 0, false, nil
		}
		s.Parts = s.Parts[:1]
		all[fmt.Sprintf("drawn %d", seed)] = &s
	}
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.cutEverywhere(t)
		})
	}
}

func (s *scenario) cutEverywhere(t *testing.T) {
	t.Helper()
	whole, err := s.run(sound())
	if err != nil {
		t.Fatalf("uncut: %v", err)
	}
	for i, o := range whole.ops {
		for at := range o.events {
			for _, done := range []bool{true, false} {
				where := fmt.Sprintf("%s cut behind event %d (%s), done %v", o.ID, at+1, o.events[at].Entry.Kind(), done)
				cut, err := s.cut(i, uint64(at)+1, done).run(sound())
				if err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				for i := range whole.ops {
					sameEnd(t, whole.ops[i], cut.ops[i], where)
				}
			}
		}
	}
}

func (s *scenario) cut(part int, at uint64, done bool) *scenario {
	cut := *s
	cut.Parts = slices.Clone(s.Parts)
	cut.Parts[part].Crashes = map[uint64]bool{at: done}
	return &cut
}

// sameEnd: a halted rollout may have begun other hosts when the timing changed; each
// host that both runs began must have come to the same end.
func sameEnd(t *testing.T, whole, cut *operator, where string) {
	t.Helper()
	if whole.phase == PhaseFinished && cut.phase != PhaseFinished {
		t.Fatalf("%s: %s, and uncut it finished: %+v", where, cut.phase, cut.said.Waits)
	}
	for _, id := range slices.SortedFunc(maps.Keys(whole.truth), fact.HostID.Compare) {
		a, b := whole.truth[id], cut.truth[id]
		if a.begun && b.begun && a.final != b.final {
			t.Fatalf("%s: %s is %s, and uncut %s", where, id, b.final, a.final)
		}
		if whole.phase != PhaseFinished {
			continue
		}
		x, y := whole.w.bodies[id], cut.w.bodies[id]
		if a.begun != b.begun || a.try != b.try || !maps.Equal(a.effects, b.effects) {
			t.Fatalf("%s: %s was begun %v, try %d, with the effects %v; uncut %v, %d, %v", where, id, b.begun, b.try, b.effects, a.begun, a.try, a.effects)
		}
		if x.drained != y.drained || x.sick != y.sick || x.locked != y.locked || !maps.Equal(x.installed, y.installed) {
			t.Fatalf("%s: %s ends as %+v, and uncut as %+v", where, id, *y, *x)
		}
	}
}

// TestRare: nothing is broken in the scenarios that the mutations are shown first.
func TestRare(t *testing.T) {
	for i, s := range rare() {
		if _, err := s.run(sound()); err != nil {
			t.Errorf("scenario %d: %v", i, err)
		}
	}
}

// TestRichEnds: the scenarios written by hand come to the end that they are there for.
func TestRichEnds(t *testing.T) {
	want := map[string]string{
		"soak": "finished", "drain": "finished", "retry": "finished", "step back": "finished finished",
		"one folder": "finished finished", "units": "finished", "calendar": "finished", "falls sick": "finished",
		"taking back": "finished", "taken back": "finished finished",
	}
	for name, s := range rich() {
		w, err := s.run(sound())
		var phases []string
		for _, o := range w.ops {
			phases = append(phases, string(o.phase))
		}
		if got := strings.Join(phases, " "); err != nil || got != want[name] {
			t.Errorf("%s: %s, want %s: %v; it waits for %+v", name, got, want[name], err, w.ops[0].said.Waits)
		}
	}
}
