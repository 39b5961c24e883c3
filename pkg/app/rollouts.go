package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
	"github.com/patchring/patchring/pkg/store"
)

// openRollout is one rollout of the state folder with its journal folded.
type openRollout struct {
	statedir.About
	Dir     string
	state   *rollout.State
	plan    *plan.Plan
	journal *journal.Dir
	store   *store.Store
	fresh   bool // opened by this process
	close   []func() error
	folder  *statedir.Rollout
	left    string  // who held the lock last and was killed
	signer  *signer // of checkpoints; nil: nobody signs
}

func (r *openRollout) path(name string) string { return filepath.Join(r.Dir, name) }

// Close gives back the lock and the files, last taken first.
func (r *openRollout) Close() {
	for _, release := range slices.Backward(r.close) {
		_ = release() // the journal is durable already; there is nothing left to lose
	}
}

func (r *openRollout) onClose(fn func() error) { r.close = append(r.close, fn) }

// openRollout reads a rollout by its id. It takes no lock: pause, resume and abort
// speak to a `run` that holds it.
func (o Options) openRollout(ctx context.Context, id string) (*openRollout, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	r := &openRollout{}
	r.onClose(dir.Close)
	if err := r.open(ctx, o, dir, id); err != nil {
		r.Close()
		return nil, unreadable(id, dir, err)
	}
	return r, nil
}

// unreadable adds what to do about a rollout whose files are damaged.
func unreadable(id string, dir *statedir.Dir, err error) error {
	if fault.HintOf(err) != "" {
		return err
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Internal, What: "rollout " + id + " can't be read", Err: err,
		Hint: "put its files back from a backup, or, once you know where its hosts stand, move the folder away: " + filepath.Join(dir.Path(), "rollouts", id),
	}
}

// mine: whoever says --site means that client, and no other's rollout.
func (o Options) mine(about statedir.About) bool { return o.Site == "" || o.Site == about.Site }

func (o Options) stateDir() (*statedir.Dir, error) {
	dir, err := statedir.Open(o.statePath())
	if err != nil {
		return nil, fault.On(err, "", "open the state folder")
	}
	return dir, nil
}

func (r *openRollout) open(ctx context.Context, o Options, dir *statedir.Dir, id string) error {
	folder, err := dir.Rollout(id)
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	r.onClose(folder.Close)
	r.folder = folder
	if !o.mine(folder.About) {
		return fault.Usagef("leave --site (PATCHRING_SITE) out, or see: patchring status", "rollout %s is not of site %s", id, o.Site)
	}
	r.About, r.Dir = folder.About, filepath.Join(dir.Path(), "rollouts", id)
	raw, err := folder.Plan()
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	if r.plan, err = plan.Decode(raw); err != nil {
		return fmt.Errorf("rollout %s: %w", id, err)
	}
	if r.journal, err = journal.Open(folder.Root()); err != nil {
		return fmt.Errorf("rollout %s: %w", id, err)
	}
	r.onClose(r.journal.Close)
	if r.state, err = o.fold(ctx, r.journal); err == nil {
		err = r.samePlan()
	}
	if err != nil {
		return fmt.Errorf("rollout %s: %w", id, err)
	}
	return r.openStore(dir)
}

// samePlan: what lies beside the journal is the plan that it was opened with.
func (r *openRollout) samePlan() error {
	if r.state.Phase() == rollout.PhaseNone {
		return nil
	}
	digest, err := plan.Digest(r.plan)
	if err == nil && digest != r.state.Plan() {
		err = fmt.Errorf("its plan.json is not the plan that it was opened with (%s, not %s)", digest.Short(), r.state.Plan().Short())
	}
	return err //nolint:wrapcheck // says what failed
}

func (r *openRollout) openStore(dir *statedir.Dir) error {
	root, err := dir.Store()
	if err != nil {
		return err //nolint:wrapcheck // names the folder
	}
	r.onClose(root.Close)
	r.store = store.Open(root)
	return nil
}

// sayDamage tells of a journal whose last record was cut off.
func (e Env) sayDamage(r *openRollout) {
	if damage, ok := r.journal.Damage(); ok {
		e.say("warning: rollout %s: %s", r.ID, damage)
	}
}

// lock takes the rollout for this process, so that only one carries it on.
func (r *openRollout) lock(dir *statedir.Dir, owner statedir.Owner) error {
	folder, err := dir.Rollout(r.ID)
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	r.onClose(folder.Close)
	lock, err := folder.Lock(owner)
	if err != nil {
		return err //nolint:wrapcheck // says who holds it
	}
	r.onClose(lock.Release)
	if left, was := lock.Left(); was {
		r.left = left.String()
	}
	return nil
}

