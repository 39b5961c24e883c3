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

// A configuration may lose a few lines to new software, and no more. Where there was none,
// nobody can tell.
func TestConfigurationsAreCompared(t *testing.T) {
	lines := func(n, gone int) fact.Snapshot {
		s := fact.Section{Known: true, Rule: fact.RuleMost, Tolerance: 0.02}
		for i := gone; i < n; i++ {
			s.Items = append(s.Items, fmt.Sprint(i))
		}
		return fact.Snapshot{Sections: map[string]fact.Section{fact.SectionConfiguration: s, "bgp": {Known: true, Rule: fact.RuleKeep}}}
	}
	for _, c := range []struct {
		n, gone int
		want    Verdict
		seen    string
	}{
		{30, 0, Pass, "all 30 lines are there"},
		{30, 3, Pass, "3 of 30 lines are worded in another way: compare it with what was kept"},
		{30, 4, Fail, "4 of 30 lines are gone"},
		{1000, 20, Pass, "20 of 1000 lines are worded in another way: compare it with what was kept"},
		{1000, 21, Fail, "21 of 1000 lines are gone"},
		{5, 5, Fail, "5 of 5 lines are gone"},
		{0, 0, Unknown, "there was nothing to compare with"},
	} {
		got := Configuration(lines(c.n, 0), lines(c.n, c.gone))
		if len(got) != 1 || got[0].Verdict != c.want || got[0].Seen != c.seen {
			t.Errorf("%d of %d: %+v", c.gone, c.n, got)
		}
	}
	if got := Configuration(lines(3, 0), fact.Snapshot{}); Worst(got) != Unknown {
		t.Errorf("after that nobody could read: %+v", got)
	}
	if got := Configuration(fact.Snapshot{}, fact.Snapshot{}); Worst(got) != Unknown {
		t.Errorf("nothing at all: %+v", got)
	}
}
