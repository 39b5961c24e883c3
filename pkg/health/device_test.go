package health

import (
	"fmt"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
)

func deviceState(rule fact.Rule, items ...string) fact.Snapshot {
	return fact.Snapshot{Sections: map[string]fact.Section{"bgp": {Known: true, Rule: rule, Tolerance: 0.02, Items: items}}}
}

func TestDeviceDiff(t *testing.T) {
	for _, c := range []struct {
		before, after fact.Snapshot
		want          Verdict
		seen          string
	}{
		{deviceState(fact.RuleKeep, "a", "b"), deviceState(fact.RuleKeep, "a", "b", "c"), Pass, "2 before, 3 after"},
		{deviceState(fact.RuleKeep, "a", "b"), deviceState(fact.RuleKeep, "c"), Fail, "was well, and is not: a, b"},
		{deviceState(fact.RuleKeep), deviceState(fact.RuleKeep), Pass, "0 before, 0 after"},
		{deviceState(fact.RuleNoNew, "fan"), deviceState(fact.RuleNoNew), Pass, "1 before, 0 after"},
		{deviceState(fact.RuleNoNew), deviceState(fact.RuleNoNew, "booted from backup"), Fail, "new: booted from backup"},
		{deviceState(fact.RuleCount, "1000"), deviceState(fact.RuleCount, "500", "481"), Pass, "1000 before, 981 after"},
		{deviceState(fact.RuleCount, "1000"), deviceState(fact.RuleCount, "979"), Fail, "was 1000, is 979: more than 2% apart"},
		{deviceState(fact.RuleCount, "1000"), deviceState(fact.RuleCount, "1021"), Fail, "was 1000, is 1021: more than 2% apart"},
		{deviceState(fact.RuleCount, "0"), deviceState(fact.RuleCount, "0"), Pass, "0 before, 0 after"},
		{deviceState(fact.RuleCount, "many"), deviceState(fact.RuleCount, "1"), Unknown, "it is not a number"},
		{deviceState("other", "a"), deviceState("other", "a"), Unknown, "nobody knows how to compare it"},
		{deviceState(fact.RuleKeep, "a"), deviceState(fact.RuleNoNew, "a"), Unknown, "it was compared in another way before"},
		{deviceState(fact.RuleKeep, "a"), fact.Snapshot{}, Unknown, "can't be read: nobody asked"},
		{fact.Snapshot{}, deviceState(fact.RuleKeep, "a"), Unknown, "could not be read before: nobody asked"},
	} {
		got := Diff(c.before, c.after)
		if len(got) != 1 || got[0].Verdict != c.want || got[0].Seen != c.seen || got[0].Check != "default_diff bgp" {
			t.Errorf("%+v to %+v: got %+v, want %v %q", c.before, c.after, got, c.want, c.seen)
		}
	}
}

// What can't be read, before or after, never passes.
func TestDeviceDiffOfWhatIsNotKnown(t *testing.T) {
	for _, rule := range []fact.Rule{fact.RuleKeep, fact.RuleNoNew, fact.RuleCount} {
		known := deviceState(rule, "1")
		unread := fact.Snapshot{Sections: map[string]fact.Section{"bgp": {Rule: rule, Why: "% Invalid input"}}}
		for _, pair := range [][2]fact.Snapshot{{known, unread}, {unread, known}, {unread, unread}} {
			if got := Worst(Diff(pair[0], pair[1])); got != Unknown {
				t.Errorf("%s: %v, want unknown: %s", rule, got, fmt.Sprint(pair))
			}
		}
	}
}
