package statedir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// Pruning says what may go. Its zero value lets every rollout stay.
type Pruning struct {
	Now       time.Time
	OlderThan time.Duration // since the last record of the journal
	KeepLast  int           // of each playbook and site; less than 1 is 1
	DryRun    bool          // only tell
	// Over tells whether nothing will happen to a rollout any more. One that it can't tell
	// of stays, and its error is among Prune's. Nil: none is over.
	Over func(About) (bool, error)
	// Sweep removes what else may go from the store, given the digests that the rest of the
	// folder refers to: (*store.Store).Sweep. Nil: the store is left alone.
	Sweep func(used map[patch.Digest]bool, now time.Time, dryRun bool) ([]Pruned, error)
}

// Pruned is what was removed, or would be: a rollout, a file of the store, or what a
// killed process has left.
type Pruned struct {
	Rollout string
	Object  patch.Digest
	Left    string // below the state folder
	Bytes   int64
	Last    time.Time // when it was last changed
}

const (
	gonePrefix = ".gone-"
	newGrace   = 24 * time.Hour
)

// Prune removes rollouts that are over, and then what in the store nothing refers to
// any more. It never removes the newest rollout of a playbook and site, one that
// somebody works on, or one that keeps hosts out. What it has removed is listed beside
// an error too. It waits for the folder's lock, which the caller must not hold.
func (d *Dir) Prune(ctx context.Context, o Pruning) ([]Pruned, error) {
	lock, err := await(ctx, d.root, lockName, d.what())
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Release() }() // it ends with the file
	all, err := d.Rollouts()
	if err != nil {
		return nil, err
	}
	out, err := d.sweepLeft(o.Now, o.DryRun)
	if err != nil {
		return out, err
	}
	var problems []error
	for _, about := range candidates(all, o) {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("prune: %w", err)
		}
		pruned, ok, err := d.pruneRollout(about, o)
		if err != nil {
			problems = append(problems, fmt.Errorf("rollout %s stays: %w", about.ID, err))
		} else if ok {
			out = append(out, pruned)
		}
	}
	swept, err := d.pruneStore(ctx, o, out)
	return append(out, swept...), errors.Join(append(problems, err)...)
}

// candidates are the rollouts that are not among the last of their playbook and site,
// oldest first, as all is.
func candidates(all []About, o Pruning) []About {
	type line struct{ playbook, site string }
	left := map[line]int{}
	for _, a := range all {
		left[line{a.Playbook, a.Site}]++
	}
	var out []About
	for _, a := range all {
		of := line{a.Playbook, a.Site}
		if left[of] > max(1, o.KeepLast) && !a.Created.After(o.Now.Add(-o.OlderThan)) {
			out = append(out, a)
		}
		left[of]--
	}
	return out
}

func (d *Dir) pruneRollout(about About, o Pruning) (Pruned, bool, error) {
	name := path.Join(rolloutsName, about.ID)
	info, err := d.root.Stat(path.Join(name, JournalName))
	if err != nil {
		return Pruned{}, false, err
	}
	if o.Over == nil || info.ModTime().After(o.Now.Add(-o.OlderThan)) {
		return Pruned{}, false, nil
	}
	release, free, err := d.freeze(path.Join(name, lockName))
	if err != nil || !free {
		return Pruned{}, false, err
	}
	defer release()
	out, err := readOut(d.root, about.ID)
	if err != nil || len(out.Hosts) > 0 {
		return Pruned{}, false, err
	}
	over, err := o.Over(about)
	if err != nil || !over {
		return Pruned{}, false, err
	}
	size, err := d.size(name)
	if err == nil && !o.DryRun {
		err = d.removeRollout(about.ID)
	}
	return Pruned{Rollout: about.ID, Bytes: size, Last: info.ModTime().UTC()}, err == nil, err
}

// freeze takes a rollout's lock without signing it, and says whether it was free.
func (d *Dir) freeze(name string) (release func(), free bool, err error) {
	f, err := d.root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	got, err := tryFlock(f)
	if err != nil || !got {
		return nil, false, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, true, nil // nothing was written
}

// removeRollout takes the folder out of the way first, so that there is never half of one.
func (d *Dir) removeRollout(id string) error {
	gone := path.Join(rolloutsName, gonePrefix+id)
	if err := d.root.Rename(path.Join(rolloutsName, id), gone); err != nil {
		return err
	}
	all, err := d.root.OpenRoot(rolloutsName)
	if err != nil {
		return err
	}
	return errors.Join(syncFolder(all), all.Close(), d.root.RemoveAll(gone))
}

// sweepLeft removes what processes that were killed have left between the rollouts.
// Rollouts are made and removed under the folder's lock, so that nobody is at it now.
func (d *Dir) sweepLeft(now time.Time, dryRun bool) ([]Pruned, error) {
	entries, err := fs.ReadDir(d.root.FS(), rolloutsName)
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	var out []Pruned
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), gonePrefix) && !strings.HasPrefix(e.Name(), newPrefix) {
			continue
		}
		name := path.Join(rolloutsName, e.Name())
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), newPrefix) && info.ModTime().After(now.Add(-newGrace)) {
			continue
		}
		size, sizeErr := d.size(name)
		if err = errors.Join(err, sizeErr); err == nil && !dryRun {
			err = d.root.RemoveAll(name)
		}
		if err != nil {
			return out, fmt.Errorf("prune: %w", err)
		}
		out = append(out, Pruned{Left: name, Bytes: size, Last: info.ModTime().UTC()})
	}
	return out, nil
}

func (d *Dir) size(name string) (sum int64, err error) {
	err = fs.WalkDir(d.root.FS(), name, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// pruneStore sweeps the store by what is left. Where any file can't be read, nothing
// is swept: it may hold the only reference.
func (d *Dir) pruneStore(ctx context.Context, o Pruning, gone []Pruned) ([]Pruned, error) {
	if o.Sweep == nil {
		return nil, nil
	}
	skip := map[string]bool{storeName: true}
	for _, p := range gone { // in a dry run they are still there
		skip[p.Left], skip[path.Join(rolloutsName, p.Rollout)] = p.Left != "", p.Rollout != ""
	}
	used, err := d.references(ctx, skip)
	if err != nil {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Internal, Err: err, What: "nothing is removed from the store, since not every reference to it can be read",
			Hint: "mend or remove the file that is named, and prune again",
		}
	}
	swept, err := o.Sweep(used, o.Now, o.DryRun)
	if err != nil {
		return swept, fmt.Errorf("prune: %w", err)
	}
	return swept, nil
}

// references finds every digest in every file of the folder but those in skip.
func (d *Dir) references(ctx context.Context, skip map[string]bool) (map[patch.Digest]bool, error) {
	used := map[patch.Digest]bool{}
	err := fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() && skip[name]:
			return fs.SkipDir
		case e.IsDir() || !e.Type().IsRegular() && e.Type()&fs.ModeSymlink == 0:
			return nil
		}
		f, err := d.root.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(Digests(f, used), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return used, err
}
