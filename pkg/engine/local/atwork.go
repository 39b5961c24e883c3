package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// stepRepair is the other step of a driver that is a job of its own on the host.
const stepRepair platform.StepID = "repair"

// atWork is why a host that an earlier try has changed is not begun again yet: what that
// one began runs on by itself, and would do its part after this try has looked. Nil: it
// has ended, for sure.
func (w *work) atWork(ctx context.Context) *rollout.StepEnded {
	known := w.p.known(w.task.Host)
	if !w.again() || known.Began == nil || len(known.Began.Changing) == 0 {
		return nil
	}
	steps, err := w.jobsOf(known.Began)
	if err != nil {
		return doubtful(err.Error())
	}
	for _, step := range steps {
		if s := apply.Perform(ctx, w.link, step, w.progress); s.State != platform.Done {
			return doubtful(s.Reasons...)
		}
	}
	return nil
}

func doubtful(reasons ...string) *rollout.StepEnded {
	first := "what an earlier try has begun may still be at work on the host, so nothing else is begun"
	return &rollout.StepEnded{Outcome: rollout.OutcomeUnknown, Reasons: append([]string{first}, reasons...)}
}

// jobsOf are the steps of a begun work that go on without us, made into ones that only
// look whether they do.
func (w *work) jobsOf(began *rollout.Began) ([]platform.Step, error) {
	facts, _, err := w.recall()
	if err != nil {
		return nil, err
	}
	driver, ok := w.p.Driver(facts.Platform)
	if !ok {
		return nil, fmt.Errorf("no driver for platform %q", facts.Platform)
	}
	all, err := driver.Steps(facts, began.Work)
	if err != nil {
		return nil, fmt.Errorf("rebuild the steps of the earlier try: %w", err)
	}
	var jobs []platform.Step
	for _, s := range all {
		if slices.Contains(began.Changing, s.ID) && (s.ID == rollout.StepInstall || s.ID == stepRepair) && isJob(s) {
			jobs = append(jobs, hasEnded(s))
		}
	}
	return jobs, nil
}

// isJob: it runs on the host by itself. Where a device stands, its next preflight tells.
func isJob(s platform.Step) bool {
	return slices.ContainsFunc(s.Do, func(op platform.Operation) bool { return op.Command != nil })
}

// hasEnded is done once the step is not at work, however it has ended.
func hasEnded(s platform.Step) platform.Step {
	judge := s.Look.Judge
	s.Do, s.Changes, s.Deadline = nil, false, briefly
	s.Look.Judge = func(results []remote.Result) platform.Standing {
		standing := judge(results)
		ended := slices.ContainsFunc(results, func(r remote.Result) bool { return over(job.Read(r).State) })
		if standing.State != platform.Running && (standing.State != platform.Unknown || ended) {
			return platform.Standing{State: platform.Done}
		}
		return standing
	}
	return s
}

// over: nothing of the job runs, nor ever will. That it was cut is no doubt here.
func over(s job.State) bool {
	return s == job.Exited || s == job.Interrupted || s == job.Revoked || s == job.TimedOut || s == job.Absent
}
