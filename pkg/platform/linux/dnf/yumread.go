package dnf

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// readYum: what yum prints has dnf's form, but for its list of repositories.
func readYum(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.Manager.State = fact.ManagerUnknown
	r.dnfHolds()
	r.Refreshed(linux.RefreshFailure(r.Report, "yum makecache"))
	r.yumRepos()
	r.dnfUpdates()
	if state, detail := yumState(r.Report); r.Facts.Manager.State == fact.ManagerOK {
		r.Facts.Manager.State, r.Facts.Manager.Detail = state, detail
	}
	r.Locks()
	r.Installed("packages", "rpm -q")
}

func (r reader) yumRepos() {
	repos := r.Report.Get("repos")
	rows, said := yumRepoRows(repos.Lines())
	switch {
	case !repos.OK():
		r.Problem("updates", "yum repolist: %s", repos.Why())
	case unregistered(r.Facts.OS.ID, rows, said+repos.Err):
		r.Problem("updates", "this system is not registered: it has no repositories of Red Hat, so that nobody knows of its updates")
	case len(rows) == 0:
		r.Problem("updates", "no repository is enabled: %s", remote.Clean(said, 200))
	}
	if missing := yumUncached(rows, r.Report.Get("caches").Lines()); len(missing) > 0 {
		r.Problem("updates", "there are no package lists here of %s (fetch them with --refresh)", strings.Join(missing, ", "))
	}
}

// yumRepoRows are the identifiers of `yum repolist`: "id/release/arch name status", below
// a heading and above a sum. A "!" stands before one whose lists have expired.
func yumRepoRows(lines []string) (rows []string, said string) {
	lines, said = repoLines(lines)
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "repolist:" {
			continue
		}
		id, _, _ := strings.Cut(strings.TrimLeft(f[0], "!*"), "/")
		rows = append(rows, id)
	}
	return rows, said
}

func yumUncached(rows, folders []string) []string {
	cached := map[string]bool{}
	for _, f := range folders {
		cached[f] = true
	}
	var missing []string
	for _, id := range rows {
		if !cached[id] {
			missing = append(missing, remote.Clean(id, 100))
		}
	}
	return missing
}

func yumHealth(rep linux.Report) []string {
	if state, detail := yumState(rep); state != fact.ManagerOK {
		return []string{detail}
	}
	return nil
}

// yumState: a transaction that was cut leaves its journal, and packages in two versions.
func yumState(rep linux.Report) (fact.ManagerState, string) {
	unfinished, check := rep.Get("unfinished"), rep.Get("check")
	journals := unfinished.Lines()
	switch {
	case unfinished.Status < 0:
		return fact.ManagerUnknown, "yum's journals: " + unfinished.Why()
	case len(journals) > 0:
		return fact.ManagerInterrupted, "a transaction of yum was cut: /var/lib/yum/" + remote.Clean(journals[0], 100)
	case check.OK():
		return fact.ManagerOK, ""
	case check.Status == 1 && len(check.Lines()) > 0:
		return fact.ManagerInterrupted, "a transaction was cut: " + check.Why()
	}
	return fact.ManagerUnknown, "yum check: " + check.Why()
}
