package plan

import (
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

// hostsOf are the hosts of the site that a pattern names.
func (in Input) hostsOf(pattern string) (map[fact.HostID]bool, error) {
	hosts, err := in.Inventory.Select(pattern, in.ReadList)
	if err != nil {
		return nil, fmt.Errorf("hosts: %s: %w", pattern, err)
	}
	out := map[fact.HostID]bool{}
	for _, h := range hosts {
		if h.ID.Site == in.Site {
			out[h.ID] = true
		}
	}
	return out, nil
}

// within tells which hosts --limit leaves.
func (in Input) within() func(fact.HostID) bool {
	if in.Limit == nil {
		return func(fact.HostID) bool { return true }
	}
	limit := map[fact.HostID]bool{}
	for _, id := range in.Limit {
		limit[id] = true
	}
	return func(id fact.HostID) bool { return limit[id] }
}

// ringHosts gives each ring its hosts, sorted.
func (in Input) ringHosts() ([]draftRing, error) {
	var rings []draftRing
	owner, within := map[fact.HostID]string{}, in.within()
	for i, r := range in.Playbook.Rings {
		hosts, err := in.hostsOf(r.Hosts)
		if err != nil {
			return nil, err
		}
		if i == 0 && len(hosts) == 0 {
			return nil, fault.Usagef("see: patchring inventory list", "ring %s is the test ring, and %s names no host of site %s", r.Name, r.Hosts, in.Site)
		}
		ring := draftRing{Ring: r, hosts: []fact.HostID{}}
		for _, id := range sorted(hosts) {
			if first, taken := owner[id]; taken {
				return nil, fault.Usagef("a host is in one ring: narrow a pattern, e.g. production:!test",
					"host %s is in ring %s and in ring %s", id, first, r.Name)
			}
			owner[id] = r.Name
			if within(id) {
				ring.hosts = append(ring.hosts, id)
			}
		}
		rings = append(rings, ring)
	}
	return rings, nil
}

func sorted(set map[fact.HostID]bool) []fact.HostID {
	out := make([]fact.HostID, 0, len(set))
	for id := range set {
		out = append(out, id)
	}
	slices.SortFunc(out, fact.HostID.Compare)
	return out
}

func (in Input) rules() ([]rule, error) {
	var out []rule
	for _, p := range in.Playbook.Patches {
		hosts, err := in.hostsOf(p.Hosts)
		if err != nil {
			return nil, err
		}
		out = append(out, rule{Packages: p.Packages, image: p.Image, hosts: hosts})
	}
	return out, nil
}

// check is one entry of the playbook's checks, with the hosts that it is for.
type check struct {
	health.Check
	hosts map[fact.HostID]bool
}

func (in Input) checks() ([]check, error) {
	var out []check
	for _, c := range in.Playbook.Checks {
		hosts, err := in.hostsOf(c.Hosts)
		if err != nil {
			return nil, err
		}
		out = append(out, check{Check: c.Check, hosts: hosts})
	}
	return out, nil
}

// ChecksFor are the playbook's checks for one host, in the playbook's order.
func ChecksFor(book *playbook.Playbook, inv *inventory.Inventory, h inventory.Host) ([]health.Check, error) {
	in := Input{Playbook: book, Inventory: inv, Site: h.ID.Site}
	checks, err := in.checks()
	if err != nil {
		return nil, err
	}
	var out []health.Check
	for _, c := range checks {
		if c.hosts[h.ID] {
			out = append(out, c.Check)
		}
	}
	return out, nil
}
