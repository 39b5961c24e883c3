package apt

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// dpkgState judges dpkg --audit and the journal that a cut run leaves behind.
func dpkgState(audit, journal linux.Section) (fact.ManagerState, string) {
	for _, file := range journal.Lines() {
		if strings.Trim(file, "0123456789") == "" {
			return fact.ManagerInterrupted, "dpkg was interrupted in the middle of its work"
		}
	}
	if !audit.OK() && strings.TrimSpace(audit.Out) == "" || audit.Status < 0 || !journal.OK() {
		return fact.ManagerUnknown, "dpkg --audit: " + audit.Why()
	}
	if lines := remote.CleanLines(audit.Out, 40, 120); len(lines) > 0 {
		return fact.ManagerInterrupted, "dpkg --audit: " + remote.Clean(strings.Join(brokenNames(audit.Out), ", "), 300)
	}
	return fact.ManagerOK, ""
}

// brokenNames are the package names in dpkg --audit: the lines indented by one.
func brokenNames(audit string) []string {
	var names []string
	for line := range strings.Lines(audit) {
		if f := strings.Fields(line); strings.HasPrefix(line, " ") && len(f) > 0 {
			names = append(names, f[0])
		}
	}
	if len(names) == 0 {
		return []string{"packages are not fully installed"}
	}
	return names
}

// dpkgTrouble is what the preflight finds wrong with the package database.
func dpkgTrouble(rep linux.Report) []string {
	switch state, detail := dpkgState(rep.Get("audit"), rep.Get("journal")); state {
	case fact.ManagerOK:
	case fact.ManagerUnknown:
		return []string{detail}
	default:
		return []string{detail + "; on the host, type: sudo dpkg --configure -a"}
	}
	if broken := unmet(rep.Get("check")); broken != "" {
		return []string{broken + "; on the host, type: sudo apt-get -f install"}
	}
	return nil
}

// unmet is what apt-get check says of packages that lack what they depend on, or "".
func unmet(check linux.Section) string {
	if check.OK() {
		return ""
	}
	if conflicts := aptConflicts(check.Out + "\n" + check.Err); len(conflicts) > 0 {
		return "packages lack what they depend on: " + strings.Join(conflicts, " | ")
	}
	if check.Status <= 0 {
		return ""
	}
	return "apt-get check: " + check.Why()
}
