//go:build linux

package real

import (
	"context"
	"fmt"
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

// index writes Packages of a suite from its pool, and InRelease, the only form of the
// release file that apt needs.
func (d *debs) index(ctx context.Context, suite string, _ []publication) error {
	packages, err := archive(ctx, d.offered(""), "packages", filepath.Join("pool", suite))
	if err != nil {
		return err
	}
	dist := filepath.Join("dists", suite)
	if err := d.publish(filepath.Join(dist, "main", "binary-"+d.arch, "Packages"), packages); err != nil {
		return err
	}
	text, err := archive(ctx, d.dir, append(d.releaseOptions(suite), "release", d.public(dist))...)
	if err != nil {
		return err
	}
	signed, err := d.key.clear(ctx, text)
	if err != nil {
		return err
	}
	return d.publish(filepath.Join(dist, "InRelease"), signed)
}

func (d *debs) releaseOptions(suite string) []string {
	about := releaseOf(suite)
	var options []string
	for _, kv := range [][2]string{
		{"Origin", about.origin}, {"Label", about.label}, {"Suite", suite}, {"Codename", about.codename},
		{"Version", about.version}, {"Architectures", d.arch}, {"Components", "main"},
	} {
		options = append(options, "-o", "APT::FTPArchive::Release::"+kv[0]+"="+kv[1])
	}
	return options
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
