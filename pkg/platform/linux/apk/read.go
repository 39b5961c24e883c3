package apk

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// reader adds what only apk tells.
type reader struct{ *linux.Reader }

// read fills in what the sections of a host with apk tell.
func read(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.OS.VersionID = branch(r.Facts.OS.VersionID)
	r.Facts.Manager.State, r.Facts.Manager.Detail = state(r.Report)
	if r.Facts.Manager.State == fact.ManagerUnknown {
		r.Problem("manager", "%s", r.Facts.Manager.Detail)
	}
	r.Locks()
	r.Refreshed(refreshFailure(r.Report))
	r.updates(r.holds())
	r.Installed("packages", "/lib/apk/db/installed")
}

// branch is "3.20" of "3.20.3": all hosts of a branch have the same repositories, and the
// last number changes with an update.
func branch(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// refreshFailure: apk ends with the number of repositories that it could not fetch, and
// older ones with 0.
func refreshFailure(rep linux.Report) string {
	if !rep.Has("refresh") {
		return ""
	}
	s := rep.Get("refresh")
	for _, line := range remote.CleanLines(s.Err+"\n"+s.Out, 2000, 300) {
		if strings.HasPrefix(line, "ERROR: ") || strings.HasPrefix(line, "WARNING: ") || strings.Contains(line, " unavailable, ") {
			return line
		}
	}
	return linux.RefreshFailure(rep, "apk update")
}

// holds are the entries of apk's world that want more of a package than that it is there.
func (r reader) holds() map[string]string {
	s := r.Report.Get("world")
	if !s.OK() {
		r.Problem("holds", "/etc/apk/world: %s", s.Why())
	}
	pins := pinned(strings.Fields(s.Out))
	for _, pin := range pins {
		r.Facts.Holds = append(r.Facts.Holds, remote.Clean(pin, 200))
	}
	return pins
}

// pinned finds entries like name=1.2, name<2, name~1.2 and name@tag, by name.
func pinned(world []string) map[string]string {
	pins := map[string]string{}
	for _, entry := range world {
		if i := strings.IndexAny(entry, "=<>~@"); i > 0 {
			pins[entry[:i]] = entry
		}
	}
	return pins
}

// updates: without lists apk lists nothing, and says so beside it alone.
func (r reader) updates(pins map[string]string) {
	s, status, plan := r.Report.Get("updates"), strings.TrimSpace(r.Report.Get("updates_status").Out), r.Report.Get("plan")
	said := remote.CleanLines(plan.Err, 3, 200)
	if !s.OK() || status != "0" || len(said) > 0 {
		r.Problem("updates", "apk list --upgradable: %s", strings.Join(append(said, "exit status "+remote.Clean(status, 20)), " | "))
	}
	updates, odd := readUpgradable(s.Lines())
	if len(odd) > 0 {
		r.Problem("updates", "%d lines of apk were not understood, the first: %s", len(odd), odd[0])
	}
	sizes := readSizes(r.Report.Get("sizes").Lines())
	for _, u := range updates {
		u.Size = sizes[u.Name+" "+u.To]
		if pin := pins[u.Name]; pin != "" {
			r.Facts.KeptBack = append(r.Facts.KeptBack, patch.Left{
				Update: u, Reason: patch.ReasonHeld, Detail: "pinned in /etc/apk/world: " + remote.Clean(pin, 200),
			})
			continue
		}
		r.Facts.Updates = append(r.Facts.Updates, u)
	}
}

// upgradableForm: name-version arch {origin} (license) [upgradable from: name-version].
var upgradableForm = regexp.MustCompile(`^(\S+) (\S+) \{\S*\} \(.*\) \[upgradable from: (\S+)\]$`)

// readUpgradable reads `apk list --upgradable`. Of several newer versions of one package,
// the newest counts.
func readUpgradable(lines []string) (updates []patch.Update, odd []string) {
	for _, line := range lines {
		m := upgradableForm.FindStringSubmatch(line)
		if m == nil {
			odd = append(odd, remote.Clean(line, 200))
			continue
		}
		name, to := cutVersion(m[1])
		was, from := cutVersion(m[3])
		u := patch.Update{Name: name, Arch: m[2], From: from, To: to, Severity: patch.SeverityUnknown}
		if was != name || from == "" || !linux.WellFormed(u) {
			odd = append(odd, remote.Clean(line, 200))
			continue
		}
		same := func(o patch.Update) bool { return o.Name == name }
		switch i := slices.IndexFunc(updates, same); {
		case i < 0:
			updates = append(updates, u)
		case version.Apk(u.To, updates[i].To) > 0:
			updates[i] = u
		}
	}
	return updates, odd
}

// cutVersion parts "name-1.2-r3": a version has one hyphen in it.
func cutVersion(what string) (name, ver string) {
	if i := strings.LastIndexByte(what, '-'); i > 0 {
		if j := strings.LastIndexByte(what[:i], '-'); j > 0 {
			return what[:j], what[j+1:]
		}
	}
	return what, ""
}

// readSizes reads "name version size" lines.
func readSizes(lines []string) map[string]int64 {
	sizes := map[string]int64{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		if size, err := strconv.ParseInt(f[2], 10, 64); err == nil && size > 0 {
			sizes[f[0]+" "+f[1]] = size
		}
	}
	return sizes
}
