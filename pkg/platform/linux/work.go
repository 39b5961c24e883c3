package linux

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// scheme is how one package manager names and orders things.
type scheme struct {
	manager string // "apt", "dnf"
	order   func(a, b string) int
	spec    func(u patch.Update, native string) string // what is typed to get exactly this version
	key     func(name, arch, native string) string     // two names of one package have one key
}

// refuse is a driver's refusal: nothing was touched.
func refuse(f fact.Facts, hint, format string, args ...any) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Host: f.Host.String(),
		What: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// check refuses work that can't or must not be turned into commands.
func (s scheme) check(f fact.Facts, w patch.Work) error {
	switch {
	case w.Refused != "":
		return refuse(f, "plan again", "this host may not be touched: %s", remote.Clean(w.Refused, 300))
	case w.ID == "":
		return refuse(f, "this is a mistake in patchring; please report it", "the work has no ID")
	case f.Manager.Name != s.manager:
		return refuse(f, "look with: patchring detect", "its package manager is %q, not %s", f.Manager.Name, s.manager)
	}
	return s.checkUpdates(f, w.Install)
}

func (s scheme) checkUpdates(f fact.Facts, updates []patch.Update) error {
	seen := map[string]bool{}
	for _, u := range updates {
		key := s.key(u.Name, u.Arch, f.Arch)
		switch {
		case !wellFormed(u), s.manager == "dnf" && u.Arch == "":
			return refuse(f, "", "not a package and version: %s %s", remote.Clean(u.Key(), 100), remote.Clean(u.To, 100))
		case seen[key+" "+u.To]:
			return refuse(f, "plan again", "%s is named twice", u.Key())
		case u.From != "" && s.order(u.From, u.To) >= 0:
			return refuse(f, "plan again", "%s %s is not newer than the installed %s: patchring does not downgrade", u.Key(), u.To, u.From)
		}
		seen[key+" "+u.To] = true
	}
	return nil
}

// specs are the install command's words, in the work's order.
func (s scheme) specs(f fact.Facts, updates []patch.Update) []string {
	specs := make([]string, 0, len(updates))
	for _, u := range updates {
		specs = append(specs, s.spec(u, f.Arch))
	}
	return specs
}

// transaction is what a package manager's simulation came to, whichever it was.
type transaction struct {
	changes []patch.Update
	removes []string
	refused string // it would not do it, or something was not understood
}

// differences tells how a simulation differs from the work: nothing more, nothing
// less, and the same versions. What is installed already is not missed.
func (s scheme) differences(f fact.Facts, w patch.Work, t transaction, installed []fact.Package) []string {
	if t.refused != "" {
		return []string{t.refused}
	}
	var diff []string
	wanted := map[string]bool{}
	for _, u := range w.Install {
		wanted[s.key(u.Name, u.Arch, f.Arch)+" "+u.To] = true
	}
	coming := map[string]bool{}
	for _, c := range t.changes {
		key := s.key(c.Name, c.Arch, f.Arch) + " " + c.To
		coming[key] = true
		if !wanted[key] {
			diff = append(diff, fmt.Sprintf("%s would install %s %s, which is not in the plan", s.manager, c.Key(), c.To))
		}
	}
	for _, u := range w.Install {
		if !coming[s.key(u.Name, u.Arch, f.Arch)+" "+u.To] && s.state(f, u, installed) != exact {
			diff = append(diff, fmt.Sprintf("%s would not install %s %s", s.manager, u.Key(), u.To))
		}
	}
	for _, name := range t.removes {
		diff = append(diff, fmt.Sprintf("%s would remove %s", s.manager, name))
	}
	return diff
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
func (s scheme) state(f fact.Facts, u patch.Update, installed []fact.Package) versionState {
	best := missing
	for _, p := range installed {
		if s.key(p.Name, p.Arch, f.Arch) != s.key(u.Name, u.Arch, f.Arch) {
			continue
		}
		c := s.order(p.Version, u.To)
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

// unmet lists what is not installed at its planned version, in words.
func (s scheme) unmet(f fact.Facts, w patch.Work, installed []fact.Package) (unmet []string, tooNew bool) {
	for _, u := range w.Install {
		state := s.state(f, u, installed)
		if state == exact {
			continue
		}
		tooNew = tooNew || state == newer
		unmet = append(unmet, fmt.Sprintf("%s is %s, not %s", u.Key(), s.describe(f, u, installed), u.To))
	}
	return unmet, tooNew
}

func (s scheme) describe(f fact.Facts, u patch.Update, installed []fact.Package) string {
	var there []string
	for _, p := range installed {
		if s.key(p.Name, p.Arch, f.Arch) != s.key(u.Name, u.Arch, f.Arch) {
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
