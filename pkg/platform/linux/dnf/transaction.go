package dnf

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// transaction reads what dnf printed where it was asked and told not to go on.
func transaction(f fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	return simulated("dnf", f, w, s)
}

// simulated is for dnf and yum. They end with 1 both where they were told not to go on, as
// here, and where they refuse; their words tell. Only on the way back may a version go down.
func simulated(name string, f fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
	plan := readPlan(s.Out)
	t := linux.Transaction{Changes: plan.changes, Removes: plan.removals(f.Kernel.Running)}
	aborted := s.Status == 1 && toldNotTo(s.Err+s.Out)
	twice := plan.removedTwice()
	switch {
	case !aborted && !s.OK():
		t.Refused = name + " refuses: " + dnfRefusal(s)
	case len(plan.downgrades) > 0 && !w.Back:
		t.Refused = name + " would downgrade " + strings.Join(plan.shownDowngrades(), ", ")
	case len(plan.other) > 0:
		t.Refused = name + " would do more than install: " + plan.other[0]
	case len(plan.odd) > 0:
		t.Refused = name + " said something that was not understood: " + plan.odd[0]
	case w.Back && twice != "":
		t.Refused = name + " would remove several versions of " + twice
	}
	if w.Back {
		t.Changes = append(t.Changes, plan.downgrades...)
		t.Removes = plan.takenAway(w)
	}
	return t
}

// toldNotTo: dnf says the one, yum the other.
func toldNotTo(said string) bool {
	return strings.Contains(said, "Operation aborted") || strings.Contains(said, "Exiting on user command")
}

func dnfRefusal(s linux.Section) string {
	for _, line := range remote.CleanLines(s.Err+s.Out, 400, 300) {
		if text, found := strings.CutPrefix(line, "Error: "); found && text != "" && !strings.HasPrefix(text, "Operation aborted") {
			return text
		}
	}
	return s.Why()
}
