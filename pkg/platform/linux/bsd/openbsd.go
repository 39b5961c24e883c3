package bsd

import (
	"regexp"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// OpenBSDBase is OpenBSD's base system as one thing to update: a release and the last of
// its patches, which come one upon the other.
const OpenBSDBase = "openbsd-base"

var (
	// patchForm: "006_x509".
	patchForm = regexp.MustCompile(`^[0-9]{3}_[a-z0-9_]{1,60}$`)
	// candidateForm: "Update candidates: curl-8.5.0 -> curl-8.6.0".
	candidateForm = regexp.MustCompile(`^Update candidates: (\S+) -> (\S+)$`)
	// stemForm parts "name-1.2p3-flavor".
	stemForm = regexp.MustCompile(`^(.+?)-([0-9]\S*)$`)
)

func readOpenBSD(r *linux.Reader) {
	r.Installed("packages", "pkg_info")
	if r.Facts.BootID == "" {
		r.Problem("reboot", "nothing names a boot of OpenBSD")
	}
	patches := r.Report.Get("patches")
	if u, pending := basePatches(r.Facts.OS.VersionID, r.Report.Get("installed").Lines(), patches.Lines()); pending {
		r.Facts.Updates = append(r.Facts.Updates, u)
	}
	if !patches.OK() {
		r.Problem("updates", "syspatch -c: %s", patches.Why())
	}
	if !r.Report.Has("updates") {
		r.Problem("updates", "packages are asked for with a refresh alone")
		return
	}
	s := r.Report.Get("updates")
	if !s.OK() {
		r.Problem("updates", "pkg_add -u -n: %s", s.Why())
	}
	r.Facts.Updates = append(r.Facts.Updates, candidates(s.Lines())...)
}

// basePatches is the base system's update: all patches up to the last one.
func basePatches(release string, installed, pending []string) (patch.Update, bool) {
	from, to := lastPatch(installed), lastPatch(pending)
	u := patch.Update{
		Name: OpenBSDBase, From: strings.TrimSuffix(release+"-"+from, "-"), To: release + "-" + to, Origin: "syspatch",
		Security: patch.Unknown, Severity: patch.SeverityUnknown,
	}
	return u, to != "" && linux.WellFormed(u)
}

func lastPatch(lines []string) string {
	last := ""
	for _, line := range lines {
		if patchForm.MatchString(line) && line > last {
			last = line
		}
	}
	return last
}

// candidates reads what pkg_add -u -n -v says. Where it has several for one package, it
// would ask, and nothing is said of it.
func candidates(lines []string) []patch.Update {
	var updates []patch.Update
	for _, line := range lines {
		m := candidateForm.FindStringSubmatch(remote.Clean(line, 500))
		if len(m) != 3 || m[1] == m[2] {
			continue
		}
		from, to := stemForm.FindStringSubmatch(m[1]), stemForm.FindStringSubmatch(m[2])
		if from == nil || to == nil || from[1] != to[1] {
			continue
		}
		u := patch.Update{Name: to[1], From: from[2], To: to[2], Security: patch.Unknown, Severity: patch.SeverityUnknown}
		if linux.WellFormed(u) {
			updates = append(updates, u)
		}
	}
	return updates
}
