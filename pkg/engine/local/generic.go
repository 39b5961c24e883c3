package local

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/probe"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// lock takes the host's lock, where the platform can keep one.
func (w *work) lock(ctx context.Context, driver platform.Driver) platform.Standing {
	locker, ok := driver.(platform.Locker)
	if !ok {
		return platform.Standing{State: platform.Failed, Reasons: []string{"this platform can keep no lock, so patchring does not change it"}}
	}
	return apply.Perform(ctx, w.link, locker.Lock(w.task.Host, w.owner()), w.progress)
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
	if !ok {
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

// before takes the snapshot that the check step compares with.
//
// A host that is looked at again because of its last rollout is compared with the
// state before that one's work: comparing it with itself would find nothing.
func (w *work) before(ctx context.Context) (rollout.StepEnded, error) {
	if planned, _, refused := w.planned(); refused == nil && planned.Recheck != nil && w.baseline(planned) {
		return rollout.StepEnded{Outcome: rollout.OutcomeOK, Before: planned.Recheck.Before}, nil
	}
	snapshot, err := probe.SnapshotAgain(ctx, w.link, w.p.Now, briefly)
	if err != nil {
		return connectFailed(err), nil
	}
	digest, err := w.keep(snapshot)
	if err != nil {
		return rollout.StepEnded{}, err
	}
	return rollout.StepEnded{Outcome: rollout.OutcomeOK, Before: digest}, nil
}

// baseline: the old state is the one to compare with, because the host is in doubt, or
// because nothing is installed now that a fresh one could be compared over.
func (w *work) baseline(planned plan.Host) bool {
	began := w.p.known(w.task.Host).Began
	return planned.Recheck.Doubted || began == nil || len(began.Work.Install) == 0
}

// verify looks again: every planned version is installed, and runs.
func (w *work) verify(ctx context.Context) (rollout.StepEnded, error) {
	before, began, err := w.recall()
	if err != nil {
		return rollout.StepEnded{}, err
	}
	planned, _, refused := w.planned()
	if refused != nil {
		return *refused, nil
	}
	facts, err := w.detect(ctx, names(began.Work.Install, planned.Witness()), longer)
	if err != nil {
		return unknown(err), nil
	}
	end := judge(began.Work, facts)
	end.Reboots = before.BootID != "" && facts.BootID != "" && before.BootID != facts.BootID
	witness := len(began.Work.Install) == 0
	if end.Outcome == rollout.OutcomeOK && !(witness && facts.Reboot.Needed != patch.No) {
		end.Proven = plan.Proven(facts.Domain(), slices.Concat(began.Work.Install, planned.Witness()), facts)
	}
	return end, nil
}

// judge compares what should be installed with what is.
func judge(work patch.Work, facts fact.Facts) rollout.StepEnded {
	var wrong, notes []string
	for _, u := range work.Install {
		if reason := missing(u, facts); reason != "" {
			wrong = append(wrong, reason)
		}
	}
	if len(wrong) > 0 {
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: wrong}
	}
	if s := facts.Manager.State; s == fact.ManagerInterrupted || s == fact.ManagerBroken {
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: []string{
			fmt.Sprintf("the package manager is %s: %s", s, remote.Clean(facts.Manager.Detail, 200)),
		}}
	}
	running, why := runs(facts)
	switch {
	case running == patch.Yes:
	case running == patch.No && work.Reboot != patch.RebootNever && len(work.Install) > 0:
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: []string{why}}
	case running == patch.No:
		notes = append(notes, "installed, not running: "+why)
	default: // the reboot step has decided by what was installed
		notes = append(notes, why)
	}
	return rollout.StepEnded{Outcome: rollout.OutcomeOK, Notes: notes}
}

func missing(u patch.Update, facts fact.Facts) string {
	all := facts.AllInstalled(u.Name, u.Arch)
	if len(all) == 0 {
		return fmt.Sprintf("%s %s was to be installed, but is not there", u.Key(), u.To)
	}
	var versions []string
	for _, p := range all {
		if p.Version != u.To {
			versions = append(versions, p.Version)
			continue
		}
		if p.Status != "installed" {
			return fmt.Sprintf("%s %s is %s", u.Key(), u.To, remote.Clean(p.Status, 60))
		}
		return ""
	}
	return fmt.Sprintf("%s is at %s, not at the planned %s", u.Key(), remote.Clean(strings.Join(versions, ", "), 200), u.To)
}

// runs tells whether what is installed is what runs, by the driver's own signs.
func runs(facts fact.Facts) (patch.Tri, string) {
	switch facts.Reboot.Needed {
	case patch.No:
		return patch.Yes, ""
	case patch.Yes:
		return patch.No, "a reboot is still needed: " + strings.Join(facts.Reboot.Reasons, "; ")
	case patch.Unknown:
	}
	return patch.Unknown, "could not tell whether a reboot is needed: " + problemsOf(facts)
}

func problemsOf(facts fact.Facts) string {
	var all []string
	for _, p := range facts.Problems {
		all = append(all, p.What+": "+p.Detail)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// check asks every check of the playbook, and compares the state with the one before.
func (w *work) check(ctx context.Context) (rollout.StepEnded, error) {
	planned, _, refused := w.planned()
	if refused != nil {
		return *refused, nil
	}
	before, err := w.snapshotBefore()
	if err != nil {
		return rollout.StepEnded{}, err
	}
	results := probe.Checks(ctx, w.link, planned.Checks, vars(w.host), before)
	end := rollout.StepEnded{Checks: results, Outcome: rollout.OutcomeOK}
	if len(results) == 0 {
		return end, nil // the playbook has no check for this host: verify was the judge
	}
	switch health.Worst(results) {
	case health.Fail:
		end.Outcome, end.Code = rollout.OutcomeFailed, fault.HostFailed
	case health.Unknown:
		end.Outcome = rollout.OutcomeUnknown
	case health.Pass:
	}
	end.Reasons = notPassed(results)
	return end, nil
}

func (w *work) snapshotBefore() (*fact.Snapshot, error) {
	digest := w.p.known(w.task.Host).Before
	if digest == "" {
		return nil, nil //nolint:nilnil // nothing to compare with: default_diff says unknown
	}
	raw, err := w.p.Store.Get(digest, maxFacts)
	if err != nil {
		return nil, fmt.Errorf("read the state before back: %w", err)
	}
	var s fact.Snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read the state before back: %w", err)
	}
	return &s, nil
}

func notPassed(results []health.Result) []string {
	var reasons []string
	for _, r := range results {
		if r.Verdict != health.Pass {
			reasons = append(reasons, fmt.Sprintf("%s: %s: %s", r.Check, r.Verdict, r.Seen))
		}
	}
	return reasons
}

// end gives the lock back.
func (w *work) end(ctx context.Context) (rollout.StepEnded, error) {
	facts, _, err := w.recall()
	if err != nil {
		return rollout.StepEnded{}, err
	}
	driver, ok := w.p.Driver(facts.Platform)
	if !ok {
		return rollout.StepEnded{}, fmt.Errorf("no driver for platform %q", facts.Platform)
	}
	locker, ok := driver.(platform.Locker)
	if !ok {
		return rollout.StepEnded{Outcome: rollout.OutcomeOK}, nil
	}
	return ended(apply.Perform(ctx, w.link, locker.Unlock(w.task.Host, w.owner()), w.progress)), nil
}
