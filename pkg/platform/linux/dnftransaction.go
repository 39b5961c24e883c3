package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// dnfTransaction reads what `dnf --assumeno install` printed. It ends with 1 both
// where it was told not to go on, as here, and where it refuses; its words tell.
func dnfTransaction(f fact.Facts, s section) transaction {
	plan := readDnfPlan(s.out)
	t := transaction{changes: plan.changes, removes: plan.removals(f.Kernel.Running)}
	aborted := s.status == 1 && strings.Contains(s.err+s.out, "Operation aborted")
	switch {
	case !aborted && !s.ok():
		t.refused = "dnf refuses: " + dnfRefusal(s)
	case len(plan.downgrades) > 0:
		t.refused = "dnf would downgrade " + strings.Join(plan.downgrades, ", ")
	case len(plan.other) > 0:
		t.refused = "dnf would do more than install: " + plan.other[0]
	case len(plan.odd) > 0:
		t.refused = "dnf said something that was not understood: " + plan.odd[0]
	}
	return t
}

func dnfRefusal(s section) string {
	for _, line := range remote.CleanLines(s.err, 40, 300) {
		if text, found := strings.CutPrefix(line, "Error: "); found {
			return text
		}
	}
	return s.why()
}
