package rollout

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Moment is what Decide must know that no journal tells.
type Moment struct {
	Now time.Time
	// Live are the hosts that this process is performing a task for. A host whose step is
	// open but which is not live was left behind by a process that ended.
	Live map[fact.HostID]bool
	// Stopping: begin no further host, bring those at work to their end.
	Stopping bool
}

// Decide says what to do now. It is policy over the state: it changes nothing, and
// the same state and moment always give the same decision.
func (s *State) Decide(m Moment) Decision { return s.decide(m, sound()) }

// policy holds the choices that the rules of DESIGN.md section 3 rest on, one
// function a choice, so that a test can break each of them by itself.
type policy struct {
	gate    func(*State, *ring) verdict        // rule 1: whether a ring may be begun
	freeze  func(*State, *ring) patch.PatchSet // rule 5: what it may install
	set     func(*ring) patch.Digest           // rule 5: the set that a task is bound to
	tripped func(*ring) bool                   // rule 3: past the failure limit
	room    func(*ring) int                    // rule 3: how many further hosts may start now
	next    func(*ring, []*host, int) []int    // which ones: batches, in order
	mode    func(*host) Mode                   // rule 4: begin a step, or look at what was left
	carryOn func(*State) bool                  // rule 6: hosts at work go on
}

func sound() policy {
	return policy{
		gate:    (*State).judge,
		freeze:  (*State).freeze,
		set:     func(r *ring) patch.Digest { return r.gate.Set },
		tripped: (*ring).tripped,
		room:    (*ring).room,
		next:    (*ring).next,
		mode:    (*host).mode,
		carryOn: func(*State) bool { return true },
	}
}

// decide reads top to bottom in the order of precedence: what is at work goes on,
// whatever else holds; then what stops the rollout; then what may begin.
func (s *State) decide(m Moment, p policy) Decision {
	var d Decision
	if s.phase == PhaseNone {
		d.Waits = []Wait{{For: "the rollout has not been opened", Person: true}}
		return d
	}
	if p.carryOn(s) {
		d.Do = s.goOn(m, p)
	}
	switch r := s.current(); {
	case s.phase == PhaseFinished:
	case r == nil && (s.phase == PhaseOpen || s.phase == PhasePaused):
		d.Record = append(d.Record, Finished{Reasons: s.summary()})
	case s.phase != PhaseOpen:
		d.Waits = append(d.Waits, s.waitOfPhase())
	default:
		s.begin(&d, r, m, p)
	}
	if at := s.atWork(); at.For != "" {
		d.Waits = append(d.Waits, at)
	}
	return d
}

// begin decides about hosts that have not been begun: halt, open a gate, or start.
func (s *State) begin(d *Decision, r *ring, m Moment, p policy) {
	if halt, ok := s.overLimit(p); ok {
		d.Record = append(d.Record, halt)
		return
	}
	if m.Stopping {
		d.Waits = append(d.Waits, Wait{Ring: r.Name, For: "stopping: no further host is begun; run again to carry on", Person: true})
		return
	}
	if !r.opened {
		d.Record = append(d.Record, s.gateEntry(r, p))
		return
	}
	for _, at := range p.next(r, s.hosts, p.room(r)) {
		d.Do = append(d.Do, s.task(s.hosts[at], Start, p))
	}
}

// gateEntry opens the gate, or halts with the reasons why it can't open: all that
// it depends on has ended, so waiting would not change the answer.
func (s *State) gateEntry(r *ring, p policy) Entry {
	v := p.gate(s, r)
	if v.state != GateOpen {
		return Halted{Ring: r.Name, Gate: true, Reasons: v.reasons}
	}
	open := GateOpened{Ring: r.Name, Reasons: v.reasons}
	if r.at > 0 {
		open.Frozen = p.freeze(s, r)
		open.Set = plan.SetDigest(open.Frozen)
	}
	return open
}

// goOn gives the tasks of the hosts at work that nobody is performing.
func (s *State) goOn(m Moment, p policy) []Task {
	var tasks []Task
	for _, at := range s.working {
		h := s.hosts[at]
		if !m.Live[h.ID] {
			tasks = append(tasks, s.task(h, p.mode(h), p))
		}
	}
	return tasks
}

func (s *State) task(h *host, mode Mode, p policy) Task {
	step := h.open
	if step == "" {
		step = h.following()
	}
	return Task{
		Rollout: s.opened.Rollout, Plan: s.opened.Plan, Set: p.set(s.rings[h.ring]),
		Ring: h.Ring, Host: h.ID, Step: step, Mode: mode,
	}
}

// mode: a step that was begun by a process that ended is looked at, never begun again.
func (h *host) mode() Mode {
	if h.open != "" {
		return Reconcile
	}
	return Start
}

// current is the first ring that has not ended; nil: all have.
func (s *State) current() *ring {
	for _, r := range s.rings {
		if !r.done() {
			return r
		}
	}
	return nil
}

// overLimit stops the rollout as soon as a ring has more failures than its limit,
// if there is anything left to stop.
func (s *State) overLimit(p policy) (Halted, bool) {
	var over *ring
	waiting := false
	for _, r := range s.rings {
		waiting = waiting || r.waiting()
		if over == nil && p.tripped(r) {
			over = r
		}
	}
	if over == nil || !waiting {
		return Halted{}, false
	}
	return Halted{Ring: over.Name, Reasons: []string{s.failed(over)}}, true
}

// failed says how many hosts of a ring failed against its limit.
func (s *State) failed(r *ring) string {
	return fmt.Sprintf("ring %s: %d of %d hosts failed or are unknown, and the limit is %d",
		r.Name, r.failures(), len(r.all), r.FailureLimit)
}
