//go:build linux

package real

import (
	_ "embed"
	"io/fs"
	"slices"
	"strings"
)

// The made-up packages. Each exists as 1.0 in Base and 2.0 in Security, except
// Extra, whose 2.0 is in Updates and thus no security update.
const (
	Plain    = "pr-plain"    // a file, nothing else
	Daemon   = "pr-daemon"   // a service that listens; see BreakDaemon
	Slow     = "pr-slow"     // 2.0 takes SlowSeconds to configure
	BadPost  = "pr-badpost"  // 2.0's script after the files fails
	BadPre   = "pr-badpre"   // 2.0's script before the files fails
	Reboot   = "pr-reboot"   // 2.0 asks for a reboot, as the system's packages do
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

// Package is a made-up package, the same for every system that the lab has. Its
// script also counts its own runs in /var/lib/lab/NAME, one line with the version
// for each.
type Package struct {
	Name    string
	Version string // becomes VERSION-1 where versions have a release
	// Depends are names of other packages; "name=1.0" and "name>=1.0" ask for versions.
	Depends []string
	// Pre and Post are POSIX sh, run before and after the files are changed, on
	// install, upgrade and downgrade. They end at the first command that fails.
	Pre, Post string
	// Advisory is what updateinfo tells of it, unless it is in Base. Debian and Arch
	// have no such thing.
	Advisory Advisory

	files     []file
	conffiles []string
	unpacked  string // folder with all of a Debian package, in place of the above; see Lab.Rebuilt
}

// Advisory is a notice of an update. Its type follows from the suite.
type Advisory struct {
	ID       string // empty: made of the package's number. Packages can share one
	Severity string // Critical, Important, Moderate or Low; empty: none
	CVEs     []string
	Reboot   bool // the update asks for a reboot
}

// WithFile adds a file to a copy of the package.
func (p Package) WithFile(path string, mode fs.FileMode, text string) Package {
	p.files = append(slices.Clone(p.files), file{path, mode, text})
	return p
}

// WithConffile adds a file that is the admin's to change.
func (p Package) WithConffile(path, text string) Package {
	p = p.WithFile(path, 0o644, text)
	p.conffiles = append(slices.Clone(p.conffiles), path)
	return p
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

// NewPackage makes a version of one of the made-up packages, or of a new one that
// has a file and nothing else. Versions other than 1.0 behave as 2.0 does.
func NewPackage(name, version string) Package {
	p := Package{Name: name, Version: version}.WithFile("/usr/share/"+name+"/version", 0o644, version+"\n")
	if name == Daemon {
		p = p.daemon()
	}
	if name == Conffile {
		p = p.WithConffile("/etc/pr-conffile.conf", "shipped = "+version+"\n")
	}
	if version != firstVersion {
		p = p.misbehave()
		p.Advisory = advisoryOf(name)
	}
	return p
}

// misbehave gives a copy of the package the scripts that it is known for.
func (p Package) misbehave() Package {
	switch p.Name {
	case Slow:
		p.Post = `sleep "$(cat ` + SlowSeconds + ` 2>/dev/null || echo 5)"`
	case BadPost:
		p.Post = "echo 'pr-badpost: the data base schema is too old' >&2\nexit 1"
	case BadPre:
		p.Pre = "echo 'pr-badpre: not on this host' >&2\nexit 1"
	case Reboot:
		// Elsewhere the package manager itself knows: by name, or by advisory.
		p.Post = "if [ -x /usr/bin/dpkg ]; then\n" +
			"\techo '*** System restart required ***' >/run/reboot-required\n" +
			"\techo pr-reboot >>/run/reboot-required.pkgs\nfi"
	}
	return p
}

// advisoryOf is what is said of the made-up packages' new versions.
func advisoryOf(name string) Advisory {
	switch name {
	case Daemon:
		return Advisory{Severity: "Critical", CVEs: []string{"CVE-2026-1001", "CVE-2026-1002"}}
	case Reboot:
		return Advisory{Severity: "Critical", CVEs: []string{"CVE-2026-1003"}, Reboot: true}
	case Conffile:
		return Advisory{Severity: "Moderate", CVEs: []string{"CVE-2026-1004"}}
	case Extra:
		return Advisory{}
	default:
		return Advisory{Severity: "Important", CVEs: []string{"CVE-2026-1005"}}
	}
}

// daemon adds the program, its unit, and the restart that packages do.
func (p Package) daemon() Package {
	p.Post = `systemctl --quiet enable pr-daemon.service
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl restart pr-daemon.service
fi`
	return p.WithFile("/usr/sbin/pr-daemon", 0o755, strings.ReplaceAll(daemonProgram, "@VERSION@", p.Version)).
		WithFile("/usr/lib/systemd/system/pr-daemon.service", 0o644, daemonUnit)
}

// after is the whole script after the files: it counts its run before anything in it
// can fail.
func (p Package) after() string {
	return "set -e\nmkdir -p /var/lib/lab\necho " + p.Version + " >>/var/lib/lab/" + p.Name + "\n" + p.Post + "\n"
}

// before is the whole script before the files; empty where there is none.
func (p Package) before() string {
	if p.Pre == "" {
		return ""
	}
	return "set -e\n" + p.Pre + "\n"
}

// dependency is one entry of Package.Depends.
type dependency struct{ name, relation, version string }

func (p Package) dependencies() []dependency {
	var all []dependency
	for _, text := range p.Depends {
		at := strings.IndexAny(text, "<>=")
		if at < 0 {
			all = append(all, dependency{name: text})
			continue
		}
		version := strings.TrimLeft(text[at:], "<>=")
		all = append(all, dependency{text[:at], text[at : len(text)-len(version)], version})
	}
	return all
}

// fileVersion is a version as files are named: without its epoch.
func fileVersion(version string) string {
	if _, rest, has := strings.Cut(version, ":"); has {
		return rest
	}
	return version
}
