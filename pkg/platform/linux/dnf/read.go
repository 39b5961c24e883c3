package dnf

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// reader adds what only dnf tells.
type reader struct{ *linux.Reader }

// read fills in what the sections of a host with dnf tell.
func read(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.Manager.State = fact.ManagerUnknown
	r.dnfHolds()
	r.Refreshed(linux.RefreshFailure(r.Report, "dnf makecache"))
	r.dnfRepos()
	r.dnfUpdates()
	r.Locks()
	r.Installed("packages", "rpm -q")
}

// dnfHolds reads versionlock's file: its lines are the holds, comments are not.
func (r reader) dnfHolds() {
	for _, line := range r.Report.Get("holds").Lines() {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			r.Facts.Holds = append(r.Facts.Holds, remote.Clean(line, 200))
		}
	}
}

// dnfRepos: dnf passes over a repository without lists, silently where its
// skip_if_unavailable is set.
func (r reader) dnfRepos() {
	repos := r.Report.Get("repos")
	if !repos.OK() {
		r.Problem("updates", "dnf repolist: %s", repos.Why())
		return
	}
	rows, said := repoLines(repos.Lines())
	switch said += " " + repos.Err; {
	case unregistered(r.Facts.OS.ID, rows, said):
		r.Problem("updates", "this system is not registered: it has no repositories of Red Hat, so that nobody knows of its updates")
	case len(rows) == 0:
		r.Problem("updates", "no repository is enabled: %s", remote.Clean(said, 200))
	}
	if missing := uncached(rows, r.Report.Get("caches").Lines()); len(missing) > 0 {
		r.Problem("updates", "there are no package lists here of %s (fetch them with --refresh)", strings.Join(missing, ", "))
	}
	if old := expired(rows, r.Report.Get("ages").Lines(), r.Facts.Clock); len(old) > 0 && !r.Report.Has("refresh") {
		r.Problem("lists", "package lists have expired (fetch them with --refresh): %s", strings.Join(old, ", "))
	}
}

// dnfUpdates: check-update exits with 100 where there are updates, 0 where there are none.
func (r reader) dnfUpdates() {
	s, status := r.Report.Get("updates"), strings.TrimSpace(r.Report.Get("updates_status").Out)
	if !s.OK() || status != "0" && status != "100" {
		r.Problem("updates", "dnf check-update: %s", r.Report.Get("plan").Why())
		return
	}
	r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerOK, ""
	if r.Report.Has("check") {
		r.Facts.Manager.State, r.Facts.Manager.Detail = wholeness(r.Report)
	}
	if said := r.Report.Get("plan").Err; strings.Contains(said, "Modular dependency problem") {
		r.Problem("modules", "some module streams do not fit together: %s", r.Report.Get("plan").Why())
	}
	updates := r.pending("updates")
	unheld := r.pending("unheld")
	if len(updates)+len(unheld) == 0 {
		return
	}
	fill := r.details()
	for _, u := range updates {
		r.Facts.Updates = append(r.Facts.Updates, fill(u))
	}
	for _, left := range keptBack(updates, unheld, r.Facts.Holds) {
		left.Update = fill(left.Update)
		r.Facts.KeptBack = append(r.Facts.KeptBack, left)
	}
	r.dnfCVEs()
}

// pending reads a section that check-update has filled.
func (r reader) pending(section string) []patch.Update {
	updates, odd := readCheckUpdate(r.Report.Get(section).Out)
	if len(odd) > 0 {
		r.Problem("updates", "%d lines of dnf were not understood, the first: %s", len(odd), odd[0])
	}
	return updates
}

// details completes updates by what the other sections tell.
func (r reader) details() func(patch.Update) patch.Update {
	advisories := r.Report.Get("advisories")
	if !advisories.OK() {
		r.Problem("security", "dnf updateinfo: %s", advisories.Why())
	}
	list, sizes, from := readAdvisories(advisories.Out), readRPMSizes(r.Report.Get("sizes").Out), r.dnfVersions()
	return func(u patch.Update) patch.Update {
		u.From = from.of(u)
		u.Dependency = u.From == ""
		u.Size = sizes[nevra{u.Name, u.To, u.Arch}]
		u = advise(u, list)
		if !advisories.OK() && u.Security == patch.No {
			u.Security = patch.Unknown // the advisory that says otherwise may be missing
		}
		return u
	}
}

// rpmVersions are installed versions by name:arch; of kernels, which are installed
// side by side, the newest.
type rpmVersions map[string]string

// of is what an update replaces. A package may turn to noarch, or from it: then what
// is installed stands under its other architecture.
func (v rpmVersions) of(u patch.Update) string {
	if same := v[u.Key()]; same != "" {
		return same
	}
	if u.Arch != "noarch" {
		return v[u.Name+":noarch"]
	}
	newest := ""
	for key, installed := range v {
		if name, _, _ := strings.Cut(key, ":"); name == u.Name && (newest == "" || version.RPM(installed, newest) > 0) {
			newest = installed
		}
	}
	return newest
}

func (r reader) dnfVersions() rpmVersions {
	s := r.Report.Get("versions")
	installed, odd := linux.ReadInstalled(s.Lines())
	if s.Status < 0 || odd > 0 {
		r.Problem("updates", "rpm -q: %s", s.Why())
	}
	newest := rpmVersions{}
	for _, p := range installed {
		key := p.Name + ":" + p.Arch
		if newest[key] == "" || version.RPM(p.Version, newest[key]) > 0 {
			newest[key] = p.Version
		}
	}
	return newest
}
