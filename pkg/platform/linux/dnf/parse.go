package dnf

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/version"
)

// nevra is an RPM package file's full name taken apart.
type nevra struct{ name, evr, arch string }

// splitNEVRA takes name-[epoch:]version-release.arch apart.
func splitNEVRA(text string) (nevra, bool) {
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return nevra{}, false
	}
	rest, arch := text[:dot], text[dot+1:]
	release := strings.LastIndexByte(rest, '-')
	if release < 0 {
		return nevra{}, false
	}
	v := strings.LastIndexByte(rest[:release], '-')
	if v < 0 {
		return nevra{}, false
	}
	n := nevra{name: rest[:v], evr: linux.NoEpochZero(rest[v+1:]), arch: arch}
	return n, linux.IsName(n.name) && linux.IsVersion(n.evr) && linux.IsArch(n.arch)
}

// readCheckUpdate reads `dnf -q check-update`: "name.arch version repository" rows.
// A long row goes on in the next line, indented. What obsoletes what is left out.
func readCheckUpdate(text string) (updates []patch.Update, odd []string) {
	var row []string
	flush := func() {
		if u, ok := checkRow(row); ok {
			updates = append(updates, u)
		} else if len(row) > 0 {
			odd = append(odd, remote.Clean(strings.Join(row, " "), 200))
		}
		row = nil
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Obsoleting Packages") {
			break
		}
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "Security: ") {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			flush()
		}
		row = append(row, strings.Fields(line)...)
	}
	flush()
	return updates, odd
}

func checkRow(row []string) (patch.Update, bool) {
	if len(row) != 3 {
		return patch.Update{}, false
	}
	dot := strings.LastIndexByte(row[0], '.')
	if dot < 0 {
		return patch.Update{}, false
	}
	u := patch.Update{
		Name: row[0][:dot], Arch: row[0][dot+1:], To: linux.NoEpochZero(row[1]),
		Origin: remote.Clean(row[2], 100), Severity: patch.SeverityUnknown,
	}
	return u, linux.WellFormed(u)
}

// advisory is one line of updateinfo: which package version fixes what.
type advisory struct {
	nevra
	security bool
	severity patch.Severity
}

// readAdvisories reads `dnf updateinfo list --updates`: dnf 4 writes "ID
// Severity/Sec. NEVRA", dnf 5 "ID security Severity NEVRA date".
func readAdvisories(text string) []advisory {
	var list []advisory
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		kind, pkg := f[1], f[2]
		if len(f) >= 4 {
			kind, pkg = f[1]+"/"+f[2], f[3]
		}
		if n, ok := splitNEVRA(pkg); ok {
			security, severity := advisoryKind(kind)
			list = append(list, advisory{n, security, severity})
		}
	}
	return list
}

func advisoryKind(kind string) (security bool, severity patch.Severity) {
	before, after, _ := strings.Cut(strings.ToLower(kind), "/")
	switch {
	case after == "sec.":
		return true, severityOf(before)
	case before == "security":
		return true, severityOf(after)
	}
	return false, patch.SeverityUnknown
}

func severityOf(word string) patch.Severity {
	for _, s := range patch.Severities() {
		if string(s) == word {
			return s
		}
	}
	return patch.SeverityUnknown
}

// advise fills in security and severity from the advisories between the installed
// version and the new one. No advisory at all tells nothing: many repositories have none.
func advise(u patch.Update, list []advisory) patch.Update {
	for _, a := range list {
		if !onTheWay(a.nevra, u) {
			continue
		}
		u.Security = max(u.Security, patch.TriOf(a.security))
		if a.security {
			u.Severity = worse(u.Severity, a.severity)
		}
	}
	return u
}

// onTheWay: what an advisory says of this version holds for the update as well.
func onTheWay(n nevra, u patch.Update) bool {
	return n.name == u.Name && n.arch == u.Arch && version.RPM(n.evr, u.To) <= 0 && (u.From == "" || version.RPM(n.evr, u.From) > 0)
}

// worse takes the higher; a known severity beats unknown.
func worse(a, b patch.Severity) patch.Severity {
	rank := func(s patch.Severity) int {
		for i, known := range patch.Severities() {
			if s == known {
				return i + 1
			}
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// readRPMSizes reads the repoquery lines name, epoch:version-release, arch, bytes.
func readRPMSizes(text string) map[nevra]int64 {
	sizes := map[nevra]int64{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 4 {
			continue
		}
		if size, err := strconv.ParseInt(f[3], 10, 64); err == nil && size >= 0 {
			sizes[nevra{f[0], linux.NoEpochZero(f[1]), f[2]}] = size
		}
	}
	return sizes
}

var cacheForm = regexp.MustCompile(`^(.+)-[0-9a-f]{16}$`)

// uncached are the enabled repositories whose lists are not on the host: of `dnf
// repolist` the first column, of the cache the folder names id-hash.
func uncached(repolist, folders []string) []string {
	cached := map[string]bool{}
	for _, f := range folders {
		if m := cacheForm.FindStringSubmatch(f); m != nil {
			cached[m[1]] = true
		}
	}
	var missing []string
	for _, line := range repolist {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "repo id") || cached[f[0]] {
			continue
		}
		missing = append(missing, remote.Clean(f[0], 100))
	}
	return missing
}
