package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Run does everything that is allowed now, and returns when nothing is left to do and
// nothing is at work: the rollout is finished, halted, paused, aborted, or waits. The
// waits say for what. With Patience it stays, and goes on when a time has come, or when
// somebody has said something.
//
//   - stop closed (nil: never): no further host is begun, those at work come to their end.
//   - ctx ended: it returns at once with an error that says what still runs where. Nothing
//     is lost: the steps are open in the journal, and the next Run looks at them.
//   - The journal can't be written: nothing further begins, the steps at work end, and the
//     error says why.
//
// The state is never nil, and is that of the last event.
func (e *Engine) Run(ctx context.Context, stop <-chan struct{}) (*rollout.State, []rollout.Wait, error) {
	r := &run{Engine: e, state: &rollout.State{}, live: map[string]bool{}, ended: make(chan done), stop: stop}
	r.state.Trust(e.Vouch)
	if err := catchUp(ctx, e.Journal, r.state, nil); err != nil {
		return r.state, nil, err
	}
	r.until = e.now().Add(e.Patience)
	waits, err := r.loop(ctx)
	return r.state, waits, errors.Join(err, r.unshared)
}

// run is one call of Run. All of it but the performing happens in one goroutine.
type run struct {
	*Engine
	state    *rollout.State
	live     map[string]bool // by Task.Key
	ended    chan done
	stop     <-chan struct{} // nil once it was seen closed
	stopping bool
	until    time.Time // how long to wait for a time to come
	others   map[fact.HostID]string
	held     []fact.HostID // what others of the state folder see us hold
	shared   bool          // held is known to be what they see
	unshared error         // why it can't be shared with them; nil: it can
	told     []rollout.Wait
	toldAt   time.Time
}

// done is a task that came to its end.
type done struct {
	task  rollout.Task
	entry rollout.Entry
	err   error
}

func (r *run) loop(ctx context.Context) ([]rollout.Wait, error) {
	for {
		d, err := r.advance(ctx)
		if err != nil {
			return nil, r.give(ctx, err)
		}
		timer, wait := r.patience(d)
		if len(r.live) == 0 {
			if !wait {
				return d.Waits, nil
			}
			r.tellIdle(d.Waits)
		}
		err = r.next(ctx, timer)
		if timer != nil {
			timer.Stop()
		}
		if err != nil {
			return nil, err
		}
	}
}

// next waits for whatever comes first: the end of a task, a word to stop, a time.
func (r *run) next(ctx context.Context, timer *time.Timer) error {
	var wake <-chan time.Time
	if timer != nil {
		wake = timer.C
	}
	select {
	case <-ctx.Done():
		return r.left(ctx.Err())
	case <-r.stop: // for advance to heed
	case <-wake:
		r.others = nil // they may have let go of something: ask again
		if err := catchUp(ctx, r.Journal, r.state, r.Observe); err != nil {
			return r.give(ctx, err)
		}
	case d := <-r.ended:
		// When ctx has ended, this end may only be the context's. No journal takes
		// anything then, so the step stays open.
		if err := r.settle(ctx, r.drain(d)); err != nil {
			return r.give(ctx, err)
		}
	}
	return nil
}

// tellIdle says what is waited for, unless it was said already or just now.
func (r *run) tellIdle(waits []rollout.Wait) {
	now := r.now()
	if r.Idle == nil || slices.Equal(waits, r.told) || now.Sub(r.toldAt) < time.Minute {
		return
	}
	r.told, r.toldAt = waits, now
	r.Idle(waits)
}

// listen is how often a run that waits reads what others have said in the journal.
const listen = 5 * time.Second

// patience gives the timer to wait with, if waiting is worth while: a time will come,
// or somebody may say something, before the run has to return. While tasks are under
// way the timer only wakes them that wait for a time.
func (r *run) patience(d rollout.Decision) (*time.Timer, bool) {
	now := r.now()
	stay := !r.stopping && r.state.Phase() == rollout.PhaseOpen && now.Before(r.until)
	switch wake := max(time.Millisecond, d.Wake.Sub(now)); {
	case stay && d.Wake.IsZero():
		return time.NewTimer(listen), true
	case stay:
		return time.NewTimer(min(listen, wake)), true
	case len(r.live) > 0 && !d.Wake.IsZero():
		return time.NewTimer(wake), false
	}
	return nil, false
}

