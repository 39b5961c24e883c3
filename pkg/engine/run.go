package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Run does everything that is allowed now, and returns when nothing is left to do and
// nothing is at work: the rollout is finished, halted, paused, aborted, or waits. The
// waits say for what.
//
//   - stop closed (nil: never): no further host is begun, those at work come to their end.
//   - ctx ended: it returns at once with an error that says what still runs where. Nothing
//     is lost: the steps are open in the journal, and the next Run looks at them.
//   - The journal can't be written: nothing further begins, the steps at work end, and the
//     error says why.
//
// The state is never nil, and is that of the last event.
func (e *Engine) Run(ctx context.Context, stop <-chan struct{}) (*rollout.State, []rollout.Wait, error) {
	r := &run{Engine: e, state: &rollout.State{}, live: map[fact.HostID]bool{}, ended: make(chan done), stop: stop}
	if err := catchUp(ctx, e.Journal, r.state, nil); err != nil {
		return r.state, nil, err
	}
	waits, err := r.loop(ctx)
	return r.state, waits, err
}

// run is one call of Run. All of it but the performing happens in one goroutine.
type run struct {
	*Engine
	state    *rollout.State
	live     map[fact.HostID]bool
	ended    chan done
	stop     <-chan struct{} // nil once it was seen closed
	stopping bool
}

// done is a task that came to its end.
type done struct {
	task  rollout.Task
	entry rollout.Entry
	err   error
}

func (r *run) loop(ctx context.Context) ([]rollout.Wait, error) {
	for {
		waits, err := r.advance(ctx)
		if err != nil {
			return nil, r.give(ctx, err)
		}
		if len(r.live) == 0 {
			return waits, nil
		}
		select {
		case <-ctx.Done():
			return nil, r.left(ctx.Err())
		case <-r.stop: // for advance to heed
		case d := <-r.ended:
			// When ctx has ended, this end may only be the context's. No journal takes
			// anything then, so the step stays open.
			if err := r.settle(ctx, r.drain(d)); err != nil {
				return nil, r.give(ctx, err)
			}
		}
	}
}

// advance decides and begins until there is nothing to begin any more. When others
// have appended meanwhile, it reads that and decides again: so a pause that stands in
// the journal holds for the next step already.
func (r *run) advance(ctx context.Context) ([]rollout.Wait, error) {
	for {
		r.heed()
		d := r.state.Decide(rollout.Moment{Now: r.now(), Live: r.live, Stopping: r.stopping})
		if len(d.Record)+len(d.Do) == 0 {
			return d.Waits, nil
		}
		entries := d.Record
		for _, t := range d.Do {
			entries = append(entries, rollout.StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode})
		}
		err := r.append(ctx, r.state, entries)
		if errors.Is(err, journal.ErrMoved) {
			if err := catchUp(ctx, r.Journal, r.state, r.Observe); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, t := range d.Do {
			r.begin(ctx, t)
		}
	}
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
	r.live[t.Host] = true
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

// settle journals how steps ended.
func (r *run) settle(ctx context.Context, ended []done) error {
	var entries []rollout.Entry
	for _, d := range ended {
		delete(r.live, d.task.Host)
		entries = append(entries, d.outcome())
	}
	for {
		err := r.append(ctx, r.state, entries)
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		if err := catchUp(ctx, r.Journal, r.state, r.Observe); err != nil {
			return err
		}
	}
}

// outcome is the entry of a step's end. Whatever is not clearly the end of this very
// step is unknown.
func (d done) outcome() rollout.StepEnded {
	if d.err != nil {
		return d.unknown(fault.CodeOf(d.err), d.err.Error())
	}
	end, ok := d.entry.(rollout.StepEnded)
	if !ok || end.Host != d.task.Host || end.Step != d.task.Step {
		return d.unknown(fault.Internal, "the performer answered for something else")
	}
	return end
}

func (d done) unknown(code fault.Code, why string) rollout.StepEnded {
	const most = 500
	return rollout.StepEnded{
		Host: d.task.Host, Step: d.task.Step, Outcome: rollout.OutcomeUnknown,
		Code: code, Reasons: []string{remote.Clean(why, most)},
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
