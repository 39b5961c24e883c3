//go:build linux

package real

import (
	_ "embed"
	"fmt"
	"strings"
)

// The made-up packages. Each exists as 1.0 in Base and 2.0 in Security, except
// Extra, whose 2.0 is in Updates and thus no security update.
const (
	Plain    = "pr-plain"    // a file, nothing else
	Daemon   = "pr-daemon"   // a service that listens; see BreakDaemon
	Slow     = "pr-slow"     // 2.0 takes SlowSeconds to configure
	BadPost  = "pr-badpost"  // 2.0 can't be configured: its script fails
	Reboot   = "pr-reboot"   // 2.0 asks for a reboot
	Conffile = "pr-conffile" // /etc/pr-conffile.conf differs between versions
	Extra    = "pr-extra"    // as Plain, but no security update
)

// DaemonPort is where the Daemon answers HTTP.
const DaemonPort = 8080

// BreakDaemon is the file that stops version 2.0 of the Daemon from starting, so
// that the update itself succeeds and the host is sick afterwards.
const BreakDaemon = "/etc/pr-daemon.broken"

// SlowSeconds is the file with the number of seconds that Slow takes (else 5).
const SlowSeconds = "/etc/pr-slow.seconds"

// Package is a made-up package. Its script also counts its own runs in
// /var/lib/lab/NAME, one line with the version for each.
type Package struct {
	Name, Version string
	files         []file
	conffiles     []string
	script        string // what its postinst does beside counting
}

//go:embed daemon.pl
var daemonProgram string

const daemonUnit = `[Unit]
Description=Made-up daemon
[Service]
ExecStart=/usr/sbin/pr-daemon
[Install]
WantedBy=multi-user.target
`

// NewPackage makes a version of one of the made-up packages. Versions other than
// 1.0 behave as 2.0 does.
func NewPackage(name, version string) Package {
	p := Package{Name: name, Version: version}
	p.files = []file{{"/usr/share/" + name + "/version", 0o644, version + "\n"}}
	first := version == firstVersion
	switch name {
	case Daemon:
		p.daemon()
	case Conffile:
		p.files = append(p.files, file{"/etc/pr-conffile.conf", 0o644, "shipped = " + version + "\n"})
		p.conffiles = []string{"/etc/pr-conffile.conf"}
	case Slow:
		p.script = onlyAfter(first, `sleep "$(cat `+SlowSeconds+` 2>/dev/null || echo 5)"`)
	case BadPost:
		p.script = onlyAfter(first, "echo 'pr-badpost: the data base schema is too old' >&2\nexit 1")
	case Reboot:
		p.script = onlyAfter(first, "echo '*** System restart required ***' >/run/reboot-required\n"+
			"echo pr-reboot >>/run/reboot-required.pkgs")
	}
	return p
}

// onlyAfter gives the script to every version but the first.
func onlyAfter(first bool, script string) string {
	if first {
		return ""
	}
	return script
}

// daemon adds the program, its unit, and the restart that packages do.
func (p *Package) daemon() {
	program := strings.ReplaceAll(daemonProgram, "@VERSION@", p.Version)
	p.files = append(p.files,
		file{"/usr/sbin/pr-daemon", 0o755, program},
		file{"/usr/lib/systemd/system/pr-daemon.service", 0o644, daemonUnit})
	p.script = `systemctl --quiet enable pr-daemon.service
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl restart pr-daemon.service
fi`
}

// control is the package's control file.
func (p *Package) control() string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nSection: misc\nPriority: optional\n"+
		"Maintainer: Patchring lab <lab@example.org>\nDescription: made-up package of the test lab\n", p.Name, p.Version)
}

// postinst counts its run before anything in it can fail.
func (p *Package) postinst() string {
	return fmt.Sprintf("#!/bin/sh\nset -e\n[ \"$1\" = configure ] || exit 0\nmkdir -p /var/lib/lab\n"+
		"echo %s >>/var/lib/lab/%s\n%s\n", p.Version, p.Name, p.script)
}

// tree is every file that dpkg-deb packs.
func (p *Package) tree() []file {
	tree := append([]file{
		{"/DEBIAN/control", 0o644, p.control()},
		{"/DEBIAN/postinst", 0o755, p.postinst()},
	}, p.files...)
	if len(p.conffiles) > 0 {
		tree = append(tree, file{"/DEBIAN/conffiles", 0o644, strings.Join(p.conffiles, "\n") + "\n"})
	}
	return tree
}
