package linux

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// take is -S and -U: printed, downloaded or installed.
func (r *pacmanRun) take(ctx context.Context) int {
	if r.o.Has("U") {
		r.p.Printf("loading packages...\n")
	}
	r.m.mu.Lock()
	t, bad := r.wanted()
	r.m.mu.Unlock()
	switch {
	case bad != "":
		return r.errorf("%s", bad)
	case r.o.Has("print-format"):
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		r.m.simulate()
		r.print(t)
		return 0
	case r.p.UID != memfs.Root:
		return r.errorf("you cannot perform this operation unless you are root.")
	case r.o.Has("w"):
		return r.download(ctx, t)
	case r.o.Has("S"):
		r.p.Lacks("pacman -S without -w or --print-format is not simulated")
		return posix.Usage
	}
	return r.locked(ctx, func() int { return r.install(ctx, t) })
}

// wanted is what the words come to, with what that needs, unless -dd was given. The caller holds mu.
func (r *pacmanRun) wanted() (*transaction, string) {
	t := &transaction{}
	for _, word := range r.o.Args {
		p, bad := r.target(word)
		switch {
		case bad != "":
			return nil, bad
		case r.o.Has("needed") && r.m.versionHeld(p.Name) == p.Version:
			fmt.Fprintf(r.p.Err, "warning: %s-%s is up to date -- skipping\n", p.Name, p.Version)
		default:
			t.changes = append(t.changes, change{to: p, from: r.m.versionHeld(p.Name)})
		}
	}
	if r.o.Has("d") {
		return t, ""
	}
	for _, c := range slices.Clone(t.changes) {
		for _, need := range c.to.Depends {
			if bad := r.need(t, c.to.Name, need); bad != "" {
				return nil, bad
			}
		}
	}
	return t, ""
}

func (r *pacmanRun) target(word string) (Package, string) {
	if r.o.Has("U") {
		if p, ok := r.inFile(word); ok {
			return p, ""
		}
		return Package{}, fmt.Sprintf("could not open file %s: Unrecognized archive format", word)
	}
	name, version, exact := strings.Cut(word, "=")
	p, ok := r.listed(name)
	if !ok || exact && p.Version != version {
		return Package{}, "target not found: " + word
	}
	return p, ""
}

// need adds what a package depends on.
func (r *pacmanRun) need(t *transaction, by, need string) string {
	name, version, exact := strings.Cut(need, "=")
	if t.has(name) || r.m.installed[name] != nil && (!exact || r.m.installed[name].Version == version) {
		return ""
	}
	p, ok := r.listed(name)
	if !ok || exact && p.Version != version {
		r.p.Printf(":: unable to satisfy dependency '%s' required by %s\n", need, by)
		return "failed to prepare transaction (could not satisfy dependencies)"
	}
	if err := r.m.add(t, p); err != nil {
		return err.Error()
	}
	return ""
}

// versionHeld is Version for callers that hold mu.
func (m *Machine) versionHeld(name string) string {
	if at := m.installed[name]; at != nil {
		return at.Version
	}
	return ""
}

func (r *pacmanRun) print(t *transaction) {
	for _, c := range t.changes {
		repository, location := r.m.dist.suites[c.to.Suite].origin, r.m.dist.server+"/"+pacmanFile(c.to)
		if r.o.Has("U") {
			repository, location = "local", pacmanCache+"/"+pacmanFile(c.to)
		}
		r.line(c.to, c.to.Size, location, repository)
	}
}

func (r *pacmanRun) line(p Package, size int64, location, repository string) {
	r.p.Printf("%s\n", strings.NewReplacer("%n", p.Name, "%v", p.Version, "%s", fmt.Sprint(size), "%l", location, "%r", repository).Replace(r.o.Value("print-format")))
}

