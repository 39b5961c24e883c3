//go:build linux

package real

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// cacheVar names the folder that keeps root file systems between runs.
const cacheVar = "PRLAB_CACHE"

// customize is run in the new base system: users, sshd, quiet timers.
//
//go:embed customize.sh
var customize string

// basePackages are what every host has beside Debian's minimal set.
func basePackages() []string {
	return []string{
		"ca-certificates", "curl", "dbus", "haproxy", "iproute2", "libpam-systemd", "needrestart",
		"openssh-server", "procps", "sudo", "systemd-sysv",
	}
}

// cacheDir is where base systems and running labs lie. It must be on a file
// system that an overlay can write to, so never in a container's own overlay.
func cacheDir() (string, error) {
	if dir := os.Getenv(cacheVar); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep root file systems (set %s): %w", cacheVar, err)
	}
	return filepath.Join(dir, "patchring-lab"), nil
}

// base gives the folder of the base system, making it if the cache has none for
// this release, these packages and this customisation.
func base(ctx context.Context, cache string) (string, error) {
	src, err := machineSource(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "base-"+baseKey(src.codename))
	return dir, once(dir, func(building string) error { return makeBase(ctx, src, building) })
}

// baseKey names a base system by what went into it, except the mirror's state.
func baseKey(codename string) string {
	sum := sha256.Sum256([]byte(codename + "\n" + strings.Join(basePackages(), "\n") + "\n" + customize))
	return hex.EncodeToString(sum[:6])
}

func makeBase(ctx context.Context, src source, building string) error {
	cmd := exec.CommandContext(ctx, "mmdebstrap", "--variant=minbase", "--quiet",
		"--include="+strings.Join(basePackages(), ","),
		"--customize-hook=chroot \"$1\" sh -eu -c \"$PRLAB_CUSTOMIZE\"",
		src.codename, building, src.line())
	cmd.Env = append(os.Environ(), "PRLAB_CUSTOMIZE="+customize)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap: %w: %s", err, tail(out))
	}
	return nil
}

// lockFile takes an exclusive lock, waiting for another test process that builds.
func lockFile(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil // closing lets go of the lock
}
