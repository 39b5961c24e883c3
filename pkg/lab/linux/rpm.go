package linux

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/posix"
)

func (m *Machine) rpmTools() map[string]posix.Tool {
	return map[string]posix.Tool{"rpm": m.rpm, "dnf": m.dnf, "needs-restarting": m.needsRestarting}
}

func (m *Machine) rpm(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "qapE:", "query|q", "all|a", "package|p", "nosignature", "queryformat=", "qf=|queryformat", "eval=|E", "quiet")
	switch {
	case !ok:
		return posix.Usage
	case o.Has("E"):
		return m.eval(p, o.Value("E"))
	case !o.Has("q"):
		p.Lacks("rpm without -q or --eval is not simulated")
		return posix.Usage
	}
	format := `%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n`
	if o.Has("queryformat") {
		format = o.Value("queryformat")
	}
	if o.Has("p") {
		return m.rpmFiles(p, format, o.Args)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	patterns := o.Args
	if o.Has("a") && len(patterns) == 0 {
		patterns = []string{"*"}
	}
	code := 0
	for _, pattern := range patterns {
		found := m.rpmMatching(pattern)
		for _, at := range found {
			text, bad := rpmFormat(format, at.Package)
			if bad != "" {
				p.Lacks("rpm: %s is not simulated in a format", bad)
				return posix.Usage
			}
			p.Printf("%s", text)
		}
		if len(found) == 0 && !o.Has("a") {
			p.Printf("package %s is not installed\n", pattern)
			code = 1
		}
	}
	return code
}

func (m *Machine) eval(p *posix.Proc, macro string) int {
	values := map[string]string{"%{_arch}": rpmArch(m.conf.Arch), "%{_dbpath}": "/var/lib/rpm", "%rhel": "9", "%{rhel}": "9", "%{_target_cpu}": rpmArch(m.conf.Arch)}
	value, ok := values[macro]
	if !ok {
		p.Lacks("rpm --eval %s is not simulated", macro)
		return posix.Usage
	}
	p.Printf("%s\n", value)
	return 0
}

// rpmMatching finds installed packages by a name, a pattern or NAME.ARCH; of kernels
// there may be several. The caller holds mu.
func (m *Machine) rpmMatching(pattern string) []*installed {
	var found []*installed
	for _, at := range m.installed {
		for _, name := range []string{at.Name, at.Name + "." + at.Arch, nevra(at.Package), strings.TrimSuffix(nevra(at.Package), "."+at.Arch)} {
			if ok, err := path.Match(pattern, name); ok && err == nil {
				found = append(found, at)
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b *installed) int { return byName(a.Package, b.Package) })
	return found
}

// nevra is NAME-[EPOCH:]VERSION-RELEASE.ARCH.
func nevra(p Package) string { return p.Name + "-" + p.Version + "." + p.Arch }

var (
	rpmCondition = regexp.MustCompile(`%\|EPOCH\?\{([^|]*)\}:\{([^|]*)\}\|`)
	rpmTag       = regexp.MustCompile(`%\{[^}]*\}`)
)

// rpmFormat fills a query format; bad is the first tag it doesn't know.
func rpmFormat(format string, p Package) (text, bad string) {
	n, version := epoch(p.Version)
	upstream, release := revision(version)
	has := strings.Contains(p.Version, ":")
	format = rpmCondition.ReplaceAllStringFunc(format, func(c string) string {
		parts := rpmCondition.FindStringSubmatch(c)
		if has {
			return parts[1]
		}
		return parts[2]
	})
	number := "(none)"
	if has {
		number = fmt.Sprint(n)
	}
	tags := map[string]string{
		"%{NAME}": p.Name, "%{VERSION}": upstream, "%{RELEASE}": release, "%{ARCH}": p.Arch, "%{EPOCH}": number, "%{EPOCHNUM}": fmt.Sprint(n),
		"%{EVR}": p.Version, "%{NEVRA}": nevra(p), "%{SIZE}": fmt.Sprint(p.Size * 3), "%{VENDOR}": "The Lab", "%{INSTALLTIME}": "1760000000",
	}
	text = rpmTag.ReplaceAllStringFunc(format, func(tag string) string {
		value, ok := tags[strings.ToUpper(tag)]
		if !ok && bad == "" {
			bad = tag
		}
		return value
	})
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text), bad
}

func (m *Machine) needsRestarting(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "r", "reboothint|r")
	if !ok || !o.Has("r") {
		p.Lacks("needs-restarting without -r is not simulated")
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.stale) == 0 {
		p.Printf("No core libraries or services have been updated since boot-up.\nReboot should not be necessary.\n")
		return 0
	}
	p.Printf("Core libraries or services have been updated since boot-up:\n")
	for _, name := range m.stale {
		p.Printf("  * %s\n", name)
	}
	p.Printf("\nReboot is required to fully utilize these updates.\nMore information: https://access.redhat.com/solutions/27943\n")
	return 1
}
