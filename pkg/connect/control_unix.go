//go:build unix

package connect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ownSocket refuses a socket that is not the user's own: who listens there sees every
// command, and every password for sudo.
func ownSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return errors.New("not a socket")
	}
	if err := ownedByMe(path, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write to it (mode %o)", info.Mode().Perm())
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	// In a folder where anyone may write (/tmp) the sticky bit keeps others from
	// putting theirs in its place.
	if dir.Mode().Perm()&0o022 != 0 && dir.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("others may replace it: they can write to %s", filepath.Dir(path))
	}
	return nil
}

func ownedByMe(path string, info os.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user", path)
	}
	return nil
}
