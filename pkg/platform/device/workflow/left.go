package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
)

// whatIsLeft are the steps where an earlier try has brought the target to every member:
// they only look. No new boot is to be expected, so that all else must hold.
func (t *task) whatIsLeft(more func(*view) []string, asks ...ask) []platform.Step {
	return append([]platform.Step{t.proven(more, asks...)}, t.twice(false, more, asks...)...)
}

// tidy is the definition's value that says how a person removes software which is there
// already: {slot} stands for where it lies.
const tidy = "tidy"

// unclaimed: where no earlier try of ours has begun, the target that is there already is
// somebody else's. Nothing tells which file that was, as its digest was never computed. A
// way back uses what lies there.
func (t *task) unclaimed(v *view) []string {
	if t.work.Again || t.work.Back {
		return nil
	}
	var reasons []string
	for _, s := range v.now.Slots {
		if s.State != "" && t.target(s) {
			reasons = append(reasons, fmt.Sprintf("%s is on it already (%s), and nobody can tell from which file%s",
				clean(t.to), clean(strings.TrimSpace(s.Name+" "+s.State)), t.tidiedBy(s.Name)))
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// tidiedBy is what a person types to be rid of it.
func (t *task) tidiedBy(slot string) string {
	line := t.value(tidy)
	switch {
	case line == "" && t.up.Workflow == "boot_variable" && t.formerFile() != "":
		return ": " + t.bootByHand()
	case line == "":
		return ""
	}
	return ": look at it, and type " + strings.ReplaceAll(line, "{slot}", clean(slot)) + " to remove it"
}

// expected tells whether a member may run this version before anything is touched: the one
// that the work begins at, and where an earlier try has begun it also the target.
func (t *task) expected(version string) bool {
	return t.is(version, t.from) || t.work.Again && t.is(version, t.to)
}

// otherwise are the members that run something else than may be.
func (t *task) otherwise(members []fact.Member) []string {
	var reasons []string
	for _, m := range members {
		if m.Version != "" && m.Serial != "" && !t.expected(m.Version) {
			reasons = append(reasons, fmt.Sprintf("%s runs %s: the members do not run the same", nameOf(m), clean(m.Version)))
		}
	}
	return reasons
}
