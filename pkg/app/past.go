package app

import (
	"context"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// recentRollouts is how far back a host's last rollout is looked for: a year of
// monthly ones.
const recentRollouts = 12

// past gives for each host what it brings along from the last rollout of this playbook
// and site that worked on it.
// Beside it, how long each host's work took.
func (o Options) past(ctx context.Context, playbook, site string) (map[fact.HostID]plan.Recheck, []plan.Took, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = dir.Close() }()
	all, err := dir.Of(playbook, site) // newest first
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // names the folder
	}
	past := map[fact.HostID]plan.Recheck{}
	var took []plan.Took
	for _, about := range all[:min(len(all), recentRollouts)] {
		r, err := o.openRollout(ctx, about.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, h := range r.state.Status(o.Today).Hosts {
			if _, newer := past[h.ID]; !newer && workedOn(h) {
				past[h.ID] = r.recheck(h)
			}
			if planned, ok := r.plan.Host(h.ID); ok && h.Touched && h.State == rollout.HostHealthy {
				took = append(took, plan.Took{Domain: planned.Domain, For: h.Ended.Sub(h.Started)})
			}
		}
		r.Close()
	}
	return past, took, nil
}

// workedOn: the rollout's word about this host counts. One that was not changed says
// nothing about what its work did to it.
func workedOn(h rollout.HostStatus) bool {
	return h.Touched || h.Drained || h.State == rollout.HostHealthy
}

// recheck gives what the host may vouch for: all that it was to install then. Whether
// it really has it, whole and running, is looked at anew.
func (r *openRollout) recheck(h rollout.HostStatus) plan.Recheck {
	if h.State == rollout.HostRolledBack { // as if it had never been: nothing is proven, nothing in doubt
		return plan.Recheck{Rollout: r.ID}
	}
	again := plan.Recheck{Rollout: r.ID, Before: h.Before, Proved: h.Proven, Doubted: h.State != rollout.HostHealthy}
	planned, ok := r.plan.Host(h.ID)
	if !ok || h.Began == nil {
		return again
	}
	for _, u := range h.Began.Work.Install {
		again.Proved = append(again.Proved, patch.Proven{Domain: planned.Domain, Name: u.Name, Arch: u.Arch, Version: u.To})
	}
	return again
}
