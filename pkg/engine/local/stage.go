package local

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// Stage brings what a host is planned to get to it, and installs nothing: the driver's
// steps before the first that changes the host. set narrows the plan as in a rollout; nil:
// the plan's own versions. The host is locked meanwhile.
func (p *Performer) Stage(ctx context.Context, host fact.HostID, set *patch.PatchSet) rollout.StepEnded {
	known, ok := p.Config.Hosts[host]
	if !ok {
		return *failed(fault.Usage, "it is not in the inventory")
	}
	w := &work{p: p, task: rollout.Task{Rollout: p.Owner.Rollout, Host: host, Step: "stage"}, host: known, link: p.sessions(host)}
	end := w.stage(ctx, set)
	end.Host, end.Step = host, "stage"
	return end
}

func (w *work) stage(ctx context.Context, set *patch.PatchSet) rollout.StepEnded {
	planned, driver, refused := w.planned()
	if refused != nil {
		return *refused
	}
	if len(planned.Install) == 0 {
		return rollout.StepEnded{Outcome: rollout.OutcomeNothing}
	}
	locked, notes := w.lock(ctx, driver)
	if locked.State != platform.Done {
		return lockRefused(locked)
	}
	end := w.bring(ctx, planned, driver, set)
	end.Notes = append(notes, end.Notes...)
	return w.giveBack(ctx, driver, end)
}

// bring performs the steps that change nothing.
func (w *work) bring(ctx context.Context, planned plan.Host, driver platform.Driver, set *patch.PatchSet) rollout.StepEnded {
	facts, err := w.detect(ctx, platform.Query{Packages: names(planned.Install), Offers: set != nil, Refresh: set != nil}, briefly)
	if err != nil {
		return connectFailed(err)
	}
	narrowed, err := plan.Narrow(w.p.Plan, w.task.Host, set, facts)
	if err != nil {
		return *failed(fault.Internal, err.Error())
	}
	// A job of its own each time: one whose download failed is over, and would answer for
	// every later call.
	narrowed.ID = workID(w.task.Rollout, w.task.Host) + "-t" + strconv.FormatInt(w.p.Now().Unix(), 10)
	narrowed.Keep = false
	w.doubt(narrowed.Install, facts)
	began := &rollout.Began{Work: narrowed}
	switch missing := w.unstored(narrowed); {
	case narrowed.Refused != "":
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: []string{narrowed.Refused}, Began: began}
	case missing != "":
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: []string{missing}, Began: began}
	case len(narrowed.Install) == 0:
		return rollout.StepEnded{Outcome: rollout.OutcomeNothing, Began: began}
	}
	steps, err := driver.Steps(facts, narrowed)
	if err != nil {
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: reasonsOf(err), Began: began}
	}
	if first := slices.IndexFunc(steps, func(s platform.Step) bool { return s.Changes }); first >= 0 && bringsNothing(facts, steps[:first]) {
		return rollout.StepEnded{Outcome: rollout.OutcomeNothing, Began: began, Reasons: []string{"its image is handed over only when it is installed: nothing can be brought ahead"}}
	}
	end := w.untilChange(ctx, steps)
	end.Began = began
	return end
}

// untilChange performs steps in order up to the first that changes the host, as far as
// they succeed. It must be one that downloads: else nothing was brought.
func (w *work) untilChange(ctx context.Context, steps []platform.Step) rollout.StepEnded {
	var notes []string
	first := slices.IndexFunc(steps, func(s platform.Step) bool { return s.Changes })
	if first < 0 || steps[0].Changes {
		return *failed(fault.HostFailed, "this host's work begins with a change (a repair?): nothing can be brought ahead of it")
	}
	for _, step := range steps[:first] {
		end := ended(apply.Perform(ctx, w.link, step, w.progress))
		notes = append(notes, end.Notes...)
		if end.Notes = notes; end.Outcome != rollout.OutcomeOK {
			end.Reasons = append([]string{fmt.Sprintf("step %s did not go well", step.ID)}, end.Reasons...)
			return end
		}
	}
	return rollout.StepEnded{Outcome: rollout.OutcomeOK, Notes: notes}
}

// giveBack unlocks the host; that it can't be is told, and does not undo what was brought.
func (w *work) giveBack(ctx context.Context, driver platform.Driver, end rollout.StepEnded) rollout.StepEnded {
	locker, ok := driver.(platform.Locker)
	if !ok {
		return end
	}
	if s := apply.Perform(ctx, w.link, locker.Unlock(w.task.Host, w.owner()), w.progress); s.State != platform.Done {
		end.Notes = append(end.Notes, append([]string{"patchring's lock is still on the host"}, s.Reasons...)...)
	}
	return end
}
