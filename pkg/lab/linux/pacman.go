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

// pacmanRun is one call of pacman 6.
type pacmanRun struct {
	m *Machine
	p *posix.Proc
	o posix.Options
}

func (m *Machine) pacmanTools() map[string]posix.Tool {
	return map[string]posix.Tool{"pacman": m.pacman, "pacman-conf": m.pacmanConf, "vercmp": vercmp}
}

const (
	pacmanCache = "/var/cache/pacman/pkg"
	pacmanLock  = "/var/lib/pacman/db.lck"
)

func pacmanFile(p Package) string {
	return fmt.Sprintf("%s-%s-%s.pkg.tar.zst", p.Name, p.Version, p.Arch)
}

func (m *Machine) pacman(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "SQURDuyiqwdkp", "dbpath=", "cachedir=", "logfile=", "noconfirm", "noprogressbar", "needed", "print-format=", "asdeps")
	if !ok {
		return posix.Usage
	}
	r := &pacmanRun{m: m, p: p, o: o}
	switch {
	case o.Has("Q"):
		return r.query()
	case o.Has("D"):
		return r.database()
	case o.Has("S") && o.Has("y"):
		return r.refresh(ctx)
	case o.Has("S") && o.Has("i"):
		return r.about(r.listed)
	case o.Has("S"), o.Has("U"):
		return r.take(ctx)
	case o.Has("R"):
		return r.removal(ctx)
	}
	p.Lacks("pacman %s is not simulated", strings.Join(args[1:], " "))
	return posix.Usage
}

func (r *pacmanRun) errorf(format string, args ...any) int {
	fmt.Fprintf(r.p.Err, "error: "+format+"\n", args...)
	return 1
}

// listed is the one version that the repositories have. The caller holds mu.
func (r *pacmanRun) listed(name string) (best Package, found bool) {
	for _, p := range r.m.lists {
		if p.Name == name && (!found || compare(p.Version, best.Version) > 0) {
			best, found = p, true
		}
	}
	return best, found
}

func (r *pacmanRun) here(name string) (Package, bool) {
	if at := r.m.installed[name]; at != nil {
		return at.Package, true
	}
	return Package{}, false
}

func (r *pacmanRun) inFile(name string) (Package, bool) {
	text, err := r.m.FS.ReadFile(r.p.UID, name)
	if err != nil {
		return Package{}, false
	}
	return r.m.inFile(text)
}

func (r *pacmanRun) query() int {
	switch {
	case r.o.Has("u"):
		return r.pending()
	case r.o.Has("i") && r.o.Has("p"):
		return r.about(r.inFile)
	case r.o.Has("i"):
		return r.about(r.here)
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	code := 0
	names := r.o.Args
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(r.m.installed))
	}
	for _, name := range names {
		at, ok := r.here(name)
		switch {
		case !ok:
			code = r.errorf("package '%s' was not found", name)
		case r.o.Has("q"):
			r.p.Printf("%s\n", at.Name)
		default:
			r.p.Printf("%s %s\n", at.Name, at.Version)
		}
	}
	return code
}

// pending: what is ignored is listed too, and nothing at all is exit status 1.
func (r *pacmanRun) pending() int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	code := 1
	for _, c := range r.m.upgradable() {
		ignored := ""
		if r.m.installed[c.to.Name].hold {
			ignored = " [ignored]"
		}
		r.p.Printf("%s %s -> %s%s\n", c.to.Name, c.from, c.to.Version, ignored)
		code = 0
	}
	return code
}

// about tells of packages, wherever they are found.
func (r *pacmanRun) about(find func(string) (Package, bool)) int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	code := 0
	for _, name := range r.o.Args {
		p, ok := find(name)
		if !ok {
			code = r.errorf("package '%s' was not found", name)
			continue
		}
		if r.o.Has("S") {
			r.p.Printf("%-16s: %s\n", "Repository", r.m.dist.suites[p.Suite].origin)
		}
		for _, field := range [][2]string{
			{"Name", p.Name}, {"Version", p.Version}, {"Description", "made up: a package of the lab"}, {"Architecture", p.Arch}, {"Licenses", "None"},
		} {
			r.p.Printf("%-16s: %s\n", field[0], field[1])
		}
		r.p.Printf("\n")
	}
	return code
}

