package dnf

import (
	_ "embed"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/version"
)

// yum 3 rules release 7 of Red Hat Enterprise Linux, CentOS and Oracle, and Amazon Linux 2.
// No host of that kind could be had here: all of it is written from documentation, and
// unchecked. What it prints has the form of dnf 4's, which was made after it.

//go:embed yum.sh
var yumScript string

//go:embed yumjobs.sh
var yumJobs string

// Yum is yum 3. Its scripts use the functions of dnf's words.sh that know rpm alone.
func Yum() linux.Manager {
	m := Manager()
	m.Name, m.Shows = "yum", yumShows()
	m.Script, m.Acts, m.Reads = yumScript, exactScript+yumJobs, yumReads()
	m.Aside = []string{"yum-cron.service", "dnf-makecache.timer"}
	m.Order, m.Kernels = version.RPM, version.RPM
	m.Read, m.Health = readYum, yumHealth
	m.Simulated = func(f fact.Facts, w patch.Work, s linux.Section) linux.Transaction {
		return simulated("yum", f, w, s)
	}
	return m
}

// yumReads are what its probe reads.
func yumReads() []linux.Read {
	return []linux.Read{
		{What: linux.UnknownUpdates, Paths: []string{"/etc/yum.conf", "/etc/yum.repos.d", "/etc/yum/vars", "/var/cache/yum"}},
		{What: linux.UnknownHolds, Paths: []string{"/etc/yum/pluginconf.d/versionlock.list"}},
		{What: linux.UnknownManager, Paths: []string{"/var/lib/rpm", "/var/lib/yum"}},
		{What: linux.UnknownLock, Paths: []string{"/var/run/yum.pid"}},
	}
}
