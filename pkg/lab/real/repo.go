//go:build linux

package real

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The suites of the repository, named and labelled as Debian's own are, because
// that is what a security update is told by.
const (
	Base     = "oldstable"
	Security = "oldstable-security"
	Updates  = "oldstable-updates"

	firstVersion = "1.0"
	newVersion   = "2.0"
)

// Repo is a signed apt repository that the hosts of one lab use, and only that one.
type Repo struct {
	dir     string // public, build
	arch    string
	keyring []byte
	bundle  *bundle
	servers []*http.Server

	mu   sync.Mutex
	debs map[string]deb // by name and version
}

// deb is a built package.
type deb struct{ path, content string }

// newRepo builds and signs the repository, and serves it in both networks.
func newRepo(ctx context.Context, b *bundle, dir string) (*Repo, error) {
	r := &Repo{dir: dir, bundle: b, debs: map[string]deb{}}
	for _, sub := range []string{"public", "build"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	arch, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	if err != nil {
		return nil, fmt.Errorf("dpkg --print-architecture: %w", err)
	}
	r.arch = strings.TrimSpace(string(arch))
	if err := r.makeKey(ctx); err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	if err := r.serve(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// fill publishes what every lab starts with.
func (r *Repo) fill(ctx context.Context) error {
	names := []string{Plain, Daemon, Slow, BadPost, Reboot, Conffile}
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

// Publish adds packages to a suite and signs its index anew. Hosts learn of it when
// their apt next reads the indexes (Host.Refresh).
func (r *Repo) Publish(ctx context.Context, suite string, packages ...Package) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range packages {
		if err := r.build(ctx, suite, p); err != nil {
			return fmt.Errorf("build %s %s: %w", p.Name, p.Version, err)
		}
	}
	return r.index(ctx, suite)
}

// Withdraw removes a version from a suite, as archives do with superseded ones.
func (r *Repo) Withdraw(ctx context.Context, suite, name, version string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.Remove(filepath.Join(r.dir, "public/pool", suite, name+"_"+version+"_all.deb")); err != nil {
		return err
	}
	return r.index(ctx, suite)
}

// first is version 1.0 of a package, to install before a host's first boot.
func (r *Repo) first(name string) (deb, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.debs[name+" "+firstVersion]
	if !ok {
		return deb{}, fmt.Errorf("the lab has no package %q", name)
	}
	return d, nil
}

// build packs one package into the pool of its suite.
func (r *Repo) build(ctx context.Context, suite string, p Package) error {
	tree := filepath.Join(r.dir, "build", p.Name+"_"+p.Version)
	for _, f := range p.tree() {
		path := filepath.Join(tree, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	pool := filepath.Join(r.dir, "public/pool", suite)
	if err := os.MkdirAll(pool, 0o755); err != nil {
		return err
	}
	path := filepath.Join(pool, p.Name+"_"+p.Version+"_all.deb")
	if err := quiet(exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, path)); err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	r.debs[p.Name+" "+p.Version] = deb{path, string(content)}
	return err
}

// serve answers HTTP in both networks of the lab.
func (r *Repo) serve(ctx context.Context) error {
	for _, network := range []string{hubNet, innerNet} {
		l, err := listenIn(ctx, r.bundle.netPath(network), net.JoinHostPort(prefixOf(network)+"1", "80"))
		if err != nil {
			return fmt.Errorf("serve the repository: %w", err)
		}
		server := &http.Server{
			Handler:           http.FileServer(http.Dir(filepath.Join(r.dir, "public"))),
			ReadHeaderTimeout: 10 * time.Second,
		}
		r.servers = append(r.servers, server)
		go func() { _ = server.Serve(l) }() // ends with close
	}
	return nil
}

func (r *Repo) close() {
	for _, s := range r.servers {
		_ = s.Close()
	}
}

// sources is the sources.list of a host.
func (r *Repo) sources() string {
	var text strings.Builder
	for _, suite := range []string{Base, Security, Updates} {
		fmt.Fprintf(&text, "deb [signed-by=/etc/apt/keyrings/lab.gpg] http://%s/ %s main\n", repoName, suite)
	}
	return text.String()
}

// quiet runs a program whose output matters only when it fails.
func quiet(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, tail(out))
	}
	return nil
}
