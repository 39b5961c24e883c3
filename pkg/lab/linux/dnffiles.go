package linux

import (
	"bufio"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// rpmFile is the name of a package's file: without its epoch.
func rpmFile(p Package) string {
	_, version := epoch(p.Version)
	return p.Name + "-" + version + "." + p.Arch + ".rpm"
}

// cached is where dnf puts a package's file.
func (m *Machine) cached(p Package) string {
	return "/var/cache/dnf/" + m.dist.suites[p.Suite].origin + "-0a1b2c3d4e5f6071/packages/" + rpmFile(p)
}

// readRPM reads a package's file: what it holds says which one it is, and the
// distribution knows the rest. The caller doesn't hold mu.
func (m *Machine) readRPM(p *posix.Proc, name string) (Package, bool) {
	b, err := m.FS.ReadFile(p.UID, p.Abs(name))
	f := strings.Fields(string(b))
	if err != nil || len(f) != 5 || f[0] != "lab" || f[1] != "package" {
		return Package{}, false
	}
	found := Package{Name: f[2], Version: f[3], Arch: f[4], Suite: "main"}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := slices.Concat(m.lists, m.remote, m.conf.Installed, m.conf.Repository)
	for _, at := range m.installed {
		known = append(known, at.Package)
	}
	for _, k := range known {
		if k = m.complete(k); k.Name == found.Name && k.Version == found.Version && k.Arch == found.Arch {
			return k, true
		}
	}
	return m.complete(found), true
}

// rpmFiles is rpm -q -p.
func (m *Machine) rpmFiles(p *posix.Proc, format string, names []string) int {
	code := 0
	for _, name := range names {
		found, ok := m.readRPM(p, name)
		if !ok {
			fmt.Fprintf(p.Err, "error: open of %s failed: No such file or directory\n", name)
			code = 1
			continue
		}
		text, bad := rpmFormat(format, found)
		if bad != "" {
			p.Lacks("rpm: %s is not simulated in a format", bad)
			return posix.Usage
		}
		p.Printf("%s", text)
	}
	return code
}

// give reads the package files among the words, before anything is locked.
func (r *dnfRun) give(specs []string) {
	for _, spec := range specs {
		if !strings.HasPrefix(spec, "/") {
			continue
		}
		if p, ok := r.m.readRPM(r.p, spec); ok {
			r.given = append(r.given, p)
		}
	}
}

// byWord finds what a word means: a package file by its path, else by bySpec. The caller
// holds mu.
func (r *dnfRun) byWord(word string) (Package, bool) {
	if !strings.HasPrefix(word, "/") {
		return r.m.bySpec(word)
	}
	for _, p := range r.given {
		if rpmFile(p) == path.Base(word) || strings.ReplaceAll(p.Name+"_"+p.Version+"_"+p.Arch, ":", "_")+".rpm" == path.Base(word) {
			return p, true
		}
	}
	return Package{}, false
}

// removals adds installed packages to what goes. The caller holds mu.
func (r *dnfRun) removals(t *transaction, specs []string) {
	for _, spec := range specs {
		found := r.m.rpmMatching(spec)
		for _, at := range found {
			t.removes = append(t.removes, at.Package)
		}
		if len(found) == 0 {
			r.say("No match for argument: %s\n", spec)
		}
	}
}

func (r *dnfRun) erase(t *transaction) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, p := range t.removes {
		r.say("  Erasing          : %s 1/1 \n", nevra(p))
		r.m.remove(p.Name)
	}
}

// clean: after a transaction dnf removes what was downloaded for it.
func (r *dnfRun) clean(t *transaction) {
	if slices.Contains(r.o.All("setopt"), "keepcache=True") {
		return
	}
	for _, c := range t.changes {
		if _, err := r.m.FS.Stat(memfs.Root, r.m.cached(c.to), true); err == nil {
			r.m.try(r.m.FS.RemoveAll(memfs.Root, r.m.cached(c.to)))
		}
	}
}

// shell reads commands: install and remove are gathered, run does them in one transaction.
// Its exit status is 0 whatever becomes of them.
func (r *dnfRun) shell(ctx context.Context, names []string) int {
	if len(names) != 1 || names[0] != "/dev/stdin" {
		r.p.Lacks("dnf shell without /dev/stdin is not simulated")
		return posix.Usage
	}
	var orders []order
	lines := bufio.NewScanner(r.p.Stdin())
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 0:
		case f[0] == "install", f[0] == "remove":
			r.give(f[1:])
			orders = append(orders, order{f[0], f[1:]})
		case f[0] == "run":
			r.locked(ctx, orders)
			orders = nil
		case f[0] == "exit":
			r.say("Leaving Shell\n")
			return 0
		default:
			r.p.Lacks("dnf shell: %s is not simulated", f[0])
			return posix.Usage
		}
	}
	return 0
}

// download puts package files into a folder; without one of them it does nothing.
func (r *dnfRun) download(specs []string) int {
	for _, spec := range specs {
		r.m.mu.Lock()
		p, ok := r.m.bySpec(spec)
		served := ok && r.m.served(p)
		r.m.mu.Unlock()
		if !served {
			return r.errorf("No package %s available.", spec)
		}
		if err := r.m.FS.WriteFile(r.p.UID, r.o.Value("destdir")+"/"+rpmFile(p), 0o644, content(p)); err != nil {
			return r.errorf("%s", posix.Message(err))
		}
	}
	return 0
}

// history knows the last transaction, and that it was whole.
func (r *dnfRun) history(words []string) int {
	if len(words) < 1 || words[0] != "info" {
		r.p.Lacks("dnf history without info is not simulated")
		return posix.Usage
	}
	r.p.Printf("Transaction ID : 1\nBegin time     : %s\nEnd rpmdb      : 0a1b\nReturn-Code    : Success\n", time.Unix(1760000000, 0).UTC().Format("Mon Jan _2 15:04:05 2006"))
	return 0
}
