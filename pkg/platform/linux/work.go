package linux

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// Refuse is a driver's refusal: nothing was touched.
func Refuse(f fact.Facts, hint, format string, args ...any) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Host: f.Host.String(),
		What: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// check refuses work that can't or must not be turned into commands.
func (s Manager) check(f fact.Facts, w patch.Work) error {
	switch {
	case s.Refused != "":
		return Refuse(f, "see: patchring detect "+f.Host.Name, "this host can't be patched: %s", s.Refused)
	case w.Refused != "":
		return Refuse(f, "plan again", "this host may not be touched: %s", remote.Clean(w.Refused, 300))
	case w.ID == "":
		return Refuse(f, "this is a mistake in patchring; please report it", "the work has no ID")
	case f.Manager.Name != s.Name:
		return Refuse(f, "look with: patchring detect", "its package manager is %q, not %s", f.Manager.Name, s.Name)
	}
	for _, address := range w.Snapshots {
		if !isAddress(address) {
			return Refuse(f, "write it as https://…", "not the address of a snapshot archive: %s", remote.Clean(address, 200))
		}
	}
	return s.checkUpdates(f, w)
}

func (s Manager) checkUpdates(f fact.Facts, w patch.Work) error {
	seen := map[string]bool{}
	for _, u := range w.Install {
		key := s.Key(u.Name, u.Arch, f.Arch)
		switch {
		case !WellFormed(u), s.NeedsArch && u.Arch == "":
			return Refuse(f, "", "not a package and version: %s %s", remote.Clean(u.Key(), 100), remote.Clean(u.To, 100))
		case seen[key+" "+u.To]:
			return Refuse(f, "plan again", "%s is named twice", u.Key())
		case !wellSourced(u):
			return Refuse(f, "plan again", "%s %s comes from nowhere that is known", u.Key(), u.To)
		case u.From != "" && !w.Back && s.Order(u.From, u.To) >= 0:
			return Refuse(f, "plan again", "%s %s is not newer than the installed %s: patchring does not downgrade", u.Key(), u.To, u.From)
		}
		seen[key+" "+u.To] = true
	}
	for _, name := range w.Remove {
		if name, arch, _ := strings.Cut(name, ":"); !w.Back || !IsName(name) || arch != "" && !IsArch(arch) {
			return Refuse(f, "plan again", "%s is not to be removed", remote.Clean(name, 100))
		}
	}
	return nil
}

// wellSourced: what does not come from the repositories is known by its digest.
func wellSourced(u patch.Update) bool {
	_, err := patch.ParseDigest(string(u.Digest))
	switch u.Source {
	case patch.SourceRepository:
		return u.Digest == "" || err == nil
	case patch.SourceStore:
		return err == nil
	case patch.SourceHost:
		return err == nil && isPath(u.File)
	}
	return false
}

// specs are the install command's words, in the work's order.
func (s Manager) specs(f fact.Facts, w patch.Work) []string {
	specs := make([]string, 0, len(w.Install))
	for _, u := range w.Install {
		specs = append(specs, s.word(f, w, u))
	}
	return specs
}

// word is how exactly this version is named: where it comes from a file, by that.
func (s Manager) word(f fact.Facts, w patch.Work, u patch.Update) string {
	switch u.Source {
	case patch.SourceStore:
		return s.sentPath(w, u)
	case patch.SourceHost:
		return u.File
	case patch.SourceRepository:
	}
	return s.Spec(u, f.Arch)
}

// Transaction is what a package manager's simulation came to, whichever it was.
type Transaction struct {
	Changes []patch.Update
	Removes []string
	Refused string // it would not do it, or something was not understood
}

// differences tells how a simulation differs from the work: nothing more, nothing
// less, and the same versions. What is installed already is not missed.
func (s Manager) differences(f fact.Facts, w patch.Work, t Transaction, installed []fact.Package) []string {
	if t.Refused != "" {
		return []string{t.Refused}
	}
	var diff []string
	wanted := map[string]bool{}
	for _, u := range w.Install {
		wanted[s.Key(u.Name, u.Arch, f.Arch)+" "+u.To] = true
	}
	coming := map[string]bool{}
	for _, c := range t.Changes {
		key := s.Key(c.Name, c.Arch, f.Arch) + " " + c.To
		coming[key] = true
		if !wanted[key] {
			diff = append(diff, fmt.Sprintf("%s would install %s %s, which is not in the plan", s.Name, c.Key(), c.To))
		}
	}
	for _, u := range w.Install {
		if !coming[s.Key(u.Name, u.Arch, f.Arch)+" "+u.To] && s.state(f, u, installed) != exact {
			diff = append(diff, fmt.Sprintf("%s would not install %s %s", s.Name, u.Key(), u.To))
		}
	}
	return append(diff, s.removals(f, w, t.Removes, installed)...)
}

