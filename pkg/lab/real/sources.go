//go:build linux

package real

import (
	"fmt"
	"strings"
)

// rpmKeyFile is the repository's key on hosts with rpm.
const rpmKeyFile = "/etc/pki/rpm-gpg/RPM-GPG-KEY-lab"

func aptSources(key *signer) []file {
	var text strings.Builder
	for _, suite := range []string{Base, Security, Updates} {
		fmt.Fprintf(&text, "deb [signed-by=/etc/apt/keyrings/lab.gpg] http://%s/ %s main\n", repoName, suite)
	}
	return []file{
		{"/etc/apt/keyrings/lab.gpg", 0o644, string(key.public)},
		{"/etc/apt/sources.list", 0o644, text.String()},
	}
}

func dnfSources(key *signer) []file {
	return []file{
		{rpmKeyFile, 0o644, string(key.armored)},
		{"/etc/yum.repos.d/lab.repo", 0o644, rpmSource("")},
	}
}

func zypperSources(key *signer) []file {
	return []file{
		{rpmKeyFile, 0o644, string(key.armored)},
		{"/etc/zypp/repos.d/lab.repo", 0o644, rpmSource("autorefresh=1\ntype=rpm-md\n")},
	}
}

// rpmSource is a repository in the form that dnf and zypper share.
func rpmSource(more string) string {
	return fmt.Sprintf("[lab]\nname=lab\nbaseurl=http://%s/rpm/\nenabled=1\ngpgcheck=1\ngpgkey=file://%s\n%s",
		repoName, rpmKeyFile, more)
}

// pacmanTrust makes pacman's keyring: pacman-key would take a minute to do it.
const pacmanTrust = `
home=/etc/pacman.d/gnupg
mkdir -m 755 "$home"
: >"$home/pubring.gpg"
gpg --homedir "$home" --no-autostart --batch --quiet --import /etc/pacman.d/lab.asc
echo "$1:6:" | gpg --homedir "$home" --no-autostart --batch --quiet --import-ownertrust
chmod 644 "$home"/*.gpg
`

func pacmanSources(key *signer) []file {
	conf := fmt.Sprintf("[options]\nHoldPkg = pacman glibc\nArchitecture = auto\nSigLevel = Required DatabaseRequired\n"+
		"LocalFileSigLevel = Optional\n[lab]\nServer = http://%s/arch\n", repoName)
	return []file{
		{"/etc/pacman.d/lab.asc", 0o644, string(key.armored)},
		{"/etc/pacman.conf", 0o644, conf},
	}
}
