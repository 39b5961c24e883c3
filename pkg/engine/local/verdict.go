package local

import (
	"cmp"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
)

// verdict is whether a host may start, as far as its peers were looked at. It is decided
// as soon as the other looks could not change what rollout.Exceeds says of all of them.
type verdict struct {
	counts []*usage
	of     map[fact.HostID][]seat
	open   []fact.HostID // not looked at yet, in the order to be looked at
}

// seat is a peer in one budget.
type seat struct {
	in   *usage
	unit string
}

// usage is one budget, seen from the host. Of a unit that is out already another member
// costs nothing, so what is open of its mates may turn either way.
type usage struct {
	most     int
	own      string         // its own unit
	open     map[string]int // unit → members that were not looked at
	out      map[string]int // unit → members that are out
	possible int            // other units that are out, or may be
	sure     int            // other units that are out
}

// newVerdict counts budgets that all hold the host. Peers known to be out are not looked
// at. Those of small budgets are asked first, where a single one decides.
func newVerdict(budgets []plan.Budget, units map[string]string, host fact.HostID, out map[fact.HostID]string) *verdict {
	v := &verdict{of: map[fact.HostID][]seat{}}
	budgets = slices.Clone(budgets)
	slices.SortStableFunc(budgets, func(a, b plan.Budget) int { return cmp.Compare(len(a.Hosts), len(b.Hosts)) })
	for _, b := range budgets {
		c := &usage{most: b.Most, own: unitIn(b, units, host), open: map[string]int{}, out: map[string]int{}}
		v.counts = append(v.counts, c)
		for _, id := range b.Hosts {
			if id == host {
				continue
			}
			if _, known := out[id]; !known && len(v.of[id]) == 0 {
				v.open = append(v.open, id)
			}
			v.of[id] = append(v.of[id], seat{in: c, unit: unitIn(b, units, id)})
			c.change(unitIn(b, units, id), 1, 0)
		}
	}
	for id := range out {
		v.saw(id, true)
	}
	return v
}

// unitIn is what a host counts as in a budget, as for rollout.Exceeds.
func unitIn(b plan.Budget, units map[string]string, id fact.HostID) string {
	name := id.String()
	if unit := units[name]; unit != "" && !b.Members {
		return "unit " + unit
	}
	return name
}

// saw takes in one look; of hosts that no budget counts, nothing.
func (v *verdict) saw(id fact.HostID, out bool) {
	for _, s := range v.of[id] {
		if out {
			s.in.change(s.unit, -1, 1)
		} else {
			s.in.change(s.unit, -1, 0)
		}
	}
}

// next is who is to be looked at; none once it is decided. Who counts only in budgets
// that are settled is passed over.
func (v *verdict) next() (id fact.HostID, more bool) {
	for len(v.open) > 0 && !v.decided() {
		id, v.open = v.open[0], v.open[1:]
		if slices.ContainsFunc(v.of[id], func(s seat) bool { return !s.in.allows() && !s.in.exceeded() }) {
			return id, true
		}
	}
	return fact.HostID{}, false
}

func (v *verdict) decided() bool {
	return v.may() || slices.ContainsFunc(v.counts, (*usage).exceeded)
}

// may: no budget can be exceeded any more.
func (v *verdict) may() bool {
	return !slices.ContainsFunc(v.counts, func(c *usage) bool { return !c.allows() })
}

// allows: whatever the others turn out to be.
func (c *usage) allows() bool { return c.out[c.own] > 0 || c.possible < c.most }

// exceeded: whatever the others turn out to be.
func (c *usage) exceeded() bool {
	return c.out[c.own] == 0 && c.open[c.own] == 0 && c.sure >= c.most
}

// change moves members of a unit between what is open and what is out.
func (c *usage) change(unit string, open, out int) {
	possible, sure := c.open[unit]+c.out[unit] > 0, c.out[unit] > 0
	c.open[unit] += open
	c.out[unit] += out
	if unit == c.own {
		return
	}
	c.possible += one(c.open[unit]+c.out[unit] > 0) - one(possible)
	c.sure += one(c.out[unit] > 0) - one(sure)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
