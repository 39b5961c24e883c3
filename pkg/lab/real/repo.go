//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// The suites of the repository. On Debian they are named and labelled as Debian's own
// are, because that is what a security update is told by. In the rpm repository they
// are types of advisories: none, security, bugfix. Arch knows no difference.
const (
	Base     = "oldstable"
	Security = "oldstable-security"
	Updates  = "oldstable-updates"

	firstVersion = "1.0"
	newVersion   = "2.0"
)

// Repo is what the hosts of one lab install from, and only that: a signed repository
// of apt, one of dnf and zypper, and one of pacman, with the same packages in each.
// A format's repository is made when its first host is, with all that was published
// before and was not withdrawn.
type Repo struct {
	tree   *tree
	key    *signer
	server *server

	mu        sync.Mutex
	published []publication // withdrawn ones too
	formats   map[string]format
}

// publication is a package in a suite.
type publication struct {
	Package

	suite     string
	number    int // of its advisory
	withdrawn bool
}

// format makes the repository of one format of packages.
type format interface {
	// path is where a package's file lies, below the folder that is served.
	path(p publication) string
	build(ctx context.Context, packages []publication) error
	// index writes the signed index that a suite is part of.
	index(ctx context.Context, suite string, all []publication) error
}

// newRepo makes the key, publishes what every lab starts with, and serves it in both
// networks.
func newRepo(ctx context.Context, b *bundle, dir string) (*Repo, error) {
	key, err := newSigner(ctx, b)
	if err != nil {
		return nil, err
	}
	t, err := newTree(dir, key)
	if err != nil {
		return nil, err
	}
	r := &Repo{tree: t, key: key, formats: map[string]format{}}
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	if r.server, err = serve(ctx, b, t.public("")); err != nil {
		return nil, err
	}
	return r, t.publish("key.asc", key.armored)
}

// fill publishes what every lab starts with.
func (r *Repo) fill(ctx context.Context) error {
	names := []string{Plain, Daemon, Slow, BadPost, BadPre, Reboot, Conffile}
	old := []Package{NewPackage(Extra, firstVersion)}
	var security []Package
	for _, name := range names {
		old = append(old, NewPackage(name, firstVersion))
		security = append(security, NewPackage(name, newVersion))
	}
	return errors.Join(
		r.Publish(ctx, Base, old...),
		r.Publish(ctx, Security, security...),
		r.Publish(ctx, Updates, NewPackage(Extra, newVersion)))
}

// use makes the repository that a system needs, if the lab has none yet.
func (r *Repo) use(ctx context.Context, system OS) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := system.kit().format
	if r.formats[name] != nil {
		return nil
	}
	f, err := newFormat(ctx, name, r.tree)
	if err != nil {
		return err
	}
	r.formats[name] = f
	var offered []publication
	for _, p := range r.published {
		if !p.withdrawn {
			offered = append(offered, p)
		}
	}
	return r.add(ctx, f, offered)
}

func newFormat(ctx context.Context, name string, t *tree) (format, error) {
	switch name {
	case formatRPM:
		return &rpms{t}, nil
	case formatPacman:
		return &pacmans{t}, nil
	default:
		return newDebs(ctx, t)
	}
}

// add builds packages in one format and indexes their suites.
func (r *Repo) add(ctx context.Context, f format, packages []publication) error {
	for _, p := range packages {
		if err := r.tree.forget(f.path(p)); err != nil {
			return err
		}
	}
	if err := f.build(ctx, packages); err != nil {
		return err
	}
	var suites []string
	for _, p := range packages {
		if err := r.tree.offer(f.path(p)); err != nil {
			return err
		}
		if !slices.Contains(suites, p.suite) {
			suites = append(suites, p.suite)
		}
	}
	return r.index(ctx, f, suites...)
}

// index writes the indexes of suites in one format: where it has one for all, once.
func (r *Repo) index(ctx context.Context, f format, suites ...string) error {
	if _, bySuite := f.(*debs); !bySuite {
		suites = suites[:1]
	}
	for _, suite := range suites {
		if err := f.index(ctx, suite, r.published); err != nil {
			return err
		}
	}
	return nil
}

// Publish adds packages to a suite, for every system that the lab has, and signs the
// indexes anew. The older versions stay. Hosts learn of it when their package manager
// next reads the indexes (Host.Refresh).
func (r *Repo) Publish(ctx context.Context, suite string, packages ...Package) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := len(r.published)
	for _, p := range packages {
		r.supersede(suite, p)
		r.published = append(r.published, publication{Package: p, suite: suite, number: len(r.published) + 1})
	}
	for _, name := range sortedKeys(r.formats) {
		if err := r.add(ctx, r.formats[name], r.published[first:]); err != nil {
			return err
		}
	}
	return nil
}

// supersede lets a package take the place of one that was published as the same.
func (r *Repo) supersede(suite string, p Package) {
	for i, old := range r.published {
		if old.suite == suite && old.Name == p.Name && old.Version == p.Version {
			r.published[i].withdrawn = true
		}
	}
}

// Withdraw removes a version from a suite, as archives do with superseded ones: from
// the indexes and from the server, but not from snapshots.
func (r *Repo) Withdraw(ctx context.Context, suite, name, version string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := slices.IndexFunc(r.published, func(p publication) bool {
		return p.suite == suite && p.Name == name && p.Version == version && !p.withdrawn
	})
	if found < 0 {
		return fmt.Errorf("%s has no %s %s", suite, name, version)
	}
	r.published[found].withdrawn = true
	for _, format := range sortedKeys(r.formats) {
		f := r.formats[format]
		if err := errors.Join(r.tree.withdraw(f.path(r.published[found])), r.index(ctx, f, suite)); err != nil {
			return err
		}
	}
	return nil
}

// Tamper changes a byte of every served file of a version. The indexes still say what
// the files were; snapshots keep what they have.
func (r *Repo) Tamper(name, version string) error {
	return r.tamper("", name, version)
}

// tamper changes what is served below a folder.
func (r *Repo) tamper(below, name, version string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := 0
	for _, p := range r.published {
		for _, format := range sortedKeys(r.formats) {
			file := r.tree.public(filepath.Join(below, r.formats[format].path(p)))
			if p.Name != name || p.Version != version || !isFile(file) {
				continue
			}
			if err := tamper(file); err != nil {
				return err
			}
			changed++
		}
	}
	if changed == 0 {
		return fmt.Errorf("the lab serves no %s %s", name, version)
	}
	return nil
}

// File is a package as it was built for a system, signed and not tampered with, though
// it be withdrawn since.
func (r *Repo) File(system OS, name, version string) (path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.formats[system.kit().format]
	for _, p := range slices.Backward(r.published) {
		if f != nil && p.Name == name && p.Version == version {
			return r.tree.built(f.path(p)), nil
		}
	}
	return "", fmt.Errorf("the lab has no package %s %s for %s", name, version, system)
}

// PublicKey is the key that all indexes are signed with, and the packages of all
// systems but Debian: as gpg exports it, binary or armored.
func (r *Repo) PublicKey() (binary, armored []byte) { return r.key.public, r.key.armored }

// Fingerprint is that of the key.
func (r *Repo) Fingerprint() string { return r.key.fingerprint }

func (r *Repo) close() {
	if r.server != nil {
		r.server.close()
	}
}

// quiet runs a program whose output matters only when it fails.
func quiet(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, tail(out))
	}
	return nil
}
