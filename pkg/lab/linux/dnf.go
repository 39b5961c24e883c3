package linux

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// dnfRun is one call of dnf 4.
type dnfRun struct {
	m *Machine
	p *posix.Proc
	o posix.Options
}

func (m *Machine) dnf(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "qCyr", "quiet|q", "cacheonly|C", "assumeyes|y", "assumeno", "setopt=", "downloadonly", "refresh", "enabled",
		"updates", "upgrades", "qf=|queryformat", "queryformat=", "security", "reboothint|r", "best", "nobest", "allowerasing", "list", "with-cve", "installed",
		"advisory=", "available", "color=", "disableplugin=", "releasever=")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	r := &dnfRun{m: m, p: p, o: o}
	names := o.Args[1:]
	switch o.Args[0] {
	case "check-update":
		return r.checkUpdate()
	case "updateinfo":
		return r.updateinfo(names)
	case "repoquery":
		return r.repoquery()
	case "repolist":
		return r.repolist()
	case "makecache":
		return r.makecache(ctx)
	case "install", "upgrade", "update", "downgrade":
		return r.change(ctx, o.Args[0], names)
	case "needs-restarting":
		return m.needsRestarting(ctx, p, []string{"needs-restarting", "-r"})
	case "clean":
		return 0
	}
	p.Lacks("dnf %s is not simulated", o.Args[0])
	return posix.Usage
}

// say prints what -q leaves out.
func (r *dnfRun) say(format string, args ...any) {
	if !r.o.Has("q") {
		r.p.Printf(format, args...)
	}
}

func (r *dnfRun) errorf(format string, args ...any) int {
	fmt.Fprintf(r.p.Err, "Error: "+format+"\n", args...)
	return 1
}

