package linux

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// aptFailed is the status of every error of apt.
const aptFailed = 100

func (m *Machine) aptTools() map[string]posix.Tool {
	return map[string]posix.Tool{
		"apt-get": m.aptGet, "apt-cache": m.aptCache, "apt-mark": m.aptMark,
		"dpkg": m.dpkg, "dpkg-query": m.dpkgQuery, "dpkg-deb": m.dpkgDeb,
	}
}

// aptRun is one call of apt-get.
type aptRun struct {
	m       *Machine
	p       *posix.Proc
	o       posix.Options
	command string
	names   []string
	options map[string]string // of -o
	files   map[string]string // the file that a package comes from, by name and version
}

func (m *Machine) aptGet(ctx context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "sydqo:ufVt:c:m",
		"simulate|s", "just-print|s", "dry-run|s", "recon|s", "no-act|s", "yes|y", "assume-yes|y", "assume-no", "download-only|d", "quiet|q",
		"option=|o", "print-uris", "with-new-pkgs", "no-install-recommends", "only-upgrade", "allow-downgrades",
		"allow-change-held-packages", "no-remove", "reinstall", "target-release=|t", "no-download", "fix-broken|f", "verbose-versions|V",
		"show-upgraded|u", "trivial-only", "no-upgrade", "ignore-hold", "no-show-upgraded", "error-on=", "fix-missing|m", "quiet=", "purge")
	if !ok || len(o.Args) == 0 {
		return posix.Usage
	}
	r := &aptRun{m: m, p: p, o: o, command: o.Args[0], names: o.Args[1:], options: map[string]string{}, files: map[string]string{}}
	for _, option := range o.All("o") {
		name, value, _ := strings.Cut(option, "=")
		r.options[strings.ToLower(name)] = value
	}
	return r.run(ctx)
}

func (r *aptRun) run(ctx context.Context) int {
	switch r.command {
	case "update":
		return r.update(ctx)
	case "install", "upgrade", "dist-upgrade", "full-upgrade":
		return r.change(ctx)
	case "check":
		r.say("Reading package lists...\nBuilding dependency tree...\nReading state information...\n")
		return 0
	case "download":
		return r.download(ctx)
	case "clean", "autoclean":
		return r.clean()
	case "remove", "purge", "autoremove":
		return r.change(ctx)
	}
	r.p.Lacks("apt-get %s is not simulated", r.command)
	return posix.Usage
}

// say prints what -qq leaves out.
func (r *aptRun) say(format string, args ...any) {
	if len(r.o.All("q")) < 2 && r.o.Value("quiet") != "2" {
		r.p.Printf(format, args...)
	}
}

// yes: -qq means -y too.
func (r *aptRun) yes() bool { return r.o.Has("y") || len(r.o.All("q")) >= 2 }

func (r *aptRun) errorf(format string, args ...any) int {
	fmt.Fprintf(r.p.Err, format+"\n", args...)
	return aptFailed
}

func (r *aptRun) update(ctx context.Context) int {
	if r.p.UID != memfs.Root {
		return r.errorf("E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/")
	}
	if r.m.diskFull() {
		return r.errorf("E: Write error - write (28: No space left on device)\nE: The package lists or status file could not be parsed or opened.")
	}
	if !posix.Pause(ctx, r.m.conf.Pace/4) {
		return aptFailed
	}
	r.m.mu.Lock()
	r.m.lists = r.m.offering()
	r.m.mu.Unlock()
	for i, s := range r.m.suites() {
		r.say("Hit:%d %s %s InRelease\n", i+1, s.server, s.path)
	}
	r.say("Reading package lists...\n")
	return 0
}

func (r *aptRun) clean() int {
	if r.p.UID != memfs.Root {
		return r.errorf("E: Could not open lock file /var/cache/apt/archives/lock - open (13: Permission denied)\nE: Unable to lock directory /var/cache/apt/archives/")
	}
	for _, name := range r.m.FS.Names("/var/cache/apt/archives") {
		if strings.HasSuffix(name, ".deb") {
			r.m.try(r.m.FS.Remove(memfs.Root, "/var/cache/apt/archives/"+name, false))
		}
	}
	return 0
}

