package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// dnf fills in what the sections of a host with dnf tell.
func (r *reader) dnf() {
	r.arch()
	r.facts.Manager.State = fact.ManagerUnknown
	r.dnfHolds()
	r.refreshed(refreshFailure(r.report, "dnf makecache"))
	r.dnfRepos()
	r.dnfUpdates()
	r.locks()
	r.installed("packages", "rpm -q")
}

// dnfHolds reads versionlock's file: its lines are the holds, comments are not.
func (r *reader) dnfHolds() {
	for _, line := range r.report.get("holds").lines() {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			r.facts.Holds = append(r.facts.Holds, remote.Clean(line, 200))
		}
	}
}

// dnfRepos: dnf passes over a repository without lists, silently where its
// skip_if_unavailable is set.
func (r *reader) dnfRepos() {
	repos := r.report.get("repos")
	if !repos.ok() {
		r.problem("updates", "dnf repolist: %s", repos.why())
		return
	}
	if missing := uncached(repos.lines(), r.report.get("caches").lines()); len(missing) > 0 {
		r.problem("updates", "there are no package lists here of %s (fetch them with --refresh)", strings.Join(missing, ", "))
	}
}

// dnfUpdates: check-update exits with 100 where there are updates, 0 where there are none.
func (r *reader) dnfUpdates() {
	s, status := r.report.get("updates"), strings.TrimSpace(r.report.get("updates_status").out)
	if !s.ok() || status != "0" && status != "100" {
		r.problem("updates", "dnf check-update: %s", r.report.get("plan").why())
		return
	}
	r.facts.Manager.State = fact.ManagerOK
	updates, odd := readCheckUpdate(s.out)
	if len(odd) > 0 {
		r.problem("updates", "%d lines of dnf were not understood, the first: %s", len(odd), odd[0])
	}
	if len(updates) == 0 {
		return
	}
	advisories := r.report.get("advisories")
	if !advisories.ok() {
		r.problem("security", "dnf updateinfo: %s", advisories.why())
	}
	list, sizes, from := readAdvisories(advisories.out), readRPMSizes(r.report.get("sizes").out), r.dnfVersions()
	for _, u := range updates {
		u.From = from.of(u)
		u.Dependency = u.From == ""
		u.Size = sizes[nevra{u.Name, u.To, u.Arch}]
		u = advise(u, list)
		if !advisories.ok() && u.Security == patch.No {
			u.Security = patch.Unknown // the advisory that says otherwise may be missing
		}
		r.facts.Updates = append(r.facts.Updates, u)
	}
	r.dnfCVEs()
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

func (r *reader) dnfVersions() rpmVersions {
	s := r.report.get("versions")
	installed, odd := readInstalled(s.lines())
	if s.status < 0 || odd > 0 {
		r.problem("updates", "rpm -q: %s", s.why())
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
