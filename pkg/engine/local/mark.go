package local

import (
	"context"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// mark leaves the rollout's marker on a host that is about to be worked on: a run that
// has lost its state folder must find it there when the lock is long gone. A host that
// can't keep it is not begun.
func (w *work) mark(ctx context.Context, driver platform.Driver, end rollout.StepEnded) rollout.StepEnded {
	marker, ok := driver.(platform.Marker)
	if !ok {
		return end
	}
	s := apply.Perform(ctx, w.link, marker.Mark(w.task.Host, w.owner()), w.progress)
	if s.State == platform.Done {
		return end
	}
	refused := lockRefused(s)
	refused.Began = end.Began
	refused.Reasons = append([]string{"the rollout's marker can't be left on the host, so it was not begun"}, refused.Reasons...)
	return refused
}

// beside tells of the marker that is replaced, where its rollout may be carried on
// elsewhere: whoever does that will find ours.
func (w *work) beside(markers []fact.Marker) []string {
	var notes []string
	for _, m := range markers {
		if m.Playbook != w.p.Plan.Playbook || m.Site != w.p.Plan.Site || m.Rollout == w.p.Owner.Rollout || w.p.Knows == nil || w.p.Knows(m.Rollout) {
			continue
		}
		other := platform.Owner{Rollout: m.Rollout, By: m.By}
		notes = append(notes, "the marker of "+nameOf(other)+", which is not in this state folder, was replaced")
	}
	return notes
}
