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
	// given are the package files among the words.
	given []Package
}

func (m *Machine) dnf(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "qCyr", "quiet|q", "cacheonly|C", "assumeyes|y", "assumeno", "setopt=", "downloadonly", "refresh", "enabled",
		"updates", "upgrades", "qf=|queryformat", "queryformat=", "security", "reboothint|r", "best", "nobest", "allowerasing", "list", "with-cve", "installed",
		"advisory=", "available", "color=", "disableplugin=", "releasever=", "showduplicates", "destdir=", "downloaddir=", "disablerepo=",
		"duplicates", "dependencies", "version")
	switch {
	case ok && o.Has("version"):
		p.Printf("4.14.0\n")
		return 0
	case !ok || len(o.Args) == 0:
		return posix.Usage
	}
	r := &dnfRun{m: m, p: p, o: o}
	if code, asked := r.looks(ctx, o.Args[0], o.Args[1:]); asked {
		return code
	}
	switch o.Args[0] {
	case "install", "upgrade", "update", "downgrade", "remove", "reinstall":
		return r.change(ctx, o.Args[0], o.Args[1:])
	case "shell":
		return r.shell(ctx, o.Args[1:])
	case "download":
		return r.download(o.Args[1:])
	case "clean", "mark":
		return 0
	}
	p.Lacks("dnf %s is not simulated", o.Args[0])
	return posix.Usage
}

// looks are the commands that change no package.
func (r *dnfRun) looks(ctx context.Context, command string, words []string) (code int, asked bool) {
	switch command {
	case "check-update":
		return r.checkUpdate(), true
	case "updateinfo":
		return r.updateinfo(words), true
	case "repoquery":
		return r.repoquery(words), true
	case "repolist":
		return r.repolist(), true
	case "makecache":
		return r.makecache(ctx), true
	case "history":
		return r.history(words), true
	case "check":
		return 0, true // of the simulated hosts with dnf none is ever half-way
	case "needs-restarting":
		return r.m.needsRestarting(ctx, r.p, []string{"needs-restarting", "-r"}), true
	}
	return 0, false
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
	r.give(specs)
	return r.locked(ctx, []order{{command, specs}})
}

// locked takes dnf's lock for a transaction.
func (r *dnfRun) locked(ctx context.Context, orders []order) int {
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
	return r.transact(ctx, orders)
}

// order is a command with its words.
type order struct {
	command string
	specs   []string
}

// transact does what all the orders say, in one transaction. The caller holds the lock.
func (r *dnfRun) transact(ctx context.Context, orders []order) int {
	t, code, done := r.plan(orders)
	if done {
		return code
	}
	r.table(t)
	if r.o.Has("assumeno") || !r.o.Has("y") {
		fmt.Fprintln(r.p.Err, "Operation aborted.")
		return 1
	}
	return r.perform(ctx, t)
}

func (r *dnfRun) plan(orders []order) (t *transaction, code int, done bool) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.say("Last metadata expiration check: 0:00:02 ago on %s.\n", time.Now().UTC().Format("Mon Jan _2 15:04:05 2006"))
	t = &transaction{}
	var missing []string
	for _, o := range orders {
		if o.command == "remove" {
			r.removals(t, o.specs)
			continue
		}
		for _, p := range r.wanted(o.command, o.specs, &missing) {
			if err := r.m.add(t, p); err != nil {
				return nil, r.errorf("\n Problem: %s", strings.TrimSpace(err.Error())), true
			}
		}
	}
	if len(missing) > 0 {
		for _, spec := range missing {
			r.say("No match for argument: %s\n", spec)
		}
		return nil, r.errorf("Unable to find a match: %s", strings.Join(missing, " ")), true
	}
	r.m.simulate()
	if len(t.changes)+len(t.removes) == 0 {
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
		p, ok := r.byWord(spec)
		at := r.m.installed[p.Name]
		if ok && command == "reinstall" && at != nil && at.Version == p.Version {
			list = append(list, p)
			continue
		}
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
