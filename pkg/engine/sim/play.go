package sim

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// Horizon is how far is played where nobody says otherwise.
const Horizon = 60 * 24 * time.Hour

// Played is where a rollout stands when nothing happens to it any more, or at the horizon.
type Played struct {
	State *rollout.State
	Waits []rollout.Wait
	At    time.Time // of the last thing that happened; Cut: the horizon
	Cut   bool      // something would still happen behind the horizon
}

// Play carries a rollout out from its beginning, over hosts alone, with everybody who
// is asked for an approval giving it at once. It gives every event with its virtual
// time, and what is waited for at the end.
func Play(opened rollout.Opened, at time.Time, f Fleet) ([]rollout.Event, *rollout.State, []rollout.Wait, error) {
	var events []rollout.Event
	played, err := (&World{Fleet: f}).Play(opened, at, time.Time{}, func(e rollout.Event, _ *rollout.State) { events = append(events, e) })
	return events, played.State, played.Waits, err
}

// Play carries a rollout out, without a journal, a goroutine or a clock: where nothing
// is to be done, the next thing that will happen makes the time. It ends when nothing
// will, or at until (zero: a Horizon). each, where not nil, is told of every event with
// the state after it, which must not be kept. Its cost grows with the number of events.
func (w *World) Play(opened rollout.Opened, from, until time.Time, each func(rollout.Event, *rollout.State)) (Played, error) {
	p := w.play(opened, from, until)
	if each != nil {
		p.each = each
	}
	return p.run(opened)
}

func (w *World) play(opened rollout.Opened, from, until time.Time) *play {
	if until.IsZero() {
		until = from.Add(Horizon)
	}
	p := &play{
		World: w, state: &rollout.State{}, now: from, until: until, live: map[string]bool{},
		people: map[string]*people{}, actor: w.Starter,
		each:    func(rollout.Event, *rollout.State) {},
		decided: func(rollout.Decision) {},
	}
	if p.actor == "" {
		p.actor = forecaster
	}
	for _, r := range opened.Rings {
		if r.Gate.Approval != nil {
			p.people[r.Name] = &people{Approval: *r.Gate.Approval}
		}
	}
	return p
}

// forecaster opens a rollout that nobody has started yet, and types what people say.
const (
	forecaster = "forecast"
	typist     = "forecast: approver"
)

type play struct {
	*World
	state   *rollout.State
	seen    census
	now     time.Time
	until   time.Time
	queue   queue
	begun   uint64 // how many tasks: of two that end together, the earlier comes first
	asked   int    // questions in a row without any time going by
	live    map[string]bool
	people  map[string]*people // by the ring that they have not approved of
	actor   string
	each    func(rollout.Event, *rollout.State)
	decided func(rollout.Decision) // told before anything of it is carried out
}

// people who are asked for an approval.
type people struct {
	plan.Approval
	asked   bool
	expires time.Time // of what they gave
}

var errStuck = errors.New("the rollout stands still, and nothing is said to end that")

// mostAsked bounds how often questions may be asked again at one moment.
const mostAsked = 1000

func (p *play) run(opened rollout.Opened) (Played, error) {
	if err := p.add(opened); err != nil {
		return p.stands(rollout.Decision{}, false), err
	}
	if err := p.trust(opened.Trust); err != nil {
		return p.stands(rollout.Decision{}, false), err
	}
	for {
		d := p.state.Decide(rollout.Moment{Now: p.now, Live: p.live})
		p.decided(d)
		if len(d.Record)+len(d.Do) > 0 {
			if err := p.carryOut(d); err != nil {
				return p.stands(d, false), err
			}
			continue
		}
		on, err := p.listen(d)
		if !on && err == nil {
			on, err = p.pass(d)
		}
		if !on || err != nil {
			return p.stands(d, len(p.queue) > 0 || !d.Wake.IsZero()), err
		}
	}
}

// trust lets what people will sign count, and the starter be known where that matters.
func (p *play) trust(demanded plan.Trust) error {
	p.state.Trust(func(rollout.Approved, time.Time) error { return nil })
	if !demanded.FourEyes {
		return nil
	}
	return p.add(rollout.Sealed{Seq: 1, Line: patch.DigestOf(nil), Why: "opened", Key: p.actor, Signature: forecaster})
}

func (p *play) stands(d rollout.Decision, cut bool) Played {
	return Played{State: p.state, Waits: d.Waits, At: p.now, Cut: cut}
}

