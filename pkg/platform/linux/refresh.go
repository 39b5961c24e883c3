package linux

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/remote"
)

// refreshMarks begin lines that tell of lists that could not be fetched or trusted.
func refreshMarks() []string {
	return []string{
		"E: ", "Err:", "W: Failed to fetch", "W: Some index files failed", "W: GPG error",
		"Error: ", "Ignoring repositories", "Failed to download metadata",
	}
}

// RefreshFailure is why the lists could not be fetched, or "". apt exits with 0
// though some of them failed: it only warns, and one before 2.1.8 can't be told otherwise.
func RefreshFailure(rep Report, command string) string {
	if !rep.Has("refresh") {
		return ""
	}
	s := rep.Get("refresh")
	marks := refreshMarks()
	for _, line := range remote.CleanLines(s.Err+s.Out, 2000, 300) {
		begins := func(mark string) bool { return strings.HasPrefix(line, mark) }
		if slices.ContainsFunc(marks, begins) || strings.Contains(line, "previous index files will be used") {
			return line
		}
	}
	if !s.OK() {
		return command + ": " + s.Why()
	}
	return ""
}

// Installed reads the packages that the query asked for. A package that is not
// installed makes the tools exit with 1, which is an answer.
func (r *Reader) Installed(name, command string) {
	if !r.Report.Has(name) {
		return
	}
	s := r.Report.Get(name)
	packages, odd := ReadInstalled(s.Lines())
	r.Facts.Packages = packages
	if s.Status < 0 || s.Status > 1 || odd > 0 {
		r.Problem("packages", "%s: %s", command, s.Why())
	}
}