// upgrades are the newer versions that no version lock keeps away. The caller holds mu.
func (r *dnfRun) upgrades() []change {
	list := r.m.upgradable()
	return slices.DeleteFunc(list, func(c change) bool {
		return r.m.installed[c.to.Name].hold || r.o.Has("security") && c.to.Advisory == ""
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

// repoquery knows --upgrades with a format. As dnf 4 it ends each entry with a
// newline of its own.
func (r *dnfRun) repoquery() int {
	if !r.o.Has("upgrades") || !r.o.Has("queryformat") {
		r.p.Lacks("dnf repoquery without --upgrades and --qf is not simulated")
		return posix.Usage
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, c := range r.m.upgradable() {
		n, version := epoch(c.to.Version)
		upstream, release := revision(version)
		text := strings.NewReplacer("%{name}", c.to.Name, "%{epoch}", fmt.Sprint(n), "%{version}", upstream, "%{release}", release, "%{arch}", c.to.Arch,
			"%{downloadsize}", fmt.Sprint(c.to.Size), "%{installsize}", fmt.Sprint(c.to.Size*3), "%{reponame}", r.m.dist.suites[c.to.Suite].origin,
			"%{repoid}", r.m.dist.suites[c.to.Suite].origin, "%{evr}", c.to.Version, `\t`, "\t", `\n`, "\n").Replace(r.o.Value("queryformat"))
		if strings.Contains(text, "%{") {
			r.p.Lacks("dnf repoquery: a tag of %q is not simulated", r.o.Value("queryformat"))
			return posix.Usage
		}
		r.p.Printf("%s\n", text)
	}
	return 0
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

func (r *dnfRun) makecache(ctx context.Context) int {
	if r.m.diskFull() {
		return r.errorf("Failed to download metadata for repo 'baseos': Cannot prepare internal mirrorlist: No space left on device")
	}
	if !posix.Pause(ctx, r.m.conf.Pace/4) {
		return 1
	}
	r.m.mu.Lock()
	r.m.lists = slices.Clone(r.m.remote)
	r.m.mu.Unlock()
	r.m.dnfCaches()
	r.say("Metadata cache created.\n")
	return 0
}

// dnfCaches are the files that a fetched repository leaves.
func (m *Machine) dnfCaches() {
	for _, s := range m.dnfRepos() {
		dir := "/var/cache/dnf/" + s.origin
		for _, file := range []string{"-0a1b2c3d4e5f6071/repodata/repomd.xml", ".solv", "-filenames.solvx", "-updateinfo.solvx"} {
			m.try(m.FS.WriteFile(memfs.Root, dir+file, 0o644, []byte("made up\n")))
		}
	}
}

// change is install, upgrade and downgrade.
func (r *dnfRun) change(ctx context.Context, command string, specs []string) int {
	if r.p.UID != memfs.Root {
		return r.errorf("This command has to be run with superuser privileges (under the root user on most systems).")
	}
	// dnf waits for ever, unless it is told to give up.
	wait := 24 * time.Hour
	if slices.Contains(r.o.All("setopt"), "exit_on_lock=True") || slices.Contains(r.o.All("setopt"), "exit_on_lock=1") {
		wait = 0
	}
	if r.m.held() && wait > 0 {
		r.say("Waiting for process with pid %d to finish.\n", holderPID)
	}
	release, _, _, ok := r.m.acquire(ctx, wait)
	if !ok {
		return r.errorf("Failed to obtain the transaction lock (logged in as: root).")
	}
	defer release()
	t, code, done := r.plan(command, specs)
	if done {
		return code
	}
	r.table(t)
	switch {
	case r.o.Has("assumeno"), !r.o.Has("y"):
		fmt.Fprintln(r.p.Err, "Operation aborted.")
		return 1
	}
	return r.perform(ctx, t)
}

func (r *dnfRun) plan(command string, specs []string) (t *transaction, code int, done bool) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.say("Last metadata expiration check: 0:00:02 ago on %s.\n", time.Now().UTC().Format("Mon Jan _2 15:04:05 2006"))
	t = &transaction{}
	var missing []string
	for _, p := range r.wanted(command, specs, &missing) {
		if err := r.m.add(t, p); err != nil {
			return nil, r.errorf("\n Problem: %s", strings.TrimSpace(err.Error())), true
		}
	}
	if len(missing) > 0 {
		for _, spec := range missing {
			r.say("No match for argument: %s\n", spec)
		}
		return nil, r.errorf("Unable to find a match: %s", strings.Join(missing, " ")), true
	}
	r.m.simulate()
	if len(t.changes) == 0 {
		r.say("Dependencies resolved.\nNothing to do.\nComplete!\n")
		return nil, 0, true
	}
	return t, 0, false
}

// wanted finds what the words of the command mean. The caller holds mu.
func (r *dnfRun) wanted(command string, specs []string, missing *[]string) []Package {
	var list []Package
	if len(specs) == 0 && command != "install" {
		for _, c := range r.upgrades() {
			list = append(list, c.to)
		}
		return list
	}
	for _, spec := range specs {
		p, ok := r.m.bySpec(spec)
		at := r.m.installed[p.Name]
		switch {
		case !ok:
			*missing = append(*missing, spec)
		case at != nil && at.Version == p.Version:
			r.say("Package %s is already installed.\n", nevra(p))
		default:
			list = append(list, p)
		}
	}
	return list
}

// bySpec finds NAME, NAME.ARCH, or NAME-[EPOCH:]VERSION-RELEASE[.ARCH] in the lists.
func (m *Machine) bySpec(spec string) (Package, bool) {
	var best Package
	found := false
	for _, p := range m.lists {
		without := strings.TrimSuffix(nevra(p), "."+p.Arch)
		_, plain := epoch(p.Version)
		known := []string{p.Name, p.Name + "." + p.Arch, nevra(p), without, p.Name + "-" + plain, p.Name + "-" + plain + "." + p.Arch}
		if slices.Contains(known, spec) && (!found || compare(p.Version, best.Version) > 0) {
			best, found = p, true
		}
	}
	return best, found
}
