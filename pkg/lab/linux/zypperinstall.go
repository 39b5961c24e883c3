package linux

import (
	"context"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// install plans, shows what it would do, and unless it is a dry run does it.
func (r *zypperRun) install(ctx context.Context, words []string) int {
	if r.p.UID != memfs.Root {
		return r.fail(zypperRoot, "Root privileges are required for installing or uninstalling packages.")
	}
	release, _, _, ok := r.m.acquire(ctx, 0)
	if !ok {
		return r.fail(zypperLocked, "System management is locked by another application.\nClose this application before trying again.")
	}
	defer release()
	t, code := r.plan(words)
	if code != 0 {
		return code
	}
	r.summary(t)
	if r.o.Has("D") || len(t.changes)+len(t.removes) == 0 {
		return 0
	}
	return r.perform(ctx, t)
}

func (r *zypperRun) plan(words []string) (*transaction, int) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	t := &transaction{}
	for _, word := range words {
		if name, gone := strings.CutPrefix(word, "-"); gone {
			name, _, _ = strings.Cut(name, ".")
			if at := r.m.installed[name]; at != nil {
				t.removes = append(t.removes, at.Package)
			}
			continue
		}
		p, ok := r.bySpec(word)
		at := r.m.installed[p.Name]
		switch {
		case !ok:
			return nil, r.fail(zypperNotFound, "No provider of '%s' found.", word)
		case at != nil && compare(p.Version, at.Version) < 0 && !r.o.Has("oldpackage"):
			r.say("The selected package '%s' has lower version than the installed one.", nevra(p))
			continue
		}
		if err := r.m.add(t, p); err != nil {
			return nil, r.problem(strings.TrimSpace(err.Error()))
		}
	}
	if len(t.held) > 0 {
		return nil, r.problem("conflicting requests\n Solution 1: remove lock to allow installation of " + t.held[0])
	}
	r.m.simulate()
	return t, 0
}

// problem is a question of the resolver that nobody answers.
func (r *zypperRun) problem(text string) int {
	if !r.o.Has("xmlout") {
		return r.fail(zypperProblem, "Problem: %s", text)
	}
	r.p.Printf("<prompt id=\"1\">\n<description>Problem: %s\n</description>\n<text>Choose from above solutions by number or cancel</text>\n</prompt>\n", escaped(text))
	return zypperProblem
}

// bySpec finds NAME[.ARCH][=EDITION] in the lists, or a package's file. The caller holds mu.
func (r *zypperRun) bySpec(word string) (Package, bool) {
	if strings.HasPrefix(word, "/") {
		text, err := r.m.FS.ReadFile(memfs.Root, word)
		p, ok := r.m.inFile(text)
		r.files[p.Name+" "+p.Version] = ok
		return p, err == nil && ok
	}
	name, edition, exact := strings.Cut(word, "=")
	var best Package
	found := false
	for _, p := range r.m.lists {
		if p.Name != name && p.Name+"."+p.Arch != name || exact && p.Version != edition {
			continue
		}
		if !found || compare(p.Version, best.Version) > 0 {
			best, found = p, true
		}
	}
	if at := r.m.installed[strings.TrimSuffix(name, "."+rpmArch(r.m.conf.Arch))]; !found && at != nil && at.Version == edition {
		return at.Package, true
	}
	return best, found
}

// summary shows what changes, in XML; for people the lab has a line.
func (r *zypperRun) summary(t *transaction) {
	count := len(t.changes) + len(t.removes)
	if !r.o.Has("xmlout") {
		r.p.Printf("%d packages to change.\n", count)
		return
	}
	r.p.Printf("<install-summary download-size=\"0\" space-usage-diff=\"0\" packages-to-change=\"%d\">\n", count)
	group := func(name string, list []change) {
		if len(list) == 0 {
			return
		}
		r.p.Printf("<%s>\n", name)
		for _, c := range list {
			r.p.Printf("<solvable type=\"package\" name=\"%s\" edition=\"%s\" arch=\"%s\"", c.to.Name, c.to.Version, c.to.Arch)
			if !c.fresh() {
				r.p.Printf(" edition-old=\"%s\" arch-old=\"%s\"", c.from, c.to.Arch)
			}
			r.p.Printf(" summary=\"%s\">\n<description>made up</description></solvable>\n", c.to.Name)
		}
		r.p.Printf("</%s>\n", name)
	}
	pick := func(keep func(change) bool) []change {
		return slices.DeleteFunc(slices.Clone(t.changes), func(c change) bool { return !keep(c) })
	}
	group("to-upgrade", pick(func(c change) bool { return !c.fresh() && !c.downgrade() }))
	group("to-downgrade", pick(func(c change) bool { return !c.fresh() && c.downgrade() }))
	group("to-install", pick(change.fresh))
	var gone []change
	for _, p := range t.removes {
		gone = append(gone, change{to: p})
	}
	group("to-remove", gone)
	r.p.Printf("</install-summary>\n")
}

