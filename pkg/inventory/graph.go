package inventory

import (
	"maps"
	"slices"
	"strings"
)

// Node is a node of the tree that `inventory graph` shows.
type Node struct {
	Kind string `json:"kind"` // inventory, site, group or host
	Name string `json:"name"`
	// Again: the group's content is shown where it stands first in this site.
	Again    bool   `json:"again,omitempty"`
	Children []Node `json:"children,omitempty"`
}

// Graph is the tree of sites, groups and hosts. A site shows the groups that have
// hosts there, those without a parent first level; then its hosts in no group. A host
// stands under each of its nearest groups.
func (inv *Inventory) Graph() Node {
	root := Node{Kind: "inventory", Name: "all"}
	bySite := map[string][]Host{}
	for _, h := range inv.Hosts {
		bySite[h.ID.Site] = append(bySite[h.ID.Site], h)
	}
	for _, name := range slices.Sorted(maps.Keys(inv.Sites)) {
		root.Children = append(root.Children, inv.siteNode(name, bySite[name]))
	}
	return root
}

// tree draws one site.
type tree struct {
	groups  map[string]*group
	members map[string][]string // hosts by nearest group
	present map[string]bool     // groups that have hosts here, on any level
	shown   map[string]bool
}

func (inv *Inventory) siteNode(site string, hosts []Host) Node {
	t := &tree{groups: inv.groups, members: map[string][]string{}, present: map[string]bool{}, shown: map[string]bool{}}
	node := Node{Kind: "site", Name: site}
	var alone []Node
	for _, h := range hosts {
		if len(h.Groups) == 0 {
			alone = append(alone, Node{Kind: "host", Name: h.ID.Name})
		}
		for _, g := range h.Groups {
			t.present[g] = true
			if t.nearest(g, h.Groups) {
				t.members[g] = append(t.members[g], h.ID.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.present)) {
		if len(t.parents(name)) == 0 {
			node.Children = append(node.Children, t.group(name))
		}
	}
	node.Children = append(node.Children, alone...)
	return node
}

func (t *tree) parents(name string) []string {
	if g, ok := t.groups[name]; ok {
		return g.parents
	}
	return nil
}

func (t *tree) children(name string) []string {
	if g, ok := t.groups[name]; ok {
		return g.children
	}
	return nil
}

// nearest tells whether none of the host's other groups is below this one.
func (t *tree) nearest(name string, groups []string) bool {
	return !slices.ContainsFunc(groups, func(o string) bool { return slices.Contains(t.parents(o), name) })
}

func (t *tree) group(name string) Node {
	node := Node{Kind: "group", Name: name}
	if t.shown[name] {
		node.Again = true
		return node
	}
	t.shown[name] = true
	for _, child := range t.children(name) {
		if t.present[child] {
			node.Children = append(node.Children, t.group(child))
		}
	}
	for _, host := range t.members[name] {
		node.Children = append(node.Children, Node{Kind: "host", Name: host})
	}
	return node
}

// String draws the tree as indented lines: groups as @name, sites as name/.
func (n Node) String() string {
	var b strings.Builder
	n.draw(&b, 0)
	return b.String()
}

func (n Node) draw(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("  ", depth))
	switch n.Kind {
	case "group":
		b.WriteString("@" + n.Name)
	case "site":
		b.WriteString(n.Name + "/")
	default:
		b.WriteString(n.Name)
	}
	if n.Again {
		b.WriteString(" (see above)")
	}
	b.WriteString("\n")
	for _, c := range n.Children {
		c.draw(b, depth+1)
	}
}
