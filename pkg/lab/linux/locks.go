package linux

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// holderPID is the process of the fault that holds the package manager.
const holderPID = 271

// foreign tells whether another program holds the package manager. The caller holds mu.
func (m *Machine) foreign() bool {
	return m.holder != "" && (m.conf.Faults.Locked < 0 || time.Now().Before(m.holdUntil))
}

func (m *Machine) held() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.foreign()
}

func (m *Machine) lockFiles() []string {
	if m.dist.apt {
		return []string{"/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"}
	}
	if m.dist.pacman {
		return []string{pacmanLock}
	}
	if m.dist.apk {
		return []string{apkLock}
	}
	return []string{"/var/lib/rpm/.rpm.lock"}
}

// lockTable is /proc/locks: who holds the package manager's lock files.
func (m *Machine) lockTable() string {
	m.mu.Lock()
	pid := m.lockPID
	if m.foreign() {
		pid = holderPID
	}
	m.mu.Unlock()
	if pid == 0 {
		return ""
	}
	var out strings.Builder
	for i, file := range m.lockFiles() {
		if info, err := m.FS.Stat(memfs.Root, file, true); err == nil {
			fmt.Fprintf(&out, "%d: POSIX  ADVISORY  WRITE %d fe:01:%d 0 EOF\n", i+1, pid, info.Inode)
		}
	}
	return out.String()
}

// acquire takes the package lock: at once, or after others let go of it within the
// time given.
func (m *Machine) acquire(ctx context.Context, wait time.Duration) (release func(), pid int, holder string, ok bool) {
	deadline := time.Now().Add(wait)
	if !m.outwait(ctx, deadline) {
		return nil, holderPID, m.holder, false
	}
	select {
	case m.busy <- struct{}{}:
		return m.owned(), 0, "", true
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case m.busy <- struct{}{}:
		return m.owned(), 0, "", true
	case <-timer.C:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return nil, m.lockPID, m.manager(), false
}

// outwait waits until the fault's program lets go, but not beyond the deadline.
func (m *Machine) outwait(ctx context.Context, deadline time.Time) bool {
	m.mu.Lock()
	foreign, until := m.foreign(), m.holdUntil
	m.mu.Unlock()
	if !foreign {
		return true
	}
	if m.conf.Faults.Locked < 0 || until.After(deadline) {
		posix.Pause(ctx, time.Until(deadline))
		return false
	}
	return posix.Pause(ctx, time.Until(until)+time.Millisecond)
}

// owned lists who holds the lock now.
func (m *Machine) owned() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nextPID++
	pid, life := m.nextPID, m.boot.id
	m.lockPID = pid
	m.listProcess(pid, []string{m.manager()}, m.lockFiles())
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.lockPID = 0
		if m.boot.id == life {
			m.forgetProcess(pid)
		}
		<-m.busy
	}
}

func (m *Machine) manager() string {
	if m.dist.apt {
		return "apt-get"
	}
	if m.dist.zypper {
		return "zypper"
	}
	if m.dist.pacman {
		return "pacman"
	}
	if m.dist.apk {
		return "apk"
	}
	return "dnf"
}

// versionLocks are the holds of a host with dnf.
func (m *Machine) versionLocks() {
	var out strings.Builder
	for _, name := range m.conf.Held {
		at := m.installed[name]
		if at == nil {
			continue
		}
		n, version := epoch(at.Version)
		fmt.Fprintf(&out, "%s-%d:%s.*\n", name, n, version)
	}
	m.write("/etc/dnf/plugins/versionlock.list", out.String())
}
