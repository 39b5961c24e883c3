package report

import (
	"github.com/patchring/patchring/pkg/inventory"
)

// Graph is the document of an inventory as a tree.
type Graph struct {
	Header
	Path string    `json:"path"`
	Root GraphNode `json:"root"`
}

// GraphNode is a site, a group or a host.
type GraphNode struct {
	Kind     string      `json:"kind"` // inventory | site | group | host
	Name     string      `json:"name"`
	Again    bool        `json:"again"` // the group's content is shown where it stands first
	Children []GraphNode `json:"children"`
}

// NewGraph builds the document of `inventory graph`.
func NewGraph(path string, root inventory.Node) Graph {
	return Graph{Header: header("graph"), Path: clean(path), Root: newGraphNode(root)}
}

func newGraphNode(n inventory.Node) GraphNode {
	out := GraphNode{Kind: n.Kind, Name: clean(n.Name), Again: n.Again, Children: []GraphNode{}}
	for _, c := range n.Children {
		out.Children = append(out.Children, newGraphNode(c))
	}
	return out
}

func (d Graph) face(bool) face {
	f := face{title: d.Path}
	for i, c := range d.Root.Children {
		f.drawn = append(f.drawn, branches(c, "", i == len(d.Root.Children)-1)...)
	}
	return f
}

// branches draws a node and what hangs on it, in ASCII: logs and screen readers
// read it too.
func branches(n GraphNode, indent string, last bool) []string {
	stem, below := "|-- ", "|   "
	if last {
		stem, below = "`-- ", "    "
	}
	name := n.Name
	switch n.Kind {
	case "site":
		name = "site " + name
	case "group":
		name = "@" + name
	}
	if n.Again {
		name += " (see above)"
	}
	lines := []string{indent + stem + name}
	for i, c := range n.Children {
		lines = append(lines, branches(c, indent+below, i == len(n.Children)-1)...)
	}
	return lines
}
