package statedir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// Owner is who holds a lock. It is written into the lock file for others to read;
// the lock itself is the operating system's, and ends with its process.
type Owner struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	User  string    `json:"user"`
	Since time.Time `json:"since"`
}

// Me is this process as an owner. What can't be learned is left out.
func Me(now time.Time) Owner {
	o := Owner{PID: os.Getpid(), Since: now.UTC().Round(0)}
	o.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		o.User = u.Username
	}
	return o
}

func (o Owner) String() string {
	if o.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("%s@%s, process %d, since %s", o.User, o.Host, o.PID, o.Since.Format(time.RFC3339))
}

// Lock is held until Release, or until the process ends.
type Lock struct{ file *os.File }

// take locks the file name in root. Held by another, it is a *fault.Error with Code
// Locked that says by whom and since when.
func take(root *os.Root, name, what string, o Owner) (*Lock, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	got, err := tryFlock(f)
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", what, err), f.Close())
	case !got:
		return nil, errors.Join(heldBy(readOwner(f), what), f.Close())
	}
	if err := sign(f, o); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", what, err), f.Close())
	}
	return &Lock{file: f}, nil
}

func heldBy(o Owner, what string) error {
	return &fault.Error{
		Kind: fault.Retry, Code: fault.Locked, What: fmt.Sprintf("%s is locked by %s", what, o),
		Hint: "wait until it ends, or stop that process: the lock ends with it",
	}
}

// readOwner reads what the holder wrote; half of it, or nothing, is nobody.
func readOwner(f *os.File) Owner {
	const most = 4 << 10
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, most))
	var o Owner
	if err != nil || json.Unmarshal(raw, &o) != nil {
		return Owner{}
	}
	return o
}

func sign(f *os.File, o Owner) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(raw, '\n'), 0)
	return err
}

// Release gives the lock back. The file stays: removing it would let two processes
// hold locks on two files of one name.
func (l *Lock) Release() error {
	if err := errors.Join(l.file.Truncate(0), l.file.Close()); err != nil {
		return fmt.Errorf("release the lock: %w", err)
	}
	return nil
}
