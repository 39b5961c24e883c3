package rollout

import (
	"testing"

	"pgregory.net/rapid"
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
