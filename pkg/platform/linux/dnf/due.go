package dnf

import (
	"strings"

	"github.com/patchring/patchring/pkg/platform/linux"
)

// restartDue asks needs-restarting -r, where the host has it.
func restartDue(rep linux.Report) linux.Due {
	s := rep.Get("needs_restarting")
	reason, known := restartReason(s)
	switch {
	case reason != "":
		return linux.Due{Reasons: []string{reason}}
	case !known:
		return linux.Due{Unclear: "needs-restarting can't tell (install yum-utils or dnf-utils): " + s.Why()}
	}
	return linux.Due{}
}

// restartReason reads needs-restarting -r. Its exit status 1 also means that the
// command is missing, so only its words count.
func restartReason(s linux.Section) (reason string, known bool) {
	switch {
	case strings.Contains(s.Out, "Reboot is required"):
		return "needs-restarting: a reboot is required", true
	case s.OK():
		return "", true
	}
	return "", false
}
