package app

import (
	"context"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// recentRollouts is how far back proofs are looked for: a year of monthly rollouts.
const recentRollouts = 12

// proofs gathers what hosts proved in the last rollouts of this playbook and site. A
// host counts from its newest back to the first rollout that it did not come through
// healthy: what was proven before that is not believed any more.
func (o Options) proofs(ctx context.Context, playbook, site string) (map[fact.HostID][]patch.Proven, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	past, err := dir.Of(playbook, site) // newest first
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	proved, doubted := map[fact.HostID][]patch.Proven{}, map[fact.HostID]bool{}
	for _, about := range past[:min(len(past), recentRollouts)] {
		r, err := o.openRollout(ctx, about.ID)
		if err != nil {
			return nil, err
		}
		for _, h := range r.state.Status().Hosts {
			switch {
			case h.State == rollout.HostHealthy && !doubted[h.ID]:
				proved[h.ID] = append(proved[h.ID], h.Proven...)
			case h.Touched || h.State == rollout.HostFailed || h.State == rollout.HostUnknown:
				doubted[h.ID] = true
			}
		}
		r.Close()
	}
	return proved, nil
}
