package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// paths is what hosts of the site depend on while they are worked on: bastions, devices
// on their way, hosts that their hooks run on. Hosts and units are nodes, see nodeOf.
type paths struct {
	needs map[string]map[string]bool
	// rank grows along the way: what a node needs has a higher one than the node.
	rank map[string]int
	// circles are pairs that depend on each other, which no order can satisfy.
	circles [][2]string
}

// addPaths learns them from the inventory and the hooks. ssh_config's bastions are not
// known here.
func (d *Draft) addPaths() error {
	d.paths = paths{needs: map[string]map[string]bool{}, rank: map[string]int{}}
	index := d.in.addresses()
	for _, h := range d.in.Inventory.Hosts {
		if h.ID.Site != d.in.Site {
			continue
		}
		if err := d.in.needsOf(h, index, func(on inventory.Host) { d.paths.add(h, on) }); err != nil {
			return err
		}
	}
	for _, hook := range d.hooks {
		on, other := hook.elsewhere()
		if !other {
			continue
		}
		target, _ := d.in.host(on)
		for _, id := range hook.Hosts {
			h, _ := d.in.host(id)
			d.paths.add(h, target)
		}
	}
	d.paths.sort()
	d.notes = append(d.notes, d.circles()...)
	return nil
}

// circles notes what no order can help, of the hosts that are worked on.
func (d *Draft) circles() []string {
	ours := map[string]bool{}
	for _, h := range d.hosts {
		ours[nodeOf(h.ID.Name, h.Unit)] = true
	}
	var out []string
	for _, c := range d.paths.circles {
		if ours[c[0]] && ours[c[1]] {
			out = append(out, fmt.Sprintf("%s and %s depend on each other: there is no right order for them", plain(c[0]), plain(c[1])))
		}
	}
	return out
}

// plain is a node for people: "lb1", "unit core".
func plain(node string) string {
	kind, name, _ := strings.Cut(node, "/")
	if kind == "host" {
		return name
	}
	return kind + " " + name
}

// addresses finds the site's hosts by what a hop may call them.
func (in Input) addresses() map[string]inventory.Host {
	out := map[string]inventory.Host{}
	for _, h := range in.Inventory.Hosts {
		if h.ID.Site == in.Site && h.Address != "" {
			out[strings.ToLower(h.Address)] = h
		}
	}
	for _, h := range in.Inventory.Hosts {
		if h.ID.Site == in.Site {
			out[strings.ToLower(h.ID.Name)] = h // a name is a host's own, whatever address says
		}
	}
	return out
}

// needsOf tells which hosts of the inventory one is reached through. A bastion that the
// inventory does not have is never worked on.
func (in Input) needsOf(h inventory.Host, index map[string]inventory.Host, found func(inventory.Host)) error {
	jump := h.Jump
	if jump == nil {
		jump = in.Inventory.Sites[in.Site].Jump
	}
	for _, hop := range jump {
		if on, known := index[strings.ToLower(hopHost(hop))]; known {
			found(on)
		}
	}
	for _, name := range h.Via {
		on, known := in.host(fact.HostID{Site: in.Site, Name: name})
		if !known {
			return fault.Usagef("via names hosts of the same site; see: patchring inventory list", "host %s is said to be reached via %s, and site %s has no such host", h.ID, name, in.Site)
		}
		found(on)
	}
	return nil
}

// hopHost is the host of [user@]host[:port]; inventory has checked the form.
func hopHost(hop string) string {
	host := hop[strings.LastIndexByte(hop, '@')+1:]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, _, _ = strings.Cut(inner, "]")
		return inner
	}
	if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		return name
	}
	return host
}

// add notes that one host needs another; members of one unit don't count.
func (p *paths) add(h, on inventory.Host) {
	from, to := nodeOf(h.ID.Name, h.Unit), nodeOf(on.ID.Name, on.Unit)
	if from == to {
		return
	}
	if p.needs[from] == nil {
		p.needs[from] = map[string]bool{}
	}
	p.needs[from][to] = true
}

// neededBy tells which nodes others of the given ones depend on, at once or by way of
// hosts between.
func (p *paths) neededBy(nodes []string) map[string]bool {
	needed, todo := map[string]bool{}, slices.Clone(nodes)
	for len(todo) > 0 {
		node := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for on := range p.needs[node] {
			if !needed[on] {
				needed[on] = true
				todo = append(todo, on)
			}
		}
	}
	return needed
}

// sort gives the nodes their ranks. Where they go round in a circle, the edge that
// closes it does not count.
func (p *paths) sort() {
	order := p.dependentsFirst()
	position := map[string]int{}
	for i, node := range order {
		position[node] = i
	}
	for i, node := range order {
		for _, on := range slices.Sorted(maps.Keys(p.needs[node])) {
			if position[on] < i {
				p.circles = append(p.circles, [2]string{on, node})
				continue
			}
			p.rank[on] = max(p.rank[on], p.rank[node]+1)
		}
	}
}

// dependentsFirst lists every node before those that it needs, circles aside.
func (p *paths) dependentsFirst() []string {
	var order []string
	seen := map[string]bool{}
	var visit func(string)
	visit = func(node string) {
		if seen[node] {
			return
		}
		seen[node] = true
		for _, on := range slices.Sorted(maps.Keys(p.needs[node])) {
			visit(on)
		}
		order = append(order, node)
	}
	for _, node := range slices.Sorted(maps.Keys(p.needs)) {
		visit(node)
	}
	slices.Reverse(order)
	return order
}
