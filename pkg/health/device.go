package health

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// Watch is how the state of a device is read, which runs no scripts: exchanges that only
// read, and what makes sections of their answers.
type Watch struct {
	Ask  []remote.Exchange
	Read func([]remote.Result) map[string]fact.Section
}

// deviceDiff compares the sections of a device, by the rule that each carries.
func deviceDiff(before, after fact.Snapshot) []Result {
	var results []Result
	compared := 0
	for _, name := range sections(before, after) {
		was, is := before.Sections[name], after.Sections[name]
		result := Result{Check: "default_diff " + name}
		switch {
		case missing(was) && missing(is) && was.Why == is.Why:
			result.Verdict, result.Seen = Pass, "not compared, before as after: "+is.Why
		case !is.Known:
			result.Seen = "can't be read: " + orNothing(is.Why)
		case !was.Known:
			result.Seen = "could not be read before: " + orNothing(was.Why)
		case was.Rule != is.Rule:
			result.Seen = "it was compared in another way before"
		default:
			compared++
			result.Verdict, result.Seen = compareDevice(was, is)
		}
		results = append(results, result)
	}
	if compared == 0 {
		for i := range results {
			results[i].Verdict = Unknown
		}
	}
	return results
}

func sections(before, after fact.Snapshot) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(before.Sections)), maps.Keys(after.Sections))
	slices.Sort(names)
	return slices.Compact(names)
}

// ofDevice tells whether a device's own rules compare a snapshot.
func ofDevice(s fact.Snapshot) bool {
	for _, section := range s.Sections {
		if section.Rule != "" {
			return true
		}
	}
	return false
}

func compareDevice(was, is fact.Section) (Verdict, string) {
	switch was.Rule {
	case fact.RuleKeep:
		if lost := without(was.Items, is.Items); len(lost) > 0 {
			return Fail, some("was well, and is not: ", lost)
		}
		return Pass, fmt.Sprintf("%d before, %d after", len(was.Items), len(is.Items))
	case fact.RuleNoNew:
		if found := without(is.Items, was.Items); len(found) > 0 {
			return Fail, some("new: ", found)
		}
		return Pass, fmt.Sprintf("%d before, %d after", len(was.Items), len(is.Items))
	case fact.RuleCount:
		return compareCounts(was, is)
	case fact.RuleMost:
		return compareMost(was, is)
	}
	return Unknown, "nobody knows how to compare it"
}

// few is how many lines new software may word in another way.
const few = 3

// compareMost: all but a few lines, or but the tolerated part of them, must still be there.
func compareMost(was, is fact.Section) (Verdict, string) {
	lost := len(without(was.Items, is.Items))
	switch {
	case len(was.Items) == 0:
		return Unknown, "there was nothing to compare with"
	case lost == 0:
		return Pass, fmt.Sprintf("all %d lines are there", len(was.Items))
	case lost > max(few, int(was.Tolerance*float64(len(was.Items)))):
		return Fail, fmt.Sprintf("%d of %d lines are gone", lost, len(was.Items))
	}
	return Pass, fmt.Sprintf("%d of %d lines are worded in another way: compare it with what was kept", lost, len(was.Items))
}

// Configuration compares the configurations of two snapshots of a device; none where it
// was read in neither.
func Configuration(before, after fact.Snapshot) []Result {
	only := func(s fact.Snapshot) fact.Snapshot {
		section, has := s.Sections[fact.SectionConfiguration]
		if !has {
			return fact.Snapshot{}
		}
		return fact.Snapshot{Sections: map[string]fact.Section{fact.SectionConfiguration: section}}
	}
	return deviceDiff(only(before), only(after))
}

// compareCounts: a number may differ by a part of what it was, up or down.
func compareCounts(was, is fact.Section) (Verdict, string) {
	before, errBefore := total(was.Items)
	after, errAfter := total(is.Items)
	switch {
	case errBefore != nil || errAfter != nil:
		return Unknown, "it is not a number"
	case math.Abs(after-before) > before*was.Tolerance:
		return Fail, fmt.Sprintf("was %.0f, is %.0f: more than %.3g%% apart", before, after, 100*was.Tolerance)
	}
	return Pass, fmt.Sprintf("%.0f before, %.0f after", before, after)
}

func total(items []string) (float64, error) {
	sum := 0.0
	for _, item := range items {
		n, err := strconv.ParseUint(item, 10, 53)
		if err != nil {
			return 0, fmt.Errorf("read a count: %w", err)
		}
		sum += float64(n)
	}
	return sum, nil
}