// change is everything that plans a transaction, and then simulates or runs it.
func (r *aptRun) change(ctx context.Context) int {
	simulates := r.o.Has("s") || r.o.Has("print-uris")
	if !simulates && r.p.UID != memfs.Root {
		return r.errorf("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n" +
			"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?")
	}
	if r.o.Has("s") && r.p.UID != memfs.Root && r.options["apt::get::show-user-simulation-note"] != "false" {
		r.say("NOTE: This is only a simulation!\n      apt-get needs root privileges for real execution.\n" +
			"      Keep also in mind that locking is deactivated,\n      so don't depend on the relevance to the real current situation!\n")
	}
	if !simulates {
		release, code := r.lock(ctx)
		if code != 0 {
			return code
		}
		defer release()
	}
	t, code := r.plan()
	if code != 0 {
		return code
	}
	switch {
	case r.o.Has("s"):
		r.summary(t)
		r.simulate(t)
		return 0
	case r.o.Has("print-uris"):
		r.uris(t)
		return 0
	}
	return r.perform(ctx, t)
}

// lock waits for the package manager's lock as long as DPkg::Lock::Timeout says.
func (r *aptRun) lock(ctx context.Context) (release func(), code int) {
	seconds, err := strconv.Atoi(r.options["dpkg::lock::timeout"])
	if err != nil {
		seconds = 0
	}
	release, pid, holder, ok := r.m.acquire(ctx, time.Duration(seconds)*time.Second)
	if ok {
		return release, 0
	}
	return nil, r.errorf("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process %d (%s)\n"+
		"N: Be aware that removing the lock file is not a solution and may break your system.\n"+
		"E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?", pid, holder)
}

// plan works out the transaction, with everything that makes apt refuse.
func (r *aptRun) plan() (*transaction, int) {
	r.say("Reading package lists...\nBuilding dependency tree...\nReading state information...\n")
	t, err := r.resolve()
	if err != nil {
		return nil, r.errorf("%s", err)
	}
	return t, r.refused(t)
}

func (r *aptRun) resolve() (*transaction, error) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if r.m.broken {
		return nil, errors.New("E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a' to correct the problem. ")
	}
	t, err := r.wanted()
	if err == nil && r.o.Has("s") {
		r.m.simulate()
	}
	return t, err
}

func (r *aptRun) wanted() (*transaction, error) {
	switch r.command {
	case "upgrade", "dist-upgrade", "full-upgrade":
		if len(r.names) > 0 {
			return nil, errors.New("E: The upgrade command takes no arguments in the lab")
		}
		r.say("Calculating upgrade...\n")
		return r.m.upgrade(r.command != "upgrade" || r.o.Has("with-new-pkgs"))
	case "remove", "purge":
		t := &transaction{}
		for _, name := range r.names {
			if at := r.m.installed[name]; at != nil {
				t.removes = append(t.removes, at.Package)
			}
		}
		return t, nil
	case "autoremove":
		return &transaction{}, nil
	}
	return r.install()
}

func (r *aptRun) noVersion(name, version string) error {
	if _, known := r.m.offered(name, ""); !known {
		return fmt.Errorf("E: Unable to locate package %s", name)
	}
	return fmt.Errorf("E: Version '%s' for '%s' was not found", version, name)
}

// refused is what apt will not do without being told.
func (r *aptRun) refused(t *transaction) int {
	downgrades := t.names(change.downgrade)
	switch {
	case !r.yes() && !r.o.Has("assume-no") && !r.o.Has("s"):
		return 0 // it will ask, and nobody answers
	case len(t.held) > 0 && r.yes() && !r.o.Has("allow-change-held-packages") && !r.o.Has("ignore-hold"):
		r.summary(t)
		return r.errorf("E: Held packages were changed and -y was used without --allow-change-held-packages.")
	case len(downgrades) > 0 && r.yes() && !r.o.Has("allow-downgrades"):
		r.summary(t)
		return r.errorf("E: Packages were downgraded and -y was used without --allow-downgrades.")
	case len(t.removes) > 0 && r.o.Has("no-remove"):
		r.summary(t)
		return r.errorf("E: Packages need to be removed but remove is disabled.")
	}
	return 0
}
