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

// before takes the snapshot that the check step compares with.
//
// A host that is looked at again because of its last rollout is compared with the
// state before that one's work: comparing it with itself would find nothing. So is one
// that an earlier try has touched.
func (w *work) before(ctx context.Context) (rollout.StepEnded, error) {
	if known := w.p.known(w.task.Host); w.again() && known.Before != "" {
		return rollout.StepEnded{Outcome: rollout.OutcomeOK, Before: known.Before}, nil
	}
	if planned, _, refused := w.planned(); refused == nil && planned.Recheck != nil && w.baseline(planned) {
		return rollout.StepEnded{Outcome: rollout.OutcomeOK, Before: planned.Recheck.Before}, nil
	}
	snapshot, err := probe.SnapshotAgain(ctx, w.link, w.p.Now, briefly)
	if err != nil {
		return connectFailed(err), nil
	}
	digest, err := w.p.keep(snapshot)
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
	work := began.Work
	work.Install = slices.Concat(work.Install, earlier(work))
	did := w.p.known(w.task.Host).Did
	facts, err := w.detectWhole(ctx, platform.Query{Packages: names(work.Install, planned.Witness(), did)})
	if err != nil {
		return unknown(err), nil
	}
	facts = plan.Spelled(facts, slices.Concat(work.Install, did))
	end := judge(work, facts)
	if wrong := slices.Concat(notBack(work, did, facts), behindOthers(work, facts)); len(wrong) > 0 {
		end = rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: wrong}
	}
	if end.Outcome == rollout.OutcomeOK && w.link.watch != nil {
		end = w.sameDevice(ctx, before, facts, end)
	}
	if end.After, err = w.p.keep(facts); err != nil {
		return rollout.StepEnded{}, err
	}
	end.Reboots = rebooted(before, facts)
	witness := len(work.Install) == 0
	if end.Outcome == rollout.OutcomeOK && !work.Back && !(witness && facts.Reboot.Needed != patch.No) {
		proven := plan.Proven(facts.Domain(), slices.Concat(work.Install, planned.Witness()), facts)
		end.Proven = plan.Detail(proven, w.filesKnown(planned))
	}
	return end, nil
}

// rebooted: another boot, by the system's own mark, or by a device's boot time.
func rebooted(before, after fact.Facts) bool {
	return before.BootID != "" && after.BootID != "" && before.BootID != after.BootID || restarted(before.Device, after.Device)
}

// behindOthers tells of a device that has members at another version than it was to get.
func behindOthers(work patch.Work, f fact.Facts) []string {
	for _, u := range work.Install {
		if u.Name == patch.ImageName && !plan.EveryMember(f, u.To) {
			return []string{"some of its members do not run " + u.To}
		}
	}
	return nil
}

// judge compares what should be installed with what is.
func judge(work patch.Work, facts fact.Facts) rollout.StepEnded {
	var wrong, notes []string
	for _, u := range work.Install {
		if reason := missing(u, facts); reason != "" {
			wrong = append(wrong, reason)
		}
	}
	for _, name := range work.Remove {
		name, arch, _ := strings.Cut(name, ":")
		if p, there := facts.Installed(name, arch); there {
			wrong = append(wrong, fmt.Sprintf("%s %s was to be taken away, and is still there", name, p.Version))
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
	case running == patch.Yes, running == patch.Unknown && facts.Device != nil: // of a device its own steps have proven it
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
	before, err := w.p.snapshot(w.p.known(w.task.Host).Before)
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

// snapshot reads a state back from the store.
func (p *Performer) snapshot(digest patch.Digest) (*fact.Snapshot, error) {
	if digest == "" {
		return nil, nil //nolint:nilnil // nothing to compare with: default_diff says unknown
	}
	raw, err := p.Store.Get(digest, maxFacts)
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
