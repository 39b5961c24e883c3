package plan

import (
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
)

// behind are the hosts that lose their only way while a device is down: it stands in their
// via, and no other member of its unit does.
func (d *Draft) behind(id fact.HostID) []inventory.Host {
	unit := d.in.unitOf(id)
	partner := func(name string) bool {
		return unit != "" && name != id.Name && d.in.unitOf(fact.HostID{Site: id.Site, Name: name}) == unit
	}
	var out []inventory.Host
	for _, h := range d.in.Inventory.Hosts {
		if h.ID.Site == id.Site && slices.Contains(h.Via, id.Name) && !slices.ContainsFunc(h.Via, partner) {
			out = append(out, h)
		}
	}
	return d.further(out)
}

// further adds what is behind those that are behind: a leaf that is cut off cuts off its
// servers, unless the other half of a pair still carries them.
func (d *Draft) further(lost []inventory.Host) []inventory.Host {
	gone := map[string]bool{}
	for _, h := range lost {
		gone[h.ID.Name] = true
	}
	for at := 0; at < len(lost); at++ {
		for _, h := range d.in.Inventory.Hosts {
			if h.ID.Site == lost[at].ID.Site && !gone[h.ID.Name] && d.cutOff(h, gone) {
				gone[h.ID.Name] = true
				lost = append(lost, h)
			}
		}
	}
	return lost
}

// cutOff: a device of the host's way is gone, and so is the whole pair that it is half of.
func (d *Draft) cutOff(h inventory.Host, gone map[string]bool) bool {
	return slices.ContainsFunc(h.Via, func(name string) bool {
		unit := d.in.unitOf(fact.HostID{Site: h.ID.Site, Name: name})
		return gone[name] && !slices.ContainsFunc(h.Via, func(other string) bool {
			return other != name && !gone[other] && unit != "" && d.in.unitOf(fact.HostID{Site: h.ID.Site, Name: other}) == unit
		})
	})
}

// dragsDown judges what a device that goes down whole takes with it: all of that is out as
// well, and no budget may be exceeded by it. A note says what is accepted.
func (d *Draft) dragsDown(h *Host) *Problem {
	if h.Outage != patch.OutageWhole && h.Outage != patch.OutageUnknown {
		return nil
	}
	lost := d.behind(h.ID)
	if len(lost) == 0 {
		return nil
	}
	d.notes = append(d.notes, fmt.Sprintf("%s is down whole while it is upgraded, and %d hosts behind it lose their way, e.g. %s", h.ID, len(lost), lost[0].ID.Name))
	for _, b := range d.budgets {
		out := map[string]bool{}
		for _, host := range lost {
			if _, counts := slices.BinarySearchFunc(b.Hosts, host.ID, fact.HostID.Compare); counts {
				out[countedAs(b, host)] = true
			}
		}
		if len(out) > b.Most {
			return &Problem{
				Code: string(fault.HostFailed), What: fmt.Sprintf("upgrading it takes %d of %s down with it, and its budget allows %d", len(out), b.Name, b.Most),
				Hint: "give those hosts a second way (via with both members of a unit), or raise max_unavailable of " + b.Name,
			}
		}
	}
	return nil
}

// countedAs is the unit of a host in a budget.
func countedAs(b Budget, h inventory.Host) string {
	if b.Members {
		return h.ID.Name
	}
	return nodeOf(h.ID.Name, h.Unit)
}
