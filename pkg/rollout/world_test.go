package rollout

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// scenario is one or more rollouts with everything that will happen to them, drawn
// beforehand: so that one scenario always runs the same way, and can be cut anywhere.
type scenario struct {
	Parts  []part
	Bodies map[fact.HostID]behaviour // of every host, those outside the rings too
}

// part is one rollout of a scenario.
type part struct {
	ID      string
	Folder  int // rollouts of one state folder know what the others hold
	Plan    *plan.Plan
	After   time.Duration     // how long after the beginning it is opened
	Crashes map[uint64]bool   // after which events the process dies; true: its tasks had done their work
	Words   map[uint64][]word // what people say after an event
	Late    []word            // what they say once nothing goes on by itself any more
	StopAt  uint64            // Ctrl-C once after this event; 0: never
	Helped  bool              // somebody does what it waits for
	Prompt  bool              // and does so at once
	// Answers to the inquiries, by "when name"; the last repeats, and without any they pass.
	Answers map[string][]health.Verdict
}

// behaviour is how a host behaves.
type behaviour struct {
	Tries  []script // by try; the last repeats
	Stuck  bool     // its former versions can be had nowhere
	Extras Extras
	Spells []spell
	Pace   int // seconds between the small steps of a begin
}

// script is one try: the outcome and length of each step. A step that is not named goes
// well and takes a minute.
type script struct {
	Ends  map[platform.StepID]Outcome
	Check health.Verdict
	Takes map[platform.StepID]int
}

// spell is a time in which a host is not well by itself, and nobody's work has to do
// with it.
type spell struct {
	From, To time.Duration // since the beginning
	Gone     bool          // it can't be reached; else its checks fail
}

func (b behaviour) try(n int) script {
	if len(b.Tries) == 0 {
		return script{Check: health.Pass}
	}
	return b.Tries[min(n, len(b.Tries))-1]
}

func driverSteps() []platform.Step {
	return []platform.Step{{ID: "preflight"}, {ID: "install", Changes: true}, {ID: "reboot", Changes: true}}
}

// tampered is what a test breaks on purpose; the zero value but for the policy is sound.
type tampered struct {
	policy
	fold                       func(*State, Entry) // does something to the state behind each event
	blind, lookFirst, lockless bool                // how the begin step is performed
}

// world carries a scenario out over the state machine, in virtual time, and keeps
// the truth about the hosts by itself: the rules are checked against that truth, not
// against what the state machine believes.
type world struct {
	scenario
	now    time.Time
	queue  queue
	count  int
	ops    []*operator
	bodies map[fact.HostID]*body
	wakes  int
	small  bool  // what happened last can change no decision
	broken error // the first rule that was broken
}

// beginning is a Saturday evening; the clocks of London change in the night.
var beginning = time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC)

func (s *scenario) start(t tampered) *world {
	w := &world{scenario: *s, now: beginning, bodies: map[fact.HostID]*body{}}
	for id, b := range s.Bodies {
		w.bodies[id] = &body{behaviour: b, installed: map[string]string{}}
	}
	for _, p := range s.Parts {
		w.ops = append(w.ops, newOperator(w, p, t))
	}
	return w
}

var errStuck = errors.New("it goes on for ever, or waits for nothing that has a name")

// Bounds of one run.
const (
	maxTurns = 200_000
	maxWakes = 150 // after so many without anybody's word, it counts as waiting
)

// run carries the scenario out to its end and gives the first broken rule.
func (s *scenario) run(p policy) (*world, error) { return s.runTampered(tampered{policy: p}) }

func (s *scenario) runTampered(t tampered) (*world, error) {
	w := s.start(t)
	for _, o := range w.ops {
		w.after(o.After, o, o.open)
	}
	for range maxTurns {
		switch {
		case w.broken != nil:
			return w, w.broken
		case w.turn(), w.prompt(), w.pass(), w.help():
			continue
		}
		for _, o := range w.ops {
			o.finish()
		}
		return w, w.broken
	}
	return w, errStuck
}

// turn lets each rollout do what it may do now.
func (w *world) turn() bool {
	busy := false
	if w.small {
		w.small = false
		return false
	}
	for _, o := range w.ops {
		if o.phase == PhaseNone {
			continue
		}
		o.interrupt()
		o.said = o.decide()
		if len(o.said.Record)+len(o.said.Do) > 0 {
			o.carryOut(o.said)
			busy = true
		} else {
			o.checkWait(o.said)
		}
	}
	return busy
}

// pass lets time pass until something happens, or a rollout wants to be asked again.
func (w *world) pass() bool {
	wake := time.Time{}
	for _, o := range w.ops {
		if w.wakes < maxWakes {
			wake = sooner(wake, o.said.Wake)
		}
	}
	if len(w.queue) > 0 && (wake.IsZero() || !w.queue[0].at.After(wake)) {
		h, _ := heap.Pop(&w.queue).(happening)
		w.now = h.at
		h.act()
		return true
	}
	if wake.IsZero() {
		return false
	}
	w.wakes++
	w.now = wake
	return true
}

// prompt is the turn of people who do not wait until nothing else goes on.
func (w *world) prompt() bool {
	for _, o := range w.ops {
		asked := slices.ContainsFunc(o.said.Waits, func(wait Wait) bool { return wait.Person })
		if o.Prompt && asked && len(o.live) == 0 && o.help() {
			return true
		}
	}
	return false
}

// help is the turn of people, when nothing goes on by itself.
func (w *world) help() bool {
	for _, o := range w.ops {
		if o.help() {
			w.wakes = 0
			return true
		}
	}
	return false
}

func (w *world) after(d time.Duration, of *operator, act func()) {
	w.count++
	heap.Push(&w.queue, happening{at: w.now.Add(d), n: w.count, of: of, act: act})
}

// drop forgets what a process had under way.
func (w *world) drop(of *operator) {
	w.queue = slices.DeleteFunc(w.queue, func(h happening) bool { return h.of == of })
	heap.Init(&w.queue)
}

func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
	}
}