// advance decides and begins until there is nothing to begin any more. When others
// have appended meanwhile, it reads that and decides again: so a pause that stands in
// the journal holds for the next step already.
func (r *run) advance(ctx context.Context) (rollout.Decision, error) {
	for {
		r.heed()
		if err := r.seal(ctx, r.state); err != nil {
			return rollout.Decision{}, err
		}
		d := r.decide()
		if len(d.Record)+len(d.Do) == 0 && !r.releases() {
			return d, nil
		}
		d, err := r.commit(ctx, d)
		if errors.Is(err, journal.ErrMoved) {
			if err := catchUp(ctx, r.Journal, r.state, r.Observe); err != nil {
				return d, err
			}
			continue
		}
		if err != nil {
			return d, err
		}
		for _, t := range d.Do {
			r.begin(ctx, t)
		}
	}
}

func (r *run) decide() rollout.Decision {
	return r.state.Decide(rollout.Moment{Now: r.now(), Live: r.live, Stopping: r.stopping, Others: r.others})
}

// commit journals what was decided: what is to be recorded, and the start of each step
// with a side effect. Where hosts are begun under a budget that other rollouts share, it
// decides anew while nobody else may, and gives what it then decided.
//
// Where that can't be shared with the others, no host is begun, and the error is told at
// the end: those at work must come to their end all the same.
func (r *run) commit(ctx context.Context, d rollout.Decision) (rollout.Decision, error) {
	if !r.reserves(d) {
		return d, r.append(ctx, r.state, entriesOf(d))
	}
	d, err := r.reserve(ctx, d)
	if err == nil || errors.Is(err, journal.ErrMoved) || ctx.Err() != nil || errors.Is(err, errAppend) {
		return d, err
	}
	r.unshared, r.stopping = err, true
	return rollout.Decision{}, nil
}

// errAppend marks a journal that could not be written: that ends the run.
var errAppend = errors.New("append to the journal")

func (r *run) reserve(ctx context.Context, d rollout.Decision) (rollout.Decision, error) {
	err := r.Reserve.Reserve(ctx, func(others map[fact.HostID]string) ([]fact.HostID, func() error, error) {
		r.others = others
		d = r.decide()
		hold := r.hold(d)
		return hold, func() error {
			if err := r.append(ctx, r.state, entriesOf(d)); err != nil {
				return fmt.Errorf("%w: %w", errAppend, err)
			}
			r.held, r.shared = hold, true
			return nil
		}, nil
	})
	if err != nil {
		return d, fmt.Errorf("keep to the budgets of all rollouts: %w", err)
	}
	return d, nil
}

// reserves tells whether others must know before this is carried out.
func (r *run) reserves(d rollout.Decision) bool {
	return r.Reserve != nil && r.unshared == nil && r.state.Budgeted() && (r.begins(d) || r.releases())
}

func (r *run) begins(d rollout.Decision) bool {
	return slices.ContainsFunc(d.Do, func(t rollout.Task) bool { return t.Ask == "" && t.Step == rollout.FlowBegin })
}

// releases: others don't know yet what we hold, or a host that they count as held by us
// is out no longer.
func (r *run) releases() bool {
	if r.Reserve == nil || r.unshared != nil || !r.state.Budgeted() {
		return false
	}
	return !r.shared || !slices.Equal(r.held, r.state.Held())
}

// hold is what we hold once d is carried out.
func (r *run) hold(d rollout.Decision) []fact.HostID {
	held := r.state.Held()
	for _, t := range d.Do {
		if t.Ask == "" {
			held = append(held, t.Host)
		}
	}
	slices.SortFunc(held, fact.HostID.Compare)
	return slices.Compact(held)
}

// entriesOf are what a decision journals. A question has no side effect, and is not.
func entriesOf(d rollout.Decision) []rollout.Entry {
	entries := slices.Clone(d.Record)
	for _, t := range d.Do {
		if t.Ask == "" {
			entries = append(entries, rollout.StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode, Try: t.Try})
		}
	}
	return entries
}

