package linux

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// distribution is what all hosts of one release share.
type distribution struct {
	apt       bool
	zypper    bool
	pacman    bool
	apk       bool
	ostree    bool
	osRelease string
	kernel    string // of the first boot; %s is the architecture
	packages  []Package
	suites    map[string]suite
	server    string // where packages come from
}

// suite is one repository as package managers name it.
type suite struct {
	origin string // apt: "Debian:12.11/stable"; dnf: the repository's id
	label  string // apt: what Label says; dnf: the repository's name
	path   string // apt: "bookworm-security"
	server string // apt: the mirror's address
}

// OSNames are the distributions that a simulated host can run, sorted.
func OSNames() []string { return slices.Sorted(maps.Keys(distributions())) }

func distributions() map[string]distribution {
	return map[string]distribution{"debian-12": debian12(), "ubuntu-24.04": ubuntu2404(), "rocky-9": rocky9(), "sles-15.6": sles15(), "arch": archLinux(), "alpine-3.20": alpine320(), "fedora-iot-41": fedoraIoT()}
}

func debian12() distribution {
	return distribution{
		apt: true,
		osRelease: `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
SUPPORT_URL="https://www.debian.org/support"
BUG_REPORT_URL="https://bugs.debian.org/"
`,
		kernel: "6.1.0-37-%s",
		server: "http://deb.debian.example",
		suites: map[string]suite{
			"main":        {"Debian:12.11/stable", "Debian", "bookworm", "http://deb.debian.example/debian"},
			"updates":     {"Debian:12-updates/stable-updates", "Debian", "bookworm-updates", "http://deb.debian.example/debian"},
			"security":    {"Debian-Security:12/stable-security", "Debian-Security", "bookworm-security", "http://deb.debian.example/debian-security"},
			"third-party": {"Vendor:1/stable", "Vendor", "stable", "http://apt.vendor.example"},
		},
		packages: base("12.4+deb12u11", map[string]string{
			"apt": "2.6.1", "bash": "5.2.15-2+b8", "ca-certificates": "20230311", "coreutils": "9.1-1", "cron": "3.0pl1-162",
			"curl": "7.88.1-10+deb12u12", "dpkg": "1.21.22", "libc6": "2.36-9+deb12u10", "libssl3": "3.0.16-1~deb12u1",
			"openssh-server": "1:9.2p1-2+deb12u6", "openssl": "3.0.16-1~deb12u1", "perl-base": "5.36.0-7+deb12u2", "sudo": "1.9.13p3-1+deb12u1",
			"systemd": "252.36-1~deb12u1", "tzdata": "2025b-0+deb12u1",
		}),
	}
}

func ubuntu2404() distribution {
	return distribution{
		apt: true,
		osRelease: `PRETTY_NAME="Ubuntu 24.04.2 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.2 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
`,
		kernel: "6.8.0-60-generic",
		server: "http://archive.ubuntu.example",
		suites: map[string]suite{
			"main":        {"Ubuntu:24.04/noble", "Ubuntu", "noble", "http://archive.ubuntu.example/ubuntu"},
			"updates":     {"Ubuntu:24.04/noble-updates", "Ubuntu", "noble-updates", "http://archive.ubuntu.example/ubuntu"},
			"security":    {"Ubuntu:24.04/noble-security", "Ubuntu", "noble-security", "http://security.ubuntu.example/ubuntu"},
			"third-party": {"Vendor:1/stable", "Vendor", "stable", "http://apt.vendor.example"},
		},
		packages: base("13ubuntu10.2", map[string]string{
			"apt": "2.7.14build2", "bash": "5.2.21-2ubuntu4", "ca-certificates": "20240203", "coreutils": "9.4-3ubuntu6", "cron": "3.0pl1-184ubuntu2",
			"curl": "8.5.0-2ubuntu10.6", "dpkg": "1.22.6ubuntu6.1", "libc6": "2.39-0ubuntu8.4", "libssl3t64": "3.0.13-0ubuntu3.5",
			"openssh-server": "1:9.6p1-3ubuntu13.11", "openssl": "3.0.13-0ubuntu3.5", "perl-base": "5.38.2-3.2ubuntu0.1", "sudo": "1.9.15p5-3ubuntu5",
			"systemd": "255.4-1ubuntu8.8", "tzdata": "2025b-0ubuntu0.24.04",
		}),
	}
}

