package pacman

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// state judges pacman's lock and what it says of its database.
func state(rep linux.Report) (fact.ManagerState, string) {
	stale, check := rep.Get("stale"), rep.Get("check")
	switch {
	case len(stale.Lines()) > 0:
		return fact.ManagerInterrupted, remote.Clean(stale.Lines()[0], 100) + " is there, and no program holds it: pacman was cut off"
	case !stale.OK():
		return fact.ManagerUnknown, "pacman's lock: " + stale.Why()
	case check.Status < 0:
		return fact.ManagerUnknown, "pacman -Dk: " + check.Why()
	case !check.OK():
		return fact.ManagerBroken, "pacman -Dk: " + errorsOf(check)
	}
	return fact.ManagerOK, ""
}

// trouble is what the preflight finds wrong. Nothing of it may be put right unasked: the
// lock is for a person to remove, who knows that nothing is at work.
func trouble(rep linux.Report) []string {
	switch state, detail := state(rep); state {
	case fact.ManagerOK:
	case fact.ManagerInterrupted:
		return []string{detail + "; if no package manager runs, type: sudo rm /var/lib/pacman/db.lck"}
	default:
		return []string{detail}
	}
	return nil
}

// errorsOf are pacman's errors, without the word that begins them.
func errorsOf(s linux.Section) string {
	var said []string
	for _, line := range remote.CleanLines(s.Err+s.Out, 40, 200) {
		text, isError := strings.CutPrefix(line, "error: ")
		text, isMore := strings.CutPrefix(text, ":: ")
		if isError || isMore {
			said = append(said, text)
		}
	}
	if len(said) == 0 {
		return s.Why()
	}
	return strings.Join(said[:min(len(said), 3)], " | ")
}
