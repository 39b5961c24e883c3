package app

import (
	"context"
	"slices"

	"github.com/patchring/patchring/pkg/engine"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/statedir"
)

// A rollout that is over still keeps out what it has drained and nobody has put back. Once
// a later rollout has brought such a host through, healthy and in use, it is out no longer.

// takeOver lets the rollouts before go of the hosts that this one has brought back.
func (e Env) takeOver(ctx context.Context, o Options, r *openRollout) {
	if !r.state.Budgeted() {
		return
	}
	var back []fact.HostID
	for _, h := range r.state.Status(e.Now()).Hosts {
		if h.State == rollout.HostHealthy && !h.Drained {
			back = append(back, h.ID)
		}
	}
	if err := o.eachOver(ctx, r.ID, func(folder *statedir.Rollout, holds []fact.HostID) error {
		if !slices.ContainsFunc(holds, func(id fact.HostID) bool { return slices.Contains(back, id) }) {
			return nil
		}
		return folder.LetGo(ctx, back) //nolint:wrapcheck // names the file
	}); err != nil {
		e.say("warning: what earlier rollouts hold could not be brought up to date: %v", err)
	}
}

// eachOver calls fn for every other rollout that is over and still keeps hosts out.
func (o Options) eachOver(ctx context.Context, except string, fn func(*statedir.Rollout, []fact.HostID) error) error {
	dir, err := o.stateDir()
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Rollouts()
	if err != nil {
		return err //nolint:wrapcheck // names the folder
	}
	for _, about := range all {
		if about.ID == except {
			continue
		}
		if err := o.ifOver(ctx, dir, about.ID, fn); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) ifOver(ctx context.Context, dir *statedir.Dir, id string, fn func(*statedir.Rollout, []fact.HostID) error) error {
	folder, err := dir.Rollout(id)
	if err != nil {
		return err //nolint:wrapcheck // names the rollout
	}
	defer func() { _ = folder.Close() }()
	holds, err := folder.Holds()
	if err != nil || len(holds) == 0 {
		return err //nolint:wrapcheck // names the file
	}
	r, err := o.openRollout(ctx, id)
	if err != nil {
		return err
	}
	defer r.Close()
	if state, err := engine.Load(ctx, r.journal); err != nil || !over(state) {
		return err //nolint:wrapcheck // names the journal
	}
	return fn(folder, holds)
}
