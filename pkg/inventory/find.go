package inventory

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
)

// Find gives one host by "site/name", or by its name where only one site has it.
func (inv *Inventory) Find(name string) (Host, error) {
	if site, short, ok := strings.Cut(name, "/"); ok {
		id := fact.HostID{Site: site, Name: short}
		if i, found := slices.BinarySearchFunc(inv.Hosts, id, func(h Host, id fact.HostID) int { return h.ID.Compare(id) }); found {
			return inv.Hosts[i], nil
		}
		return Host{}, inv.notFound(name)
	}
	found := inv.indexed().byName[name]
	switch len(found) {
	case 0:
		return Host{}, inv.notFound(name)
	case 1:
		return inv.Hosts[found[0]], nil
	}
	var ids []string
	for _, i := range found {
		ids = append(ids, inv.Hosts[i].ID.String())
	}
	return Host{}, fault.Usagef("write one of "+few(ids), "several sites have a host `%s`", name)
}

func (inv *Inventory) notFound(name string) error {
	ix := inv.indexed()
	known := ix.names
	if strings.Contains(name, "/") {
		known = nil
		for _, h := range inv.Hosts {
			known = append(known, h.ID.String())
		}
	}
	if _, ok := ix.byGroup[name]; ok {
		return fault.Usagef("name one of its hosts", "`%s` is a group, not a host", name)
	}
	return fault.Usagef(document.DidYouMean(name, known, "patchring inventory list shows every host"), "no host is named `%s`", name)
}
