package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// starter opens every rollout of these tests.
const starter = "sam@laptop"

// operator is one rollout: its journal, the process that carries it out, and the truth
// about what it has done.
type operator struct {
	part
	tampered
	w        *world
	opening  Opened
	state    *State
	events   []Event
	said     Decision
	live     map[string]bool
	flights  map[string]*flight
	stopping bool
	stopAt   uint64
	helps    int
	late     []word
	truth    map[fact.HostID]*truth
	phase    Phase // as the words and ends in the journal say
	heard
}

// flight is a task under way.
type flight struct {
	task  Task
	asked time.Time
}

// heard is what the journal told about gates, kept apart from the state's own books.
type heard struct {
	opened    map[string]GateOpened
	samples   map[string][]sighted
	answers   map[string][]answered
	approved  []Approved
	waived    []Waived
	calendar  schedule.Calendar
	override  WindowOverridden
	retried   time.Time
	turned    time.Time            // when hosts were last to be taken back
	promised  map[string]time.Time // by ring: it opens not before
	sampledAt map[string]time.Time // when the last sample was asked for
	askedAt   map[string]time.Time
}

// sighted is one sample, answered one answer: when it was asked for, and told.
type (
	sighted struct {
		Sampled
		asked, at time.Time
	}
	answered struct {
		Asked
		asked, at time.Time
	}
)

func newOperator(w *world, p part, t tampered) *operator {
	o := &operator{
		part: p, tampered: t, w: w, state: &State{}, live: map[string]bool{}, flights: map[string]*flight{},
		truth: map[fact.HostID]*truth{}, stopAt: p.StopAt, late: p.Late,
		heard: heard{
			opened: map[string]GateOpened{}, samples: map[string][]sighted{}, answers: map[string][]answered{},
			promised: map[string]time.Time{}, sampledAt: map[string]time.Time{}, askedAt: map[string]time.Time{},
		},
	}
	for _, r := range p.Plan.Rings {
		for _, id := range r.Hosts {
			h, _ := p.Plan.Host(id)
			tr := &truth{ring: r, planned: h, try: 1, effects: map[effect]int{}}
			switch {
			case h.Problem != nil:
				tr.final = HostUnreachable
			case h.Idle():
				tr.final = HostNothing
			}
			o.truth[id] = tr
		}
	}
	return o
}

func (o *operator) open() {
	digest, err := plan.Digest(o.Plan)
	if err != nil {
		o.w.fail("%v", err)
		return
	}
	o.opening = Open(o.ID, o.Plan, digest)
	o.append(o.opening)
}

// moment is now, with what the other rollouts of the state folder hold.
func (o *operator) moment() Moment {
	m := Moment{Now: o.w.now, Live: o.live, Stopping: o.stopping}
	for _, other := range o.w.ops {
		if other == o || other.Folder != o.Folder {
			continue
		}
		for _, id := range other.state.Held() {
			if m.Others == nil {
				m.Others = map[fact.HostID]string{}
			}
			m.Others[id] = HeldBy + other.ID
		}
	}
	return m
}

func (o *operator) decide() Decision { return o.state.decide(o.moment(), o.policy) }

// interrupt is Ctrl-C, once.
func (o *operator) interrupt() {
	if o.stopAt > 0 && uint64(len(o.events)) >= o.stopAt {
		o.stopping, o.stopAt = true, 0
	}
}

// carryOut records and begins. A crash in the middle of it loses the rest; what
// somebody said in the middle of it makes the rest be decided again.
func (o *operator) carryOut(d Decision) {
	for _, e := range d.Record {
		if o.append(e) != goesOn {
			return
		}
	}
	for _, t := range d.Do {
		if t.Ask != "" {
			o.ask(t)
			continue
		}
		o.checkTask(t)
		came := o.append(StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode, Try: t.Try})
		switch done := o.Crashes[uint64(len(o.events))]; {
		case came != died:
			o.perform(t)
		case done: // the step was on its way when the process died
			o.touch(t)
			o.effect(t)
		}
		if came != goesOn {
			return
		}
	}
}

// what came behind an event.
type behind uint8

const (
	goesOn behind = iota
	moved         // somebody else appended
	died          // the process ended
)

// append journals an entry as it would come back from the file.
func (o *operator) append(e Entry) behind {
	kind, payload, err := Marshal(e)
	if err == nil {
		e, err = Unmarshal(kind, payload)
	}
	if err != nil {
		o.w.fail("%v", err)
		return died
	}
	o.note(e)
	event := Event{Seq: uint64(len(o.events)) + 1, Time: o.w.now, Actor: starter, Entry: e}
	o.events = append(o.events, event)
	if err := o.foldIn(event); err != nil {
		o.w.fail("%v", err)
	}
	if done, crash := o.Crashes[event.Seq]; crash {
		o.crash(done)
		return died
	}
	came := goesOn
	for _, said := range o.Words[event.Seq] {
		if o.speak(said) {
			came = moved
		}
	}
	return came
}

func (o *operator) foldIn(e Event) error {
	if err := o.state.Fold(e); err != nil {
		return err
	}
	if o.fold != nil {
		o.fold(o.state, e.Entry)
	}
	return nil
}

// note keeps the journal's words alone.
func (o *operator) note(e Entry) {
	switch e := e.(type) {
	case Opened:
		o.phase, o.calendar = PhaseOpen, e.Calendar
	case GateOpened:
		o.checkGate(e)
		o.opened[e.Ring] = e
	case Halted:
		o.phase = PhaseHalted
	case Paused:
		o.phase = PhasePaused
	case Resumed:
		o.phase = PhaseOpen
	case Aborted:
		o.phase = PhaseAborted
	case Finished:
		o.checkFinished()
		o.phase = PhaseFinished
	case Retried:
		o.retry(e)
	case RollbackAsked:
		o.turnBack(e)
	default:
		o.noteForGate(e)
	}
}

func (o *operator) noteForGate(e Entry) {
	switch e := e.(type) {
	case CalendarSet:
		o.calendar = e.Calendar
	case WindowOverridden:
		o.override = e
	case Approved:
		o.approved = append(o.approved, e)
	case Waived:
		o.waived = append(o.waived, e)
	case Sampled:
		o.samples[e.Ring] = append(o.samples[e.Ring], sighted{e, o.sampledAt[e.Ring], o.w.now})
	case Asked:
		key := askedOf(e.Ring, e.Check, e.When)
		o.answers[key] = append(o.answers[key], answered{e, o.askedAt[key], o.w.now})
	}
}

// crash: the process and all that it knew is gone. The tasks at work have done their
// work on the hosts, or had not come to it yet; nobody was told.
func (o *operator) crash(done bool) {
	o.w.drop(o)
	for _, f := range o.sortedFlights() {
		if done && f.task.Ask == "" {
			o.effect(f.task)
		}
	}
	o.live, o.flights, o.stopping = map[string]bool{}, map[string]*flight{}, false
	o.state = &State{}
	for _, e := range o.events {
		if err := o.foldIn(e); err != nil {
			o.w.fail("folding again: %v", err)
			return
		}
	}
}

// frozen is the set that a task is bound to; nil: the first ring's.
func (o *operator) frozen(t Task) *patch.PatchSet {
	if t.Set == "" {
		return nil
	}
	set, ok := o.state.Frozen(t.Set)
	if !ok {
		o.w.fail("rule 5: %s is bound to a set that nobody froze", t.Host)
	}
	return &set
}
