package linux

func archLinux() distribution {
	return distribution{
		pacman: true,
		osRelease: `NAME="Arch Linux"
PRETTY_NAME="Arch Linux"
ID=arch
BUILD_ID=rolling
ANSI_COLOR="38;2;23;147;209"
HOME_URL="https://archlinux.org/"
DOCUMENTATION_URL="https://wiki.archlinux.org/"
`,
		kernel: "6.11.5-arch1-1",
		server: "https://mirror.arch.example",
		suites: map[string]suite{
			"main": {origin: "core"}, "updates": {origin: "extra"}, "security": {origin: "core"}, "third-party": {origin: "vendor"},
		},
		packages: base("", map[string]string{
			"bash": "5.2.037-1", "ca-certificates": "20240618-1", "coreutils": "9.5-2", "cronie": "1.7.2-1", "curl": "8.10.1-1", "filesystem": "2024.04.07-1",
			"glibc": "2.40+r16+gaa533d58ff-2", "openssh-server": "9.9p1-2", "openssl": "3.4.0-1", "pacman": "7.0.0.r3.gf3211df-1", "sudo": "1.9.16-1",
			"systemd": "256.7-1", "tzdata": "2024b-2",
		}),
	}
}

// soleKernel is the package of the one kernel that is installed.
func (d distribution) soleKernel() Package {
	if d.apk {
		return Package{Name: "linux-lts", Version: "6.6.58-r0", Kernel: d.kernel}
	}
	return Package{Name: "linux", Version: "6.11.5.arch1-1", Kernel: d.kernel}
}
