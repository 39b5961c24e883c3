package linux

import (
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/lab/posix"
)

// Login gives the user's first process: HOME as directory, the PATH of a session
// without a terminal.
func (m *Machine) Login() *posix.Proc {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.effects.Logins++
	name, uid, home := m.conf.User, 1000, "/home/"+m.conf.User
	path := "/usr/local/bin:/usr/bin:/bin:/usr/games"
	if name == "root" {
		uid, home = memfs.Root, "/root"
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	return &posix.Proc{System: m, FS: m.FS, UID: uid, Dir: home, Env: map[string]string{
		"HOME": home, "USER": name, "LOGNAME": name, "SHELL": "/bin/sh", "PATH": path, "LANG": "C.UTF-8",
	}}
}

// Console is a root shell's surroundings, at the host itself. It counts as nothing.
func (m *Machine) Console() *posix.Proc {
	return &posix.Proc{System: m, FS: m.FS, UID: memfs.Root, Dir: "/root", Env: map[string]string{
		"HOME": "/root", "USER": "root", "LOGNAME": "root", "PATH": rootPath, "LANG": "C.UTF-8",
	}}
}

// Command counts a program that was asked for over SSH.
func (m *Machine) Command() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.effects.Commands++
}

// Effects is what was done to the host so far.
func (m *Machine) Effects() Effects {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.effects
	e.Transactions, e.Work, e.Counts = slices.Clone(e.Transactions), slices.Clone(e.Work), maps.Clone(e.Counts)
	e.Restarts = slices.Clone(e.Restarts)
	return e
}

// Version is the version of a package that is installed, or "".
func (m *Machine) Version(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.installed[name]; p != nil {
		return p.Version
	}
	return ""
}

// BootID is what /proc says of this life of the machine.
func (m *Machine) BootID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.boot.id
}

// Kernel is the release that runs.
func (m *Machine) Kernel() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.boot.kernel
}

// Publish adds a version to the repositories while the host runs. The host learns
// of it when it next fetches the lists.
func (m *Machine) Publish(p Package) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remote = append(m.remote, m.complete(p))
	slices.SortFunc(m.remote, byName)
}

// Complain takes note of what was asked for and is not simulated.
func (m *Machine) Complain(what string) {
	m.lacks.mu.Lock()
	defer m.lacks.mu.Unlock()
	m.lacks.list = append(m.lacks.list, what)
}

// Complaints are what the host was asked for and does not simulate: empty, unless a
// script left the subset or used an option that no tool here knows.
func (m *Machine) Complaints() []string {
	m.lacks.mu.Lock()
	defer m.lacks.mu.Unlock()
	return slices.Clone(m.lacks.list)
}
