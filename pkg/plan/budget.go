package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
)

// Budget is the most units of a set of hosts that may be out at once. Budgets overlap;
// all hold at once.
type Budget struct {
	Name  string        `json:"name"`  // "group web", "site hq", "label tier=db", "unit core"
	Most  int           `json:"most"`  // at least 1
	Hosts []fact.HostID `json:"hosts"` // sorted; those outside the rings count too
	// Members: single hosts are counted, not units. Of the budget that each unit is for
	// its own members.
	Members bool `json:"members,omitempty"`
}

// Peer is a host that a budget counts. Its checks are those of the playbook that need
// no state before.
type Peer struct {
	ID     fact.HostID    `json:"host"`
	Unit   string         `json:"unit,omitempty"` // as Host.Unit: peers need not stand in a ring
	Checks []health.Check `json:"checks,omitempty"`
}

// most is how many of so many units may be out: a percentage is rounded down, and there
// is always one, or nothing could ever be patched.
//
//	25% of 8 → 2     25% of 7 → 1     25% of 3 → 1     10% of 100 → 10
//	2 of 8   → 2     0 of 8   → 1     a pair (one unit), 50% → 1
func most(units int, size inventory.Size) int { return max(1, share(units, size)) }

// addBudgets works out the budgets that any host of the rings counts in: those of the
// inventory in its order, then one for each unit, that its members are not out together.
func (d *Draft) addBudgets() error {
	for _, b := range d.in.Inventory.Budgets {
		hosts, err := d.in.hostsOf(b.Hosts)
		if err != nil {
			return fmt.Errorf("%s: budget %s: %w", b.Where, b.Name, err)
		}
		d.addBudget(Budget{Name: b.Name, Most: most(d.in.unitsAmong(hosts), b.Most), Hosts: sorted(hosts)})
	}
	units := d.in.units()
	for _, name := range slices.Sorted(maps.Keys(units)) {
		if len(units[name]) > 1 {
			d.addBudget(Budget{Name: "unit " + name, Most: 1, Hosts: units[name], Members: true})
		}
	}
	d.notes = append(d.notes, d.deadInBudgets()...)
	return d.addPeers()
}

func (d *Draft) addBudget(b Budget) {
	if slices.ContainsFunc(b.Hosts, func(id fact.HostID) bool { return d.hosts[id] != nil }) {
		d.budgets = append(d.budgets, b)
	}
}

// addPeers lists every host that a budget counts. A peer is asked while others are
// worked on, so that what compares with a state before has nothing to compare with.
func (d *Draft) addPeers() error {
	checks, err := d.in.checks()
	if err != nil {
		return err
	}
	all := map[fact.HostID]bool{}
	for _, b := range d.budgets {
		for _, id := range b.Hosts {
			all[id] = true
		}
	}
	for _, id := range sorted(all) {
		peer := Peer{ID: id, Unit: d.in.unitOf(id)}
		for _, c := range checks {
			if c.hosts[id] && !c.DefaultDiff {
				peer.Checks = append(peer.Checks, c.Check)
			}
		}
		d.peers = append(d.peers, peer)
	}
	return nil
}

// deadInBudgets: a quarantined host still counts as out, and that may leave no room.
func (d *Draft) deadInBudgets() []string {
	var out []string
	for _, q := range d.quarantined {
		for _, b := range d.budgets {
			if slices.Contains(b.Hosts, q.ID) {
				out = append(out, fmt.Sprintf("%s is in quarantine, and still counts as out in the budget of %s, which allows %d", q.ID, b.Name, b.Most))
			}
		}
	}
	return out
}
