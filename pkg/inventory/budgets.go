package inventory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// written is a budget and the place of its pattern, or of the budget itself.
type written struct {
	Budget
	at     document.Pos
	listed bool // the user wrote the pattern
}

// budgets collects those of groups, sites and patterns, in the order of the file.
func (l *loader) budgets() {
	all := l.listedBudgets()
	add := func(name, hosts string, y document.Value[budgetYAML]) {
		if y.V.Most.Set() {
			all = append(all, written{Budget: Budget{Name: name, Hosts: hosts, Most: y.V.Most.V.Size}, at: y.V.Most.At})
		}
	}
	for name, g := range l.groups {
		if g.yaml != nil {
			add("group "+name, name, g.yaml.Budget)
		}
	}
	for name, y := range l.sites {
		add("site "+name, name+"/*", y.Budget)
	}
	slices.SortFunc(all, func(a, b written) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.Name, b.Name)) })
	sound := l.file.Err() == nil // else a pattern's mistake may only follow from another
	for _, w := range all {
		w.Where = l.place(w.at)
		l.inv.Budgets = append(l.inv.Budgets, w.Budget)
		if w.listed && sound {
			l.lookUp(w)
		}
	}
}

// listedBudgets are those of `budgets`. Two of one pattern are a slip: the smaller
// one would always win.
func (l *loader) listedBudgets() []written {
	var all []written
	first := map[string]document.Pos{}
	for _, y := range l.yaml.Budgets.V {
		if !y.Hosts.Set() || !y.Most.Set() || !l.goodPattern(y.Hosts) {
			continue
		}
		if before, twice := first[y.Hosts.V]; twice {
			l.file.Errorf(y.Hosts.At, "keep one of them", "`%s` has a budget on line %d already", y.Hosts.V, before.Line)
			continue
		}
		first[y.Hosts.V] = y.Hosts.At
		all = append(all, written{Budget: Budget{Name: budgetName(y.Hosts.V), Hosts: y.Hosts.V, Most: y.Most.V.Size}, at: y.Hosts.At, listed: true})
	}
	return all
}

func (l *loader) goodPattern(hosts document.Value[string]) bool {
	if strings.Contains(hosts.V, "@") {
		l.file.Errorf(hosts.At, "name the hosts here, or put them into a group", "a budget says itself which hosts it counts: `@` can't stand here")
		return false
	}
	if err := CheckPattern(hosts.V); err != nil {
		l.file.Report(hosts.At, err)
		return false
	}
	return true
}

// budgetName is "label tier=db" for a label alone, else the pattern.
func budgetName(pattern string) string {
	if key, value, ok := strings.Cut(pattern, "="); ok && labelShape.MatchString(key) && !strings.ContainsAny(value, ":,&!") {
		return "label " + pattern
	}
	return pattern
}

// lookUp finds out whether a budget's pattern names anybody.
func (l *loader) lookUp(w written) {
	hosts, err := l.inv.Select(w.Hosts, nil)
	switch {
	case err != nil:
		l.file.Report(w.at, err)
	case len(hosts) == 0:
		l.file.Errorf(w.at, "put hosts into its groups, or remove it", "the budget of `%s` counts no hosts", w.Hosts)
	}
}
