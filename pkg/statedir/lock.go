package statedir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// Owner is who holds a lock. It is written into the lock file for others to read;
// the lock itself is the operating system's, and ends with its process.
type Owner struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	User  string    `json:"user"`
	Since time.Time `json:"since"`
	Boot  string    `json:"boot,omitempty"` // of the machine, where the system numbers them
	Space string    `json:"pids,omitempty"` // in which PID means a process: a container has its own
}

// Me is this process as an owner. What can't be learned is left out.
func Me(now time.Time) Owner {
	o := Owner{PID: os.Getpid(), Since: now.UTC().Round(0)}
	o.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		o.User = u.Username
	}
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		o.Boot = strings.TrimSpace(string(boot))
	}
	if space, err := os.Readlink("/proc/self/ns/pid"); err == nil {
		o.Space = space
	}
	return o
}

func (o Owner) String() string {
	if o.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("%s, process %d, since %s", o.at(), o.PID, o.Since.Format(time.RFC3339))
}

// at is the owner as journals name one. It comes from a file that others wrote.
func (o Owner) at() string {
	return remote.Clean(o.User+"@"+o.Host, maxBy)
}

// Standing is what is known of a lock's owner.
type Standing uint8

const (
	CantTell Standing = iota // it is on another machine, in another container, or nobody signed
	Lives
	Gone // its process has ended, or its machine was restarted since
)

// String says it of an owner, behind its name.
func (s Standing) String() string {
	switch s {
	case Lives:
		return "at work"
	case Gone:
		return "gone: its process has ended"
	case CantTell:
	}
	return "can't be seen from here"
}

// standing judges an owner from here, by its process alone.
func (o Owner) standing(here Owner, alive func(pid int) bool) Standing {
	switch {
	case o.PID <= 0 || o.Host != here.Host:
		return CantTell
	case o.Boot != "" && here.Boot != "" && o.Boot != here.Boot:
		return Gone
	case o.Space != "" && here.Space != "" && o.Space != here.Space:
		return CantTell
	case alive(o.PID):
		return Lives
	}
	return Gone
}

// holding judges the owner of a lock that is held at this moment. In this very boot of
// this machine it is this kernel that says so, and it ends the locks of the dead: the
// owner lives, though its number may mean nothing here, or another process.
func (o Owner) holding(here Owner, alive func(pid int) bool) Standing {
	if o.PID > 0 && o.Boot != "" && o.Boot == here.Boot {
		return Lives
	}
	return o.standing(here, alive)
}

// Lock is held until Release, or until the process ends.
type Lock struct {
	file *os.File
	left Owner
}

// Left is who held the lock last and never gave it back: its process was killed, or its
// machine went down.
func (l *Lock) Left() (Owner, bool) { return l.left, l.left.PID != 0 }

// take locks the file name in root. Held by another, it is a *fault.Error with Code
// Locked that says by whom and since when.
func take(root *os.Root, name, what string, o Owner) (*Lock, error) {
	const tries = 5 // each lost to somebody's ForceUnlock at that very moment
	for range tries {
		lock, err := takeFile(root, name, what, o)
		if err != nil {
			return nil, err
		}
		ours, err := lock.stands(root, name)
		if ours {
			return lock, nil
		}
		if err := errors.Join(err, lock.file.Close()); err != nil {
			return nil, fmt.Errorf("lock %s: %w", what, err)
		}
	}
	return nil, fmt.Errorf("lock %s: its file is replaced again and again", what)
}

func takeFile(root *os.Root, name, what string, o Owner) (*Lock, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	got, err := tryFlock(f)
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", what, err), f.Close())
	case !got:
		return nil, errors.Join(heldBy(readOwner(f), o, what), f.Close())
	}
	l := &Lock{file: f, left: readOwner(f)}
	if err := sign(f, o); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", what, err), f.Close())
	}
	return l, nil
}

// stands: the name still leads to the file that was locked.
func (l *Lock) stands(root *os.Root, name string) (bool, error) {
	ours, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	now, err := root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, now), err
}

func heldBy(o, here Owner, what string) error {
	hint := "wait until it ends, or stop that process: the lock ends with it"
	if o.PID != 0 && o.holding(here, alive) != Lives {
		hint = "wait until it ends; if you know that it is gone for good: patchring state unlock " + unlocks(what)
	}
	return &fault.Error{Kind: fault.Retry, Code: fault.Locked, What: fmt.Sprintf("%s is locked by %s", what, o), Hint: hint}
}

const ofRollout = "rollout "

// unlocks names the rollout to unlock: with its lock go those of the folder that its
// owner holds.
func unlocks(what string) string {
	if id, found := strings.CutPrefix(what, ofRollout); found {
		return id
	}
	return "ID, with the rollout that it carried on"
}

const (
	lockPoll     = 50 * time.Millisecond
	lockPatience = 30 * time.Second // these locks are held while a few files are written
)

// await is take with patience: for ctx, and for lockPatience.
func await(ctx context.Context, root *os.Root, name, what string) (*Lock, error) {
	tick, enough := time.NewTicker(lockPoll), time.NewTimer(lockPatience)
	defer tick.Stop()
	defer enough.Stop()
	var held error
	for {
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", what, err), held)
		}
		lock, err := take(root, name, what, Me(time.Now()))
		if fault.CodeOf(err) != fault.Locked {
			return lock, err
		}
		held = err
		select {
		case <-tick.C:
		case <-enough.C:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// readOwner reads what the holder wrote.
func readOwner(f *os.File) Owner {
	const most = 4 << 10
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, most))
	if err != nil {
		return Owner{}
	}
	return parseOwner(raw)
}

// parseOwner takes half an owner, and none, for nobody.
func parseOwner(raw []byte) Owner {
	var o Owner
	if json.Unmarshal(raw, &o) != nil {
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
// hold locks on two files of one name. Where it can't be emptied, the lock ends anyhow.
func (l *Lock) Release() error {
	if err := errors.Join(l.file.Truncate(0), l.file.Close()); err != nil {
		return fmt.Errorf("release the lock: %w", err)
	}
	return nil
}
