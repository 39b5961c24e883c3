package linux

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// suites lists those that the lists come from, in the order that apt shows them.
func (m *Machine) suites() []suite {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := map[string]bool{"main": true, "security": true, "updates": true}
	for _, p := range m.lists {
		used[p.Suite] = true
	}
	var list []suite
	for _, name := range []string{"main", "updates", "security", "third-party"} {
		if used[name] {
			list = append(list, m.dist.suites[name])
		}
	}
	return list
}

func (m *Machine) sourcesList() string {
	var out strings.Builder
	for _, s := range m.suites() {
		fmt.Fprintf(&out, "deb %s %s main\n", s.server, s.path)
	}
	return out.String()
}

func (m *Machine) aptCache(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "qo:a", "no-all-versions", "quiet|q", "all-versions|a")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	names := o.Args[1:]
	switch o.Args[0] {
	case "policy":
		if len(names) == 0 {
			m.policyFiles(p)
			return 0
		}
		return m.eachKnown(p, names, m.policy)
	case "madison":
		return m.eachKnown(p, names, m.madison)
	case "show":
		return m.show(p, names, o.Has("no-all-versions"))
	}
	p.Lacks("apt-cache %s is not simulated", o.Args[0])
	return posix.Usage
}

func (m *Machine) eachKnown(p *posix.Proc, names []string, do func(*posix.Proc, string)) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		if _, ok := m.offered(name, ""); ok {
			do(p, name)
		}
	}
	return 0
}

// listed are the versions of a package in the lists, newest first.
func (m *Machine) listed(name string) []Package {
	var list []Package
	for _, p := range m.lists {
		if p.Name == name {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Package) int { return compare(b.Version, a.Version) })
	return list
}

func (m *Machine) policy(p *posix.Proc, name string) {
	at, current := m.installed[name], "(none)"
	if at != nil {
		current = at.Version
	}
	best, _ := m.offered(name, "")
	p.Printf("%s:\n  Installed: %s\n  Candidate: %s\n  Version table:\n", name, current, best.Version)
	list := m.listed(name)
	if at != nil && !slices.ContainsFunc(list, func(v Package) bool { return v.Version == at.Version }) {
		list = append(list, at.Package)
		slices.SortFunc(list, func(a, b Package) int { return compare(b.Version, a.Version) })
	}
	for _, v := range list {
		mark, priority := "   ", 100
		if at != nil && v.Version == at.Version {
			mark = "***"
		}
		served := slices.ContainsFunc(m.lists, func(l Package) bool { return l.Name == name && l.Version == v.Version })
		if served {
			priority = 500
		}
		p.Printf(" %s %s %d\n", mark, v.Version, priority)
		if served {
			s := m.dist.suites[v.Suite]
			p.Printf("        500 %s %s/main %s Packages\n", s.server, s.path, m.conf.Arch)
		}
		if at != nil && v.Version == at.Version {
			p.Printf("        100 /var/lib/dpkg/status\n")
		}
	}
}

// policyFiles is apt-cache policy without a package.
func (m *Machine) policyFiles(p *posix.Proc) {
	p.Printf("Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n")
	for _, s := range m.suites() {
		origin, rest, _ := strings.Cut(s.origin, ":")
		version, archive, _ := strings.Cut(rest, "/")
		host := strings.Split(s.server, "/")[2]
		if strings.HasPrefix(origin, "Debian") {
			origin = "Debian"
		}
		p.Printf(" 500 %s %s/main %s Packages\n     release v=%s,o=%s,a=%s,n=%s,l=%s,c=main,b=%s\n     origin %s\n",
			s.server, s.path, m.conf.Arch, version, origin, archive, s.path, s.label, m.conf.Arch, host)
	}
	p.Printf("Pinned packages:\n")
}

func (m *Machine) madison(p *posix.Proc, name string) {
	for _, v := range m.listed(name) {
		s := m.dist.suites[v.Suite]
		p.Printf("%10s | %10s | %s %s/main %s Packages\n", name, v.Version, s.server, s.path, m.conf.Arch)
	}
}

func (m *Machine) show(p *posix.Proc, names []string, newest bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := false
	for _, word := range names {
		name, version, _ := strings.Cut(word, "=")
		list := m.listed(name)
		if version != "" {
			list = slices.DeleteFunc(list, func(v Package) bool { return v.Version != version })
		}
		if len(list) == 0 {
			fmt.Fprintf(p.Err, "N: Unable to locate package %s\n", name)
			continue
		}
		found = true
		if newest {
			list = list[:1]
		}
		for _, v := range list {
			m.record(p, v)
		}
	}
	if !found {
		fmt.Fprintln(p.Err, "E: No packages found")
		return aptFailed
	}
	return 0
}

// record is a package's entry in the index, as apt-cache show prints it.
func (m *Machine) record(p *posix.Proc, v Package) {
	p.Printf("Package: %s\nVersion: %s\nInstalled-Size: %d\nMaintainer: The Lab <lab@example.org>\nArchitecture: %s\n",
		v.Name, v.Version, v.Size*3/1024, v.Arch)
	if len(v.Depends) > 0 {
		var needs []string
		for _, need := range v.Depends {
			name, version, exact := strings.Cut(need, "=")
			if exact {
				name += " (= " + version + ")"
			}
			needs = append(needs, name)
		}
		p.Printf("Depends: %s\n", strings.Join(needs, ", "))
	}
	_, file, _ := strings.Cut(m.uri(v), "/pool/")
	p.Printf("Description: made up for the lab\nSection: admin\nPriority: optional\nFilename: pool/%s\nSize: %d\nSHA256: %s\n\n", file, v.Size, digestOf(v))
}

func (m *Machine) aptMark(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "q", "quiet|q")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch o.Args[0] {
	case "showhold":
		for _, name := range m.names() {
			if m.installed[name].hold {
				p.Printf("%s\n", name)
			}
		}
		return 0
	case "showmanual":
		for _, name := range m.names() {
			p.Printf("%s\n", name)
		}
		return 0
	case "showauto":
		m.showAuto(p, o.Args[1:])
		return 0
	case "auto", "manual":
		for _, name := range o.Args[1:] {
			m.auto[name] = o.Args[0] == "auto"
			p.Printf("%s set to %s installed.\n", name, map[bool]string{true: "automatically", false: "manually"}[m.auto[name]])
		}
		return 0
	case "hold", "unhold":
		return m.hold(p, o.Args[0] == "hold", o.Args[1:])
	}
	p.Lacks("apt-mark %s is not simulated", o.Args[0])
	return posix.Usage
}

// showAuto lists what is marked automatic, of these packages or of all.
func (m *Machine) showAuto(p *posix.Proc, names []string) {
	for _, name := range m.names() {
		if m.auto[name] && (len(names) == 0 || slices.Contains(names, name)) {
			p.Printf("%s\n", name)
		}
	}
}

func (m *Machine) hold(p *posix.Proc, on bool, names []string) int {
	if p.UID != memfs.Root {
		fmt.Fprintln(p.Err, "E: Unable to write to /var/lib/dpkg/")
		return aptFailed
	}
	for _, name := range names {
		at := m.installed[name]
		if at == nil {
			fmt.Fprintf(p.Err, "E: Can't select installed nor candidate version from package %s as it has neither of them\n", name)
			return aptFailed
		}
		at.hold = on
		if on {
			p.Printf("%s set on hold.\n", name)
		} else {
			p.Printf("Canceled hold on %s.\n", name)
		}
	}
	return 0
}
