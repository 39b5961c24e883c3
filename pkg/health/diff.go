package health

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// diffRule is what counts as a new fault in a section.
type diffRule struct {
	section string
	fault   func(lost, found []string) string // "" is none
	// later: snapshots have not always had it. A rollout that an older patchring began goes
	// on without.
	later bool
}

func diffRules() []diffRule {
	return []diffRule{
		{fact.SectionFailedUnits, unitFault, false},
		{fact.SectionListeners, func(lost, _ []string) string { return some("no longer listening: ", lost) }, false},
		{fact.SectionMounts, func(lost, _ []string) string { return some("no longer mounted so: ", lost) }, false},
		{fact.SectionDefaultRoute, routeFault, false},
		{fact.SectionTimeSync, timeFault, false},
		{fact.SectionBGP, func(lost, _ []string) string { return some("no longer established: ", lost) }, true},
	}
}

// unitFault: what had failed before, and now is tried over and over, is no new fault.
// The other way round it is: some units live by being started again after each run.
func unitFault(lost, found []string) string {
	return some("newly failed: ", slices.DeleteFunc(found, func(unit string) bool {
		name, again := strings.CutSuffix(unit, restarting)
		return again && slices.Contains(lost, name)
	}))
}

func routeFault(lost, found []string) string {
	switch {
	case len(lost) == 0:
		return ""
	case len(found) == 0:
		return some("gone: ", lost)
	}
	return some("was ", lost) + some(", is ", found)
}

func timeFault(lost, found []string) string {
	if slices.Contains(lost, "yes") && slices.Contains(found, "no") {
		return "the clock is no longer in sync"
	}
	return ""
}

// Diff compares the state after the work with the state before: a new fault fails,
// an old one does not. There is one result a section, always in the same order.
//
// What could not be read before or after is unknown. What could be read neither
// before nor after because this host does not have it (no systemd, say) passes with a
// note, as long as anything could be compared at all.
func Diff(before, after fact.Snapshot) []Result {
	if ofDevice(before) || ofDevice(after) {
		return deviceDiff(before, after)
	}
	var results []Result
	compared := false
	for _, rule := range diffRules() {
		was, had := before.Sections[rule.section]
		if rule.later && !had && len(before.Sections) > 0 {
			continue
		}
		is := after.Sections[rule.section]
		compared = compared || was.Known && is.Known
		results = append(results, diffSection(rule, was, is))
	}
	if !compared {
		for i := range results {
			results[i].Verdict = Unknown
		}
	}
	return results
}

func diffSection(rule diffRule, was, is fact.Section) Result {
	result := Result{Check: "default_diff " + rule.section}
	switch {
	case was.Known && is.Known:
		result.Verdict, result.Seen = compare(rule, was.Items, is.Items)
	case missing(was) && missing(is) && was.Why == is.Why:
		result.Verdict, result.Seen = Pass, "not compared, before as after: "+is.Why
	case !is.Known:
		result.Seen = "can't be read: " + orNothing(is.Why)
	default:
		result.Seen = "could not be read before: " + orNothing(was.Why)
	}
	return result
}

func missing(s fact.Section) bool { return !s.Known && strings.HasPrefix(s.Why, NotToBeHad) }

func orNothing(why string) string {
	if why == "" {
		return "nobody asked"
	}
	return why
}

func compare(rule diffRule, was, is []string) (Verdict, string) {
	if fault := rule.fault(without(was, is), without(is, was)); fault != "" {
		return Fail, fault
	}
	return Pass, fmt.Sprintf("%d before, %d after", len(was), len(is))
}

// without are the items of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// some names a few of them.
func some(prefix string, items []string) string {
	const most = 5
	switch n := len(items); {
	case n == 0:
		return ""
	case n > most:
		return prefix + strings.Join(items[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return prefix + strings.Join(items, ", ")
}
