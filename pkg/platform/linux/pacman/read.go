package pacman

import (
	"path"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// reader adds what only pacman tells.
type reader struct{ *linux.Reader }

// read fills in what the sections of a host with pacman tell.
func read(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.Manager.State, r.Facts.Manager.Detail = state(r.Report)
	if r.Facts.Manager.State == fact.ManagerUnknown {
		r.Problem("manager", "%s", r.Facts.Manager.Detail)
	}
	r.Locks()
	r.holds()
	r.Refreshed(linux.RefreshFailure(r.Report, "pacman -Sy into a copy"))
	r.updates()
	r.Installed("packages", "pacman -Q")
}

// holds are IgnorePkg and IgnoreGroup; groups have an @ before them.
func (r reader) holds() {
	s := r.Report.Get("holds")
	if !s.OK() {
		r.Problem("holds", "pacman-conf: %s", s.Why())
	}
	for _, line := range s.Lines() {
		r.Facts.Holds = append(r.Facts.Holds, remote.Clean(line, 200))
	}
}

// updates: -Qu ends with 0 where there are updates, and with 1 both where there are none
// and where it could not tell; then it says why.
func (r reader) updates() {
	s, status, plan := r.Report.Get("updates"), strings.TrimSpace(r.Report.Get("updates_status").Out), r.Report.Get("plan")
	none := status == "1" && len(s.Lines()) == 0 && strings.TrimSpace(plan.Err) == ""
	if !s.OK() || status != "0" && !none {
		r.Problem("updates", "pacman -Qu: %s", why(plan, status))
		return
	}
	pending := readPending(s.Lines())
	if len(pending.odd) > 0 {
		r.Problem("updates", "%d lines of pacman were not understood, the first: %s", len(pending.odd), pending.odd[0])
	}
	details := r.Report.Get("details")
	if r.Report.Has("details") && !details.OK() {
		r.Problem("sizes", "pacman -S --print: %s", details.Why())
	}
	targets := map[string]target{}
	for _, line := range details.Lines() {
		if t, ok := readTarget(line); ok {
			targets[t.name+" "+t.version] = t
		}
	}
	for i, u := range pending.updates {
		pending.updates[i] = targets[u.Name+" "+u.To].update(u)
	}
	for i, k := range pending.kept {
		pending.kept[i].Update = targets[k.Update.Name+" "+k.Update.To].update(k.Update)
	}
	r.Facts.Updates, r.Facts.KeptBack = pending.updates, pending.kept
}

func why(s linux.Section, status string) string {
	if said := remote.CleanLines(s.Err, 3, 200); len(said) > 0 {
		return strings.Join(said, " | ")
	}
	return "exit status " + remote.Clean(status, 20)
}

// pending is what -Qu tells.
type pending struct {
	updates []patch.Update
	kept    []patch.Left
	odd     []string // cleaned
}

// readPending reads lines of "name from -> to", and " [ignored]" after it.
func readPending(lines []string) (p pending) {
	for _, line := range lines {
		f := strings.Fields(line)
		ignored := len(f) == 5 && f[4] == "[ignored]"
		if len(f) != 4 && !ignored || f[2] != "->" {
			p.odd = append(p.odd, remote.Clean(line, 200))
			continue
		}
		u := patch.Update{Name: f[0], From: f[1], To: f[3], Severity: patch.SeverityUnknown}
		switch {
		case !linux.WellFormed(u):
			p.odd = append(p.odd, remote.Clean(line, 200))
		case ignored:
			p.kept = append(p.kept, patch.Left{Update: u, Reason: patch.ReasonHeld, Detail: "IgnorePkg or IgnoreGroup in /etc/pacman.conf"})
		default:
			p.updates = append(p.updates, u)
		}
	}
	return p
}

// target is a package that pacman would take.
type target struct {
	name, version, arch, repository string
	size                            int64
}

// readTarget reads "name version size location repository". The location may hold
// credentials: of it the name of the file alone is used.
func readTarget(line string) (target, bool) {
	f := strings.Fields(line)
	if len(f) != 5 || !linux.IsName(f[0]) || !linux.IsVersion(f[1]) {
		return target{}, false
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size < 0 {
		return target{}, false
	}
	return target{name: f[0], version: f[1], size: size, arch: archOf(path.Base(f[3]), f[0], f[1]), repository: remote.Clean(f[4], 100)}, true
}

// archOf takes the architecture out of a file's name: "name-version-arch.pkg.tar.zst"; ""
// where the file has another name.
func archOf(file, name, version string) string {
	rest, found := strings.CutPrefix(file, name+"-"+version+"-")
	if !found {
		rest, found = strings.CutPrefix(file, strings.ReplaceAll(name+"-"+version+"-", ":", "%3A"))
	}
	arch, _, packed := strings.Cut(rest, ".pkg.tar")
	if !found || !packed || !linux.IsArch(arch) {
		return ""
	}
	return arch
}

// update fills in what is known of u; of an unknown target nothing is.
func (t target) update(u patch.Update) patch.Update {
	u.Arch, u.Size, u.Origin = t.arch, t.size, t.repository
	return u
}
