package rollout

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/schedule"
)

// change is what every entry can do: say whether it may stand next in the history,
// and then make it so.
type change interface {
	Entry
	check(s *State) error
	apply(s *State, at time.Time)
}

// Fold takes the next event of the journal into the state. An event that can't
// have happened after the ones before is an error, and changes nothing: such a
// journal was not written by a patchring that kept the rules.
func (s *State) Fold(e Event) error {
	if e.Seq != s.seq+1 {
		return fmt.Errorf("event %d does not follow event %d", e.Seq, s.seq)
	}
	if err := s.Check(e.Entry); err != nil {
		return fmt.Errorf("event %d: %w", e.Seq, err)
	}
	if _, opens := e.Entry.(Opened); opens {
		s.starter = e.Actor
	}
	e.Entry.(change).apply(s, e.Time)
	s.seq, s.changed = e.Seq, e.Time
	s.note(e)
	return nil
}

// Check tells whether e may be the next event, without changing anything. What is
// to be appended is checked first, so that no journal becomes unreadable.
func (s *State) Check(e Entry) error {
	c, ok := e.(change)
	if !ok {
		return fmt.Errorf("not an event of a rollout: %T", e)
	}
	if _, opens := e.(Opened); !opens && s.phase == PhaseNone {
		return fmt.Errorf("%s: the rollout has not been opened", e.Kind())
	}
	if err := c.check(s); err != nil {
		return fmt.Errorf("%s: %w", e.Kind(), err)
	}
	return nil
}

func (e Opened) check(s *State) error {
	if s.phase != PhaseNone {
		return errors.New("the rollout is open already")
	}
	if e.Rollout == "" || len(e.Rings) == 0 {
		return errors.New("a rollout needs an id and at least one ring")
	}
	seen := map[fact.HostID]bool{}
	names := map[string]bool{}
	for _, r := range e.Rings {
		if names[r.Name] {
			return fmt.Errorf("two rings are named %s", r.Name)
		}
		names[r.Name] = true
		for _, id := range r.Hosts {
			if seen[id] {
				return fmt.Errorf("host %s stands in two places", id)
			}
			seen[id] = true
		}
	}
	if _, err := schedule.Compile(e.Calendar); err != nil {
		return fmt.Errorf("the calendar: %w", err)
	}
	return nil
}

func (e Opened) apply(s *State, at time.Time) {
	s.opened, s.phase, s.began = e, PhaseOpen, at
	s.index, s.sets = map[fact.HostID]int{}, map[patch.Digest]patch.PatchSet{}
	s.setCalendar(e.Calendar)
	s.addBudgets(e)
	idle := map[fact.HostID]bool{}
	for _, id := range e.Idle {
		idle[id] = true
	}
	for i, planned := range e.Rings {
		r := &ring{Ring: planned, at: i, by: map[HostState]int{}, fresh: newSlots(len(planned.Hosts))}
		s.rings = append(s.rings, r)
		for _, id := range planned.Hosts {
			s.enrol(r, id, idle[id], at)
		}
		r.ends = s.batchEnds(r)
		s.survey(r)
	}
}

// enrol puts a host into its ring. Those that can't or need not be worked on have
// ended before they began.
func (s *State) enrol(r *ring, id fact.HostID, idle bool, at time.Time) {
	h := &host{ring: r.at, slot: -1, name: id.String(), budgets: s.counted[id], HostStatus: HostStatus{ID: id, Ring: r.Name, State: HostWaiting, Try: 1}}
	s.index[id] = len(s.hosts)
	h.unit, h.takes = h.name, s.opened.Takes[h.name]
	if unit := s.opened.Units[h.name]; unit != "" {
		h.unit = "unit " + unit
		s.mates[unit] = append(s.mates[unit], len(s.hosts))
	}
	r.all = append(r.all, len(s.hosts))
	s.hosts = append(s.hosts, h)
	r.by[HostWaiting]++
	problem, broken := s.opened.Problems[id.String()]
	switch {
	case broken:
		h.gone(problem)
		s.move(h, HostUnreachable, at)
	case idle:
		s.move(h, HostNothing, at)
	default:
		h.slot = len(r.active)
		r.active = append(r.active, s.index[id])
		r.fresh.put(h.slot, true)
	}
}

// gone says why the plan could not look into a host.
func (h *host) gone(p plan.Problem) {
	h.Code = codeOf(p)
	h.Reasons = []string{p.What}
	if p.Hint != "" {
		h.Notes = []string{p.Hint}
	}
}

func (e GateOpened) check(s *State) error {
	i, r := s.ring(e.Ring)
	switch {
	case r == nil:
		return fmt.Errorf("no ring is named %s", e.Ring)
	case r.opened:
		return fmt.Errorf("the gate of ring %s is open already", e.Ring)
	case i > 0 && e.Set != plan.SetDigest(e.Frozen):
		return fmt.Errorf("the patch set of ring %s does not have its digest", e.Ring)
	}
	for _, before := range s.rings[:i] {
		if !before.done() {
			return fmt.Errorf("ring %s has not ended, so the gate of ring %s can't be open", before.Name, e.Ring)
		}
	}
	return s.goesOn()
}

func (e GateOpened) apply(s *State, at time.Time) {
	i, r := s.ring(e.Ring)
	r.opened, r.gate, r.openedAt = true, e, at
	if i > 0 {
		s.sets[e.Set] = e.Frozen
	}
}

// ring finds a ring by its name.
func (s *State) ring(name string) (int, *ring) {
	i := slices.IndexFunc(s.rings, func(r *ring) bool { return r.Name == name })
	if i < 0 {
		return i, nil
	}
	return i, s.rings[i]
}

// goesOn refuses what can't happen once a rollout has stopped for good.
func (s *State) goesOn() error {
	if s.phase == PhaseFinished || s.phase == PhaseAborted || s.phase == PhaseHalted {
		return fmt.Errorf("the rollout is %s", s.phase)
	}
	return nil
}
