package plan

import (
	"cmp"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
)

// place is a host or unit of a ring, and where it comes in the ring's order.
type place struct {
	hosts []fact.HostID
	last  bool // the controller is among them
	alone bool // others of the ring depend on it
	at    int  // alone: its rank in paths; else the ring's own order
}

func comparePlaces(a, b place) int {
	return cmp.Or(compareBool(a.last, b.last), compareBool(a.alone, b.alone), cmp.Compare(a.at, b.at), a.hosts[0].Compare(b.hosts[0]))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// sameStage: b follows a in the order of places. What others depend on never shares a
// stage, and nothing but its like comes after it.
func sameStage(a, b place) bool { return !b.last && !b.alone && a.at == b.at }

// addStages orders each ring: by the playbook's order, then what others depend on, each
// by itself, what is depended on most deeply last, and at the very end the controller.
// A unit goes where the latest of its members does, so that they stay together.
func (d *Draft) addStages() error {
	for i := range d.rings {
		r := &d.rings[i]
		order, err := d.orderOf(r.Order)
		if err != nil {
			return err
		}
		places := d.places(r, order)
		r.hosts, r.fixed.Stages = r.hosts[:0:0], nil
		for k, p := range places {
			if k == 0 || !sameStage(places[k-1], p) {
				r.fixed.Stages = append(r.fixed.Stages, 0)
			}
			r.hosts = append(r.hosts, p.hosts...)
			r.fixed.Stages[len(r.fixed.Stages)-1] += len(p.hosts)
		}
		if len(r.fixed.Stages) == 1 {
			r.fixed.Stages = nil
		}
	}
	return nil
}

// orderOf gives hosts the position of the first pattern that names them.
func (d *Draft) orderOf(patterns []string) (func(fact.HostID) int, error) {
	at := map[fact.HostID]int{}
	for i, pattern := range patterns {
		hosts, err := d.in.hostsOf(pattern)
		if err != nil {
			return nil, err
		}
		for id := range hosts {
			if _, named := at[id]; !named {
				at[id] = i
			}
		}
	}
	return func(id fact.HostID) int {
		if i, named := at[id]; named {
			return i
		}
		return len(patterns)
	}, nil
}

// places sorts the ring's hosts, unit by unit.
func (d *Draft) places(r *draftRing, order func(fact.HostID) int) []place {
	needed := d.paths.neededBy(d.nodes(r.hosts))
	byNode := map[string]*place{}
	for _, id := range r.hosts { // sorted
		node := nodeOf(id.Name, d.hosts[id].Unit)
		p := byNode[node]
		if p == nil {
			p = &place{alone: needed[node]}
			byNode[node] = p
		}
		p.hosts = append(p.hosts, id)
		p.last = p.last || d.isController(id)
		if p.at = max(p.at, order(id)); p.alone {
			p.at = d.paths.rank[node]
		}
	}
	out := make([]place, 0, len(byNode))
	for _, p := range byNode {
		slices.SortStableFunc(p.hosts, d.standbyFirst)
		out = append(out, *p)
	}
	slices.SortFunc(out, comparePlaces)
	return out
}

// standbyFirst orders the members of a pair: who carries nothing now goes first, and who
// carries all goes last. What nobody knows is in between.
func (d *Draft) standbyFirst(a, b fact.HostID) int {
	rank := func(id fact.HostID) int {
		f := d.in.Facts[id].Facts
		switch {
		case f.Device != nil && f.Device.Role == fact.RoleStandby:
			return 0
		case f.Device != nil && f.Device.Role == fact.RoleActive:
			return 2
		}
		return 1
	}
	return rank(a) - rank(b)
}

func (d *Draft) nodes(hosts []fact.HostID) []string {
	out := make([]string, 0, len(hosts))
	for _, id := range hosts {
		out = append(out, nodeOf(id.Name, d.hosts[id].Unit))
	}
	return out
}

func (d *Draft) isController(id fact.HostID) bool {
	found, looked := d.in.Facts[id]
	return looked && found.Problem == nil && d.in.Controller != nil && d.in.Controller(found.Facts)
}
