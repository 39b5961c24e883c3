package statedir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

const maxBy = 200

// outFile is out.json: the hosts that a rollout keeps out, or is about to.
type outFile struct {
	Version int           `json:"version"`
	Rollout string        `json:"rollout"`
	By      string        `json:"by"` // user@machine
	Hosts   []fact.HostID `json:"hosts"`
}

// parseOut reads the out.json of rollout id.
func parseOut(raw []byte, id string) (outFile, error) {
	out, err := strict[outFile](raw)
	if err == nil && out.Rollout != id {
		err = fmt.Errorf("it is of rollout %q", out.Rollout)
	}
	if err == nil {
		err = checkHosts(out.Hosts)
	}
	return out, err
}

// Reserve lets one rollout of the state folder at a time look at which hosts the others
// keep out, and decide which to keep out itself. Decide is given the others' hosts, and
// by whom each is held. It gives all hosts that this rollout holds from then on, and
// what is to be done while nobody else decides (nil: nothing): the append to the journal.
// Letting go of hosts is the same call with fewer of them.
//
// The file names both the old and the new hosts until commit has succeeded, so that a
// crash at any point leaves too many rather than too few. When commit fails, it names
// the old ones again; in doubt (ErrInDoubt) both. An error means that commit did not
// succeed: a file that then can't be shortened still names the old hosts too, and the
// next call mends that.
//
// What another rollout holds must be readable, or nothing is decided. The wait for
// the others ends with ctx, and after half a minute with a fault of Code Locked.
// Decide and commit must not call Reserve.
func (r *Rollout) Reserve(ctx context.Context, decide func(others map[fact.HostID]string) (hold []fact.HostID, commit func() error, err error)) error {
	lock, err := await(ctx, r.state, budgetName, budgets(r.state.Name()))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }() // it ends with the file, and what was committed stays
	others, err := r.others()
	if err != nil {
		return err
	}
	mine, err := readOut(r.state, r.ID)
	if err != nil {
		return err
	}
	hold, commit, err := decide(others)
	if err != nil {
		return err
	}
	return r.swap(mine.Hosts, sorted(hold...), commit)
}

func (r *Rollout) swap(before, after []fact.HostID, commit func() error) error {
	if err := checkHosts(after); err != nil {
		return fmt.Errorf("reserve hosts: %w", err)
	}
	both := sorted(slices.Concat(before, after)...)
	if err := r.writeOut(before, both); err != nil {
		return err
	}
	if commit != nil {
		if err := commit(); errors.Is(err, ErrInDoubt) {
			return err
		} else if err != nil {
			return errors.Join(err, r.writeOut(both, before))
		}
	}
	_ = r.writeOut(both, after) // see Reserve
	return nil
}

// writeOut replaces the file where it says something else.
func (r *Rollout) writeOut(now, hosts []fact.HostID) error {
	if slices.Equal(now, hosts) {
		return nil
	}
	raw, err := encode(outFile{Version: fileVersion, Rollout: r.ID, By: Me(time.Time{}).at(), Hosts: hosts})
	if err == nil {
		err = replace(r.root, outName, raw)
	}
	if err != nil {
		return fmt.Errorf("reserve hosts: %w", err)
	}
	return nil
}

// others gives what all other rollouts keep out.
func (r *Rollout) others() (map[fact.HostID]string, error) {
	entries, err := fs.ReadDir(r.state.FS(), rolloutsName)
	if err != nil {
		return nil, fmt.Errorf("look at the other rollouts: %w", err)
	}
	held := map[fact.HostID]string{}
	for _, e := range entries {
		if !isRollout(e) || e.Name() == r.ID {
			continue
		}
		out, err := readOut(r.state, e.Name())
		if err != nil {
			return nil, err
		}
		for _, h := range out.Hosts {
			held[h] = fmt.Sprintf("held by rollout %s (%s)", out.Rollout, remote.Clean(out.By, maxBy))
		}
	}
	return held, nil
}

func readOut(state *os.Root, id string) (outFile, error) {
	name := path.Join(rolloutsName, id, outName)
	raw, found, err := readFile(state, name)
	if err == nil && !found {
		return outFile{}, nil
	}
	var out outFile
	if err == nil {
		out, err = parseOut(raw, id)
	}
	if err != nil {
		return outFile{}, damaged(state, name, "put it back from a copy; or, once you know that rollout "+id+" is at work nowhere, remove it", err)
	}
	return out, nil
}
