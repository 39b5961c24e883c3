package linux

import (
	"context"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// perform runs the transaction; it belongs to the host, as apt's does.
func (r *dnfRun) perform(ctx context.Context, t *transaction) int {
	if r.m.diskFull() {
		return r.errorf("Transaction test error:\n  At least 40MB more space needed on the / filesystem.")
	}
	r.say("Downloading Packages:\n")
	for i, c := range t.changes {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return 1
		}
		if code := r.fetch(i+1, len(t.changes), c.to); code != 0 {
			return code
		}
	}
	if r.o.Has("downloadonly") {
		r.say("Complete!\nThe downloaded packages were saved in cache until the next successful transaction.\n" +
			"You can remove cached packages by executing 'dnf clean packages'.\n")
		return 0
	}
	r.m.power.Event("install")
	defer r.m.working()()
	return r.install(ctx, t)
}

func (r *dnfRun) fetch(n, all int, p Package) int {
	if slices.ContainsFunc(r.given, func(g Package) bool { return g.Name == p.Name && g.Version == p.Version }) {
		return 0
	}
	file := r.m.cached(p)
	if r.o.Has("destdir") {
		file = r.o.Value("destdir") + "/" + rpmFile(p)
	}
	if _, err := r.m.FS.Stat(memfs.Root, file, true); err == nil {
		r.say("[SKIPPED] %s.rpm: Already downloaded\n", nevra(p))
		return 0
	}
	if r.o.Has("C") {
		return r.errorf("Error downloading packages:\n  Cannot download %s.rpm: it is not in the cache", nevra(p))
	}
	r.m.mu.Lock()
	served := r.m.served(p)
	r.m.mu.Unlock()
	if !served {
		r.say("[MIRROR] %s.rpm: Status code: 404 for %s/%s.rpm\n[FAILED] %s.rpm: No more mirrors to try - All mirrors were already tried without success\n",
			nevra(p), r.m.dist.server, nevra(p), nevra(p))
		return r.errorf("Error downloading packages:\n  Cannot download %s.rpm: All mirrors were tried", nevra(p))
	}
	r.say("(%d/%d): %s.rpm %s B/s | %s     00:00\n", n, all, nevra(p), "12 M", human(p.Size))
	if err := r.m.FS.WriteFile(memfs.Root, file, 0o644, content(p)); err != nil {
		return r.errorf("%s", posix.Message(err))
	}
	return 0
}

func (r *dnfRun) install(ctx context.Context, t *transaction) int {
	r.say("Running transaction check\nTransaction check succeeded.\nRunning transaction test\nTransaction test succeeded.\nRunning transaction\n")
	r.say("  Preparing        :                                                        1/1 \n")
	r.erase(t)
	for i, c := range t.changes {
		verb := map[string]string{"Installing:": "Installing", "Upgrading:": "Upgrading", "Downgrading:": "Downgrading"}[dnfKind(c)]
		r.say("  %-16s : %s %d/%d \n", verb, nevra(c.to), i+1, len(t.changes))
		if !posix.Pause(ctx, r.m.conf.Pace) {
			return 1 // the power went; RPM's database knows nothing of this package yet
		}
		if code := r.installOne(c); code != 0 {
			return code
		}
	}
	r.say("\nComplete!\n")
	r.clean(t)
	return 0
}

// installOne: a failing %post is a warning to RPM, and the status stays 0.
func (r *dnfRun) installOne(c change) int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if c.to.Kernel != "" && r.m.conf.Faults.FullDisk == "/boot" {
		fmt.Fprintf(r.p.Err, "error: unpacking of archive failed on file /boot/vmlinuz-%s: cpio: write failed - No space left on device\n", c.to.Kernel)
		return 1
	}
	r.m.put(c, false)
	if r.m.conf.Faults.FailingPostinst == c.to.Name {
		r.p.Printf("warning: %%post(%s) scriptlet failed, exit status 1\n\nError in POSTIN scriptlet in rpm package %s\n", nevra(c.to), c.to.Name)
	}
	if c.to.Conffile != "" {
		r.p.Printf("warning: %s created as %s.rpmnew\n", c.to.Conffile, c.to.Conffile)
	}
	return 0
}
