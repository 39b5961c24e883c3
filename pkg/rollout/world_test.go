package rollout

import (
	"container/heap"
	"errors"
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// scenario is one rollout with everything that will happen to it, drawn beforehand:
// so that one scenario always runs the same way, and can be cut anywhere.
type scenario struct {
	Plan    *plan.Plan
	Scripts map[fact.HostID]script
	Crashes map[uint64]bool  // after which events the process dies; true: its tasks had done their work
	Words   map[uint64]Entry // what a person says after an event
	StopAt  uint64           // Ctrl-C once after this event; 0: never
}

// script is how a host behaves: the outcome and length of each step. What is not
// named goes well and takes a minute.
type script struct {
	Ends  map[platform.StepID]Outcome
	Check health.Verdict
	Takes map[platform.StepID]int
}

func driverSteps() []platform.Step {
	return []platform.Step{{ID: "preflight"}, {ID: "install", Changes: true}, {ID: "reboot", Changes: true}}
}

// world carries a scenario out over the state machine, in virtual time, and keeps
// the truth about the hosts by itself: the rules are checked against that truth, not
// against what the state machine believes.
type world struct {
	scenario
	policy   policy
	state    *State
	events   []Event
	now      time.Time
	queue    queue
	live     map[fact.HostID]bool
	stopping bool
	truth    map[fact.HostID]*truth
	opened   map[string]GateOpened
	phase    Phase // as the words and ends in the journal say
	broken   error // the first rule that was broken
}

// truth is what really happened to one host.
type truth struct {
	ring    plan.Ring
	work    patch.Work
	begun   bool
	effects map[platform.StepID]int // how often a step's effect took place
	touched bool
	final   HostState
	failed  bool
}

func (s *scenario) start(p policy) *world {
	w := &world{
		scenario: *s, policy: p, state: &State{}, now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC),
		live: map[fact.HostID]bool{}, truth: map[fact.HostID]*truth{}, opened: map[string]GateOpened{}, phase: PhaseOpen,
	}
	for _, r := range s.Plan.Rings {
		for _, id := range r.Hosts {
			h, _ := s.Plan.Host(id)
			w.truth[id] = &truth{ring: r, effects: map[platform.StepID]int{}}
			if h.Problem != nil {
				w.truth[id].final = HostUnreachable
			} else if len(h.Install) == 0 {
				w.truth[id].final = HostNothing
			}
		}
	}
	return w
}

var errStuck = errors.New("it goes on for ever, or waits for nothing that has a name")

// run carries the scenario out to its end and gives the first broken rule.
func (s *scenario) run(p policy) (*world, error) {
	w := s.start(p)
	digest, err := plan.Digest(s.Plan)
	if err != nil {
		return w, err
	}
	w.append(Open("2026-11-21-monthly-7f3a", s.Plan, digest))
	for range 20_000 {
		if w.broken != nil {
			return w, w.broken
		}
		w.interrupt()
		d := w.state.decide(Moment{Now: w.now, Live: w.live, Stopping: w.stopping}, w.policy)
		if len(d.Record)+len(d.Do) > 0 {
			w.carryOut(d)
			continue
		}
		if len(w.queue) > 0 {
			w.next()
			continue
		}
		if w.resume() {
			continue
		}
		err := w.finish(d)
		return w, err
	}
	return w, errStuck
}

// interrupt is Ctrl-C, once.
func (w *world) interrupt() {
	if w.StopAt > 0 && uint64(len(w.events)) >= w.StopAt {
		w.stopping, w.StopAt = true, 0
	}
}

