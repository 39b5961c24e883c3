package linux

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// debFile is the name in /var/cache/apt/archives.
func debFile(p Package) string {
	return fmt.Sprintf("%s_%s_%s.deb", p.Name, strings.ReplaceAll(p.Version, ":", "%3a"), p.Arch)
}

func archive(p Package) string { return "/var/cache/apt/archives/" + debFile(p) }

// inFile tells which package a file of the lab is; what is not such a file is none. What
// this host has never heard of is as bare as its file. The caller holds mu.
func (m *Machine) inFile(text []byte) (Package, bool) {
	var p Package
	if n, err := fmt.Sscanf(string(text), "lab package %s %s %s\n", &p.Name, &p.Version, &p.Arch); n != 3 || err != nil || !bytes.Equal(content(p), text) {
		return Package{}, false
	}
	for _, known := range m.catalogue() {
		if known.Name == p.Name && known.Version == p.Version && known.Arch == p.Arch {
			return known, true
		}
	}
	return m.complete(p), true
}

// catalogue is every package that this host could know, gone from the repositories or not.
func (m *Machine) catalogue() []Package {
	var all []Package
	for _, p := range slices.Concat(m.dist.packages, m.dist.kernelPackages(m.conf.Arch), m.conf.Installed, m.conf.Repository) {
		all = append(all, m.complete(p))
	}
	return slices.Concat(all, m.remote, m.withdrawn)
}

// source is the file that a package would be unpacked from, or "": the lists, where they
// know it, come before a file that was named.
func (r *aptRun) source(p Package) string {
	if _, err := r.m.FS.Stat(memfs.Root, archive(p), true); err == nil {
		return archive(p)
	}
	if r.m.isListed(p) {
		return ""
	}
	return r.files[p.Name+" "+p.Version]
}

func (m *Machine) isListed(p Package) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.lists, func(l Package) bool { return l.Name == p.Name && l.Version == p.Version })
}

// intact tells whether the file of a package is what its maker made.
func (r *aptRun) intact(p Package) bool {
	text, err := r.m.FS.ReadFile(memfs.Root, r.source(p))
	return err == nil && bytes.Equal(text, content(p))
}

func (r *aptRun) fetch(ctx context.Context, t *transaction) int {
	var size int64
	missing := slices.DeleteFunc(slices.Clone(t.changes), func(c change) bool { return r.source(c.to) != "" })
	for _, c := range missing {
		size += c.to.Size
	}
	if len(missing) > 0 && r.o.Has("no-download") {
		return r.errorf("E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?")
	}
	r.say("Need to get %d B of archives.\nAfter this operation, 0 B of additional disk space will be used.\n", size)
	if r.m.diskFull() {
		return r.errorf("E: You don't have enough free space in /var/cache/apt/archives/.")
	}
	for i, c := range missing {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return aptFailed
		}
		if code := r.fetchOne(i+1, c.to, archive(c.to)); code != 0 {
			return code
		}
	}
	if len(missing) > 0 {
		r.say("Fetched %d B in 0s (12.0 MB/s)\n", size)
	}
	return 0
}

// fetchOne gets one package file from the mirror.
func (r *aptRun) fetchOne(n int, p Package, to string) int {
	r.m.mu.Lock()
	served := r.m.served(p)
	r.m.mu.Unlock()
	s := r.m.dist.suites[p.Suite]
	what := fmt.Sprintf("%s %s/main %s %s %s %s", s.server, s.path, p.Arch, p.Name, p.Arch, p.Version)
	switch {
	case !served:
		r.p.Printf("Err:%d %s\n  404  Not Found\n", n, what)
		return r.errorf("E: Failed to fetch %s  404  Not Found\n"+
			"E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?", r.m.uri(p))
	case r.m.conf.Faults.Tampered == p.Name:
		r.p.Printf("Err:%d %s\n  Hash Sum mismatch\n", n, what)
		return r.errorf("E: Failed to fetch %s  Hash Sum mismatch\nE: Some files failed to download", r.m.uri(p))
	}
	r.say("Get:%d %s [%d B]\n", n, what, p.Size)
	if err := r.m.FS.WriteFile(memfs.Root, to, 0o644, content(p)); err != nil {
		return r.errorf("E: Write error - %s", posix.Message(err))
	}
	return 0
}

// download puts package files into the current folder, all or none.
func (r *aptRun) download(ctx context.Context) int {
	var list []Package
	for _, word := range r.names {
		r.m.mu.Lock()
		p, err := r.fromLists(word)
		r.m.mu.Unlock()
		if err != nil {
			return r.errorf("%s", err)
		}
		list = append(list, p)
	}
	for i, p := range list {
		if !posix.Pause(ctx, r.m.conf.Pace/4) {
			return aptFailed
		}
		if code := r.fetchOne(i+1, p, path.Join(r.p.Dir, debFile(p))); code != 0 {
			return code
		}
	}
	return 0
}

// dpkgDeb is dpkg-deb -W: what a package file says of itself.
func (m *Machine) dpkgDeb(_ context.Context, p *posix.Proc, args []string) int {
	o, ok := p.Parse(args, "W", "show|W", "showformat=")
	if !ok || !o.Has("W") || len(o.Args) != 1 {
		p.Lacks("dpkg-deb %s is not simulated", strings.Join(args[1:], " "))
		return posix.Usage
	}
	text, err := m.FS.ReadFile(p.UID, o.Args[0])
	if err != nil {
		p.Errorf("dpkg-deb", "error: failed to read archive '%s': %s", o.Args[0], posix.Message(err))
		return posix.Usage
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.inFile(text)
	if !ok {
		p.Errorf("dpkg-deb", "error: '%s' is not a Debian format archive", o.Args[0])
		return posix.Usage
	}
	format := `${Package}\t${Version}\n`
	if o.Has("showformat") {
		format = o.Value("showformat")
	}
	line, bad := expandFormat(format, m.fields(&installed{Package: found}))
	if bad != "" {
		p.Lacks("dpkg-deb: field %s is not simulated", bad)
		return posix.Usage
	}
	p.Printf("%s", line)
	return 0
}
