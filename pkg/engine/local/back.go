package local

import (
	"fmt"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// decideBack is decide for a host that is taken back: its work is what this rollout has
// begun to install on it, the other way round. One that is back already is verified and
// checked all the same.
func (w *work) decideBack(planned plan.Host, driver platform.Driver, facts fact.Facts) (*rollout.Began, string, error) {
	digest, err := w.p.keep(facts)
	if err != nil {
		return nil, "", err
	}
	work, err := plan.TakeBack(w.p.Plan, w.task.Host, w.p.known(w.task.Host).Did, facts)
	if err != nil {
		return nil, "", fmt.Errorf("take the host back: %w", err)
	}
	work.ID = workID(w.task.Rollout, w.task.Host) + tryOf(w.task)
	began := &rollout.Began{Facts: digest, Work: work, Return: planned.Return}
	if work.Refused != "" {
		return began, work.Refused, nil
	}
	if len(work.Install)+len(work.Remove) == 0 {
		began.Steps, began.Changing = rollout.Flow(nil, w.extras())
		return began, "", nil
	}
	steps, err := driver.Steps(facts, work)
	if err != nil {
		return began, err.Error(), nil //nolint:nilerr // a driver's refusal is the host's outcome, not our error
	}
	began.Steps, began.Changing = rollout.Flow(steps, w.extras())
	return began, "", nil
}
