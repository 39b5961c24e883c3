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

// add is apk add: names, NAME=VERSION, files and !NAME.
func (r *apkRun) add(ctx context.Context, words []string) int {
	r.m.mu.Lock()
	t, bad := r.plan(words)
	broken := 0
	for _, at := range r.m.installed {
		if at.broken {
			broken++
		}
	}
	r.m.mu.Unlock()
	switch {
	case bad != "":
		return r.errorf("unable to select packages:\n%s", bad)
	case r.o.Has("s"):
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		r.m.simulate()
		for i := range t.changes {
			r.say(t, i)
		}
		r.purge(t, func(Package) {})
		return r.sum(broken)
	}
	return r.locked(ctx, func() int { return r.commit(ctx, t, words) })
}

// plan is what the words come to. The caller holds mu.
func (r *apkRun) plan(words []string) (*transaction, string) {
	t := &transaction{}
	for _, word := range words {
		if name, gone := strings.CutPrefix(word, "!"); gone {
			if at := r.m.installed[name]; at != nil {
				t.removes = append(t.removes, at.Package)
			}
			continue
		}
		p, ok := r.word(word)
		if !ok {
			name, version, _ := strings.Cut(word, "=")
			return nil, fmt.Sprintf("  %s-%s (no such package):\n    required by: world[%s]", name, version, word)
		}
		if r.m.versionHeld(p.Name) != p.Version {
			t.changes = append(t.changes, change{to: p, from: r.m.versionHeld(p.Name)})
		}
	}
	for _, c := range slices.Clone(t.changes) {
		for _, need := range c.to.Depends {
			name, version, _ := strings.Cut(need, "=")
			if t.has(name) || r.m.installed[name] != nil {
				continue
			}
			p, ok := r.listed(name, version)
			if !ok {
				return nil, fmt.Sprintf("  %s (no such package):\n    required by: %s-%s[%s]", name, c.to.Name, c.to.Version, need)
			}
			t.changes = slices.Insert(t.changes, 0, change{to: p})
		}
	}
	return t, ""
}

func (r *apkRun) word(word string) (Package, bool) {
	if strings.HasSuffix(word, ".apk") {
		text, err := r.m.FS.ReadFile(r.p.UID, word)
		if err != nil {
			return Package{}, false
		}
		return r.m.inFile(text)
	}
	name, version, _ := strings.Cut(word, "=")
	return r.listed(name, version)
}

// say tells of one change, as apk does.
func (r *apkRun) say(t *transaction, i int) {
	c := t.changes[i]
	count := fmt.Sprintf("(%d/%d)", i+1, len(t.changes)+len(t.removes))
	switch {
	case c.from == "":
		r.p.Printf("%s Installing %s (%s)\n", count, c.to.Name, c.to.Version)
	case c.downgrade():
		r.p.Printf("%s Downgrading %s (%s -> %s)\n", count, c.to.Name, c.from, c.to.Version)
	default:
		r.p.Printf("%s Upgrading %s (%s -> %s)\n", count, c.to.Name, c.from, c.to.Version)
	}
}

func (r *apkRun) purge(t *transaction, remove func(Package)) {
	for i, p := range t.removes {
		all := len(t.changes) + len(t.removes)
		r.p.Printf("(%d/%d) Purging %s (%s)\n", len(t.changes)+i+1, all, p.Name, p.Version)
		remove(p)
	}
}

func (r *apkRun) sum(errors int) int {
	head := "OK:"
	if errors == 1 {
		head = "1 error;"
	} else if errors > 1 {
		head = fmt.Sprintf("%d errors;", errors)
	}
	r.p.Printf("%s 8 MiB in %d packages\n", head, len(r.m.installed))
	return errors
}

func (r *apkRun) commit(ctx context.Context, t *transaction, words []string) int {
	if r.m.diskFull() {
		return r.errorf("Failed to create %s: No space left on device", apkDB+".new")
	}
	r.m.power.Event("install")
	defer r.m.working()()
	errors := 0
	for i, c := range t.changes {
		if !posix.Pause(ctx, r.m.conf.Pace) {
			return 1
		}
		errors += r.installOne(t, i, c)
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.purge(t, func(p Package) { r.m.remove(p.Name) })
	r.world(words)
	return r.sum(errors)
}

// installOne: a package whose script failed is installed, and marked.
func (r *apkRun) installOne(t *transaction, i int, c change) int {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.say(t, i)
	fails := r.m.conf.Faults.FailingPostinst == c.to.Name
	r.m.put(c, fails)
	if c.to.Conffile != "" {
		r.m.try(r.m.FS.WriteFile(memfs.Root, c.to.Conffile+".apk-new", 0o644, []byte("# the package's own\n")))
	}
	if !fails {
		return 0
	}
	r.p.Printf("Executing %s-%s.post-upgrade\n", c.to.Name, c.to.Version)
	return r.errorf("%s-%s.post-upgrade: script exited with error 1", c.to.Name, c.to.Version)
}

// world writes down what was asked for: a file by its checksum.
func (r *apkRun) world(words []string) {
	old, _ := r.m.FS.ReadFile(memfs.Root, apkWorld) // absent at first
	entries := strings.Fields(string(old))
	for _, word := range words {
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "!"), "=")
		if strings.HasSuffix(word, ".apk") {
			if p, ok := r.word(word); ok {
				name = p.Name
			}
			word = name + "><Q1" + path.Base(word)
		}
		entries = slices.DeleteFunc(entries, func(e string) bool {
			return e == name || strings.HasPrefix(e, name+"=") || strings.HasPrefix(e, name+"><")
		})
		entries = append(entries, word)
	}
	slices.Sort(entries)
	r.m.try(r.m.FS.WriteFile(memfs.Root, apkWorld, 0o644, []byte(strings.Join(entries, "\n")+"\n")))
}
