//go:build unix && !solaris && !aix

package statedir

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Flock takes the advisory lock of an open file, waiting for it: shared with other
// readers, or alone. The lock ends with the returned release, with the file, or with
// the process, however that ends.
func Flock(f *os.File, alone bool) (release func() error, err error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	if err := flock(f, how); err != nil {
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() error { return flock(f, syscall.LOCK_UN) }, nil
}

// tryFlock takes the lock alone, or says at once that somebody else has it.
func tryFlock(f *os.File) (got bool, err error) {
	err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// flock repeats the call when a signal interrupts it.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// alive: whether there is a process of that number. One that can't be asked is one.
func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
