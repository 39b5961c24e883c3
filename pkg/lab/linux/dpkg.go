package linux

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

func (m *Machine) dpkg(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "slCWa", "audit|C", "configure", "print-architecture", "print-foreign-architectures", "compare-versions",
		"status|s", "list|l", "force-confold", "force-confdef", "version", "get-selections", "pending", "force=")
	if !ok {
		return posix.Usage
	}
	switch {
	case o.Has("print-architecture"):
		p.Printf("%s\n", m.conf.Arch)
	case o.Has("print-foreign-architectures"):
	case o.Has("compare-versions"):
		return compareVersions(p, o.Args)
	case o.Has("C"):
		m.audit(p)
	case o.Has("configure") && o.Has("a"):
		return m.repair(p)
	case o.Has("version"):
		p.Printf("Debian 'dpkg' package management program version 1.21.22 (amd64).\n")
	case o.Has("s"):
		return m.status(p, o.Args)
	default:
		p.Lacks("dpkg %s is not simulated", strings.Join(args[1:], " "))
		return posix.Usage
	}
	return 0
}

func compareVersions(p *posix.Proc, args []string) int {
	if len(args) != 3 {
		p.Errorf("dpkg", "error: --compare-versions takes three arguments")
		return posix.Usage
	}
	order := compare(args[0], args[2])
	answers := map[string]bool{"lt": order < 0, "le": order <= 0, "eq": order == 0, "ne": order != 0, "ge": order >= 0, "gt": order > 0}
	yes, known := answers[args[1]]
	switch {
	case !known:
		p.Errorf("dpkg", "error: --compare-versions bad relation")
		return posix.Usage
	case yes:
		return 0
	}
	return 1
}

// audit prints what dpkg --audit says of packages that are not in order.
func (m *Machine) audit(p *posix.Proc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var bad []string
	for _, name := range m.names() {
		if m.installed[name].broken {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return
	}
	p.Printf("The following packages are only half configured, probably due to problems\n" +
		"configuring them the first time.  The configuration should be retried using\n" +
		"dpkg --configure <package> or the configure menu option in dselect:\n")
	for _, name := range bad {
		p.Printf(" %-20s %s\n", name, "made up for the lab")
	}
	p.Printf("\n")
}

// repair is dpkg --configure -a.
func (m *Machine) repair(p *posix.Proc) int {
	if p.UID != memfs.Root {
		p.Errorf("dpkg", "error: requested operation requires superuser privilege")
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	code := 0
	for _, name := range m.names() {
		at := m.installed[name]
		if !at.broken {
			continue
		}
		p.Printf("Setting up %s (%s) ...\n", name, at.Version)
		if m.conf.Faults.FailingPostinst == name {
			p.Errorf("dpkg", "error processing package %s (--configure):\n installed %s package post-installation script subprocess returned error exit status 1", name, name)
			code = 1
			continue
		}
		at.broken = false
	}
	m.broken = false
	for _, name := range m.FS.Names("/var/lib/dpkg/updates") {
		m.try(m.FS.Remove(memfs.Root, "/var/lib/dpkg/updates/"+name, false))
	}
	return code
}

// names lists what is installed, sorted. The caller holds mu.
func (m *Machine) names() []string { return slices.Sorted(maps.Keys(m.installed)) }

func (m *Machine) status(p *posix.Proc, names []string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	code := 0
	for _, name := range names {
		at := m.installed[name]
		if at == nil {
			p.Errorf("dpkg-query", "package '%s' is not installed and no information is available", name)
			code = 1
			continue
		}
		p.Printf("Package: %s\nStatus: %s\nArchitecture: %s\nVersion: %s\n\n", name, at.statusText(), at.Arch, at.Version)
	}
	return code
}

func (i *installed) statusText() string {
	want := "install"
	if i.hold {
		want = "hold"
	}
	if i.broken {
		return want + " ok half-configured"
	}
	return want + " ok installed"
}

func (i *installed) abbreviation() string {
	want, state := "i", "i"
	if i.hold {
		want = "h"
	}
	if i.broken {
		state = "F"
	}
	return want + state + " "
}

func (m *Machine) dpkgQuery(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "Wf:sl", "show|W", "showformat=|f", "status|s", "list|l")
	switch {
	case !ok:
		return posix.Usage
	case o.Has("s"):
		return m.status(p, o.Args)
	case !o.Has("W"):
		p.Lacks("dpkg-query without -W or -s is not simulated")
		return posix.Usage
	}
	format := `${binary:Package}\t${Version}\n`
	if o.Has("f") {
		format = o.Value("f")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	patterns, code := o.Args, 0
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	for _, pattern := range patterns {
		if !m.query(p, pattern, format) {
			p.Errorf("dpkg-query", "no packages found matching %s", pattern)
			code = 1
		}
	}
	return code
}

func (m *Machine) query(p *posix.Proc, pattern, format string) bool {
	pattern, _, _ = strings.Cut(pattern, ":")
	found := false
	for _, name := range m.names() {
		if ok, err := path.Match(pattern, name); err != nil || !ok {
			continue
		}
		found = true
		text, bad := expandFormat(format, m.fields(m.installed[name]))
		if bad != "" {
			p.Lacks("dpkg-query: field %s is not simulated", bad)
			return true
		}
		p.Printf("%s", text)
	}
	return found
}

func (m *Machine) fields(at *installed) map[string]string {
	want, flag, state := "install", "ok", "installed"
	if at.hold {
		want = "hold"
	}
	if at.broken {
		state = "half-configured"
	}
	return map[string]string{
		"Package": at.Name, "binary:Package": at.Name, "Version": at.Version, "Architecture": at.Arch, "Status": at.statusText(),
		"db:Status-Abbrev": at.abbreviation(), "db:Status-Want": want, "db:Status-Eflag": flag, "db:Status-Status": state,
		"Installed-Size": fmt.Sprint(at.Size * 3 / 1024), "source:Package": at.Name, "source:Version": at.Version, "Essential": "no",
		"Maintainer": "The Lab <lab@example.org>", "Section": "admin", "Priority": "optional", "binary:Summary": "made up for the lab",
	}
}

// expandFormat fills a dpkg-query format; bad is the first field it doesn't know.
func expandFormat(format string, fields map[string]string) (text, bad string) {
	format = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(format)
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(format, "${")
		out.WriteString(before)
		if !ok {
			return out.String(), ""
		}
		field, after, closed := strings.Cut(rest, "}")
		name, width, _ := strings.Cut(field, ";")
		value, known := fields[name]
		if !closed || !known || width != "" {
			return "", field
		}
		out.WriteString(value)
		format = after
	}
}
