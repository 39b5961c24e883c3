// Package linux is a simulated Linux host without its SSH server: what is installed
// and running on it, the repositories it sees, its package managers, systemd, and
// the other tools that patchring's scripts call. The scripts themselves run in the
// shell of package posix over a file system in memory. All of it survives the
// host's reboots; what a real reboot loses is lost here too.
package linux

import (
	"fmt"
	"slices"
	"time"
)

// Config is a host as it is before anything happened to it.
type Config struct {
	Name     string
	OS       string // one of OSNames
	Arch     string // amd64 (the default) or arm64
	User     string // who logs in; uid 1000
	Sudo     string // nopasswd (the default), password or none
	Password string // the user's, for sudo and login; root's too, for su
	// Installed are added to the distribution's own packages, or replace them.
	Installed []Package
	// Repository is what the repositories offer beyond what is installed.
	Repository []Package
	Held       []string
	Services   []Service // beside those that packages bring
	Mounts     []Mount   // added to / and /boot, or replacing them
	Pace       time.Duration
	NoSystemd  bool // no systemd: no systemctl, no systemd-run
	Container  string
	Unsynced   bool // the clock is not synchronised
	Grub       bool // its boot loader is GRUB, which starts what is saved
	Load       string
	// Connections that others have to the host's first listener but SSH's, at first.
	Connections int
	// Start is how long a boot has lasted when the host begins to answer, by its own clock.
	Start  time.Duration
	Faults Faults
	Wrap   Wrap // nil: every program does what it should
}

// Package is one version of a package.
type Package struct {
	Name    string   `yaml:"name" flags:"required" doc:"name of the package"`
	Version string   `yaml:"version" flags:"required" doc:"version as the package manager writes it"`
	Suite   string   `yaml:"suite" doc:"where it comes from; left out: the distribution's own" enum:"main|updates|security|third-party"`
	Arch    string   `yaml:"arch" doc:"left out: the host's"`
	Size    int64    `yaml:"size" doc:"bytes to download" min:"0"`
	Depends []string `yaml:"depends" doc:"names, or NAME=VERSION"`
	// Security facts of RPM repositories; on Debian the suite says it.
	Severity string   `yaml:"severity" doc:"of the advisory" enum:"Critical|Important|Moderate|Low"`
	Advisory string   `yaml:"advisory" doc:"such as RLSA-2026:0001"`
	CVEs     []string `yaml:"cves" doc:"what it fixes"`
	// What installing it does to the host.
	Reboot  bool   `yaml:"reboot" doc:"needs a reboot to take effect"`
	Kernel  string `yaml:"kernel" doc:"the kernel release that it brings"`
	Service string `yaml:"service" doc:"the service that it runs and restarts"`
	Listen  []int  `yaml:"listen" doc:"TCP ports of its service"`
	// Uses names packages whose libraries its service has mapped.
	Uses     []string `yaml:"uses" doc:"packages whose libraries its service uses"`
	Conffile string   `yaml:"conffile" doc:"a file under /etc that the admin has changed"`
	Obsolete bool     `yaml:"obsolete" doc:"on a host's list: the repositories no longer have this version"`
	Since    Delay    `yaml:"since" doc:"so long after the fleet began the repositories have it"`
	Until    Delay    `yaml:"until" doc:"so long after the fleet began they no longer have it; left out: for ever"`
}

// Service is a systemd unit that no package of the list brings.
type Service struct {
	Name   string   `yaml:"name" flags:"required" doc:"without .service"`
	State  string   `yaml:"state" doc:"left out: active" enum:"active|failed|inactive"`
	Listen []int    `yaml:"listen" doc:"TCP ports"`
	UDP    []int    `yaml:"udp" doc:"UDP ports"`
	Uses   []string `yaml:"uses" doc:"packages whose libraries it uses"`
}

// Mount is one mounted file system. Sizes are kibibytes.
type Mount struct {
	Point  string `yaml:"point" flags:"required" doc:"where it is mounted"`
	Source string `yaml:"source" doc:"the device"`
	Type   string `yaml:"type" doc:"left out: ext4"`
	Size   int64  `yaml:"size" doc:"KiB" min:"0"`
	Used   int64  `yaml:"used" doc:"KiB" min:"0"`
}

// Faults are what goes wrong on the host itself; what goes wrong on the way to it
// is package lab's.
type Faults struct {
	FullDisk          string        // mount point that has no room
	UnhealthyAfter    string        // package whose change breaks its service
	SickAfter         time.Duration // so long after a change of packages a service fails for good
	FailingPostinst   string        // package whose post-installation script fails
	Interrupted       bool          // a package run was cut off before we came
	Locked            time.Duration // the package manager is held by another process; negative: for ever
	Vanished          string        // package whose newest version leaves the repositories after the first simulation
	Tampered          string        // package whose file the mirror has changed
	Hostile           bool          // every tool prints control characters, and far too much
	BootsOldKernel    bool          // a new kernel does not come up, and the one before does
	BootLoop          bool          // after its first reboot it restarts again and again
	NeverGoesDown     bool          // something holds off every restart
	DegradedAfterBoot bool          // a service fails from the first reboot on
	BadSSHConfig      bool          // sshd's configuration has a mistake
	FailsRestart      string        // service that does not come back when it is restarted by hand
}

// Effects is what was really done to a host. Tests compare it with what patchring says.
type Effects struct {
	Transactions []Transaction // in order
	Reboots      int
	Commands     int // programs that were asked for over SSH
	Logins       int
	Jobs         int      // transient units started with systemd-run
	Restarts     []string // units that were started or restarted by hand, in order
	// Counts is how often lab-count was called, by its words and $PATCHRING_HOST.
	Counts map[string]int
	// Work is when packages were changed, and when the host was down after its first
	// start, in order of their beginnings.
	Work []Span
}

// Span is a time. Its To is zero while it lasts.
type Span struct{ From, To time.Time }

// Out is the time from the first change to the end of the last one: what happens to a
// host in between belongs to one piece of work. Zero: nothing was changed.
func (e Effects) Out() Span {
	if len(e.Work) == 0 {
		return Span{}
	}
	out := Span{From: e.Work[0].From}
	for _, s := range e.Work {
		if s.To.IsZero() {
			return Span{From: out.From}
		}
		if s.To.After(out.To) {
			out.To = s.To
		}
	}
	return out
}

// Overlaps tells whether there is a moment of both.
func (s Span) Overlaps(other Span) bool {
	before := func(a, b Span) bool { return !a.To.IsZero() && !a.To.After(b.From) }
	return !s.From.IsZero() && !other.From.IsZero() && !before(s, other) && !before(other, s)
}

// Transaction is one package that went from one version to another.
type Transaction struct {
	Package, From, To string // From is empty for a new package, To for a removed one
	Broken            bool   // it was unpacked and not configured
}

// Times tells how often a package was changed.
func (e Effects) Times(name string) int {
	n := 0
	for _, t := range e.Transactions {
		if t.Package == name {
			n++
		}
	}
	return n
}

func (c Config) check() error {
	if _, ok := distributions()[c.OS]; !ok {
		return fmt.Errorf("host %s: no distribution %q; there are %v", c.Name, c.OS, OSNames())
	}
	if !slices.Contains([]string{"", "nopasswd", "password", "none"}, c.Sudo) {
		return fmt.Errorf("host %s: sudo is nopasswd, password or none, not %q", c.Name, c.Sudo)
	}
	return nil
}
