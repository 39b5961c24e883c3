package rollout

import (
	"maps"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
)

// tally is who is out, while a decision picks hosts one after the other.
type tally struct {
	s       *State
	foreign map[fact.HostID]string // held by others, or seen by a begin step
	soon    time.Time              // when what was seen is looked at anew; zero: nothing was
	picked  []*host
	more    map[int]map[string]int // by budget: the units that its counters don't have, and how many of their members
}

func (s *State) tally(m Moment) *tally {
	t := &tally{s: s, foreign: map[fact.HostID]string{}, more: map[int]map[string]int{}}
	if m.Now.Before(s.seen.until) && len(s.seen.out) > 0 {
		maps.Copy(t.foreign, s.seen.out)
		t.soon = s.seen.until
	}
	for _, id := range s.opened.Quarantined {
		t.foreign[id] = InQuarantine
	}
	maps.Copy(t.foreign, m.Others)
	for id := range t.foreign {
		t.count(id)
	}
	return t
}

// pick counts a host that is about to be begun.
func (t *tally) pick(h *host) {
	t.picked = append(t.picked, h)
	t.count(h.ID)
}

// count adds a host's units to those that the counters don't have.
func (t *tally) count(id fact.HostID) {
	for _, at := range t.s.counted[id] {
		b := t.s.budgets[at]
		unit := t.s.unitIn(b.Budget, id)
		if b.out[unit] > 0 {
			continue
		}
		if t.more[at] == nil {
			t.more[at] = map[string]int{}
		}
		t.more[at][unit]++
	}
}

// spentBudget is one that is used up. Who is out of it is only listed for people.
type spentBudget struct {
	t  *tally
	at int
}

func (b *spentBudget) String() string {
	gone := map[string]string{}
	for unit, g := range b.t.gone(b.at) {
		gone[unit] = g.who
	}
	return spent(b.t.s.budgets[b.at].Budget, gone)
}

// stuck: so many units are out which don't come back by themselves that nobody else gets
// a place before a person has acted.
func (b *spentBudget) stuck() bool {
	n := 0
	for _, g := range b.t.gone(b.at) {
		if g.stays {
			n++
		}
	}
	return n >= b.t.s.budgets[b.at].Most
}

// exceeds is Exceeds over what the counters know, so that its cost does not grow with
// the fleet; nil: no budget is exceeded.
func (t *tally) exceeds(h *host) *spentBudget {
	_, self := t.foreign[h.ID]
	for _, at := range h.budgets {
		b := t.s.budgets[at]
		own := t.s.unitIn(b.Budget, h.ID)
		mates, units := t.more[at][own], len(b.out)+len(t.more[at])
		if self && mates == 1 { // it takes itself out of the count
			mates, units = 0, units-1
		}
		if b.out[own] == 0 && mates == 0 && units >= b.Most {
			return &spentBudget{t, at}
		}
	}
	return nil
}

// absent is why a unit is out.
type absent struct {
	who   string
	stays bool // nothing that is under way brings it back
}

// gone lists the units that are out of a budget.
func (t *tally) gone(at int) map[string]absent {
	b, gone := t.s.budgets[at].Budget, map[string]absent{}
	add := func(id fact.HostID, why string, stays bool) {
		unit := t.s.unitIn(b, id)
		gone[unit] = absent{id.String() + " " + why, stays || gone[unit].stays}
	}
	for id, why := range t.foreign {
		if contains(b, id) {
			add(id, why, !strings.HasPrefix(why, HeldBy) && !strings.HasPrefix(why, LockedBy))
		}
	}
	for _, i := range t.s.outs {
		if h := t.s.hosts[i]; contains(b, h.ID) {
			add(h.ID, h.why(), h.State != HostWorking && h.State != HostWaiting)
		}
	}
	for _, h := range t.picked {
		if contains(b, h.ID) {
			add(h.ID, "starts", false)
		}
	}
	return gone
}
