package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// Signed is a lock that somebody has signed and not given back: it is held, or its
// owner ended without giving it back.
type Signed struct {
	Rollout  string // empty: one of the folder itself
	File     string // below the state folder
	Owner    Owner
	Standing Standing
}

// Locks lists the signed locks of the folder and of its rollouts. It takes none, so
// that looking never stands in anybody's way.
func (d *Dir) Locks() ([]Signed, error) {
	entries, err := fs.ReadDir(d.root.FS(), rolloutsName)
	if err != nil {
		return nil, fmt.Errorf("list the locks: %w", err)
	}
	all := []Signed{{File: lockName}, {File: budgetName}}
	for _, e := range entries {
		if isRollout(e) {
			all = append(all, Signed{Rollout: e.Name(), File: path.Join(rolloutsName, e.Name(), lockName)})
		}
	}
	var out []Signed
	here := Me(time.Time{})
	for _, s := range all {
		owner, signed, err := d.signature(s.File)
		if err != nil {
			return nil, fmt.Errorf("list the locks: %w", err)
		}
		if signed {
			s.Owner, s.Standing = owner, owner.standing(here, alive)
			out = append(out, s)
		}
	}
	return out, nil
}

func (d *Dir) signature(name string) (o Owner, signed bool, err error) {
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Owner{}, false, nil
	}
	if err != nil {
		return Owner{}, false, err
	}
	info, err := f.Stat()
	if err != nil {
		return Owner{}, false, errors.Join(err, f.Close())
	}
	return readOwner(f), info.Size() > 0, f.Close()
}

// ForceUnlock frees the lock of a rollout whose owner is gone, and those of the folder
// that the same owner holds. It gives who that was; nobody, where it was free. It is
// refused while the owner lives on this machine, in whatever container, and where it is
// not known who it is.
// Of an owner on another machine only the caller can know.
func (d *Dir) ForceUnlock(id string) (Owner, error) {
	r, err := d.Rollout(id)
	if err != nil {
		return Owner{}, err
	}
	defer r.Close()
	owner, err := d.force(path.Join(rolloutsName, id, lockName), ofRollout+id)
	if err != nil || owner.PID == 0 {
		return owner, err
	}
	for name, what := range map[string]string{lockName: d.what(), budgetName: budgets(d.path)} {
		other, _, err := d.signature(name)
		if err == nil && other.PID == owner.PID && other.Host == owner.Host && other.Boot == owner.Boot {
			_, err = d.force(name, what)
		}
		if err != nil {
			return owner, fmt.Errorf("unlock %s: %w", what, err)
		}
	}
	return owner, nil
}

// force empties the file of a lock that is free, and replaces that of one that is not.
func (d *Dir) force(name, what string) (Owner, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Owner{}, nil
	}
	if err != nil {
		return Owner{}, fmt.Errorf("unlock %s: %w", what, err)
	}
	defer f.Close()
	got, err := tryFlock(f)
	owner := readOwner(f)
	switch {
	case err != nil:
	case got:
		err = f.Truncate(0)
	default:
		return owner, d.replaceLock(f, owner, name, what)
	}
	if err != nil {
		return owner, fmt.Errorf("unlock %s: %w", what, err)
	}
	return owner, nil
}

func (d *Dir) replaceLock(f *os.File, owner Owner, name, what string) error {
	here := Me(time.Time{})
	switch {
	case owner.PID == 0:
		return &fault.Error{
			Kind: fault.Ask, Code: fault.Locked, What: what + " is locked, and nobody has signed the lock",
			Hint: d.finds(name) + ", and stop that process",
		}
	case owner.holding(here, alive) == Lives:
		return &fault.Error{
			Kind: fault.Ask, Code: fault.Locked, What: fmt.Sprintf("%s is locked by %s, and that process lives", what, owner),
			Hint: d.stops(owner, here, name) + "; what it began on hosts goes on there, and the next run carries on",
		}
	}
	// Somebody else may have got the lock since the owner was read: never take it from them.
	if now := readOwner(f); now != owner {
		return heldBy(now, here, what)
	}
	if err := replace(d.root, name, nil); err != nil {
		return fmt.Errorf("unlock %s: %w", what, err)
	}
	return nil
}

// stops says how to stop an owner that lives on this machine. Its number is not told
// where it may be that of another process.
func (d *Dir) stops(owner, here Owner, name string) string {
	if owner.Space == here.Space && alive(owner.PID) {
		return fmt.Sprintf("stop it first: kill %d", owner.PID)
	}
	return "stop it first; it may run in a container: on the machine itself, " + d.finds(name)
}

func (d *Dir) finds(name string) string {
	return "find who has the file open (fuser " + filepath.Join(d.path, filepath.FromSlash(name)) + ")"
}