// heed looks at stop before anything is decided: it may have been closed before Run
// was called, and where a step has ended as well, loop's select may take that first.
func (r *run) heed() {
	select {
	case <-r.stop:
		r.stop, r.stopping = nil, true
	default:
	}
}

// begin performs a task in a goroutine of its own; how many there are is Decide's.
func (r *run) begin(ctx context.Context, t rollout.Task) {
	r.live[t.Key()] = true
	go func() {
		entry, err := r.Performer.Perform(ctx, t)
		select {
		case r.ended <- done{t, entry, err}:
		case <-ctx.Done(): // Run has left, or is about to
		}
	}()
}

// drain takes what else has ended by now, so that one append takes it all.
func (r *run) drain(first done) []done {
	all := []done{first}
	for {
		select {
		case d := <-r.ended:
			all = append(all, d)
		default:
			return all
		}
	}
}

// settle journals how tasks ended. An answer that means nothing any more, because the
// rollout moved on while it was asked for, is dropped.
func (r *run) settle(ctx context.Context, ended []done) error {
	for _, d := range ended {
		delete(r.live, d.task.Key())
	}
	if len(r.live) == 0 {
		r.others = nil
	}
	for {
		var entries []rollout.Entry
		for _, d := range ended {
			if e := d.outcome(); d.task.Ask == "" || r.state.Check(e) == nil {
				entries = append(entries, e)
			}
		}
		err := r.append(ctx, r.state, entries)
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		if err := catchUp(ctx, r.Journal, r.state, r.Observe); err != nil {
			return err
		}
	}
}

// outcome is the entry of a task's end. Whatever is not clearly the end of this very
// task is unknown.
func (d done) outcome() rollout.Entry {
	switch {
	case d.err != nil:
		return d.unknown(fault.CodeOf(d.err), d.err.Error())
	case d.task.Ask != "":
		return d.answer()
	}
	end, ok := d.entry.(rollout.StepEnded)
	if !ok || end.Host != d.task.Host || end.Step != d.task.Step {
		return d.unknown(fault.Internal, "the performer answered for something else")
	}
	return end
}

func (d done) answer() rollout.Entry {
	switch e := d.entry.(type) {
	case rollout.Sampled:
		if d.task.Ask == rollout.AskSample && e.Ring == d.task.Ring {
			return e
		}
	case rollout.Asked:
		if d.task.Ask == rollout.Ask("check:"+e.Check) && e.Ring == d.task.Ring && e.When == d.task.When {
			return e
		}
	}
	return d.unknown(fault.Internal, "the performer answered for something else")
}

func (d done) unknown(code fault.Code, why string) rollout.Entry {
	const most = 500
	why = remote.Clean(why, most)
	name, check := strings.CutPrefix(string(d.task.Ask), "check:")
	switch {
	case check:
		return rollout.Asked{Ring: d.task.Ring, Check: name, When: d.task.When, Seen: why}
	case d.task.Ask == rollout.AskSample:
		return rollout.Sampled{Ring: d.task.Ring, Unknown: 1}
	}
	return rollout.StepEnded{
		Host: d.task.Host, Step: d.task.Step, Outcome: rollout.OutcomeUnknown,
		Code: code, Reasons: []string{why},
	}
}

// give waits for the steps at work after something went wrong with the journal. Their
// ends can't be written down, so the next Run looks at them again.
func (r *run) give(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return r.left(ctx.Err())
	}
	for waiting := len(r.live); waiting > 0; waiting-- {
		select {
		case <-ctx.Done():
			return r.left(ctx.Err())
		case <-r.ended:
		}
	}
	return r.left(cause)
}

// left says what is still under way where.
func (r *run) left(cause error) error {
	at := r.state.AtWork()
	if len(at) == 0 {
		return cause
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.CodeOf(cause), Err: cause,
		What: fmt.Sprintf("left while %d hosts were at work: %s", len(at), strings.Join(at, ", ")),
		Hint: "what was begun goes on there by itself; run the same command again, and it carries on",
	}
}
