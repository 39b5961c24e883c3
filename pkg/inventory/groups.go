package inventory

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// group is a group as it was declared or used.
type group struct {
	name     string
	at       document.Pos // where it is declared, or first used
	declared bool         // it stands in `groups:`
	uses     int          // hosts or ranges that name it
	yaml     *groupYAML   // nil when only hosts name it
	parents  []string     // sorted
	children []string     // sorted
	above    map[string]bool
}

func (g *group) use(at document.Pos) {
	g.uses++
	if !g.at.Written() {
		g.at = at
	}
}

// group finds a group, or makes it: hosts may name groups that have no settings.
func (l *loader) group(name string) *group {
	g, ok := l.groups[name]
	if !ok {
		g = &group{name: name}
		l.groups[name] = g
	}
	return g
}

func (l *loader) declareGroups() {
	for i := range l.yaml.Groups.Entries {
		e := &l.yaml.Groups.Entries[i]
		if !goodName(e.Key) {
			l.badName(e.At, "group", e.Key)
			continue
		}
		g := l.group(e.Key)
		g.at, g.declared, g.yaml = e.At, true, &e.Value
	}
}

// joinGroups links children to parents. A child must be known: it has settings, or
// a host names it.
func (l *loader) joinGroups() {
	known := slices.Sorted(maps.Keys(l.groups))
	for _, name := range known {
		parent := l.groups[name]
		if parent.yaml == nil {
			continue
		}
		for _, child := range parent.yaml.Children.V {
			l.join(parent, child, known)
		}
	}
	for _, g := range l.groups {
		sort.Strings(g.parents)
		g.parents = slices.Compact(g.parents)
		sort.Strings(g.children)
		g.children = slices.Compact(g.children)
	}
}

func (l *loader) join(parent *group, child document.Value[string], known []string) {
	if !child.Set() {
		return
	}
	g, ok := l.groups[child.V]
	if !ok {
		l.file.Errorf(child.At, document.DidYouMean(child.V, known, "a group exists when a host names it, or it stands under groups"),
			"unknown group `%s`", child.V)
		return
	}
	parent.children = append(parent.children, child.V)
	g.parents = append(g.parents, parent.name)
}

// checkGroups reports cycles, and names that mean both a group and a host.
func (l *loader) checkGroups() {
	state := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		l.findCycle(name, nil, state)
	}
	for i := range l.inv.Hosts {
		id := l.inv.Hosts[i].ID
		if g, ok := l.groups[id.Name]; ok {
			l.file.Errorf(l.origin[id], "rename one of them: a pattern would mean both",
				"`%s` is a host here, and a group on line %d", id.Name, g.at.Line)
		}
	}
}

const (
	visiting = 1
	visited  = 2
)

// findCycle walks down the children; a group that is met below itself is a cycle.
func (l *loader) findCycle(name string, path []string, state map[string]int) {
	g := l.groups[name]
	switch state[name] {
	case visited:
		return
	case visiting:
		path = path[slices.Index(path, name):]
		l.file.Errorf(g.at, "remove one of the children", "groups in a circle: %s → %s", strings.Join(path, " → "), name)
		return
	}
	state[name] = visiting
	for _, child := range g.children {
		l.findCycle(child, append(slices.Clone(path), name), state)
	}
	state[name] = visited
}

// ancestors gives a group's parents, their parents and so on, without itself.
func (l *loader) ancestors(name string) map[string]bool {
	g := l.groups[name]
	if g.above != nil {
		return g.above
	}
	above := map[string]bool{}
	queue := slices.Clone(g.parents)
	for len(queue) > 0 {
		next := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if !above[next] {
			above[next] = true
			queue = append(queue, l.groups[next].parents...)
		}
	}
	delete(above, name)
	g.above = above
	return above
}

// note collects what is allowed, but looks like a slip.
func (l *loader) note() {
	names := slices.Sorted(maps.Keys(l.groups))
	var declared []string
	for _, name := range names {
		if l.groups[name].declared {
			declared = append(declared, name)
		}
	}
	for _, name := range names {
		g := l.groups[name]
		switch {
		case g.declared && g.uses == 0 && len(g.children) == 0:
			l.noteAt(g.at, "the group `%s` has no hosts%s", name, l.meant(name, names))
		case !g.declared && g.uses == 1:
			if meant := l.meant(name, declared); meant != "" {
				l.noteAt(g.at, "only one line names the group `%s`%s", name, meant)
			}
		}
	}
}

func (l *loader) meant(name string, among []string) string {
	others := slices.DeleteFunc(slices.Clone(among), func(o string) bool { return o == name || l.groups[o].uses == 0 })
	if best := document.Nearest(name, others); best != "" {
		return "; did you mean `" + best + "`?"
	}
	return ""
}

func (l *loader) noteAt(at document.Pos, format string, args ...any) {
	l.inv.Notes = append(l.inv.Notes, l.file.Place(at)+": "+fmt.Sprintf(format, args...))
}
