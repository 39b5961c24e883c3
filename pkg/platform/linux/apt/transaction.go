package apt

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// aptTransaction reads the simulation of an installation.
func aptTransaction(_ fact.Facts, _ patch.Work, s linux.Section) linux.Transaction {
	plan := readPlan(s.Out)
	t := linux.Transaction{Changes: plan.changes, Removes: plan.removes}
	switch {
	case !s.OK():
		t.Refused = "apt refuses: " + aptRefusal(s)
	case len(plan.odd) > 0:
		t.Refused = "apt said something that was not understood: " + plan.odd[0]
	}
	return t
}

// aptRefusal gathers apt's errors, with the packages that they are about.
func aptRefusal(s linux.Section) string {
	var said []string
	for _, line := range remote.CleanLines(s.Err, 20, 200) {
		if text, found := strings.CutPrefix(line, "E: "); found {
			said = append(said, text)
		}
	}
	said = append(said, aptConflicts(s.Out)...)
	if len(said) == 0 {
		return s.Why()
	}
	return strings.Join(said, " | ")
}

// aptConflicts picks unmet dependencies, and the held packages that would change.
func aptConflicts(text string) []string {
	var found []string
	held := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "The following held packages will be changed"):
			held = true
		case !strings.HasPrefix(line, " "):
			held = false
		case held:
			found = append(found, "held on the host: "+remote.Clean(line, 100))
		case strings.Contains(line, " : "):
			found = append(found, remote.Clean(line, 150))
		}
	}
	return found[:min(3, len(found))]
}
