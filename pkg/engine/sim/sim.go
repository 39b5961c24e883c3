// Package sim carries rollouts out over hosts that exist only as descriptions, in
// virtual time: for forecasts, and for tests of everything above the hosts. The
// decisions are those of package rollout, the same as for real hosts.
package sim

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// Host is how one host would behave.
type Host struct {
	Domain  string
	Install []patch.Update
	Steps   []platform.Step                     // the driver's
	Ends    map[platform.StepID]rollout.Outcome // what is not named goes well
	Checks  []health.Result                     // of the check step
	Takes   map[platform.StepID]time.Duration   // what is not named takes a minute
}

// Fleet is every host of a rollout.
type Fleet map[fact.HostID]Host

// End says how a task ends, and how long it takes. It is the same each time.
func (f Fleet) End(t rollout.Task) (rollout.StepEnded, time.Duration) {
	h, known := f[t.Host]
	end := rollout.StepEnded{Host: t.Host, Step: t.Step, Outcome: rollout.OutcomeOK}
	if o, ok := h.Ends[t.Step]; ok {
		end.Outcome, end.Reasons = o, []string{"as foreseen"}
	}
	if !known {
		end.Outcome, end.Reasons = rollout.OutcomeUnknown, []string{"nothing is known of this host"}
	}
	switch t.Step {
	case rollout.FlowBegin:
		steps, changing := rollout.Flow(h.Steps)
		end.Began = &rollout.Began{Work: patch.Work{Install: h.Install}, Steps: steps, Changing: changing}
	case rollout.FlowVerify:
		for _, u := range h.Install {
			end.Proven = append(end.Proven, patch.Proven{Domain: h.Domain, Name: u.Name, Arch: u.Arch, Version: u.To})
		}
	case rollout.FlowCheck:
		end.Checks = h.Checks
	}
	takes, ok := h.Takes[t.Step]
	if !ok {
		takes = time.Minute
	}
	return end, takes
}

// Perform makes a Fleet an engine's Performer: it waits as long as the step takes. In
// a testing/synctest bubble that is no time at all.
func (f Fleet) Perform(ctx context.Context, t rollout.Task) (rollout.Entry, error) {
	end, takes := f.End(t)
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return end, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("perform %s on %s: %w", t.Step, t.Host, ctx.Err())
	}
}

// Play carries a rollout out from its beginning, without a journal, a goroutine or a
// clock. It gives every event with its virtual time, and what is waited for at the
// end. Its cost grows with the number of events.
func Play(opened rollout.Opened, at time.Time, f Fleet) ([]rollout.Event, *rollout.State, []rollout.Wait, error) {
	p := &play{fleet: f, state: &rollout.State{}, now: at, live: map[fact.HostID]bool{}}
	if err := p.add(opened); err != nil {
		return nil, nil, nil, err
	}
	for {
		d := p.state.Decide(rollout.Moment{Now: p.now, Live: p.live})
		if len(d.Record)+len(d.Do) == 0 && len(p.queue) == 0 {
			return p.events, p.state, d.Waits, nil
		}
		if err := p.carryOut(d); err != nil {
			return p.events, p.state, d.Waits, err
		}
	}
}

type play struct {
	fleet  Fleet
	state  *rollout.State
	events []rollout.Event
	now    time.Time
	queue  queue
	live   map[fact.HostID]bool
}

var errStuck = errors.New("the rollout stands still")

// carryOut does what was decided; when that is nothing, the earliest task ends.
func (p *play) carryOut(d rollout.Decision) error {
	if len(d.Record)+len(d.Do) == 0 {
		next, ok := heap.Pop(&p.queue).(ending)
		if !ok {
			return errStuck
		}
		p.now = next.at
		delete(p.live, next.entry.Host)
		return p.add(next.entry)
	}
	for _, e := range d.Record {
		if err := p.add(e); err != nil {
			return err
		}
	}
	for _, t := range d.Do {
		if err := p.add(rollout.StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode}); err != nil {
			return err
		}
		end, takes := p.fleet.End(t)
		p.live[t.Host] = true
		heap.Push(&p.queue, ending{at: p.now.Add(takes), seq: p.state.Seq(), entry: end})
	}
	return nil
}

func (p *play) add(e rollout.Entry) error {
	event := rollout.Event{Seq: p.state.Seq() + 1, Time: p.now, Actor: "forecast", Entry: e}
	if err := p.state.Fold(event); err != nil {
		return fmt.Errorf("play: %w", err)
	}
	p.events = append(p.events, event)
	return nil
}

// ending is a task that will end; of two that end together, the one begun first.
type ending struct {
	at    time.Time
	seq   uint64
	entry rollout.StepEnded
}

// queue is a heap, the earliest ending first.
type queue []ending

func (q *queue) Len() int      { return len(*q) }
func (q *queue) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }
func (q *queue) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.seq < b.seq
}

func (q *queue) Push(x any) {
	if e, ok := x.(ending); ok {
		*q = append(*q, e)
	}
}

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
