package bsd

import (
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// reader adds what only FreeBSD tells.
type reader struct{ *linux.Reader }

func readFreeBSD(of *linux.Reader) {
	r := reader{of}
	r.state()
	r.Locks()
	r.Refreshed(refreshFailure(r.Report))
	r.base()
	if r.Report.Get("pkg").OK() {
		r.packages()
	}
	r.Installed("packages", "pkg query")
}

// state: a host on which pkg was never set up has a base system all the same.
func (r reader) state() {
	r.Facts.Manager.State = fact.ManagerOK
	if !r.Report.Get("pkg").OK() {
		return
	}
	missing := r.Report.Get("missing")
	switch {
	case missing.Status < 0:
		r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerUnknown, "pkg check: "+missing.Why()
		r.Problem("manager", "%s", r.Facts.Manager.Detail)
	case len(trouble(r.Report)) > 0:
		r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerBroken, trouble(r.Report)[0]
	}
	if len(r.Report.Get("environments").Lines()) > 0 {
		r.Facts.Manager.Detail = strings.TrimPrefix(r.Facts.Manager.Detail+"; there are boot environments (bectl) to go back to by hand", "; ")
	}
}

// refreshFailure: both say why in their last line.
func refreshFailure(rep linux.Report) string {
	s := rep.Get("refresh")
	if !rep.Has("refresh") || s.OK() {
		return ""
	}
	return "pkg update, freebsd-update fetch: " + s.Why()
}

// base adds the base system's update, as far as it was fetched.
func (r reader) base() {
	f := r.Report.Fields("base")
	if f["installed"] == "" {
		r.Problem("base", "the base system is none that freebsd-update updates")
		return
	}
	// Which fixes it has, nobody here tells; nearly all are of security advisories, and
	// errata are told by the same patch level.
	u := patch.Update{
		Name: Base, From: f["installed"], To: f["latest"], Origin: "freebsd-update",
		Security: patch.Yes, Severity: patch.SeverityUnknown,
	}
	if !releaseForm.MatchString(u.From) || !releaseForm.MatchString(u.To) {
		r.Problem("base", "the newest patch level is not known: ask with a refresh")
		return
	}
	if order(u.From, u.To) < 0 {
		r.Facts.Updates = append(r.Facts.Updates, u)
	}
}

// packages adds what pkg upgrade would do, and what is vulnerable of it.
func (r reader) packages() {
	s := r.Report.Get("plan")
	p := readPlan(s.Lines())
	if s.Status < 0 || s.Status > 1 || s.Status == 1 && len(p.changes) == 0 {
		r.Problem("updates", "pkg upgrade: %s", s.Why())
	}
	if len(p.odd) > 0 {
		r.Problem("updates", "%d lines of pkg were not understood, the first: %s", len(p.odd), p.odd[0])
	}
	r.holds()
	holes, known := readAudit(r.Report.Get("audit"))
	if !known {
		r.Problem("security", "pkg audit: %s", r.Report.Get("audit").Why())
	}
	for _, u := range p.changes {
		if u.From == "" { // what comes as a dependency, the resolver tells
			continue
		}
		if u.Security = patch.Unknown; known {
			cves, vulnerable := holes[u.Name+"-"+u.From]
			u.Security, u.CVEs = patch.TriOf(vulnerable), cves
		}
		r.Facts.Updates = append(r.Facts.Updates, u)
	}
}

// holds are locked packages: pkg leaves them out of its plan.
func (r reader) holds() {
	s := r.Report.Get("holds")
	if s.Status < 0 || s.Status > 1 {
		r.Problem("holds", "pkg lock: %s", s.Why())
	}
	for _, line := range s.Lines() {
		if name, ver, found := cutVersion(strings.TrimSpace(line)); found && linux.IsName(name) && linux.IsVersion(ver) {
			r.Facts.Holds = append(r.Facts.Holds, name)
		}
	}
}

// cutVersion parts "name-1.2_3,1": a version has no hyphen.
func cutVersion(text string) (name, version string, found bool) {
	i := strings.LastIndexByte(text, '-')
	if i <= 0 || strings.ContainsAny(text, " \t") {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

var cveForm = regexp.MustCompile(`CVE-[0-9]{4}-[0-9]{4,19}`)

// readAudit reads pkg audit: "name-version is vulnerable:" and what is known of it. With
// something vulnerable it exits with 1, as it does without its list: only words tell.
func readAudit(s linux.Section) (holes map[string]string, known bool) {
	holes = map[string]string{}
	at := ""
	found := map[string][]string{}
	for _, line := range s.Lines() {
		if what, is := strings.CutSuffix(strings.TrimSpace(line), " is vulnerable:"); is {
			at = what
			holes[at] = ""
			continue
		}
		if at != "" && strings.Contains(line, "CVE: ") && len(found[at]) < 1000 {
			found[at] = append(found[at], cveForm.FindAllString(line, 10)...)
		}
		known = known || strings.Contains(line, " problem(s) in ")
	}
	for what, cves := range found {
		slices.Sort(cves)
		holes[what] = strings.Join(slices.Compact(cves), " ")
	}
	return holes, known && s.Status >= 0
}

// due: the kernel that is installed is not the one that runs.
func due(rep linux.Report) linux.Due {
	f, s := rep.Fields("base_versions"), rep.Get("base_versions")
	switch running, installed := f["running"], f["installed"]; {
	case !s.OK() && installed == "", running == "":
		return linux.Due{Unclear: "which kernel is installed can't be told: " + s.Why()}
	case installed == "", running == installed: // of a jail, the kernel is its host's
		return linux.Due{}
	default:
		running, installed = remote.Clean(running, 60), remote.Clean(installed, 60)
		return linux.Due{
			Reasons:  []string{"kernel " + running + " runs, " + installed + " is installed"},
			Unbooted: "kernel " + installed + " was to run, " + running + " runs: was another one booted?",
		}
	}
}
