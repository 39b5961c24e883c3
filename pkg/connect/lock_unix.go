//go:build unix

package connect

import (
	"os"
	"syscall"
)

// lockFile waits for an exclusive lock that ends when the file is closed. It is held
// for one appended line only, so the wait needs no bound.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}
