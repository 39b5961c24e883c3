package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
)

// nodeOf names what a host is counted as: its unit, or itself. No name holds a slash,
// so the two never meet.
func nodeOf(name, unit string) string {
	if unit != "" {
		return "unit/" + unit
	}
	return "host/" + name
}

// host finds a host of the inventory.
func (in Input) host(id fact.HostID) (inventory.Host, bool) {
	h, err := in.Inventory.Find(id.String())
	return h, err == nil
}

func (in Input) unitOf(id fact.HostID) string {
	h, _ := in.host(id)
	return h.Unit
}

// units are the members of each unit of the site, sorted, whether in a ring or not.
func (in Input) units() map[string][]fact.HostID {
	out := map[string][]fact.HostID{}
	for _, h := range in.Inventory.Hosts {
		if h.ID.Site == in.Site && h.Unit != "" {
			out[h.Unit] = append(out[h.Unit], h.ID)
		}
	}
	for _, members := range out {
		slices.SortFunc(members, fact.HostID.Compare)
	}
	return out
}

// unitsAmong counts the units that the hosts make.
func (in Input) unitsAmong(hosts map[fact.HostID]bool) int {
	nodes := map[string]bool{}
	for id := range hosts {
		nodes[nodeOf(id.Name, in.unitOf(id))] = true
	}
	return len(nodes)
}

// tornUnits notes the units whose members stand in different rings: allowed (a pair may
// well be tested on its standby first), but then no batch holds them together.
func (d *Draft) tornUnits() []string {
	var out []string
	units := d.in.units()
	for _, unit := range slices.Sorted(maps.Keys(units)) {
		rings, where := map[string]bool{}, []string{}
		for _, id := range units[unit] {
			if h := d.hosts[id]; h != nil {
				rings[h.Ring] = true
				where = append(where, id.Name+" in "+h.Ring)
			}
		}
		if len(rings) > 1 {
			out = append(out, fmt.Sprintf("the members of unit %s stand in different rings: %s", unit, strings.Join(where, ", ")))
		}
	}
	return out
}