// removals tells how what would go differs from what shall go. What is gone already is not missed.
func (s Manager) removals(f fact.Facts, w patch.Work, removes []string, installed []fact.Package) []string {
	var diff []string
	wanted := map[string]bool{}
	for _, name := range w.Remove {
		wanted[s.keyOf(f, name)] = true
	}
	going := map[string]bool{}
	for _, name := range removes {
		key := s.keyOf(f, name)
		going[key] = true
		if !wanted[key] {
			diff = append(diff, fmt.Sprintf("%s would remove %s", s.Name, name))
		}
	}
	for _, name := range s.stays(f, w, installed) {
		if !going[s.keyOf(f, name)] {
			diff = append(diff, fmt.Sprintf("%s would not remove %s", s.Name, name))
		}
	}
	return diff
}

// keyOf is the key of a package to be removed: "name" or "name:arch".
func (s Manager) keyOf(f fact.Facts, name string) string {
	name, arch, _ := strings.Cut(name, ":")
	return s.Key(name, arch, f.Arch)
}

// stays are the packages to be removed that are still here.
func (s Manager) stays(f fact.Facts, w patch.Work, installed []fact.Package) []string {
	var list []string
	for _, name := range w.Remove {
		here := func(p fact.Package) bool { return s.Key(p.Name, p.Arch, f.Arch) == s.keyOf(f, name) }
		if slices.ContainsFunc(installed, here) {
			list = append(list, name)
		}
	}
	return list
}

// versionState is how an update stands against what is installed.
type versionState uint8

const (
	missing versionState = iota // not installed, or not wholly
	older
	exact
	newer
)

// state looks for the update among the installed packages. Several versions of one
// package (kernels) may be there: the exact one counts first.
func (s Manager) state(f fact.Facts, u patch.Update, installed []fact.Package) versionState {
	best := missing
	for _, p := range installed {
		if s.Key(p.Name, p.Arch, f.Arch) != s.Key(u.Name, u.Arch, f.Arch) {
			continue
		}
		c := s.Order(p.Version, u.To)
		switch {
		case c == 0 && p.Status == "installed":
			return exact
		case c == 0: // there, but not configured
		case c > 0:
			best = newer
		case best == missing:
			best = older
		}
	}
	return best
}

// unmet lists what is not installed at its planned version, or not gone, in words. On the
// way back what is newer is only not taken back yet.
func (s Manager) unmet(f fact.Facts, w patch.Work, installed []fact.Package) (unmet []string, tooNew bool) {
	for _, u := range w.Install {
		state := s.state(f, u, installed)
		if state == exact {
			continue
		}
		tooNew = tooNew || state == newer && !w.Back
		unmet = append(unmet, fmt.Sprintf("%s is %s, not %s", u.Key(), s.describe(f, u, installed), u.To))
	}
	for _, name := range s.stays(f, w, installed) {
		unmet = append(unmet, name+" is still installed")
	}
	return unmet, tooNew
}

func (s Manager) describe(f fact.Facts, u patch.Update, installed []fact.Package) string {
	var there []string
	for _, p := range installed {
		if s.Key(p.Name, p.Arch, f.Arch) != s.Key(u.Name, u.Arch, f.Arch) {
			continue
		}
		text := p.Version
		if p.Status != "installed" {
			text += " (" + p.Status + ")"
		}
		there = append(there, text)
	}
	if len(there) == 0 {
		return "not installed"
	}
	return strings.Join(there, " and ")
}

// asked are the names whose versions tell how the work stands.
func asked(w patch.Work) []string {
	list := names(w.Install)
	for _, name := range w.Remove {
		if name, _, _ = strings.Cut(name, ":"); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// names are what the versions are asked of, each once.
func names(updates []patch.Update) []string {
	var list []string
	seen := map[string]bool{}
	for _, u := range updates {
		if !seen[u.Name] {
			seen[u.Name] = true
			list = append(list, u.Name)
		}
	}
	return list
}
