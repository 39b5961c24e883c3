package inventory

import (
	"maps"
	"slices"
)

// index answers what a pattern names. Members are positions in Hosts, sorted, so
// that a selection is sorted by host ID too.
type index struct {
	byName  map[string][]int // a host's name can stand in several sites
	byGroup map[string][]int
	byLabel map[string][]int // by the label's key
	// byAddress holds those that say one: a bastion may be named by it.
	byAddress map[string][]int
	groups    []string // sorted, for globs and suggestions
	names     []string
	sites     []string
	labels    []string
}

func newIndex(inv *Inventory) *index {
	ix := &index{byName: map[string][]int{}, byGroup: map[string][]int{}, byLabel: map[string][]int{}, byAddress: map[string][]int{}}
	for name := range inv.groups {
		ix.byGroup[name] = nil // known, though nobody may be in it
	}
	sites := map[string]bool{}
	for name := range inv.Sites {
		sites[name] = true
	}
	for i, h := range inv.Hosts {
		sites[h.ID.Site] = true
		ix.byName[h.ID.Name] = append(ix.byName[h.ID.Name], i)
		if h.Address != "" {
			ix.byAddress[h.Address] = append(ix.byAddress[h.Address], i)
		}
		for _, g := range h.Groups {
			ix.byGroup[g] = append(ix.byGroup[g], i)
		}
		for key := range h.Labels {
			ix.byLabel[key] = append(ix.byLabel[key], i)
		}
	}
	ix.groups = slices.Sorted(maps.Keys(ix.byGroup))
	ix.names = slices.Sorted(maps.Keys(ix.byName))
	ix.sites = slices.Sorted(maps.Keys(sites))
	ix.labels = slices.Sorted(maps.Keys(ix.byLabel))
	return ix
}

// indexed gives the index that Parse made, or one for an Inventory made by hand.
func (inv *Inventory) indexed() *index {
	if inv.index != nil {
		return inv.index
	}
	return newIndex(inv)
}
