package zypper

import (
	"strings"

	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// due asks zypper needs-rebooting, which goes by its own list of packages, and our own
// note of the patches that want a reboot. The kernel is compared by the base.
func due(rep linux.Report) linux.Due {
	var d linux.Due
	suggested := rep.Get("reboot_suggested")
	if lines := suggested.Lines(); len(lines) > 0 {
		d.Reasons = append(d.Reasons, "a patch wants a reboot: "+remote.Clean(strings.Join(lines, ", "), 300))
	}
	s := rep.Get("needs_rebooting")
	switch {
	case Exit(s.Status) == RebootNeeded:
		d.Reasons = append(d.Reasons, "zypper needs-rebooting: a reboot is needed")
	case !s.OK():
		d.Unclear = "zypper needs-rebooting can't tell: " + why(s)
	case !suggested.OK():
		d.Unclear = "what the installed patches want can't be told: " + suggested.Why()
	}
	return d
}
