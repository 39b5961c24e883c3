package app

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/report"
	"github.com/patchring/patchring/pkg/statedir"
	"github.com/patchring/patchring/pkg/store"
)

// PruneOptions are those of `state prune`.
type PruneOptions struct {
	Options
	OlderThan time.Duration
	Keep      int // newest of each playbook and site
	DryRun    bool
}

// Prune removes rollouts that are over and old, and what in the store nothing needs any more.
func (e Env) Prune(ctx context.Context, o PruneOptions) (Ending, error) {
	if !o.Yes && !o.DryRun {
		return Ending{}, fault.Usagef("look first with: patchring state prune --dry-run, then add --yes", "rollouts would be removed for good")
	}
	dir, err := o.stateDir()
	if err != nil {
		return Ending{}, err
	}
	defer func() { _ = dir.Close() }()
	root, err := dir.Store()
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // names the folder
	}
	defer func() { _ = root.Close() }()
	gone, err := dir.Prune(ctx, statedir.Pruning{
		Now: e.Now(), OlderThan: o.OlderThan, KeepLast: o.Keep, DryRun: o.DryRun,
		Over:  func(about statedir.About) (bool, error) { return o.isOver(ctx, about) },
		Sweep: store.Open(root).Sweep,
	})
	doc := report.NewPruned(pruned(gone), o.DryRun)
	if printErr := e.print(o.Options, doc); err == nil {
		err = printErr
	}
	return Ending{}, err //nolint:wrapcheck // names what could not be removed
}

func (o Options) isOver(ctx context.Context, about statedir.About) (bool, error) {
	o.Site = "" // the folder is cleared of all
	r, err := o.openRollout(ctx, about.ID)
	if err != nil {
		return false, err
	}
	defer r.Close()
	state, err := engine.Load(ctx, r.journal)
	return err == nil && over(state), err //nolint:wrapcheck // names the journal
}

func pruned(gone []statedir.Pruned) []report.PrunedEntry {
	out := make([]report.PrunedEntry, 0, len(gone))
	for _, p := range gone {
		out = append(out, report.PrunedEntry{Rollout: p.Rollout, Object: string(p.Object), Left: p.Left, Bytes: p.Bytes, Last: p.Last})
	}
	return out
}

// UnlockOptions are those of `state unlock`.
type UnlockOptions struct {
	Options
	Rollout string
}

// Unlock frees the lock of a rollout in the state folder whose owner is gone for good.
// Of a rollout that is over it also lets go of the hosts that it still keeps out.
func (e Env) Unlock(ctx context.Context, o UnlockOptions) (Ending, error) {
	dir, err := o.stateDir()
	if err != nil {
		return Ending{}, err
	}
	defer func() { _ = dir.Close() }()
	owner, err := dir.ForceUnlock(o.Rollout)
	if err != nil {
		return Ending{}, err //nolint:wrapcheck // says who holds it
	}
	err = o.ifOver(ctx, dir, o.Rollout, func(folder *statedir.Rollout, holds []fact.HostID) error {
		e.say("rollout %s keeps no host out any more; it did %s", o.Rollout, holds)
		return folder.LetGo(ctx, holds) //nolint:wrapcheck // names the file
	})
	if err != nil {
		return Ending{}, err
	}
	if owner.PID == 0 {
		e.say("rollout %s was not locked", o.Rollout)
		return Ending{}, nil
	}
	e.say("rollout %s was locked by %s, and is free now", o.Rollout, owner)
	return Ending{Next: "patchring status " + o.Rollout}, nil
}
