package dnf

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// maxCVEs is how many are kept of one update: a kernel that was left alone for years
// has thousands, in each of a dozen packages, on each host of a plan.
const maxCVEs = 256

// cveFix: from this version on, the package does not have the CVE any more.
type cveFix struct {
	nevra
	cve string
}

// readCVEs reads `dnf updateinfo list --updates --with-cve`. dnf 4 writes "ID
// Severity/Sec. NEVRA", dnf 5 "ID type severity NEVRA date time" below a heading. What
// is neither is odd: a row that is only half understood names no CVE.
func readCVEs(text string) (list []cveFix, odd []string) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || isCVEHeading(f) {
			continue
		}
		switch fix, ok := readCVE(f); {
		case !ok:
			odd = append(odd, remote.Clean(strings.Join(f, " "), 200))
		case fix.cve != "":
			list = append(list, fix)
		}
	}
	return list, odd
}

// isCVEHeading: the first dnf 5 wrote Name above the CVEs as well.
func isCVEHeading(f []string) bool {
	return (f[0] == "CVE" || f[0] == "Name") && slices.Equal(f[1:], []string{"Type", "Severity", "Package", "Issued"})
}

// readCVE gives no CVE, and is content, for a row of another kind of reference: dnf 4
// keeps only Bugzilla's out of this list.
func readCVE(f []string) (cveFix, bool) {
	ids, pkg, ok := cveColumns(f)
	if !ok {
		return cveFix{}, false
	}
	n, ok := splitNEVRA(pkg)
	if !ok {
		return cveFix{}, false
	}
	if len(ids) == 1 && linux.IsCVE(ids[0]) {
		return cveFix{n, ids[0]}, true
	}
	named := func(id string) bool { return strings.Contains(strings.ToUpper(id), "CVE-") }
	return cveFix{}, !slices.ContainsFunc(f, named)
}

// cveColumns finds the columns from the right: some references are named with blanks.
func cveColumns(f []string) (ids []string, pkg string, ok bool) {
	n := len(f)
	switch {
	case n >= 5 && linux.Shaped(f[n-2], "0000-00-00") && linux.Shaped(f[n-1], "00:00:00"):
		return f[:1], f[n-3], n <= 6 // an advisory may have no severity
	case n >= 3 && isAdvisoryLabel(f[n-2]):
		return f[:n-2], f[n-1], true
	}
	return nil, "", false
}

// isAdvisoryLabel knows what dnf 4 writes in its second column.
func isAdvisoryLabel(word string) bool {
	if severity, security := strings.CutSuffix(word, "/Sec."); security {
		return slices.Contains([]string{"Critical", "Important", "Moderate", "Low", "Unknown"}, severity)
	}
	return slices.Contains([]string{"bugfix", "enhancement", "newpackage", "security", "unknown"}, word)
}

// cvesBy puts the fixes into the order in which updates ask for them: by patch.Update.Key.
func cvesBy(list []cveFix) map[string][]cveFix {
	by := map[string][]cveFix{}
	for _, fix := range list {
		key := patch.Update{Name: fix.name, Arch: fix.arch}.Key()
		by[key] = append(by[key], fix)
	}
	return by
}

// cvesOf are the CVEs that an update fixes: those of all advisories from the installed
// version up to the new one. Beyond maxCVEs the oldest are cut: what is asked for in a
// hurry is new.
func cvesOf(u patch.Update, fixes []cveFix) (cves string, cut int) {
	var list []string
	for _, fix := range fixes {
		if onTheWay(fix.nevra, u) {
			list = append(list, fix.cve)
		}
	}
	slices.SortFunc(list, newerCVE)
	list = slices.Compact(list)
	if cut = len(list) - maxCVEs; cut > 0 {
		list = list[:maxCVEs]
	}
	slices.Sort(list)
	return strings.Join(list, " "), max(0, cut)
}

// newerCVE sorts the newest first. Numbers have four digits or more.
func newerCVE(a, b string) int {
	year := len("CVE-2026")
	return cmp.Or(strings.Compare(b[:year], a[:year]), cmp.Compare(len(b), len(a)), strings.Compare(b, a))
}

// dnfCVEs fills in which CVEs the updates fix. What could not be read leaves them
// unknown, which is said, and keeps nothing from being patched.
func (r reader) dnfCVEs() {
	s := r.Report.Get("cves")
	if !s.OK() {
		r.Problem("cves", "dnf updateinfo --with-cve: %s", s.Why())
	}
	list, odd := readCVEs(s.Out)
	if len(odd) > 0 {
		r.Problem("cves", "%d lines about CVEs were not understood, the first: %s", len(odd), odd[0])
	}
	// Each line is about one package, and dnf names each once or, from several
	// repositories, a few times. More is a host's attempt to fill the memory.
	by, room := cvesBy(list), 8*len(list)
	for i, u := range r.Facts.Updates {
		fixes := by[u.Key()]
		if room -= len(fixes); room < 0 {
			r.Problem("cves", "it names the same packages too often: from %s on their CVEs are not known", u.Key())
			return
		}
		cves, cut := cvesOf(u, fixes)
		r.Facts.Updates[i].CVEs = cves
		if cut > 0 {
			r.Problem("cves", "%s fixes %d CVEs: only the newest %d of them are known here", u.Key(), maxCVEs+cut, maxCVEs)
		}
	}
}