// perform downloads and installs; the transaction belongs to the host, as apt's does.
func (r *zypperRun) perform(ctx context.Context, t *transaction) int {
	if r.m.diskFull() {
		return r.fail(zypperCommit, "Installation has been aborted: No space left on device")
	}
	for _, c := range t.changes {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return zypperProblem
		}
		if code := r.fetch(c.to); code != 0 {
			return code
		}
	}
	if r.o.Has("download-only") {
		return 0
	}
	r.m.power.Event("install")
	defer r.m.working()()
	return r.carryOut(ctx, t)
}

// cached is where a downloaded package lies.
func (r *zypperRun) cached(p Package) string {
	_, plain := epoch(p.Version)
	return "/var/cache/zypp/packages/" + r.alias(p) + "/" + p.Arch + "/" + p.Name + "-" + plain + "." + p.Arch + ".rpm"
}

// download fetches without installing; what is not there is passed over, with status 0.
func (r *zypperRun) download(words []string) int {
	for _, word := range words {
		r.m.mu.Lock()
		p, ok := r.bySpec(word)
		r.m.mu.Unlock()
		if !ok {
			r.say("Argument resolves to no package: %s", word)
			continue
		}
		if code := r.fetch(p); code != 0 {
			return code
		}
		if r.o.Has("xmlout") {
			r.p.Printf("<download-result><localfile path=\"%s\"/></download-result>\n", r.cached(p))
		}
	}
	return 0
}

// fetch downloads a package, unless it came as a file.
func (r *zypperRun) fetch(p Package) int {
	file := r.cached(p)
	if _, err := r.m.FS.Stat(memfs.Root, file, true); err == nil {
		return 0
	}
	r.m.mu.Lock()
	served := r.m.served(p)
	r.m.mu.Unlock()
	if r.files[p.Name+" "+p.Version] {
		return 0
	}
	if !served {
		return r.fail(zypperCommit, "File './%s/%s.rpm' not found on medium '%s'", p.Arch, nevra(p), r.m.dist.server)
	}
	r.say("Retrieving package %s", nevra(p))
	if err := r.m.FS.WriteFile(memfs.Root, file, 0o644, content(p)); err != nil {
		return r.fail(zypperCommit, "%s", posix.Message(err))
	}
	return 0
}

// carryOut: what a package's script says goes into the log, and into the exit status.
func (r *zypperRun) carryOut(ctx context.Context, t *transaction) int {
	code := 0
	for i, c := range t.changes {
		r.say("(%d/%d) Installing: %s", i+1, len(t.changes), nevra(c.to))
		if !posix.Pause(ctx, r.m.conf.Pace) {
			return zypperProblem // the power went; RPM's database knows nothing of this package yet
		}
		code = max(code, r.installOne(c))
		if code == zypperCommit {
			return code
		}
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, p := range t.removes {
		r.m.remove(p.Name)
	}
	return code
}

func (r *zypperRun) installOne(c change) int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if c.to.Kernel != "" && r.m.conf.Faults.FullDisk == "/boot" {
		return r.fail(zypperCommit, "Installation of %s failed:\nerror: unpacking of archive failed on file /boot/vmlinuz-%s: cpio: write failed - No space left on device", nevra(c.to), c.to.Kernel)
	}
	r.m.put(c, false)
	if c.to.Conffile != "" {
		r.say("Additional rpm output:\nwarning: %s created as %s.rpmnew", c.to.Conffile, c.to.Conffile)
	}
	if r.m.conf.Faults.FailingPostinst == c.to.Name {
		r.say("Additional rpm output:\nwarning: %%post(%s) scriptlet failed, exit status 1", nevra(c.to))
		return zypperScript
	}
	return 0
}
