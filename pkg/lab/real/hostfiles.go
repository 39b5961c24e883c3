//go:build linux

package real

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// writeFiles lays down what makes this host differ from the base system. It goes
// through a shell inside the lab, because only there the root file system is mounted.
func (h *Host) writeFiles(s spec) error {
	all := append(h.ownFiles(s), s.files...)
	for _, about := range s.late {
		all = append(all, about(h)...)
	}
	for _, f := range all {
		if err := h.writeFile(f); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	if s.password == "" {
		return nil
	}
	return h.inRoot(User+":"+s.password+"\n", "chpasswd")
}

// ownFiles are the files that every host has, each with its own content.
func (h *Host) ownFiles(s spec) []file {
	const private, public fs.FileMode = 0o600, 0o644
	return append([]file{
		{"/etc/hostname", public, h.Name + "\n"},
		{"/etc/hosts", public, h.hostsFile()},
		{"/etc/ssh/ssh_host_ed25519_key", private, h.key.pem},
		{"/etc/ssh/ssh_host_ed25519_key.pub", public, h.key.line + "\n"},
		{"/home/" + User + "/.ssh/authorized_keys", public, h.lab.key.line + "\n"},
		{"/etc/sudoers.d/lab", 0o440, sudoers(s)},
	}, h.OS.kit().sources(h.lab.Repo.key)...)
}

// hostsFile lets the host find itself and the repository without a name server.
func (h *Host) hostsFile() string {
	return fmt.Sprintf("127.0.0.1 localhost\n127.0.1.1 %s\n%s1 %s\n", h.Name, prefixOf(h.network()), repoName)
}

func sudoers(s spec) string {
	switch {
	case s.noSudo:
		return ""
	case s.password != "":
		return User + " ALL=(ALL:ALL) ALL\n"
	default:
		return User + " ALL=(ALL:ALL) NOPASSWD: ALL\n"
	}
}

// Arguments: the root, the path in it, the mode.
const writeInRoot = `
mkdir -p "$1${2%/*}"
cat >"$1$2"
chmod "$3" "$1$2"
`

func (h *Host) writeFile(f file) error {
	cmd := h.lab.bundle.inside(h.t.Context(), "sh", "-eu", "-c", writeInRoot, "sh",
		h.root(), path.Clean(f.path), fmt.Sprintf("%04o", f.mode))
	cmd.Stdin = strings.NewReader(f.text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(out))
	}
	return nil
}

// inRoot runs a program in the host's root file system before its first boot.
func (h *Host) inRoot(stdin string, argv ...string) error {
	cmd := h.lab.bundle.inside(h.t.Context(), append([]string{"chroot", h.root()}, argv...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", argv[0], err, tail(out))
	}
	return nil
}

// installFirst installs version 1.0 of the packages, as if the host had them for years.
func (h *Host) installFirst(packages []string) error {
	k := h.OS.kit()
	if k.trust != "" {
		if err := h.inRoot("", "sh", "-eu", "-c", k.trust, "sh", h.lab.Repo.Fingerprint()); err != nil {
			return err
		}
	}
	if len(packages) == 0 {
		return nil
	}
	argv := k.install
	for _, name := range packages {
		path, err := h.lab.Repo.File(h.OS, name, firstVersion)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside := "/var/tmp/" + filepath.Base(path)
		if err := h.writeFile(file{inside, 0o644, string(content)}); err != nil {
			return err
		}
		argv = append(argv, inside)
	}
	return h.inRoot("", argv...)
}

func (h *Host) root() string { return filepath.Join(h.dir, "root") }
