package linux

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// apkRun is one call of apk 2.14.
type apkRun struct {
	m *Machine
	p *posix.Proc
	o posix.Options
}

// apkLocked is apk's exit status where it can't open its database.
const apkLocked = 99

func (m *Machine) apkTools() map[string]posix.Tool {
	return map[string]posix.Tool{"apk": m.apk, "tar": m.tar}
}

func (m *Machine) apk(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "so:u", "simulate|s", "output=|o", "no-progress", "cache-max-age=", "wait=", "upgradable|u", "available", "print-arch")
	if !ok {
		return posix.Usage
	}
	r := &apkRun{m: m, p: p, o: o}
	if o.Has("print-arch") {
		p.Printf("%s\n", rpmArch(m.conf.Arch))
		return 0
	}
	if len(o.Args) == 0 {
		return posix.Usage
	}
	words := o.Args[1:]
	switch o.Args[0] {
	case "update":
		return r.update(ctx)
	case "list":
		return r.list(words)
	case "fetch":
		return r.fetch(ctx, words)
	case "add":
		return r.add(ctx, words)
	case "fix":
		return r.fix(ctx)
	}
	p.Lacks("apk %s is not simulated", o.Args[0])
	return posix.Usage
}

func (r *apkRun) errorf(format string, args ...any) int {
	fmt.Fprintf(r.p.Err, "ERROR: "+format+"\n", args...)
	return 1
}

func (r *apkRun) update(ctx context.Context) int {
	switch {
	case r.m.diskFull():
		return r.errorf("Failed to write APKINDEX: No space left on device")
	case !posix.Pause(ctx, r.m.conf.Pace/4):
		return 1
	}
	r.m.mu.Lock()
	r.m.lists = r.m.offering()
	n := len(r.m.lists)
	r.m.mu.Unlock()
	for _, name := range []string{"main", "community"} {
		r.p.Printf("fetch %s/%s/%s/APKINDEX.tar.gz\n", r.m.dist.server, name, rpmArch(r.m.conf.Arch))
	}
	r.p.Printf("OK: %d distinct packages available\n", n)
	return 0
}

// list is of what the repositories have: of these packages, or what is newer.
func (r *apkRun) list(names []string) int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, p := range r.m.lists {
		at := r.m.installed[p.Name]
		mark := ""
		switch {
		case at != nil && at.Version == p.Version:
			mark = " [installed]"
		case at != nil && compare(p.Version, at.Version) > 0:
			mark = " [upgradable from: " + at.Name + "-" + at.Version + "]"
		}
		if r.o.Has("u") && !strings.HasPrefix(mark, " [upgradable") || len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		r.p.Printf("%s-%s %s {%s} (MIT AND GPL-2.0-only)%s\n", p.Name, p.Version, p.Arch, p.Name, mark)
	}
	return 0
}

func apkFile(p Package) string { return p.Name + "-" + p.Version + ".apk" }

// fetch takes names, and gets the newest version of each.
func (r *apkRun) fetch(ctx context.Context, names []string) int {
	for _, name := range names {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return 1
		}
		r.m.mu.Lock()
		p, ok := r.listed(name, "")
		served := ok && r.m.served(p)
		r.m.mu.Unlock()
		switch {
		case !ok:
			r.p.Printf("%s: unable to select package (or its dependencies)\n", name)
			return 1
		case !served:
			return r.errorf("%s-%s: package mentioned in index not found (try 'apk update')", p.Name, p.Version)
		}
		r.p.Printf("Downloading %s-%s\n", p.Name, p.Version)
		if err := r.m.FS.WriteFile(memfs.Root, path.Join(r.o.Value("o"), apkFile(p)), 0o644, content(p)); err != nil {
			return r.errorf("%s-%s: %s", p.Name, p.Version, posix.Message(err))
		}
	}
	return 0
}

// listed is what the repositories have; without a version the newest. The caller holds mu.
func (r *apkRun) listed(name, version string) (best Package, found bool) {
	for _, p := range r.m.lists {
		if p.Name == name && (version == "" || p.Version == version) && (!found || compare(p.Version, best.Version) > 0) {
			best, found = p, true
		}
	}
	return best, found
}

// locked takes apk's lock, as long as --wait allows.
func (r *apkRun) locked(ctx context.Context, run func() int) int {
	release, _, _, ok := r.m.acquire(ctx, time.Duration(r.o.Int("wait", 0))*time.Second)
	if !ok {
		r.errorf("Unable to lock database: Resource temporarily unavailable")
		r.errorf("Failed to open apk database: Resource temporarily unavailable")
		return apkLocked
	}
	defer release()
	return run()
}

// fix installs again what is half done.
func (r *apkRun) fix(ctx context.Context) int {
	fix := func() int {
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		n := 0
		for _, name := range slices.Sorted(maps.Keys(r.m.installed)) {
			at := r.m.installed[name]
			if !at.broken {
				continue
			}
			n++
			r.p.Printf("(%d/%d) Reinstalling %s (%s)\n", n, n, name, at.Version)
			at.broken = at.broken && r.o.Has("s")
		}
		r.p.Printf("OK: 8 MiB in %d packages\n", len(r.m.installed))
		return 0
	}
	if r.o.Has("s") {
		return fix()
	}
	return r.locked(ctx, fix)
}

// apkDatabase is /lib/apk/db/installed.
func (m *Machine) apkDatabase() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.installed)) {
		at := m.installed[name]
		fmt.Fprintf(&out, "C:Q1made/up=\nP:%s\nV:%s\nA:%s\nS:%d\nT:made up\n", at.Name, at.Version, at.Arch, at.Size)
		if at.broken {
			out.WriteString("f:s\n")
		}
		out.WriteString("F:usr/bin\nR:" + name + "\n\n")
	}
	return []byte(out.String())
}

// apkListing is the index that the host knows.
func (m *Machine) apkListing() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out strings.Builder
	for _, p := range m.lists {
		fmt.Fprintf(&out, "C:Q1made/up=\nP:%s\nV:%s\nA:%s\nS:%d\nT:made up\n\n", p.Name, p.Version, p.Arch, p.Size)
	}
	return []byte(out.String())
}

// tar shows what is asked of in package files, and in the index.
func (m *Machine) tar(_ context.Context, p *posix.Proc, args []string) int {
	if len(args) != 4 || args[1] != "-xzOf" {
		p.Lacks("tar %s is not simulated", strings.Join(args[1:], " "))
		return posix.Usage
	}
	text, err := m.FS.ReadFile(p.UID, args[2])
	if err != nil {
		p.Errorf("tar", "can't open '%s': %s", args[2], posix.Message(err))
		return 1
	}
	m.mu.Lock()
	found, ok := m.inFile(text)
	m.mu.Unlock()
	switch {
	case args[3] == "APKINDEX":
		p.Printf("%s", text)
	case !ok || args[3] != ".PKGINFO":
		p.Errorf("tar", "%s: not found in archive", args[3])
		return 1
	default:
		p.Printf("# made up\npkgname = %s\npkgver = %s\narch = %s\n", found.Name, found.Version, found.Arch)
	}
	return 0
}
