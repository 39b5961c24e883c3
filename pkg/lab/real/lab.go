//go:build linux

package real

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Lab is a set of hosts, a package repository, and the hub network that programs
// under test run in. It ends with the test.
type Lab struct {
	Repo *Repo

	t      testing.TB
	dir    string // hosts, repository, home of the programs under test
	cache  string // root file systems to start from
	base   string // Debian's
	groups []string
	bundle *bundle
	key    *clientKey
	hosts  []*Host
}

// bootLimit is how long a host may take from start to answering SSH. It takes 1-3 s
// on an idle machine.
const bootLimit = 2 * time.Minute

// New makes an empty lab, or skips the test and says why. The first call on a
// machine makes the base system, which takes about half a minute.
func New(tb testing.TB) *Lab {
	tb.Helper()
	Need(tb)
	cache, err := cacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	sweep(cache)
	rootfs, err := base(tb.Context(), cache)
	if err != nil {
		tb.Fatalf("base system: %v", err)
	}
	l := &Lab{t: tb, cache: cache, base: rootfs}
	if err := l.start(); err != nil {
		tb.Fatalf("start the lab: %v", err)
	}
	return l
}

// start makes the lab's folder, namespaces, networks, keys and repository.
func (l *Lab) start() error {
	name := labName()
	l.dir = filepath.Join(l.cache, "labs", name)
	if err := os.MkdirAll(filepath.Join(l.dir, "home"), 0o700); err != nil {
		return err
	}
	names := fmt.Sprintf("127.0.0.1 localhost\n%s1 %s\n", hubPrefix, repoName)
	if err := os.WriteFile(l.hostsFile(), []byte(names), 0o644); err != nil {
		return err
	}
	roots, err := cgroupRoots()
	if err != nil {
		return err
	}
	if l.groups, err = makeGroups(roots, name); err != nil {
		return err
	}
	if l.bundle, err = startBundle(l.dir, l.groups); err != nil {
		return err
	}
	l.t.Cleanup(l.close)
	if err := l.bundle.sh(l.t.Context(), makeNets); err != nil {
		return err
	}
	if l.key, err = newClientKey(); err != nil {
		return err
	}
	l.Repo, err = newRepo(l.t.Context(), l.bundle, filepath.Join(l.dir, "repo"))
	return err
}

// close ends all hosts at once; the bundle's script removes the folder.
func (l *Lab) close() {
	for _, h := range l.hosts {
		h.StopSupervising()
	}
	if l.Repo != nil {
		l.Repo.close()
	}
	l.bundle.close()
	for _, h := range l.hosts {
		<-h.ended
	}
}

// Command is a program that runs on the machine, but in the hub network, where the
// hosts are, and knows the repository by its name. It sees no SSH agent and an empty home. To stop it in the middle use
// cmd.Process.Kill: the process is the program itself.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	argv := append([]string{
		"--net=" + l.bundle.netPath(hubNet), "--", "unshare", "--mount", "--", "sh", "-c",
		`mount --bind "$0" /etc/hosts && exec "$@"`, l.hostsFile(), name,
	}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", argv...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(l.dir, "home"), "SSH_AUTH_SOCK=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// hostsFile is what programs under test find the repository by.
func (l *Lab) hostsFile() string { return filepath.Join(l.dir, "etc-hosts") }

// Hosts lists the lab's hosts in the order they were made.
func (l *Lab) Hosts() []*Host { return l.hosts }

// Ready waits until every host answers SSH and knows what the repository offers.
func (l *Lab) Ready() {
	l.t.Helper()
	for _, h := range l.hosts {
		h.Ready()
	}
}

// Dir is the lab's folder. Its name is also in the mounts, the cgroups and the
// command lines of everything that belongs to the lab.
func (l *Lab) Dir() string { return l.dir }
