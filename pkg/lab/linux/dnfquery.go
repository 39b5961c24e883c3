package linux

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// upgrades are the newer versions that no version lock keeps away. The caller holds mu.
func (r *dnfRun) upgrades() []change {
	list := r.m.upgradable()
	unheld := slices.Contains(r.o.All("setopt"), "plugins=False") || r.o.Has("disableplugin")
	return slices.DeleteFunc(list, func(c change) bool {
		return r.m.installed[c.to.Name].hold && !unheld || r.o.Has("security") && c.to.Advisory == ""
	})
}

func (r *dnfRun) checkUpdate() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	list := r.upgrades()
	if len(list) == 0 {
		return 0
	}
	name, version := 0, 0
	for _, c := range list {
		name, version = max(name, len(c.to.Name+c.to.Arch)+1), max(version, len(c.to.Version))
	}
	r.p.Printf("\n")
	for _, c := range list {
		r.p.Printf("%-*s %-*s %s\n", name, c.to.Name+"."+c.to.Arch, version, c.to.Version, r.m.dist.suites[c.to.Suite].origin)
	}
	return 100
}

func (r *dnfRun) updateinfo(words []string) int {
	if !slices.Contains(words, "list") && !r.o.Has("list") {
		r.p.Lacks("only dnf updateinfo list is simulated")
		return posix.Usage
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	type row struct{ id, kind, what string }
	var rows []row
	id, kind := 0, 0
	for _, c := range r.m.upgradable() {
		if c.to.Advisory == "" {
			continue
		}
		one := row{c.to.Advisory, "bugfix", nevra(c.to)}
		if c.to.Severity != "" {
			one.kind = c.to.Severity + "/Sec."
		}
		ids := []string{one.id}
		if r.o.Has("with-cve") {
			ids = c.to.CVEs
		}
		for _, one.id = range ids {
			rows = append(rows, one)
			id, kind = max(id, len(one.id)), max(kind, len(one.kind))
		}
	}
	for _, one := range rows {
		r.p.Printf("%-*s %-*s %s\n", id, one.id, kind, one.kind, one.what)
	}
	return 0
}

// repoquery knows --upgrades and --showduplicates with a format. As dnf 4 it ends each
// entry with a newline of its own.
func (r *dnfRun) repoquery(names []string) int {
	if !r.o.Has("upgrades") && !r.o.Has("showduplicates") || !r.o.Has("queryformat") {
		r.p.Lacks("dnf repoquery without --upgrades or --showduplicates, and --qf, is not simulated")
		return posix.Usage
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	var list []Package
	if r.o.Has("upgrades") {
		for _, c := range r.m.upgradable() {
			list = append(list, c.to)
		}
	} else {
		list = slices.DeleteFunc(slices.Clone(r.m.lists), func(p Package) bool { return !slices.Contains(names, p.Name) })
	}
	for _, p := range list {
		if !r.formatted(p) {
			return posix.Usage
		}
	}
	return 0
}

func (r *dnfRun) formatted(p Package) bool {
	n, version := epoch(p.Version)
	upstream, release := revision(version)
	origin := r.m.dist.suites[p.Suite].origin
	text := strings.NewReplacer("%{name}", p.Name, "%{epoch}", fmt.Sprint(n), "%{version}", upstream, "%{release}", release, "%{arch}", p.Arch,
		"%{downloadsize}", fmt.Sprint(p.Size), "%{installsize}", fmt.Sprint(p.Size*3), "%{reponame}", origin,
		"%{repoid}", origin, "%{evr}", p.Version, `\t`, "\t", `\n`, "\n").Replace(r.o.Value("queryformat"))
	if strings.Contains(text, "%{") {
		r.p.Lacks("dnf repoquery: a tag of %q is not simulated", r.o.Value("queryformat"))
		return false
	}
	r.p.Printf("%s\n", text)
	return true
}

func (r *dnfRun) repolist() int {
	repos := r.m.dnfRepos()
	width := len("repo id")
	for _, s := range repos {
		width = max(width, len(s.origin))
	}
	r.p.Printf("%-*s %s\n", width+2, "repo id", "repo name")
	for _, s := range repos {
		r.p.Printf("%-*s %s\n", width+2, s.origin, s.label)
	}
	return 0
}

// dnfRepos are the enabled repositories, sorted by id.
func (m *Machine) dnfRepos() []suite {
	list := m.suites()
	slices.SortFunc(list, func(a, b suite) int { return strings.Compare(a.origin, b.origin) })
	return slices.CompactFunc(list, func(a, b suite) bool { return a.origin == b.origin })
}
