package linux

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/version"
)

// The version that apt would install may come from another archive than the
// security fix that it contains: a point release takes the fixes over. So an update
// counts as a security one as soon as any version newer than the installed one is
// in a security archive. `apt-cache policy` tells, in two questions.

// aptVersion is one row of the version table of `apt-cache policy PACKAGE`.
type aptVersion struct {
	version string
	indexes []string // as apt describes them: "http://… suite/component arch Packages"
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

// readPolicy reads `apt-cache policy PACKAGE…`: versions by package name. The table
// is told apart by its indentation: versions at 5, their sources at 8 or more.
func readPolicy(text string) map[string][]aptVersion {
	tables := map[string][]aptVersion{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " "):
			name, _, _ = strings.Cut(strings.TrimSuffix(line, ":"), ":")
		case strings.HasPrefix(line, "        "):
			addIndex(tables[name], line)
		case strings.HasPrefix(line, "     "), strings.HasPrefix(line, " *** "):
			if f := strings.Fields(line[5:]); len(f) >= 2 && isVersion(f[0]) {
				tables[name] = append(tables[name], aptVersion{version: f[0]})
			}
		}
	}
	return tables
}

func addIndex(table []aptVersion, line string) {
	priority, index, found := strings.Cut(strings.TrimLeft(line, " "), " ")
	if _, err := strconv.Atoi(priority); found && err == nil && index != "" && len(table) > 0 {
		last := &table[len(table)-1]
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
