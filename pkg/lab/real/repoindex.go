//go:build linux

package real

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// release is what a suite says of itself.
type release struct{ origin, label, codename, version string }

func releaseOf(suite string) release {
	switch suite {
	case Base:
		return release{"Debian", "Debian", "bookworm", "12.15"}
	case Security:
		return release{"Debian", "Debian-Security", "bookworm-security", "12"}
	default:
		return release{"Debian", "Debian", "bookworm-updates", "12-updates"}
	}
}

// keyHome is where the signing key lies: in memory, inside the lab. The path is
// short because the agent's sockets lie there too, and a socket's path is bounded.
const keyHome = "/run/gnupg"

// makeKey makes the key that signs this lab's repository, and nothing else ever.
func (r *Repo) makeKey(ctx context.Context) error {
	if err := r.bundle.sh(ctx, `mkdir -m 700 "$1"`, keyHome); err != nil {
		return err
	}
	// Inside the lab, so that the agent that gpg leaves behind ends with it.
	err := quiet(r.gpg(ctx, "--quiet", "--passphrase=",
		"--quick-generate-key", "Patchring lab <lab@example.org>", "ed25519", "sign", "never"))
	if err != nil {
		return err
	}
	r.keyring, err = r.gpg(ctx, "--export").Output()
	return err
}

func (r *Repo) gpg(ctx context.Context, args ...string) *exec.Cmd {
	return r.bundle.inside(ctx, append([]string{"gpg", "--homedir=" + keyHome, "--batch"}, args...)...)
}

// index writes Packages, Release and InRelease of a suite from its pool.
func (r *Repo) index(ctx context.Context, suite string) error {
	public := filepath.Join(r.dir, "public")
	dist := filepath.Join(public, "dists", suite)
	binary := filepath.Join(dist, "main", "binary-"+r.arch)
	if err := os.MkdirAll(binary, 0o755); err != nil {
		return err
	}
	packages, err := archive(ctx, public, "packages", filepath.Join("pool", suite))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(binary, "Packages"), packages, 0o644); err != nil {
		return err
	}
	text, err := archive(ctx, public, append(r.releaseOptions(suite), "release", dist)...)
	if err != nil {
		return err
	}
	return r.sign(ctx, dist, text)
}

func (r *Repo) releaseOptions(suite string) []string {
	about := releaseOf(suite)
	var options []string
	for _, kv := range [][2]string{
		{"Origin", about.origin}, {"Label", about.label}, {"Suite", suite}, {"Codename", about.codename},
		{"Version", about.version}, {"Architectures", r.arch}, {"Components", "main"},
	} {
		options = append(options, "-o", "APT::FTPArchive::Release::"+kv[0]+"="+kv[1])
	}
	return options
}

// sign writes InRelease, the only form of the release file that apt needs.
func (r *Repo) sign(ctx context.Context, dist string, text []byte) error {
	cmd := r.gpg(ctx, "--quiet", "--clearsign")
	cmd.Stdin = bytes.NewReader(text)
	signed, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return os.WriteFile(filepath.Join(dist, "InRelease"), signed, 0o644)
}

// archive runs apt-ftparchive in a folder and gives what it prints.
func archive(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "apt-ftparchive", append([]string{"--quiet=2"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("apt-ftparchive: %w", err)
	}
	return out, nil
}
