package dnf

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// keptBack are the updates that dnf would offer if the host did not keep them away: by a
// version lock, or by what its configuration excludes.
func keptBack(updates, unheld []patch.Update, holds []string) []patch.Left {
	var left []patch.Left
	for _, u := range unheld {
		offered := func(o patch.Update) bool { return o.Name == u.Name && o.Arch == u.Arch && o.To == u.To }
		if slices.ContainsFunc(updates, offered) {
			continue
		}
		if lock := lockOf(u, holds); lock != "" {
			left = append(left, patch.Left{Update: u, Reason: patch.ReasonHeld, Detail: "versionlock: " + lock})
			continue
		}
		left = append(left, patch.Left{Update: u, Reason: patch.ReasonKeptBack, Detail: "excluded in dnf's configuration"})
	}
	return left
}

// lockOf finds the version lock of a package: "name-epoch:version-release.*", or a pattern.
// With "!" it is an exclusion.
func lockOf(u patch.Update, holds []string) string {
	for _, hold := range holds {
		pattern := strings.TrimPrefix(hold, "!")
		name := pattern
		if n, ok := splitNEVRA(strings.TrimSuffix(pattern, "*") + "x"); ok {
			name = n.name
		}
		for _, p := range []string{name, pattern} {
			if ok, err := path.Match(p, u.Name); err == nil && ok {
				return hold
			}
		}
	}
	return ""
}

// repoLines are the rows of `dnf repolist` below its heading; what stands above it is
// what plugins say.
func repoLines(lines []string) (rows []string, said string) {
	for i, line := range lines {
		if strings.HasPrefix(line, "repo id") {
			return lines[i+1:], strings.Join(lines[:i], " ")
		}
	}
	return nil, strings.Join(lines, " ")
}

// unregistered: a system of Red Hat that is not registered has no repositories of Red Hat,
// and dnf then finds no updates, and no fault. Images of clouds have others, by their names.
func unregistered(id string, rows []string, said string) bool {
	ours := func(row string) bool {
		name, _, _ := strings.Cut(row, " ")
		return strings.Contains(name, "rhel") || strings.Contains(name, "rhui") || strings.Contains(name, "ubi-")
	}
	return strings.Contains(said, "not registered") && id == "rhel" && !slices.ContainsFunc(rows, ours)
}

// listsLast is how long dnf itself takes package lists for good where nobody says otherwise.
const listsLast = 48 * time.Hour

// expired names the enabled repositories whose lists are older than that. Asked for what
// is in its cache, dnf takes them all the same.
func expired(rows, ages []string, now time.Time) []string {
	newest := map[string]int64{}
	for _, line := range ages {
		folder, seconds, _ := strings.Cut(line, " ")
		m := cacheForm.FindStringSubmatch(folder)
		n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
		if m == nil || err != nil || n < 0 || n > 253402300800 {
			continue
		}
		newest[m[1]] = max(newest[m[1]], n)
	}
	var old []string
	for _, row := range rows {
		id, _, _ := strings.Cut(row, " ")
		if at, known := newest[id]; known && now.Sub(time.Unix(at, 0)) > listsLast {
			old = append(old, fmt.Sprintf("%s (%d days)", remote.Clean(id, 100), int(now.Sub(time.Unix(at, 0)).Hours()/24)))
		}
	}
	return old
}
