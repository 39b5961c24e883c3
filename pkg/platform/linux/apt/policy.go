package apt

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

// The version that apt would install may come from another archive than the
// security fix that it contains: a point release takes the fixes over. So an update
// counts as a security one as soon as any version newer than the installed one is
// in a security archive. `apt-cache policy` tells, in two questions.

// policy is what `apt-cache policy PACKAGE` says of one.
type policy struct {
	installed, candidate string // "" where there is none
	versions             []aptVersion
}

// aptVersion is one row of its version table.
type aptVersion struct {
	version  string
	priority int
	indexes  []string // as apt describes them: "http://… suite/component arch Packages"
}

// newest by version, whatever its priority.
func (p *policy) newest() aptVersion {
	var best aptVersion
	for _, v := range p.versions {
		if best.version == "" || version.Dpkg(v.version, best.version) > 0 {
			best = v
		}
	}
	return best
}

var (
	indexForm   = regexp.MustCompile(`^ *-?[0-9]+ (.+)$`)
	labelForm   = regexp.MustCompile(`(?:^|,)l=(.*?)(?:,c=|,b=|$)`)
	archiveForm = regexp.MustCompile(`(?:^|,)a=([^,]*)`)
)

// readIndexes reads `apt-cache policy` without arguments: which package file holds
// security fixes.
func readIndexes(text string) map[string]patch.Tri {
	indexes := map[string]patch.Tri{}
	current := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if release, found := strings.CutPrefix(line, "     release "); found {
			if current != "" {
				indexes[current] = releaseSecurity(release)
			}
			continue
		}
		current = ""
		if m := indexForm.FindStringSubmatch(line); m != nil {
			current = m[1]
		}
	}
	return indexes
}

func releaseSecurity(release string) patch.Tri {
	label, archive := "", ""
	if m := labelForm.FindStringSubmatch(release); m != nil {
		label = m[1]
	}
	if m := archiveForm.FindStringSubmatch(release); m != nil {
		archive = m[1]
	}
	return originSecurity(label, archive)
}

// readPolicy reads `apt-cache policy PACKAGE…`, by package name. Its parts are told apart
// by their indentation: what holds for the package at 2, versions at 5, their sources at 8.
func readPolicy(text string) map[string]policy {
	all := map[string]policy{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		p := all[name]
		switch {
		case strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " "):
			name, _, _ = strings.Cut(strings.TrimSuffix(line, ":"), ":")
			continue
		case strings.HasPrefix(line, "        "):
			p.addIndex(line)
		case strings.HasPrefix(line, "     "), strings.HasPrefix(line, " *** "):
			p.addVersion(line[5:])
		case strings.HasPrefix(line, "  Installed: "):
			p.installed = versionOrNone(line[len("  Installed: "):])
		case strings.HasPrefix(line, "  Candidate: "):
			p.candidate = versionOrNone(line[len("  Candidate: "):])
		default:
			continue
		}
		if name != "" {
			all[name] = p
		}
	}
	return all
}

func versionOrNone(text string) string {
	if !linux.IsVersion(text) {
		return "" // "(none)"
	}
	return text
}

// addVersion takes "VERSION PRIORITY", after which may stand how far it is phased.
func (p *policy) addVersion(text string) {
	f := strings.Fields(text)
	if len(f) < 2 || !linux.IsVersion(f[0]) {
		return
	}
	priority, err := strconv.Atoi(f[1])
	if err != nil {
		priority = 0
	}
	p.versions = append(p.versions, aptVersion{version: f[0], priority: priority})
}

func (p *policy) addIndex(line string) {
	priority, index, found := strings.Cut(strings.TrimLeft(line, " "), " ")
	if _, err := strconv.Atoi(priority); found && err == nil && index != "" && len(p.versions) > 0 {
		last := &p.versions[len(p.versions)-1]
		last.indexes = append(last.indexes, index)
	}
}

// fixesUnderway tells whether a version after from, up to the one apt would take,
// is in a security archive.
func fixesUnderway(u patch.Update, table []aptVersion, indexes map[string]patch.Tri) bool {
	for _, v := range table {
		if version.Dpkg(v.version, u.From) <= 0 || version.Dpkg(v.version, u.To) > 0 {
			continue
		}
		for _, index := range v.indexes {
			if indexes[index] == patch.Yes {
				return true
			}
		}
	}
	return false
}

// tableSecurity judges an update by the version table alone.
func tableSecurity(u patch.Update, table []aptVersion, indexes map[string]patch.Tri) patch.Tri {
	if fixesUnderway(u, table, indexes) {
		return patch.Yes
	}
	answer := patch.Unknown
	for _, v := range table {
		if v.version != u.To {
			continue
		}
		for _, index := range v.indexes {
			answer = max(answer, indexes[index])
		}
	}
	return answer
}