func rocky9() distribution {
	return distribution{
		osRelease: `NAME="Rocky Linux"
VERSION="9.5 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.5"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux 9.5 (Blue Onyx)"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
HOME_URL="https://rockylinux.org/"
SUPPORT_END="2032-05-31"
`,
		kernel: "5.14.0-503.14.1.el9_5.%s",
		server: "http://dl.rocky.example",
		suites: map[string]suite{
			"main":        {origin: "baseos", label: "Rocky Linux 9 - BaseOS"},
			"updates":     {origin: "appstream", label: "Rocky Linux 9 - AppStream"},
			"security":    {origin: "baseos", label: "Rocky Linux 9 - BaseOS"},
			"third-party": {origin: "vendor", label: "Vendor"},
		},
		packages: base("", map[string]string{
			"bash": "5.1.8-9.el9", "ca-certificates": "2024.2.69_v8.0.303-91.4.el9_4", "coreutils": "8.32-36.el9", "cronie": "1.5.7-12.el9",
			"curl": "7.76.1-31.el9", "dnf": "4.14.0-17.el9", "glibc": "2.34-125.el9_5.1", "openssh-server": "8.7p1-43.el9", "openssl": "1:3.2.2-6.el9_5",
			"openssl-libs": "1:3.2.2-6.el9_5", "rpm": "4.16.1.3-34.el9", "sudo": "1.9.5p2-10.el9_3", "systemd": "252-46.el9_5.2", "tzdata": "2025b-1.el9",
		}),
	}
}

// base makes packages of versions, with what their services need.
func base(baseFiles string, versions map[string]string) []Package {
	if baseFiles != "" {
		versions["base-files"] = baseFiles
	}
	list := make([]Package, 0, len(versions))
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		p := Package{Name: name, Version: versions[name], Size: int64(40_000 + 7_919*len(name))}
		switch name {
		case "openssh-server":
			p.Service, p.Listen = "ssh", []int{SSHPort}
		case "cron", "cronie":
			p.Service = name
		}
		list = append(list, p)
	}
	return list
}

// kernelPackages are the running kernel's package and the one that pulls newer ones in.
func (d distribution) kernelPackages(arch string) []Package {
	release := d.release(arch)
	if d.oneKernel() {
		return []Package{d.soleKernel()}
	}
	if d.zypper {
		return []Package{{Name: "kernel-default", Version: slesKernel + ".1", Kernel: release}}
	}
	if !d.apt {
		version := release[:len(release)-len(".")-len(rpmArch(arch))]
		return []Package{{Name: "kernel", Version: version, Kernel: release}, {Name: "kernel-core", Version: version, Kernel: release}}
	}
	if d.kernel[:3] == "6.8" {
		return []Package{
			{Name: "linux-image-" + release, Version: "6.8.0-60.63", Kernel: release},
			{Name: "linux-image-generic", Version: "6.8.0-60.63", Depends: []string{"linux-image-" + release}},
		}
	}
	return []Package{
		{Name: "linux-image-" + release, Version: "6.1.140-1", Kernel: release},
		{Name: "linux-image-" + arch, Version: "6.1.140-1", Depends: []string{"linux-image-" + release}},
	}
}

func (d distribution) release(arch string) string {
	if !d.apt {
		arch = rpmArch(arch)
	}
	if !strings.Contains(d.kernel, "%s") {
		return d.kernel
	}
	return fmt.Sprintf(d.kernel, arch)
}

func rpmArch(arch string) string {
	if arch == "arm64" {
		return "aarch64"
	}
	return "x86_64"
}