func (r *pacmanRun) database() int {
	if r.o.Has("k") {
		r.p.Printf("No database errors have been found!\n")
		return 0
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, name := range r.o.Args {
		r.m.auto[name] = r.o.Has("asdeps")
		r.p.Printf("%s: install reason has been set to 'installed as dependency'\n", name)
	}
	return 0
}

func (r *pacmanRun) refresh(ctx context.Context) int {
	switch {
	case r.p.UID != memfs.Root:
		return r.errorf("you cannot perform this operation unless you are root.")
	case r.m.diskFull():
		return r.errorf("failed to synchronize all databases (no space left on device)")
	case !posix.Pause(ctx, r.m.conf.Pace/4):
		return 1
	}
	r.p.Printf(":: Synchronizing package databases...\n")
	r.m.mu.Lock()
	r.m.lists = r.m.offering()
	r.m.mu.Unlock()
	for _, name := range []string{"core", "extra"} {
		r.p.Printf(" %s downloading...\n", name)
		if err := r.m.FS.WriteFile(memfs.Root, path.Join(r.o.Value("dbpath"), "sync", name+".db"), 0o644, []byte("made up\n")); err != nil {
			return r.errorf("failed to synchronize all databases (%s)", posix.Message(err))
		}
	}
	return 0
}

func (m *Machine) pacmanConf(_ context.Context, p *posix.Proc, args []string) int {
	switch strings.Join(args[1:], " ") {
	case "IgnorePkg":
		for _, name := range m.conf.Held {
			p.Printf("%s\n", name)
		}
		return 0
	case "IgnoreGroup":
		return 0
	}
	p.Lacks("pacman-conf %s is not simulated", strings.Join(args[1:], " "))
	return posix.Usage
}

func vercmp(_ context.Context, p *posix.Proc, args []string) int {
	if len(args) != 3 {
		return posix.Usage
	}
	p.Printf("%d\n", compare(args[1], args[2]))
	return 0
}

func (m *Machine) pacmanFiles() {
	for _, dir := range []string{"/var/lib/pacman/local", pacmanCache} {
		m.must(m.FS.MkdirAll(memfs.Root, dir, 0o755))
	}
	m.write("/etc/pacman.conf", "# made up\n")
	m.write("/var/lib/pacman/sync/core.db", "made up\n")
	if m.conf.Faults.Interrupted || m.conf.Faults.Locked != 0 {
		m.write(pacmanLock, "")
	}
}

// pacmanFreed takes the lock away when the fault's program lets go of it. The caller holds mu.
func (m *Machine) pacmanFreed() {
	if !m.dist.pacman || m.holder == "" || m.conf.Faults.Locked < 0 || m.boot.count > 1 {
		return
	}
	b, until := m.boot, m.holdUntil
	b.jobs.Go(func() {
		if posix.Pause(b.ctx, time.Until(until)) {
			m.try(m.FS.RemoveAll(memfs.Root, pacmanLock))
		}
	})
}

// oneKernel tells whether a new kernel takes the place of the one before.
func (d distribution) oneKernel() bool { return d.pacman || d.apk }

// soleKernel are the files of a kernel that leaves nothing of the one before: its modules
// are gone at once.
func (m *Machine) soleKernel(p Package) {
	modules, image := "/lib/modules", "/boot/vmlinuz-"+strings.TrimPrefix(p.Name, "linux-")
	if m.dist.pacman {
		modules = "/usr/lib/modules"
	}
	for _, old := range m.FS.Names(modules) {
		m.try(m.FS.RemoveAll(memfs.Root, path.Join(modules, old)))
	}
	m.try(m.FS.MkdirAll(memfs.Root, path.Join(modules, p.Kernel), 0o755))
	if m.dist.pacman {
		m.try(m.FS.WriteFile(memfs.Root, path.Join(modules, p.Kernel, "pkgbase"), 0o644, []byte(p.Name+"\n")))
	}
	m.try(m.FS.WriteFile(memfs.Root, image, 0o644, []byte("kernel "+p.Kernel+"\n")))
}
