package linux

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// listUpdates leaves locked packages out, unless it is asked for all.
func (r *zypperRun) listUpdates() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.p.Printf("<update-status version=\"0.6\">\n<update-list>\n")
	for _, c := range r.m.upgradable() {
		if r.m.installed[c.to.Name].hold && !r.o.Has("all") {
			continue
		}
		r.p.Printf("<update kind=\"package\" name=\"%s\" edition=\"%s\" arch=\"%s\" edition-old=\"%s\"><summary>%s</summary><description/><license/><source url=\"%s\" alias=\"%s\"/></update>",
			c.to.Name, c.to.Version, c.to.Arch, c.from, c.to.Name, r.m.dist.server, r.alias(c.to))
	}
	r.p.Printf("</update-list>\n</update-status>\n")
	return 0
}

// zypperPatch is an advisory with the packages that it is about.
type zypperPatch struct {
	name, severity string
	reboot         bool
	cves           []string
	packages       []Package
}

// patches are the needed ones, by name. The caller holds mu.
func (r *zypperRun) patches() []zypperPatch {
	var list []zypperPatch
	for _, p := range r.m.lists {
		at := r.m.installed[p.Name]
		if p.Advisory == "" || at == nil || compare(at.Version, p.Version) >= 0 {
			continue
		}
		i := slices.IndexFunc(list, func(one zypperPatch) bool { return one.name == p.Advisory })
		if i < 0 {
			i = len(list)
			list = append(list, zypperPatch{name: p.Advisory})
		}
		one := &list[i]
		if p.Severity != "" {
			one.severity = strings.ToLower(p.Severity)
		}
		one.reboot = one.reboot || p.Reboot || p.Kernel != ""
		one.cves = append(one.cves, p.CVEs...)
		one.packages = append(one.packages, p)
	}
	slices.SortFunc(list, func(a, b zypperPatch) int { return strings.Compare(a.name, b.name) })
	return list
}

func (r *zypperRun) listPatches() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.p.Printf("<update-status version=\"0.6\">\n<update-list>\n")
	for _, one := range r.patches() {
		category, severity := "security", one.severity
		if severity == "" {
			category, severity = "recommended", "moderate"
		}
		r.p.Printf("<update kind=\"patch\" name=\"%s\" edition=\"1\" arch=\"noarch\" status=\"needed\" category=\"%s\" severity=\"%s\" pkgmanager=\"false\" restart=\"%t\" interactive=\"%t\">",
			one.name, category, severity, one.reboot, one.reboot)
		r.p.Printf("<summary>%s</summary><description>made up</description><license/><source url=\"%s\" alias=\"%s\"/><issue-list>", one.name, r.m.dist.server, r.alias(one.packages[0]))
		for _, cve := range slices.Compact(slices.Sorted(slices.Values(one.cves))) {
			r.p.Printf("<issue type=\"cve\" id=\"%s\"><title>%s</title></issue>", cve, cve)
		}
		r.p.Printf("</issue-list></update>")
	}
	r.p.Printf("</update-list>\n</update-status>\n")
	return 0
}

// info knows patches: what they want to be newer.
func (r *zypperRun) info(names []string) int {
	if r.o.Value("t") != "patch" || r.o.Has("xmlout") {
		r.p.Lacks("zypper info is simulated for patches, without --xmlout")
		return posix.Usage
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, one := range r.patches() {
		if !slices.Contains(names, one.name) {
			continue
		}
		r.p.Printf("Information for patch %s:\n---\nName        : %s\nVersion     : 1\nArch        : noarch\nStatus      : needed\nDescription : \n    made up\nConflicts   : [%d]\n",
			one.name, one.name, len(one.packages))
		for _, p := range one.packages {
			r.p.Printf("    %s.%s < %s\n", p.Name, p.Arch, p.Version)
		}
		r.p.Printf("\n")
	}
	return 0
}

// search lists every version of the named packages.
func (r *zypperRun) search(names []string) int {
	if !r.o.Has("match-exact") || !r.o.Has("s") {
		r.p.Lacks("zypper search without -s --match-exact is not simulated")
		return posix.Usage
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	found := false
	r.p.Printf("\n<search-result version=\"0.0\">\n<solvable-list>\n")
	for _, p := range r.m.lists {
		if !slices.Contains(names, p.Name) {
			continue
		}
		found = true
		status := "other-version"
		if at := r.m.installed[p.Name]; at != nil && at.Version == p.Version {
			status = "installed"
		}
		r.p.Printf("<solvable status=\"%s\" name=\"%s\" kind=\"package\" edition=\"%s\" arch=\"%s\" repository=\"%s\"/>\n",
			status, p.Name, p.Version, p.Arch, r.m.dist.suites[p.Suite].label)
	}
	r.p.Printf("</solvable-list>\n</search-result>\n")
	if !found {
		return zypperNotFound
	}
	return 0
}
