package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/detect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// work is one task while it is performed.
type work struct {
	p    *Performer
	task rollout.Task
	host inventory.Host
	link *sessions
}

// perform is the local half of rollout's flow: the generic steps by name, the
// driver's by asking the driver.
func (w *work) perform(ctx context.Context) (rollout.StepEnded, error) {
	switch w.task.Step {
	case rollout.FlowBegin:
		return w.begin(ctx)
	case rollout.FlowBefore:
		return w.before(ctx)
	case rollout.FlowCollect:
		return w.collect(ctx)
	case rollout.FlowVerify:
		return w.verify(ctx)
	case rollout.FlowCheck:
		return w.check(ctx)
	case rollout.FlowSilence:
		return w.silence(ctx)
	case rollout.FlowUnsilence:
		return w.unsilence(ctx)
	case rollout.FlowHooks, rollout.FlowDrain, rollout.FlowUndrain, rollout.FlowHooksEnd:
		return w.hooks(ctx)
	case rollout.FlowEnd:
		return w.end(ctx)
	}
	return w.driverStep(ctx)
}

// begin takes the host's lock, looks again, decides what this host really gets, and
// steps back where a budget does not allow it now. The peers are looked at last, right
// before the start, and only for a host that has something to do. One that is begun gets
// the rollout's marker.
func (w *work) begin(ctx context.Context) (rollout.StepEnded, error) {
	planned, driver, refused := w.planned()
	if refused != nil {
		return *refused, nil
	}
	locked, notes := w.lock(ctx, driver)
	if locked.State != platform.Done {
		return lockRefused(locked), nil
	}
	ours := w.p.looks.mark()
	end, err := w.prepare(ctx, planned, driver)
	if err != nil {
		return rollout.StepEnded{}, err
	}
	if end.Outcome == rollout.OutcomeOK {
		if back := w.stepBack(ctx, ours); back != nil {
			end = *back
		}
	}
	if end.Outcome == rollout.OutcomeOK {
		end = w.mark(ctx, driver, end)
	}
	end.Notes = append(notes, end.Notes...)
	if end.Outcome != rollout.OutcomeOK {
		end = w.abandon(ctx, driver, end)
	}
	return end, nil
}

// prepare looks at the host under its lock and decides what it gets. Any outcome but ok
// means that it will not be worked on.
func (w *work) prepare(ctx context.Context, planned plan.Host, driver platform.Driver) (rollout.StepEnded, error) {
	if doubt := w.atWork(ctx); doubt != nil { // before the look: what ends in between is seen by it
		return *doubt, nil
	}
	facts, err := w.detect(ctx, w.asked(planned), briefly)
	if err != nil {
		return connectFailed(err), nil
	}
	if other := w.otherDevice(facts); other != nil {
		return *other, nil
	}
	decide := w.decide
	if w.task.Back {
		decide = w.decideBack
	}
	began, refusal, err := decide(planned, driver, facts)
	switch {
	case err != nil:
		return rollout.StepEnded{}, err
	case refusal != "":
		return rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: fault.HostFailed, Reasons: []string{refusal}, Began: began}, nil
	case len(began.Steps) == 0:
		return rollout.StepEnded{Outcome: rollout.OutcomeNothing, Reasons: []string{"nothing left to install here"}, Began: began}, nil
	}
	return rollout.StepEnded{Outcome: rollout.OutcomeOK, Began: began, Notes: slices.Concat(w.beside(facts.Markers), plan.NewerNote(planned, facts), w.link.oldCrypto())}, nil
}

// asked: where the versions come from matters once they are settled. Then the lists are
// fetched anew: those of the plan may be days old, and what has vanished would be missed
// only in the download.
func (w *work) asked(planned plan.Host) platform.Query {
	settled := w.task.Set != "" || w.task.Back
	return platform.Query{
		Packages: names(planned.Install, planned.Witness(), w.p.known(w.task.Host).Did),
		Offers:   settled, Refresh: settled,
	}
}

// planned finds the plan's entry and driver of this host, or the reason to refuse it.
func (w *work) planned() (plan.Host, platform.Driver, *rollout.StepEnded) {
	host, ok := w.p.Plan.Host(w.task.Host)
	if !ok {
		return plan.Host{}, nil, failed(fault.Internal, "this host is not in the plan")
	}
	if host.Problem != nil {
		return host, nil, &rollout.StepEnded{Outcome: rollout.OutcomeUnreachable, Code: fault.Code(host.Problem.Code), Reasons: []string{host.Problem.What}}
	}
	driver, ok := w.p.Driver(host.Platform)
	if !ok {
		return host, nil, failed(fault.HostFailed, fmt.Sprintf("no driver for platform %q", host.Platform))
	}
	return host, driver, nil
}

