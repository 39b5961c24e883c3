//go:build linux

package real

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// User is the login on every host; Lab.WriteSSH gives its key.
const User = "patch"

// Host is one host: its own systemd, sshd, network and root file system. Its
// reboots are real but for the kernel, which all hosts share with the machine.
type Host struct {
	Name    string
	Address string // in the hub network, or in the inner one
	Inner   bool
	OS      OS

	lab   *Lab
	t     testing.TB
	dir   string // root, upper, work, console
	port  string // the host's port on its network's bridge
	key   hostKey
	ended chan struct{} // closed when the supervisor gave up

	mu       sync.Mutex
	starter  int  // process that became nspawn; 0 between two boots
	released bool // a reboot is not followed by a boot
	boots    int
}

// Host makes a host and starts to boot it. Ready waits for it.
func (l *Lab) Host(name string, options ...Option) *Host {
	l.t.Helper()
	s := spec{packages: []string{Plain, Daemon}}
	for _, o := range options {
		o(&s)
	}
	h := l.newHost(name, s)
	if err := l.Repo.use(l.t.Context(), s.system); err != nil {
		l.t.Fatalf("repository for %s: %v", s.system, err)
	}
	if err := h.make(s); err != nil {
		l.t.Fatalf("make host %s: %v", name, err)
	}
	l.hosts = append(l.hosts, h)
	go h.supervise()
	return h
}

// newHost settles a host's names and addresses.
func (l *Lab) newHost(name string, s spec) *Host {
	l.t.Helper()
	const firstNumber = 11
	number := firstNumber + len(l.hosts)
	h := &Host{
		Name: name, Inner: s.inner, OS: s.system, lab: l, t: l.t,
		dir: filepath.Join(l.dir, "hosts", name), port: fmt.Sprintf("port%d", number),
		ended: make(chan struct{}),
	}
	h.Address = fmt.Sprintf("%s%d", prefixOf(h.network()), number)
	return h
}

func (h *Host) network() string {
	if h.Inner {
		return innerNet
	}
	return hubNet
}

// make mounts the root file system, writes the host's own files, installs the
// made-up packages and plugs the network in.
func (h *Host) make(s spec) error {
	for _, sub := range []string{"root", "layer"} {
		if err := os.MkdirAll(filepath.Join(h.dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := h.mountRoot(s.gear, s.diskMB); err != nil {
		return err
	}
	key, err := newHostKey()
	if err != nil {
		return err
	}
	h.key = key
	if err := h.writeFiles(s); err != nil {
		return err
	}
	if err := h.installFirst(s.packages); err != nil {
		return err
	}
	return h.plugIn(s.bastion)
}

// Arguments: the host's folder, the folders it starts from, the size of its disk in MiB or 0.
const mountRoot = `
if [ "$3" -gt 0 ]; then
	mount -t tmpfs -o "mode=755,size=$3m" tmpfs "$1/layer"
fi
mkdir -p "$1/layer/upper" "$1/layer/work"
mount -t overlay lab -o "lowerdir=$2,upperdir=$1/layer/upper,workdir=$1/layer/work" "$1/root"
`

func (h *Host) mountRoot(gear Gear, diskMB int) error {
	folders, err := lower(h.t.Context(), h.lab.cache, h.lab.base, h.OS, gear)
	if err != nil {
		return err
	}
	return h.lab.bundle.sh(h.t.Context(), mountRoot, h.dir, folders, strconv.Itoa(diskMB))
}

func (h *Host) plugIn(bastion bool) error {
	b, ctx := h.lab.bundle, h.t.Context()
	if err := b.plugIn(ctx, h.Name, h.network(), h.port, h.Address, "host0"); err != nil {
		return err
	}
	if !bastion {
		return nil
	}
	return b.plugIn(ctx, h.Name, innerNet, h.port+"i", h.innerLeg(), "host1")
}

// innerLeg is a bastion's address in the inner network.
func (h *Host) innerLeg() string {
	return innerPrefix + h.Address[len(hubPrefix):]
}