// findOpen gives the rollout of this playbook and site that is not over, locked for
// us; nil where there is none.
func (e Env) findOpen(ctx context.Context, o Options, playbook, site string) (*openRollout, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	r, err := e.findIn(ctx, o, dir, playbook, site)
	if r == nil {
		return nil, errors.Join(err, dir.Close())
	}
	r.onClose(dir.Close)
	return r, nil
}

func (e Env) findIn(ctx context.Context, o Options, dir *statedir.Dir, playbook, site string) (*openRollout, error) {
	all, err := dir.Of(playbook, site)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	for _, about := range all {
		r, err := o.openRollout(ctx, about.ID)
		if err != nil {
			return nil, err
		}
		if r.state.Phase() == rollout.PhaseNone {
			r.Close()
			return nil, emptyJournal(r)
		}
		if over(r.state) {
			r.Close()
			continue
		}
		if err := e.take(ctx, o, r, dir); err != nil {
			r.Close()
			return nil, err
		}
		return r, nil
	}
	return nil, nil //nolint:nilnil // nil: there is none
}

// emptyJournal: a process died before its first record, or somebody cut the file. Only
// a person can tell, and the second must not be taken for nothing begun.
func emptyJournal(r *openRollout) error {
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Internal, What: "the journal of rollout " + r.ID + " is empty",
		Hint: "put it back from a backup; if nothing was ever begun, move the folder away: " + r.Dir,
	}
}

// take locks a rollout for this process, and reads again what was written until the
// lock was ours.
func (e Env) take(ctx context.Context, o Options, r *openRollout, dir *statedir.Dir) error {
	if err := r.lock(dir, statedir.Me(e.Now())); err != nil {
		return err
	}
	state, err := o.fold(ctx, r.journal)
	if err != nil {
		return fmt.Errorf("rollout %s: %w", r.ID, err)
	}
	r.state = state
	return nil
}

// over: nothing will happen to this rollout any more. An aborted one with hosts at work
// is not: they are brought to their end.
func over(s *rollout.State) bool {
	if s.Returning() { // hosts are on their way back, whatever the phase
		return false
	}
	switch s.Phase() {
	case rollout.PhaseFinished:
		return true
	case rollout.PhaseAborted:
		return len(s.AtWork()) == 0
	case rollout.PhaseNone, rollout.PhaseOpen, rollout.PhasePaused, rollout.PhaseHalted:
	}
	return false
}

// create makes the folder of a new rollout, takes its lock and journals that it began.
// The state folder is locked meanwhile: two runs that start at the same time must not
// both find none.
func (e Env) create(ctx context.Context, o RunOptions, p *plan.Plan, signature []byte) (*openRollout, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	r := &openRollout{}
	r.onClose(dir.Close)
	if err := e.createIn(ctx, o, dir, r, p, signature); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (e Env) createIn(ctx context.Context, o RunOptions, dir *statedir.Dir, r *openRollout, p *plan.Plan, signature []byte) error {
	lock, err := dir.Await(ctx)
	if err != nil {
		return err //nolint:wrapcheck // says who holds it
	}
	defer func() { _ = lock.Release() }()
	if other, err := e.findIn(ctx, o.Options, dir, p.Playbook, p.Site); err != nil {
		return err
	} else if other != nil {
		other.Close()
		return &fault.Error{Kind: fault.Retry, Code: fault.Locked, What: "rollout " + other.ID + " was opened meanwhile", Hint: "carry that one on: patchring run " + o.Playbook}
	}
	raw, err := plan.Encode(p)
	if err != nil {
		return fmt.Errorf("encode the plan: %w", err)
	}
	id, err := statedir.NewID(e.Now(), p.Playbook, e.Random)
	if err != nil {
		return err //nolint:wrapcheck // says what failed
	}
	folder, err := dir.Create(statedir.About{ID: id, Playbook: p.Playbook, Site: p.Site, Path: o.Playbook, Created: e.Now()}, raw, signature...)
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	r.onClose(folder.Close)
	return e.begin(ctx, o.Options, r, dir, id)
}

func (e Env) begin(ctx context.Context, o Options, r *openRollout, dir *statedir.Dir, id string) error {
	if err := r.open(ctx, o, dir, id); err != nil {
		return err
	}
	if err := r.lock(dir, statedir.Me(e.Now())); err != nil {
		return err
	}
	digest, err := plan.Digest(r.plan)
	if err != nil {
		return fmt.Errorf("rollout %s: %w", id, err)
	}
	eng := &engine.Engine{Journal: r.journal, Actor: e.Actor, Now: e.Now}
	if err := eng.Record(ctx, rollout.Open(id, r.plan, digest)); err != nil {
		return fmt.Errorf("rollout %s: %w", id, err)
	}
	r.fresh = true
	r.state, err = o.fold(ctx, r.journal)
	return err
}