// decide narrows the plan under the host's lock and lists the steps that follow.
func (w *work) decide(planned plan.Host, driver platform.Driver, facts fact.Facts) (*rollout.Began, string, error) {
	digest, err := w.p.keep(facts)
	if err != nil {
		return nil, "", err
	}
	set, err := w.set()
	if err != nil {
		return nil, "", err
	}
	narrowed, err := plan.Narrow(w.p.Plan, w.task.Host, set, facts)
	if err != nil {
		return nil, "", fmt.Errorf("narrow the plan: %w", err)
	}
	narrowed.ID = workID(w.task.Rollout, w.task.Host) + tryOf(w.task)
	w.doubt(narrowed.Install, facts)
	narrowed = w.anew(narrowed, planned, facts)
	began := &rollout.Began{Facts: digest, Work: narrowed, Return: planned.Return}
	if why := cmp.Or(narrowed.Refused, unfitDevice(planned, driver, facts, narrowed)); why != "" {
		return began, why, nil
	}
	if w.again() {
		began.Work = creditEarlier(began.Work, planned, facts)
	}
	if len(narrowed.Install) == 0 && !repairs(narrowed, facts) {
		w.lookAgain(began, planned)
		return began, "", nil
	}
	if missing := w.unstored(narrowed); missing != "" {
		return began, missing, nil
	}
	steps, err := driver.Steps(facts, narrowed)
	if err != nil {
		return began, err.Error(), nil //nolint:nilerr // a driver's refusal is the host's outcome, not our error
	}
	extras := w.extras()
	_, stages := driver.(platform.Stager)
	extras.Collect = stages && len(narrowed.Install) > 0 && w.p.collects(planned.Ring)
	began.Steps, began.Changing = rollout.Flow(steps, extras)
	began.Confirming = rollout.Confirming(steps)
	return began, "", nil
}

// repairs: a transaction that was cut is put right, though nothing else is left to do.
func repairs(work patch.Work, f fact.Facts) bool {
	return work.Repair && (f.Manager.State == fact.ManagerInterrupted || f.Manager.State == fact.ManagerBroken)
}

// lookAgain is the flow of a host that has nothing left to install, but must be looked
// at again. One that was in doubt may still be drained: it comes back by the same way.
func (w *work) lookAgain(began *rollout.Began, planned plan.Host) {
	switch {
	case w.again(), planned.Recheck != nil && planned.Recheck.Doubted:
		began.Steps, began.Changing = rollout.Flow(nil, w.extras())
	case planned.Recheck != nil:
		began.Steps, began.Changing = rollout.Flow(nil, rollout.Extras{})
	}
}

// set is the frozen patch set this ring is bound to; nil for the first ring.
func (w *work) set() (*patch.PatchSet, error) {
	if w.task.Set == "" {
		return nil, nil //nolint:nilnil // nil means: the plan's own versions hold
	}
	set, ok := w.p.frozen(w.task.Set)
	if !ok {
		return nil, fmt.Errorf("the patch set %s is not in the journal", w.task.Set.Short())
	}
	return &set, nil
}

// driverStep rebuilds the driver's steps from the same facts and work, and performs one.
func (w *work) driverStep(ctx context.Context) (rollout.StepEnded, error) {
	facts, began, err := w.recall()
	if err != nil {
		return rollout.StepEnded{}, err
	}
	driver, ok := w.p.Driver(facts.Platform)
	if !ok {
		return rollout.StepEnded{}, fmt.Errorf("no driver for platform %q", facts.Platform)
	}
	step, err := w.rebuild(driver, facts, began)
	if err != nil {
		return rollout.StepEnded{}, err
	}
	if lost := w.lockLost(ctx, driver, step); lost != nil {
		return *lost, nil
	}
	if w.task.Mode == rollout.Reconcile {
		step = step.Resumed()
	}
	end := ended(apply.Perform(ctx, w.link, step, w.progress))
	end.Notes = append(end.Notes, w.link.keeping()...)
	return end, nil
}

func (w *work) rebuild(driver platform.Driver, facts fact.Facts, began *rollout.Began) (platform.Step, error) {
	steps, err := driver.Steps(facts, began.Work)
	if err != nil {
		return platform.Step{}, fmt.Errorf("rebuild the steps: %w", err)
	}
	i := slices.IndexFunc(steps, func(s platform.Step) bool { return s.ID == w.task.Step })
	if i < 0 {
		return platform.Step{}, fmt.Errorf("the driver of %s has no step %q any more", facts.Platform, w.task.Step)
	}
	return steps[i], nil
}

// How long a lost connection is tried again: briefly before anything was begun, for
// longer once the host was changed, when giving up would leave it unknown.
const (
	briefly = 20 * time.Second
	longer  = 3 * time.Minute
)

func (w *work) detect(ctx context.Context, q platform.Query, patience time.Duration) (fact.Facts, error) {
	w.progress("looking at the host")
	return detect.Again(ctx, w.link.lease, w.task.Host, w.p.Now, w.p.query(w.task.Host, q), patience) //nolint:wrapcheck // names host and step
}

// query asks a host as what it was when the plan was made.
func (p *Performer) query(id fact.HostID, q platform.Query) detect.Query {
	planned, _ := p.Plan.Host(id)
	return detect.Query{Query: q, Library: p.Library, Platform: cmp.Or(planned.Platform, p.Config.Hosts[id].Platform)}
}

func (w *work) progress(line string) {
	if w.p.Progress != nil {
		w.p.Progress(w.task.Host, w.task.Step, line)
	}
}

func names(lists ...[]patch.Update) []string {
	var all []string
	for _, u := range slices.Concat(lists...) {
		all = append(all, u.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
