//go:build linux

package real

import (
	_ "embed"
	"strings"
)

// OS is what a host runs. Those beside Debian are Debian's own packages of the other
// package manager on Debian's files, under the other system's name: the tool and its
// database are real, what it manages is only what the lab's repository has.
type OS int

// The systems that a host can run.
const (
	Debian OS = iota // apt and dpkg
	Rocky            // dnf and rpm, as Rocky Linux 9.4
	SUSE             // zypper and rpm, as SLES 15.6
	Arch             // pacman, as Arch Linux
)

//go:embed foreign.sh
var foreignScript string

//go:embed rocky.sh
var rockyScript string

//go:embed suse.sh
var suseScript string

//go:embed arch.sh
var archScript string

// kit is what the lab must know of a system.
type kit struct {
	name      string
	format    string                             // of its packages
	packages  []string                           // what it has on top of Debian
	customize string                             // what makes Debian look like it
	sources   func(*signer) []file               // says where packages come from, and whom to trust
	trust     string                             // sh that takes the repository's key in; $1 is its fingerprint
	install   []string                           // installs the package files that follow
	exact     func(pkg, version string) []string // installs that version from the repository
	version   []string                           // shows the installed version of the package that follows
	parse     func(out string) string
	refresh   []string // reads the repository's indexes
	log       string   // where the package manager says what it changed
	change    func(line, pkg, version string) bool
	lock      lock
}

// The formats of packages; each is also the name of a folder.
const (
	formatDeb    = "deb"
	formatRPM    = "rpm"
	formatPacman = "pacman"
)

func (os OS) kit() kit {
	switch os {
	case Rocky:
		return rockyKit()
	case SUSE:
		return suseKit()
	case Arch:
		return archKit()
	default:
		return debianKit()
	}
}

// String is the system's name in os-release.
func (os OS) String() string { return os.kit().name }

// Version spells a version of a made-up package as the system's own database does:
// "2.0" stays as it is on Debian and is "2.0-1" elsewhere.
func (os OS) Version(version string) string {
	if os == Debian || strings.Contains(version, "-") {
		return version
	}
	return version + "-1"
}

func debianKit() kit {
	return kit{
		name: "debian", format: formatDeb, sources: aptSources,
		install: []string{"dpkg", "--install"},
		exact: func(pkg, version string) []string {
			return []string{"apt-get", "install", "--yes", "--allow-downgrades", pkg + "=" + version}
		},
		version: []string{"dpkg-query", "--show", "--showformat=${db:Status-Abbrev}|${Version}"},
		parse: func(out string) string {
			status, version, _ := strings.Cut(out, "|")
			if strings.TrimSpace(status) != "ii" {
				return ""
			}
			return version
		},
		refresh: []string{"apt-get", "update", "--quiet=2", "--error-on=any"},
		log:     "/var/log/dpkg.log",
		change: func(line, pkg, version string) bool {
			f := strings.Fields(line)
			return len(f) == 6 && f[2] == "upgrade" && f[3] == pkg+":all" && f[5] == version
		},
		lock: lock{path: "/var/lib/dpkg/lock-frontend", kind: lockFcntl},
	}
}

func rockyKit() kit {
	k := rpmKit()
	k.name, k.sources = "rocky", dnfSources
	k.packages = []string{"dnf", "dnf-plugins-core", "rpm"}
	k.customize = foreignScript + rockyScript
	k.exact = func(pkg, version string) []string {
		return []string{"dnf", "--assumeyes", "install", pkg + "-" + version}
	}
	k.refresh = []string{"dnf", "--quiet", "makecache", "--refresh"}
	k.log = "/var/log/dnf.rpm.log"
	k.change = func(line, pkg, version string) bool {
		f := strings.Fields(line)
		changes := len(f) == 4 && (f[2] == "Upgrade:" || f[2] == "Installed:" || f[2] == "Downgrade:")
		return changes && f[3] == pkg+"-"+version+".noarch"
	}
	k.lock = lock{path: "/var/lib/dnf/rpmdb_lock.pid", kind: lockPID}
	return k
}

func suseKit() kit {
	k := rpmKit()
	k.name, k.sources = "sles", zypperSources
	k.packages = []string{"lsof", "rpm", "zypper"}
	k.customize = foreignScript + suseScript
	k.exact = func(pkg, version string) []string {
		return []string{"zypper", "--non-interactive", "install", "--oldpackage", pkg + "=" + version}
	}
	k.refresh = []string{"zypper", "--quiet", "--non-interactive", "refresh", "--force"}
	k.log = "/var/log/zypp/history"
	k.change = func(line, pkg, version string) bool {
		f := strings.Split(line, "|")
		return len(f) > 4 && f[1] == "install" && f[2] == pkg && f[3] == version
	}
	k.lock = lock{path: "/run/zypp.pid", kind: lockPID}
	return k
}

// rpmKit is what both systems with rpm have in common.
func rpmKit() kit {
	return kit{
		format: formatRPM, trust: "rpm --import " + rpmKeyFile,
		// The option is a word of Debian's, which would rather have rpms converted.
		install: []string{"rpm", "--install", "--force-debian"},
		version: []string{"rpm", "--query", "--queryformat", "%{EVR}"},
		parse:   strings.TrimSpace,
	}
}

func archKit() kit {
	return kit{
		name: "arch", format: formatPacman, sources: pacmanSources, trust: pacmanTrust,
		packages:  []string{"libarchive-tools", "pacman-package-manager", "python3"},
		customize: foreignScript + archScript,
		install:   []string{"pacman", "--upgrade", "--noconfirm", "--noprogressbar"},
		exact: func(pkg, version string) []string {
			file := pkg + "-" + version + "-any.pkg.tar.gz"
			return []string{"pacman", "--upgrade", "--noconfirm", "http://" + repoName + "/arch/" + file}
		},
		version: []string{"pacman", "--query"},
		parse: func(out string) string {
			_, version, _ := strings.Cut(strings.TrimSpace(out), " ")
			return version
		},
		refresh: []string{"pacman", "--sync", "--refresh", "--quiet"},
		log:     "/var/log/pacman.log",
		change: func(line, pkg, version string) bool {
			_, did, _ := strings.Cut(line, "[ALPM] ")
			f := strings.Fields(did)
			upgraded := len(f) == 5 && (f[0] == "upgraded" || f[0] == "downgraded")
			return upgraded && f[1] == pkg && f[4] == version+")"
		},
		lock: lock{path: "/var/lib/pacman/db.lck", kind: lockExists},
	}
}
