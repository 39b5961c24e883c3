package local

import (
	"context"
	"strings"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// lock takes the host's lock, where the platform can keep one. A note tells of what was
// removed for it.
func (w *work) lock(ctx context.Context, driver platform.Driver) (platform.Standing, []string) {
	locker, ok := driver.(platform.Locker)
	switch {
	case !ok && w.p.Plan.NoLock:
		return platform.Standing{State: platform.Done}, []string{"this platform can keep no lock: only this state folder kept a second operator away"}
	case !ok:
		return platform.Standing{State: platform.Failed, Reasons: []string{"this platform can keep no lock, so patchring does not change it (--accept-no-lock)"}}, nil
	}
	s, holder := w.take(ctx, locker)
	if holder == nil {
		return s, nil
	}
	if !w.mayReplace(*holder) {
		return w.hinted(s, *holder), nil
	}
	// It is looked at once more, and only this very holder's lock is removed.
	if gone := apply.Perform(ctx, w.link, locker.Unlock(w.task.Host, *holder), w.progress); gone.State != platform.Done {
		s.Reasons = append(s.Reasons, gone.Reasons...)
		return s, nil
	}
	again, _ := w.take(ctx, locker)
	if again.State != platform.Done {
		return again, nil
	}
	return again, []string{"the lock of " + nameOf(*holder) + " was replaced, as --force-unlock said"}
}

// take tries to take the lock; where another holds it, it says who.
func (w *work) take(ctx context.Context, locker platform.Locker) (platform.Standing, *platform.Owner) {
	step, holder := watched(locker.Lock(w.task.Host, w.owner()))
	s := apply.Perform(ctx, w.link, step, w.progress)
	return s, holder()
}

// owner is this rollout as the holder of this host's lock. The host's name is part of
// it: one machine under two names must not be worked on twice at a time.
func (w *work) owner() platform.Owner {
	o := w.p.Owner
	o.Host = w.task.Host.String()
	return o
}

// lockLost looks whether the lock is still ours, before every step of a driver: a
// laptop may have slept while somebody removed it and went to work, a machine may have
// been restored from an image, an address may lead elsewhere now. Nil: it is ours.
func (w *work) lockLost(ctx context.Context, driver platform.Driver, before platform.Step) *rollout.StepEnded {
	locker, ok := driver.(platform.Locker)
	switch {
	case !ok && w.p.Plan.NoLock:
		return nil
	case !ok:
		return failed(fault.Locked, "this platform can keep no lock")
	}
	s := apply.Perform(ctx, w.link, onlyLook(locker.Lock(w.task.Host, w.owner()), before), w.progress)
	switch {
	case s.State == platform.Done:
		return nil
	case s.Code != "" && s.Code != fault.Locked && s.Code != fault.HostFailed:
		end := ended(s) // the host could not be asked
		end.Outcome = rollout.OutcomeUnknown
		return &end
	}
	return &rollout.StepEnded{
		Outcome: rollout.OutcomeUnknown, Code: fault.Locked,
		Reasons: append([]string{"the host's lock is no longer ours: somebody removed it, or this is another machine now; nothing further is done"}, s.Reasons...),
	}
}

// lockRefused tells a host that could not be reached from one whose lock could not be
// had: held by another, or in a state that only a person can clear up. Nothing was
// begun on either.
func lockRefused(s platform.Standing) rollout.StepEnded {
	end := rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: s.Code, Reasons: s.Reasons}
	switch s.Code {
	case fault.Locked, fault.Unreachable, fault.HostKeyUnknown, fault.HostKeyChanged, fault.Auth, fault.CredentialBlocked, fault.Lost:
		end.Outcome = rollout.OutcomeUnreachable
	case "":
		end.Code = fault.HostFailed
	}
	return end
}

// onlyLook turns taking the lock into looking at it, with the patience of the step
// that comes next: a host that is restarting can't be asked at once.
func onlyLook(lock, before platform.Step) platform.Step {
	judge := lock.Look.Judge
	lock.Do, lock.Deadline, lock.Look.Reconnects = nil, before.Deadline, before.Look.Reconnects
	lock.Look.Judge = func(r []remote.Result) platform.Standing {
		s := judge(r)
		if s.State == platform.NotDone {
			return platform.Standing{State: platform.Failed, Code: fault.Locked, Reasons: []string{"there is no lock on the host"}}
		}
		return s
	}
	return lock
}

// abandon gives the lock back on a host that will not be worked on.
func (w *work) abandon(ctx context.Context, driver platform.Driver, end rollout.StepEnded) rollout.StepEnded {
	locker, ok := driver.(platform.Locker)
	if !ok {
		return end
	}
	if s := apply.Perform(ctx, w.link, locker.Unlock(w.task.Host, w.owner()), w.progress); s.State != platform.Done {
		end.Notes = append(end.Notes, "the lock could not be removed: "+strings.Join(s.Reasons, "; "))
	}
	return end
}
