package linux

import (
	"fmt"
	"slices"
	"strings"
)

// summary prints the lists that apt shows before it acts.
func (r *aptRun) summary(t *transaction) {
	r.m.mu.Lock()
	waiting := len(slices.DeleteFunc(r.m.upgradable(), func(c change) bool { return t.has(c.to.Name) }))
	kept := r.m.keptTexts(t.kept)
	r.m.mu.Unlock()
	fresh := t.rows(func(c change) bool { return c.from == "" })
	upgraded := t.rows(func(c change) bool { return c.from != "" && !c.downgrade() })
	downgraded := t.rows(change.downgrade)
	var removed []listed
	for _, p := range t.removes {
		removed = append(removed, listed{p.Name, p.Version})
	}
	if r.command == "install" {
		r.list("The following additional packages will be installed:", t.rows(func(c change) bool { return !r.named(c.to.Name) }))
	}
	r.list("The following packages will be REMOVED:", removed)
	r.list("The following NEW packages will be installed:", fresh)
	r.list("The following packages have been kept back:", kept)
	r.list("The following held packages will be changed:", t.rows(func(c change) bool { return slices.Contains(t.held, c.to.Name) }))
	r.list("The following packages will be upgraded:", upgraded)
	r.list("The following packages will be DOWNGRADED:", downgraded)
	text := fmt.Sprintf("%d upgraded, %d newly installed, ", len(upgraded), len(fresh))
	if len(downgraded) > 0 {
		text += fmt.Sprintf("%d downgraded, ", len(downgraded))
	}
	r.say("%s%d to remove and %d not upgraded.\n", text, len(t.removes), waiting)
}

func (r *aptRun) named(name string) bool {
	return slices.ContainsFunc(r.names, func(word string) bool { return word == name || strings.HasPrefix(word, name+"=") })
}

// listed is a package in one of apt's lists, with what -V says of it.
type listed struct{ name, versions string }

func (t *transaction) rows(pick func(change) bool) []listed {
	var rows []listed
	for _, c := range t.changes {
		if !pick(c) {
			continue
		}
		row := listed{c.to.Name, c.to.Version}
		if c.from != "" {
			row.versions = c.from + " => " + c.to.Version
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b listed) int { return strings.Compare(a.name, b.name) })
	return rows
}

// keptTexts describes what is not upgraded. The caller holds mu.
func (m *Machine) keptTexts(names []string) []listed {
	var rows []listed
	for _, name := range names {
		best, _ := m.offered(name, "")
		rows = append(rows, listed{name, m.installed[name].Version + " => " + best.Version})
	}
	return rows
}

// list prints packages: with -V one a line, else in lines of at most 79 columns, as
// apt does without a terminal.
func (r *aptRun) list(title string, rows []listed) {
	if len(rows) == 0 {
		return
	}
	r.say("%s\n", title)
	line := " "
	for _, row := range rows {
		switch {
		case r.o.Has("V"):
			r.say("   %s (%s)\n", row.name, row.versions)
			continue
		case len(line)+1+len(row.name) > 79 && line != " ":
			r.say("%s\n", line)
			line = " "
		}
		line += " " + row.name
	}
	if !r.o.Has("V") {
		r.say("%s\n", line)
	}
}