func (r *pacmanRun) download(ctx context.Context, t *transaction) int {
	r.p.Printf(":: Retrieving packages...\n")
	if r.m.diskFull() {
		return r.errorf("Partition / too full: 1024 blocks needed, 0 blocks free\nerror: not enough free disk space\nerror: failed to commit transaction (not enough free disk space)")
	}
	for _, c := range t.changes {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return 1
		}
		r.m.mu.Lock()
		served := r.m.served(c.to)
		r.m.mu.Unlock()
		file := pacmanFile(c.to)
		if !served {
			return r.errorf("failed retrieving file '%s' from %s : The requested URL returned error: 404\nerror: failed to commit transaction (failed to retrieve some files)", file, r.m.dist.server)
		}
		r.p.Printf(" %s downloading...\n", strings.TrimSuffix(file, ".pkg.tar.zst"))
		if r.m.conf.Faults.Tampered == c.to.Name {
			return r.errorf("%s: signature from \"The Lab\" is invalid\nerror: failed to commit transaction (invalid or corrupted package (PGP signature))", c.to.Name)
		}
		if err := r.m.FS.WriteFile(memfs.Root, path.Join(r.o.Value("cachedir"), file), 0o644, content(c.to)); err != nil {
			return r.errorf("%s", posix.Message(err))
		}
	}
	r.p.Printf("checking keyring...\nchecking package integrity...\n")
	return 0
}

// locked runs a transaction. A lock file that is there is in the way, whoever left it.
func (r *pacmanRun) locked(ctx context.Context, run func() int) int {
	if _, err := r.m.FS.Stat(memfs.Root, pacmanLock, true); err == nil {
		return r.errorf("failed to init transaction (unable to lock database)\nerror: could not lock database: File exists")
	}
	release, _, _, ok := r.m.acquire(ctx, 0)
	if !ok {
		return r.errorf("failed to init transaction (unable to lock database)\nerror: could not lock database: File exists")
	}
	defer release()
	m := r.m
	m.try(m.FS.WriteFile(memfs.Root, pacmanLock, 0o644, nil))
	code := run()
	if ctx.Err() == nil { // else the power went, and it stays
		m.try(m.FS.RemoveAll(memfs.Root, pacmanLock))
	}
	return code
}

func (r *pacmanRun) install(ctx context.Context, t *transaction) int {
	if len(t.changes) == 0 {
		r.p.Printf(" there is nothing to do\n")
		return 0
	}
	if r.m.diskFull() {
		return r.errorf("not enough free disk space\nerror: failed to commit transaction (not enough free disk space)")
	}
	r.m.power.Event("install")
	defer r.m.working()()
	r.p.Printf("checking keyring...\nchecking package integrity...\nloading package files...\nchecking for file conflicts...\n:: Processing package changes...\n")
	for _, c := range t.changes {
		verb := "upgrading"
		switch {
		case c.from == "":
			verb = "installing"
		case c.downgrade():
			verb = "downgrading"
		}
		r.p.Printf("%s %s...\n", verb, c.to.Name)
		if !posix.Pause(ctx, r.m.conf.Pace) {
			return 1
		}
		r.installOne(c)
	}
	return 0
}

// installOne: a failing script is a remark to pacman, and the status stays 0.
func (r *pacmanRun) installOne(c change) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.m.put(c, false)
	if c.to.Conffile != "" {
		r.m.try(r.m.FS.WriteFile(memfs.Root, c.to.Conffile+".pacnew", 0o644, []byte("# the package's own\n")))
		fmt.Fprintf(r.p.Err, "warning: %s installed as %s.pacnew\n", c.to.Conffile, c.to.Conffile)
	}
	if r.m.conf.Faults.FailingPostinst == c.to.Name {
		fmt.Fprintf(r.p.Err, "error: command failed to execute correctly\n")
	}
}

// removal is -R.
func (r *pacmanRun) removal(ctx context.Context) int {
	r.m.mu.Lock()
	var list []Package
	for _, name := range r.o.Args {
		p, ok := r.here(name)
		if !ok {
			r.m.mu.Unlock()
			return r.errorf("target not found: %s", name)
		}
		list = append(list, p)
	}
	r.m.mu.Unlock()
	if r.o.Has("print-format") {
		for _, p := range list {
			r.line(p, 0, p.Name, "local")
		}
		return 0
	}
	return r.locked(ctx, func() int {
		r.m.power.Event("remove")
		defer r.m.working()()
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		for _, p := range list {
			r.p.Printf("removing %s...\n", p.Name)
			r.m.remove(p.Name)
		}
		return 0
	})
}