// carryOut records and begins. A crash in the middle of it loses the rest; what
// somebody said in the middle of it makes the rest be decided again.
func (w *world) carryOut(d Decision) {
	for _, e := range d.Record {
		if w.append(e) != goesOn {
			return
		}
	}
	for _, t := range d.Do {
		w.checkTask(t)
		came := w.append(StepStarted{Host: t.Host, Step: t.Step, Mode: t.Mode})
		if came != died {
			w.perform(t)
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
func (w *world) append(e Entry) behind {
	kind, payload, err := Marshal(e)
	if err == nil {
		e, err = Unmarshal(kind, payload)
	}
	if err != nil {
		w.fail("%v", err)
		return died
	}
	w.note(e)
	event := Event{Seq: uint64(len(w.events)) + 1, Time: w.now, Actor: "test", Entry: e}
	w.events = append(w.events, event)
	if err := w.state.Fold(event); err != nil {
		w.fail("%v", err)
	}
	if done, crash := w.Crashes[event.Seq]; crash {
		w.crash(done)
		return died
	}
	if word := w.Words[event.Seq]; word != nil && w.state.Check(word) == nil {
		return max(moved, w.append(word))
	}
	return goesOn
}

// note keeps the phase by the journal's words alone.
func (w *world) note(e Entry) {
	switch e := e.(type) {
	case GateOpened:
		w.checkGate(e)
		w.opened[e.Ring] = e
	case Halted:
		w.phase = PhaseHalted
	case Paused:
		w.phase = PhasePaused
	case Resumed:
		w.phase = PhaseOpen
	case Aborted:
		w.phase = PhaseAborted
	case Finished:
		w.phase = PhaseFinished
	}
}

// crash: the process and all that it knew is gone. The tasks at work have done their
// work on the hosts, or had not come to it yet; nobody was told.
func (w *world) crash(done bool) {
	for _, e := range w.queue {
		if !done && e.fresh {
			w.truth[e.task.Host].effects[e.task.Step]--
		}
	}
	w.queue, w.live, w.stopping = nil, map[fact.HostID]bool{}, false
	again := &State{}
	for _, e := range w.events {
		if err := again.Fold(e); err != nil {
			w.fail("folding again: %v", err)
			return
		}
	}
	w.state = again
}

// perform begins a task in the world: a start acts blindly, a reconcile looks first.
func (w *world) perform(t Task) {
	tr := w.truth[t.Host]
	fresh := t.Mode == Start || tr.effects[t.Step] == 0
	if fresh {
		tr.effects[t.Step]++
	}
	tr.touched = tr.touched || t.Step == "install" || t.Step == "reboot"
	w.live[t.Host] = true
	takes := time.Duration(max(1, w.Scripts[t.Host].Takes[t.Step])) * time.Minute
	heap.Push(&w.queue, ending{at: w.now.Add(takes), n: len(w.events), task: t, fresh: fresh})
}

// next lets the earliest task end.
func (w *world) next() {
	e, _ := heap.Pop(&w.queue).(ending)
	w.now = e.at
	delete(w.live, e.task.Host)
	end := w.outcome(e.task)
	w.judge(e.task, end)
	w.append(end)
}

// outcome is what the task tells.
func (w *world) outcome(t Task) StepEnded {
	s := w.Scripts[t.Host]
	end := StepEnded{Host: t.Host, Step: t.Step, Outcome: OutcomeOK, Reasons: []string{"as the script says"}}
	if o, ok := s.Ends[t.Step]; ok {
		end.Outcome = o
	}
	h, _ := w.Plan.Host(t.Host)
	switch {
	case t.Step == FlowBegin && end.Outcome == OutcomeOK:
		end.Began = w.narrow(t)
		if len(end.Began.Work.Install) == 0 {
			end.Outcome = OutcomeNothing
		}
	case t.Step == FlowVerify:
		work := w.truth[t.Host].work
		end.Proven = plan.Proven(h.Domain, work.Install, factsOf(h, work.Install))
	case t.Step == FlowCheck:
		end.Checks = []health.Result{{Check: "nginx", Verdict: health.Pass}, {Check: "disk", Verdict: s.Check}}
	}
	return end
}

// narrow is what the begin step does on a real host.
func (w *world) narrow(t Task) *Began {
	var set *patch.PatchSet
	if t.Set != "" {
		frozen, ok := w.state.Frozen(t.Set)
		if !ok {
			w.fail("rule 5: %s is bound to a set that nobody froze", t.Host)
		}
		set = &frozen
	}
	h, _ := w.Plan.Host(t.Host)
	work, err := plan.Narrow(w.Plan, t.Host, set, factsOf(h, nil))
	if err != nil {
		w.fail("narrow: %v", err)
	}
	w.truth[t.Host].work = work
	steps, changing := Flow(driverSteps())
	return &Began{Work: work, Steps: steps, Changing: changing}
}

// factsOf are the host's facts with these updates installed.
func factsOf(h plan.Host, done []patch.Update) fact.Facts {
	f := fact.Facts{Host: h.ID, Platform: "debian", OS: fact.OS{ID: "debian", VersionID: h.Domain[len("debian "):]}}
	for _, u := range h.Install {
		p := fact.Package{Name: u.Name, Arch: u.Arch, Version: u.From, Status: "installed"}
		for _, d := range done {
			if d.Name == u.Name {
				p.Version = d.To
			}
		}
		f.Packages = append(f.Packages, p)
	}
	return f
}

// resume: a person takes a paused rollout up again, if that is all it waits for.
func (w *world) resume() bool {
	if w.phase == PhasePaused {
		w.append(Resumed{Reason: "well again"})
		return true
	}
	if w.stopping {
		w.stopping = false // run again
		return w.phase == PhaseOpen
	}
	return false
}

func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
	}
}
