package zypper

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

// reader adds what only zypper tells.
type reader struct{ *linux.Reader }

// read fills in what the sections of a host with zypper tell.
func read(of *linux.Reader) {
	r := reader{of}
	r.Arch()
	r.Facts.Manager.State = fact.ManagerUnknown
	r.holds()
	r.Refreshed(r.refreshFailure())
	r.repositories()
	r.updates()
	r.Locks()
	r.Installed("packages", "rpm -q")
}

// refreshFailure is why the lists could not be fetched, or "". A key that nobody here has
// imported yet is refused: whom to trust is a person's decision.
func (r reader) refreshFailure() string {
	if !r.Report.Has("refresh") {
		return ""
	}
	s := r.Report.Get("refresh")
	if s.OK() {
		return ""
	}
	said := ""
	for _, line := range remote.CleanLines(s.Out+s.Err, 400, 300) {
		if strings.HasPrefix(line, "Error:") || strings.Contains(line, "is invalid") || strings.Contains(line, "Signature verification failed") ||
			strings.Contains(line, "401") || strings.Contains(line, "not signed") || strings.Contains(line, "unknown key") {
			said = ": " + line
			break
		}
	}
	return "zypper refresh: " + why(s) + said
}

// why tells the exit status in words.
func why(s linux.Section) string {
	if s.Status < 0 {
		return s.Why()
	}
	return Exit(s.Status).String()
}

// holds are the locks: names, with wildcards. They keep a package from changing at all.
func (r reader) holds() {
	s := r.Report.Get("holds")
	names, err := readLocks(s.Out)
	if err != nil || !s.OK() {
		r.Problem("holds", "zypper locks: %s", told(s, err))
	}
	r.Facts.Holds = append(r.Facts.Holds, names...)
}

// told is why an answer is of no use.
func told(s linux.Section, err error) string {
	if said := complaint(s.Out); said != "" {
		return said
	}
	if s.OK() && err != nil {
		return err.Error()
	}
	return why(s)
}

func readLocks(text string) (names []string, err error) {
	inLock := false
	err = readTags(text, func(t tag) {
		switch {
		case t.name == "lock":
			inLock = true
		case t.name == "/lock":
			inLock = false
		case t.name == "name" && inLock:
			names = append(names, remote.Clean(strings.TrimSpace(t.text), 200))
		}
	})
	return names, err
}

// repositories: without any, zypper says that there are no updates, and is content.
func (r reader) repositories() {
	s := r.Report.Get("repos")
	enabled := 0
	err := readTags(s.Out, func(t tag) {
		if t.name == "repo" && t.attr["enabled"] == "1" {
			enabled++
		}
	})
	switch {
	case Exit(s.Status) == NoRepositories || s.OK() && err == nil && enabled == 0:
		r.Problem("updates", "%s", NoRepositories)
	case err != nil || !s.OK():
		r.Problem("updates", "zypper repos: %s", told(s, err))
	}
}

// held tells whether a lock names the package. Whatever else a lock asks for (a version, a
// repository) is left aside.
func (r reader) held(name string) bool {
	return slices.ContainsFunc(r.Facts.Holds, func(lock string) bool {
		same, err := path.Match(lock, name)
		return same && err == nil
	})
}

func (r reader) updates() {
	s := r.Report.Get("updates")
	listed, odd, err := readUpdates(s.Out)
	if Exit(s.Status) == Locked {
		r.Facts.Manager.State, r.Facts.Manager.Detail = fact.ManagerLocked, told(s, err)
	}
	if err != nil || !s.OK() {
		r.Problem("updates", "zypper list-updates: %s", told(s, err))
	} else {
		r.Facts.Manager.State = fact.ManagerOK
	}
	if err != nil || !s.OK() && Exit(s.Status) != Skipped {
		return
	}
	if len(odd) > 0 {
		r.Problem("updates", "%d updates were not understood, the first: %s", len(odd), odd[0])
	}
	fixes := r.fixes()
	about := newAdvice(fixes)
	for _, u := range listed {
		r.Facts.Updates = append(r.Facts.Updates, about.update(u))
	}
	r.leftOut(about, missing(fixes, r.installed(), listed), listed)
	r.unsaid(about)
}

// unsaid tells what of the patches was left out.
func (r reader) unsaid(about *advice) {
	for _, key := range slices.Sorted(maps.Keys(about.cut)) {
		r.Problem("cves", "%s fixes %d CVEs: only the newest %d of them are known here", key, about.cut[key], maxCVEs)
	}
	if about.room < 0 {
		r.Problem("security", "the patches name the same packages too often: of some updates it is not known what they fix")
	}
}

// fixes are the needed patches with what they are about; nil where they are not known.
func (r reader) fixes() []fix {
	s, status := r.Report.Get("patches"), r.Report.Get("patches_status")
	fixes, err := readPatches(s.Out)
	code, convErr := strconv.Atoi(strings.TrimSpace(status.Out))
	if err != nil || convErr != nil || !s.OK() || !Exit(code).Trusted() {
		r.Problem("security", "zypper list-patches: %s", told(linux.Section{Out: s.Out, Err: s.Err, Status: code}, err))
		return nil
	}
	bounds := readBounds(r.Report.Get("fixes").Out)
	var blind []string
	for i := range fixes {
		fixes[i].replaces = bounds[fixes[i].name]
		if len(fixes[i].replaces) == 0 {
			blind = append(blind, fixes[i].name)
		}
	}
	if len(blind) > 0 {
		r.Problem("security", "which packages %d of the patches are about is not known, the first: %s", len(blind), remote.Clean(blind[0], 200))
	}
	return slices.Clip(append(make([]fix, 0, len(fixes)), fixes...))
}

// installed are those of the packages that the patches are about.
func (r reader) installed() []fact.Package {
	s := r.Report.Get("versions")
	if !r.Report.Has("versions") {
		return nil
	}
	installed, odd := linux.ReadInstalled(s.Lines())
	if s.Status < 0 || odd > 0 {
		r.Problem("updates", "rpm -q: %s", s.Why())
	}
	return installed
}