// carryOut does what was decided.
func (p *play) carryOut(d rollout.Decision) error {
	for _, e := range d.Record {
		if err := p.add(e); err != nil {
			return err
		}
	}
	for _, t := range d.Do {
		if t.Ask == "" {
			if err := p.add(rollout.StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode, Try: t.Try}); err != nil {
				return err
			}
		}
		p.live[t.Key()] = true
		p.foresee(coming{at: p.now.Add(p.takes(t)), task: t})
	}
	return nil
}

func (p *play) foresee(c coming) {
	p.begun++
	c.n = p.begun
	heap.Push(&p.queue, c)
}

// pass lets time go by until something happens; false: nothing will, or not before the
// horizon. Everything of that moment happens before the next decision, else hosts that
// go side by side would be decided about one by one.
func (p *play) pass(d rollout.Decision) (bool, error) {
	next := d.Wake
	if len(p.queue) > 0 && (next.IsZero() || !next.After(p.now) || p.queue[0].at.Before(next)) {
		next = p.queue[0].at
	}
	switch {
	case next.IsZero():
		return false, nil
	case next.After(p.until):
		p.now = p.until
		return false, nil
	case len(p.queue) == 0 && !next.After(p.now):
		return false, errStuck
	}
	if p.asked++; next.After(p.now) {
		p.asked = 0
	}
	if p.asked > mostAsked {
		return false, fmt.Errorf("%w: %v", errStuck, d.Waits)
	}
	p.now = next
	for len(p.queue) > 0 && !p.queue[0].at.After(p.now) {
		c, _ := heap.Pop(&p.queue).(coming)
		if err := p.happen(c); err != nil {
			return false, err
		}
	}
	return true, nil
}

// happen lets come what was foreseen. An answer may mean nothing any more.
func (p *play) happen(c coming) error {
	if c.ring != "" {
		_, err := p.approve(c.ring)
		return err
	}
	delete(p.live, c.task.Key())
	end := p.end(&p.seen, c.task, p.now)
	if stale := c.task.Ask != "" && p.state.Check(end) != nil; stale {
		return nil
	}
	return p.add(end)
}

// listen asks people for what the rollout waits for; true: they said something.
func (p *play) listen(d rollout.Decision) (bool, error) {
	said := false
	for _, w := range d.Waits {
		gave, err := p.askFor(w.Ring)
		if err != nil {
			return false, err
		}
		said = said || gave
	}
	if said || p.Say == nil {
		return said, nil
	}
	for _, e := range p.Say(p.now, p.state, d.Waits) {
		if refused := p.state.Check(e); refused != nil {
			continue
		}
		said = true
		if err := p.add(e); err != nil {
			return false, err
		}
	}
	return said, nil
}

// askFor asks for a ring's approval, once, and again when what was given has run out.
func (p *play) askFor(ring string) (bool, error) {
	who := p.people[ring]
	if who == nil || who.asked && (who.expires.IsZero() || p.now.Before(who.expires)) {
		return false, nil
	}
	who.asked, who.expires = true, time.Time{}
	if p.Approve == nil {
		return p.approve(ring)
	}
	at := p.Approve(ring, p.now)
	switch {
	case at.IsZero():
		return false, nil
	case at.After(p.now):
		p.foresee(coming{at: at, ring: ring})
		return false, nil
	}
	return p.approve(ring)
}

// approve is the word of as many of a ring's approvers as it takes. The starter is no
// approver.
func (p *play) approve(ring string) (bool, error) {
	who := p.people[ring]
	if who == nil { // the gate has opened meanwhile
		return false, nil
	}
	given := 0
	for _, as := range slices.Compact(slices.Sorted(slices.Values(who.People))) {
		e, err := p.state.Approve(ring, typist+" for "+as, as, "as foreseen", true, p.now)
		if err != nil || given == who.Count {
			continue
		}
		if p.state.Opening().Trust.Approvals {
			e.Signature, e.Key = forecaster, as
		}
		if err := p.add(e); err != nil {
			return false, err
		}
		given++
		who.expires = e.Expires
	}
	return given > 0, nil
}

func (p *play) add(e rollout.Entry) error {
	event := rollout.Event{Seq: p.state.Seq() + 1, Time: p.now, Actor: p.actor, Entry: e}
	if err := p.state.Fold(event); err != nil {
		return fmt.Errorf("play: %w", err)
	}
	switch e := e.(type) {
	case rollout.GateOpened:
		delete(p.people, e.Ring)
	case rollout.Retried: // what the rings would get is another set now
		for _, who := range p.people {
			who.asked = false
		}
	}
	p.each(event, p.state)
	return nil
}
