package rollout

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRules: over random fleets, outcomes, crashes and words, in virtual time, no
// rule is ever broken, and every rollout comes to an end or waits for a named thing.
func TestRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		if _, err := s.run(sound()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRivals: two rollouts of one or of two state folders under the same tight budgets,
// their begin steps mixed in any order: never more out than allowed, though both may step
// back; and they get through in the end.
func TestRivals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rivals().Draw(t, "scenario")
		if _, err := s.run(sound()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRivalsGetThrough: where no host goes wrong by itself, stepping back is not for ever.
func TestRivalsGetThrough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rivals().Draw(t, "scenario")
		for host, b := range s.Bodies {
			s.Bodies[host] = behaviour{Pace: b.Pace, Extras: b.Extras}
		}
		for _, p := range s.Parts {
			p.Plan.Quarantined = nil
		}
		for i := range s.Parts {
			s.Parts[i].Late = nil
		}
		w, err := s.run(sound())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range w.ops {
			if o.phase != PhaseFinished {
				for _, e := range o.events {
					t.Logf("%s %s %v %+v", o.ID, e.Time.Format("15:04:05"), e.Seq, e.Entry)
				}
				t.Fatalf("%s is %s, and waits for %+v", o.ID, o.phase, o.said.Waits)
			}
		}
	})
}

// TestDeterministic: the same scenario gives the same events, and folding them again
// gives the same status.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		a, errA := s.run(sound())
		b, errB := s.run(sound())
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		for i, o := range a.ops {
			if !slices.EqualFunc(o.events, b.ops[i].events, sameEvent) {
				t.Fatalf("two runs of %s differ", o.ID)
			}
			again := &State{}
			for _, e := range o.events {
				if err := again.Fold(e); err != nil {
					t.Fatal(err)
				}
			}
			got, errGot := json.Marshal(again.Status(a.now))
			want, errWant := json.Marshal(o.state.Status(a.now))
			if errGot != nil || errWant != nil || !bytes.Equal(got, want) {
				t.Fatalf("folded again: %s\nwant %s", got, want)
			}
		}
	})
}

func sameEvent(a, b Event) bool {
	_, x, _ := Marshal(a.Entry)
	_, y, _ := Marshal(b.Entry)
	return a.Seq == b.Seq && a.Time.Equal(b.Time) && a.Entry.Kind() == b.Entry.Kind() && string(x) == string(y)
}
