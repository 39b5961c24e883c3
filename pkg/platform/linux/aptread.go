package linux

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// apt fills in what the sections of a host with apt tell.
func (r *reader) apt() {
	r.arch()
	r.facts.Manager.State, r.facts.Manager.Detail = dpkgState(r.report.get("audit"), r.report.get("journal"))
	if r.facts.Manager.State == fact.ManagerUnknown {
		r.problem("manager", "%s", r.facts.Manager.Detail)
	}
	r.locks()
	r.aptHolds()
	r.refreshed(refreshFailure(r.report, "apt-get update"))
	r.aptUpdates()
	r.installed("packages", "dpkg-query")
}

func (r *reader) aptHolds() {
	holds := r.report.get("holds")
	if !holds.ok() {
		r.problem("holds", "apt-mark showhold: %s", holds.why())
	}
	for _, line := range holds.lines() {
		name, _, _ := strings.Cut(line, ":")
		if isName(name) {
			r.facts.Holds = append(r.facts.Holds, remote.Clean(line, 200))
		}
	}
}

// refreshMarks begin lines that tell of lists that could not be fetched or trusted.
func refreshMarks() []string {
	return []string{
		"E: ", "Err:", "W: Failed to fetch", "W: Some index files failed", "W: GPG error",
		"Error: ", "Ignoring repositories", "Failed to download metadata",
	}
}

// refreshFailure is why the lists could not be fetched, or "". apt exits with 0
// though some of them failed: it only warns, and one before 2.1.8 can't be told otherwise.
func refreshFailure(rep report, command string) string {
	if !rep.has("refresh") {
		return ""
	}
	s := rep.get("refresh")
	marks := refreshMarks()
	for _, line := range remote.CleanLines(s.err+s.out, 2000, 300) {
		begins := func(mark string) bool { return strings.HasPrefix(line, mark) }
		if slices.ContainsFunc(marks, begins) || strings.Contains(line, "previous index files will be used") {
			return line
		}
	}
	if !s.ok() {
		return command + ": " + s.why()
	}
	return ""
}

func (r *reader) aptUpdates() {
	s, status := r.report.get("updates"), r.report.get("updates_status")
	if !s.ok() || strings.TrimSpace(status.out) != "0" {
		r.problem("updates", "apt-get -s upgrade: %s", r.report.get("plan").why())
		if r.facts.Manager.State == fact.ManagerOK {
			r.facts.Manager.State, r.facts.Manager.Detail = fact.ManagerBroken, r.report.get("plan").why()
		}
	}
	plan := readAptPlan(s.out)
	if len(plan.odd) > 0 {
		r.problem("updates", "%d lines of apt were not understood, the first: %s", len(plan.odd), plan.odd[0])
	}
	r.facts.Updates = plan.changes
	r.facts.KeptBack = markHeld(plan.kept, r.facts.Holds)
	r.aptSizes()
	r.aptFixes()
}

func (r *reader) aptSizes() {
	sizes := readSizes(r.report.get("sizes").out)
	for i, u := range r.facts.Updates {
		r.facts.Updates[i].Size = sizes[fileKey{u.Name, u.To, u.Arch}]
	}
}

// aptFixes corrects "not security" where a security fix is on the way to the
// version; where the question failed, it takes the answer back.
func (r *reader) aptFixes() {
	policy, indexes := r.report.get("policy"), r.report.get("indexes")
	if len(r.facts.Updates)+len(r.facts.KeptBack) == 0 {
		return
	}
	tables, known := readPolicy(policy.out), readIndexes(indexes.out)
	failed := !policy.ok() || !indexes.ok()
	if failed {
		r.problem("security", "apt-cache policy: %s", policy.why())
	}
	for i, u := range r.facts.Updates {
		switch {
		case u.Security == patch.Yes, u.From == "":
		case fixesUnderway(u, tables[u.Name], known):
			r.facts.Updates[i].Security = patch.Yes
		case failed:
			r.facts.Updates[i].Security = patch.Unknown
		}
	}
	for i, k := range r.facts.KeptBack {
		if !failed {
			r.facts.KeptBack[i].Update.Security = tableSecurity(k.Update, tables[k.Update.Name], known)
		}
	}
}

// markHeld tells what a person holds from what apt keeps back by itself.
func markHeld(kept []patch.Left, holds []string) []patch.Left {
	for i, k := range kept {
		if slices.Contains(holds, k.Update.Name) || slices.Contains(holds, k.Update.Key()) {
			kept[i].Reason, kept[i].Detail = patch.ReasonHeld, "held on the host (apt-mark hold)"
		}
	}
	return kept
}

// installed reads the packages that the query asked for. A package that is not
// installed makes the tools exit with 1, which is an answer.
func (r *reader) installed(name, command string) {
	if !r.report.has(name) {
		return
	}
	s := r.report.get(name)
	packages, odd := readInstalled(s.lines())
	r.facts.Packages = packages
	if s.status < 0 || s.status > 1 || odd > 0 {
		r.problem("packages", "%s: %s", command, s.why())
	}
}
