package rollout

import (
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/schedule"
)

// search picks the hosts of a ring that may be begun now, and gathers why others may
// not. Its cost does not grow with the ring: where all the hosts of a budget are held
// by it, they are passed over at once.
type search struct {
	s       *State
	r       *ring
	p       policy
	now     time.Time
	t       *tally
	held    heldBack
	end     int     // behind the current batch
	full    []slots // the hosts of budgets that are used up
	answers map[time.Duration]schedule.Answer
}

func (s *State) search(r *ring, m Moment, p policy) *search {
	return &search{
		s: s, r: r, p: p, now: m.Now, t: s.tally(m), end: r.batchEnd(r.firstOut),
		answers: map[time.Duration]schedule.Answer{},
	}
}

// maxHeld bounds how many hosts that may not start are looked at for one that may.
const maxHeld = 2000

// next gives at most room hosts of the current batch that have not been begun and may
// be, in order. The current batch is that of the first host which has not ended: the
// next one begins only when all of it have. Of the hosts of a budget that is used up,
// those are asked that are out already.
func (x *search) next(room int) []int {
	if room <= 0 || x.allHeld() {
		return nil
	}
	var out []int
	held := 0
	for i := x.after(x.r.firstOut); i >= 0 && len(out) < room && held < maxHeld; i = x.after(i + 1) {
		if at := x.r.active[i]; x.may(x.s.hosts[at]) {
			out = append(out, at)
		} else {
			held++
		}
	}
	for _, at := range x.outAlready(x.r) {
		if h := x.s.hosts[at]; !slices.Contains(out, at) && len(out) < room && h.slot < x.end && x.passedOver(h.slot) && x.may(h) {
			out = append(out, at)
		}
	}
	return out
}

// after is the next host from i on that waits; -1: there is none.
func (x *search) after(i int) int { return x.r.fresh.next(i, x.end, x.full) }

// allHeld: no host waits, or not even the quickest of the ring may start now.
func (x *search) allHeld() bool {
	first := x.after(x.r.firstOut)
	if first < 0 {
		return true
	}
	answer := x.answer(x.r.shortest)
	if answer.Open {
		return false
	}
	x.held.add(x.s.hosts[x.r.active[first]], untilOf(answer), x.r.fresh.both(x.r.fresh, first, x.end))
	return true
}

// may tells whether a host may start; those of the budget that keeps it from that are
// passed over from here on.
func (x *search) may(h *host) bool {
	why := x.hinders(h)
	if why == nil {
		x.t.pick(h)
		return true
	}
	n := 1
	if why.spent != nil && !x.passedOver(h.slot) {
		if members := x.r.inBudget[why.spent.at]; members != nil {
			n += x.r.fresh.both(members, h.slot+1, x.end)
			x.full = append(x.full, members)
		}
	}
	x.held.add(h, *why, n)
	return false
}

func (x *search) passedOver(slot int) bool {
	return slices.ContainsFunc(x.full, func(s slots) bool { return s.has(slot) })
}

// hinders gives the first thing that keeps a host from being begun; nil: nothing does.
func (x *search) hinders(h *host) *hindrance {
	if x.now.Before(h.NotBefore) {
		return &hindrance{text: "stepped back for a budget", until: h.NotBefore}
	}
	if answer := x.answer(h.takes); !answer.Open {
		why := untilOf(answer)
		return &why
	}
	if spent := x.p.exceeds(x.t, h); spent != nil {
		return &hindrance{spent: spent, until: x.t.soon}
	}
	return nil
}

func (x *search) answer(takes time.Duration) schedule.Answer {
	known, ok := x.answers[takes]
	if !ok {
		known = x.p.may(x.s, x.r, x.now, takes)
		x.answers[takes] = known
	}
	return known
}

func untilOf(a schedule.Answer) hindrance {
	return hindrance{text: a.Why, until: a.Until, person: a.Until.IsZero()}
}

// outAlready are the waiting hosts of a ring whose unit is out: work on them needs no
// more of a budget.
func (x *search) outAlready(r *ring) []int {
	found := map[int]bool{}
	add := func(id fact.HostID) {
		all := x.s.mates[x.s.opened.Units[id.String()]]
		if at, ours := x.s.index[id]; ours {
			all = append(slices.Clip(all), at)
		}
		for _, at := range all {
			if h := x.s.hosts[at]; h.ring == r.at && h.State == HostWaiting {
				found[at] = true
			}
		}
	}
	for _, at := range x.s.outs {
		add(x.s.hosts[at].ID)
	}
	for id := range x.t.foreign {
		add(id)
	}
	for _, h := range x.t.picked {
		add(h.ID)
	}
	for _, h := range x.t.picked {
		delete(found, x.s.index[h.ID])
	}
	return slices.Sorted(maps.Keys(found))
}
