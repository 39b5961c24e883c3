package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

// dependsOn gives the hosts of the inventory that lie on the path to h: the bastions of
// its jump and the devices of its via, sorted, each once. While one of them is at work,
// h may be out of reach.
func (inv *Inventory) dependsOn(h Host) []fact.HostID {
	var ids []fact.HostID
	ix := inv.indexed()
	add := func(named []int) {
		for _, i := range named {
			if id := inv.Hosts[i].ID; id.Site == h.ID.Site && id != h.ID {
				ids = append(ids, id)
			}
		}
	}
	for _, name := range h.Via {
		add(ix.byName[name])
	}
	for _, text := range h.Jump {
		if _, host, _, err := splitHop(text); err == nil {
			add(ix.byName[host])
			add(ix.byAddress[host])
		}
	}
	slices.SortFunc(ids, fact.HostID.Compare)
	return slices.Compact(ids)
}

// checkPaths: what a host depends on must be there, and not depend on it in turn.
func (l *loader) checkPaths() {
	told := map[string]bool{}
	for _, h := range l.inv.Hosts {
		for _, v := range l.via[h.ID] {
			l.checkVia(h.ID, v, told)
		}
	}
	if l.file.Err() != nil {
		return
	}
	state := map[fact.HostID]int{}
	for _, h := range l.inv.Hosts {
		l.findCircle(h, nil, state)
	}
}

// checkVia tells a slip in a group's or range's via once, not for each of its hosts.
func (l *loader) checkVia(id fact.HostID, v document.Value[string], told map[string]bool) {
	if !v.Set() {
		return
	}
	if v.V == id.Name {
		l.file.Errorf(l.origin[id], "give the device itself `via: []`", "the host %s would depend on itself (line %d)", id, v.At.Line)
		return
	}
	if _, known := l.origin[fact.HostID{Site: id.Site, Name: v.V}]; known {
		return
	}
	key := fmt.Sprint(id.Site, v)
	if told[key] {
		return
	}
	told[key] = true
	var names []string
	for _, h := range l.inv.Hosts {
		if h.ID.Site == id.Site {
			names = append(names, h.ID.Name)
		}
	}
	l.file.Errorf(v.At, document.DidYouMean(v.V, names, "name a host of the same site"), "the site %s has no host `%s`", id.Site, v.V)
}

// findCircle walks along the paths; a host that is met behind itself is in a circle.
func (l *loader) findCircle(h Host, path []string, state map[fact.HostID]int) {
	switch state[h.ID] {
	case visited:
		return
	case visiting:
		path = path[slices.Index(path, h.ID.Name):]
		l.file.Errorf(l.origin[h.ID], "remove one of the `via` or `jump`", "hosts in a circle: %s → %s: each would depend on the next",
			strings.Join(path, " → "), h.ID.Name)
		return
	}
	state[h.ID] = visiting
	path = append(path, h.ID.Name)
	for _, id := range l.inv.dependsOn(h) {
		if next, err := l.inv.Find(id.String()); err == nil {
			l.findCircle(next, path, state)
		}
	}
	state[h.ID] = visited
}
