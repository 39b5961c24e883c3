package linux

import (
	"maps"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// allTools is what is installed: the core utilities, and by distribution and setup
// the rest.
func (m *Machine) allTools() map[string]posix.Tool {
	all := posix.Tools()
	maps.Copy(all, m.systemTools())
	maps.Copy(all, m.grubTools())
	if m.dist.apt {
		maps.Copy(all, m.aptTools())
	} else {
		maps.Copy(all, m.rpmTools())
	}
	if m.dist.oneKernel() {
		for _, name := range []string{"rpm", "dnf", "needs-restarting"} {
			delete(all, name)
		}
	}
	if m.dist.pacman {
		maps.Copy(all, m.pacmanTools())
	}
	if m.dist.ostree {
		delete(all, "dnf")
		delete(all, "needs-restarting")
		maps.Copy(all, m.ostreeTools())
	}
	if m.dist.apk {
		maps.Copy(all, m.apkTools())
	}
	if m.dist.zypper {
		delete(all, "dnf")
		delete(all, "needs-restarting")
		maps.Copy(all, m.zypperTools())
	}
	if !m.conf.NoSystemd {
		maps.Copy(all, m.systemdTools())
	}
	return all
}

// Tools lists every program that a simulated host with this distribution has.
func Tools(os string) []string {
	m := &Machine{conf: Config{OS: os, NoSystemd: distributions()[os].apk}, dist: distributions()[os]}
	return posix.Names(m.allTools())
}
