package linux

import (
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// dfRow is one line of POSIX df -P: device, total, used, free, capacity, mount point.
type dfRow struct {
	total, free int64
	mount       string
}

// readDF reads from the right: device names may hold blanks. Mount points with
// blanks don't occur among the ones asked for.
func readDF(text string) []dfRow {
	var rows []dfRow
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasPrefix(f[len(f)-1], "/") {
			continue
		}
		total, err1 := strconv.ParseInt(f[len(f)-5], 10, 64)
		free, err2 := strconv.ParseInt(f[len(f)-3], 10, 64)
		if err1 != nil || err2 != nil || total < 0 {
			continue
		}
		rows = append(rows, dfRow{total: total, free: max(free, 0), mount: remote.Clean(f[len(f)-1], 200)})
	}
	return rows
}

// readSpaces joins df -k, df -i and /proc/mounts by mount point, sorted, each once.
func readSpaces(blocks, inodes, mounts string) []fact.Space {
	count := map[string]dfRow{}
	for _, row := range readDF(inodes) {
		count[row.mount] = row
	}
	readOnly := readOnlyMounts(mounts)
	var spaces []fact.Space
	for _, row := range readDF(blocks) {
		spaces = append(spaces, fact.Space{
			Mount: row.mount, FreeKiB: row.free, TotalKiB: row.total,
			InodeFree: count[row.mount].free, InodeTotal: count[row.mount].total, ReadOnly: readOnly[row.mount],
		})
	}
	slices.SortFunc(spaces, func(a, b fact.Space) int { return strings.Compare(a.Mount, b.Mount) })
	return slices.CompactFunc(spaces, func(a, b fact.Space) bool { return a.Mount == b.Mount })
}

// readOnlyMounts reads /proc/mounts; what was mounted last on a point counts.
func readOnlyMounts(text string) map[string]bool {
	readOnly := map[string]bool{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 4 {
			readOnly[f[1]] = slices.Contains(strings.Split(f[3], ","), "ro")
		}
	}
	return readOnly
}

// spaceFor finds the file system that holds path: the longest mount point above it.
func spaceFor(spaces []fact.Space, path string) (fact.Space, bool) {
	var best fact.Space
	for _, s := range spaces {
		above := s.Mount == "/" || s.Mount == path || strings.HasPrefix(path, s.Mount+"/")
		if above && len(s.Mount) >= len(best.Mount) {
			best = s
		}
	}
	return best, best.Mount != ""
}
