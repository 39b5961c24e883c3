package rollout

import (
	"fmt"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// Moment is what Decide must know that no journal tells.
type Moment struct {
	Now time.Time
	// Live are the keys of the tasks that this process is performing. A host whose step is
	// open but which is not live was left behind by a process that ended.
	Live map[string]bool
	// Stopping: begin no further host, bring those at work to their end.
	Stopping bool
	// Others are the hosts that other rollouts of the state folder hold, and which.
	Others map[fact.HostID]string
}

// Decide says what to do now. It is policy over the state: it changes nothing, and
// the same state and moment always give the same decision.
func (s *State) Decide(m Moment) Decision { return s.decide(m, sound()) }

// policy holds the choices that the rules of DESIGN.md section 3 rest on, one
// function a choice, so that a test can break each of them by itself.
type policy struct {
	gate    func(*State, *ring, time.Time) verdict                        // rule 1: whether a ring may be begun
	freeze  func(*State, *ring) patch.PatchSet                            // rule 5: what it may install
	set     func(*ring) patch.Digest                                      // rule 5: the set that a task is bound to
	exceeds func(*tally, *host) *spentBudget                              // rule 2: a budget is used up
	may     func(*State, *ring, time.Time, time.Duration) schedule.Answer // rule 7: a host may start now
	tripped func(*State, *ring) bool                                      // rule 3: past the failure limit
	room    func(*State, *ring) int                                       // rule 3: how many further hosts may start now
	next    func(*search, int) []int                                      // which ones: batches, in order
	mode    func(*host) Mode                                              // rule 4: begin a step, or look at what was left
	carryOn func(*State) bool                                             // rule 6: hosts at work go on
	fallen  func(*State) []fact.HostID                                    // which hosts the playbook has taken back
}

func sound() policy {
	return policy{
		gate:    (*State).judge,
		freeze:  (*State).freeze,
		set:     func(r *ring) patch.Digest { return r.gate.Set },
		exceeds: (*tally).exceeds,
		may:     (*State).fits,
		tripped: (*State).tripped,
		room:    (*State).room,
		next:    (*search).next,
		mode:    (*host).mode,
		carryOn: func(*State) bool { return true },
		fallen:  (*State).fallen,
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
	case s.takeBack(&d, m, p):
	case r == nil && (s.phase == PhaseOpen || s.phase == PhasePaused):
		s.conclude(&d, m)
	case s.phase == PhaseFinished:
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
		d.Waits = append(d.Waits, stopping(r))
		return
	}
	if !r.opened {
		s.knock(d, r, m, p)
		return
	}
	s.start(d, r, m, p)
}

func stopping(r *ring) Wait {
	return Wait{Ring: r.Name, For: "stopping: nothing further is begun; run again to carry on", Person: true}
}

// knock asks a ring's gate: it opens, it can't open any more, or it waits, and then
// says for what, until when, and what must be found out meanwhile.
func (s *State) knock(d *Decision, r *ring, m Moment, p policy) {
	v := p.gate(s, r, m.Now)
	switch {
	case v.state == GateOpen:
		open := GateOpened{Ring: r.Name, Reasons: v.reasons}
		if r.at > 0 {
			open.Frozen = p.freeze(s, r)
			open.Set = plan.SetDigest(open.Frozen)
		}
		d.Record = append(d.Record, open)
	case v.final:
		d.Record = append(d.Record, Halted{Ring: r.Name, Gate: true, Reasons: v.reasons})
	default:
		d.wait(v, m)
	}
}

// wait takes over what a gate waits for. A question that is under way is not asked
// twice.
func (d *Decision) wait(v verdict, m Moment) {
	for _, t := range v.ask {
		if !m.Live[t.Key()] {
			d.Do = append(d.Do, t)
		}
	}
	d.Waits = append(d.Waits, v.wait)
	d.Wake = sooner(d.Wake, v.wake)
}

// conclude finishes the rollout once what the user wants to know after its rings is
// answered too.
func (s *State) conclude(d *Decision, m Moment) {
	for _, r := range s.rings {
		if !r.opened {
			continue
		}
		v := s.weigh(r, s.inquiries(r, after, m.Now), m.Now)
		switch {
		case v.state == GateOpen:
			continue
		case v.final:
			d.Record = append(d.Record, Halted{Ring: r.Name, Gate: true, Reasons: v.reasons})
		case s.phase == PhasePaused:
			d.Waits = append(d.Waits, s.waitOfPhase())
		case m.Stopping:
			d.Waits = append(d.Waits, stopping(r))
		default:
			d.wait(v, m)
		}
		return
	}
	d.Record = append(d.Record, Finished{Reasons: s.summary()})
}

// goOn gives the tasks of the hosts at work that nobody is performing.
func (s *State) goOn(m Moment, p policy) []Task {
	var tasks []Task
	for _, at := range s.working {
		if h := s.hosts[at]; !m.Live[h.name] {
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
		Ring: h.Ring, Host: h.ID, Step: step, Mode: mode, Try: h.tryNote(), Back: h.Back,
	}
}

// tryNote is the try as it is journaled: the first is not written.
func (h *host) tryNote() int {
	if h.Try <= 1 {
		return 0
	}
	return h.Try
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

// overLimit stops the rollout as soon as a ring, or all of them together, have more
// failures than their limit, if there is anything left to stop.
func (s *State) overLimit(p policy) (Halted, bool) {
	var over *ring
	waiting := false
	for _, r := range s.rings {
		waiting = waiting || r.waiting()
		if over == nil && p.tripped(s, r) {
			over = r
		}
	}
	if over == nil || !waiting {
		return Halted{}, false
	}
	return Halted{Ring: over.Name, Reasons: s.tooMany(over)}, true
}

// tooMany says which limit was passed.
func (s *State) tooMany(r *ring) []string {
	var out []string
	if r.tripped() {
		out = append(out, s.failed(r))
	}
	if limit := s.opened.FailureLimit; limit != nil && s.failures() > *limit {
		out = append(out, fmt.Sprintf("all rings: %d hosts failed or are unknown, and the limit of the rollout is %d", s.failures(), *limit))
	}
	return out
}

// failed says how many hosts of a ring failed against its limit.
func (s *State) failed(r *ring) string {
	return fmt.Sprintf("ring %s: %d of %d hosts failed or are unknown, and the limit is %d",
		r.Name, r.failures(), len(r.all), r.FailureLimit)
}
