package device

import (
	"slices"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// NamedTable is a kind of state that is compared before and after.
type NamedTable struct {
	Name string
	Table
}

// Tables are those that are read on a device of these facts, in the definition's order.
func (p *Platform) Tables(known fact.Facts) []NamedTable {
	var list []NamedTable
	for _, e := range p.Definition.State.Entries {
		if Holds(e.Value.When, known) {
			list = append(list, NamedTable{e.Key, e.Value})
		}
	}
	return list
}

// ReadTable makes the section of a table of what its command printed. A row's name are its
// groups id, key and key2. Of a table of counts each row gives the number in group value.
func (p *Platform) ReadTable(t Table, out []byte) fact.Section {
	s := fact.Section{Known: true, Rule: t.rule(), Tolerance: part(t.Tolerance)}
	for _, r := range p.rows(t.Re, t.Per, "id", tidy(out)) {
		switch {
		case s.Rule == fact.RuleCount:
			s.Items = append(s.Items, r["value"])
		case t.Up == "" || p.Re(t.Up).MatchString(r["state"]):
			s.Items = append(s.Items, strings.Join(slices.DeleteFunc([]string{r["id"], r["key"], r["key2"]}, func(w string) bool { return w == "" }), " "))
		}
	}
	if len(s.Items) >= maxRows {
		return fact.Section{Rule: s.Rule, Why: "the list is too long"}
	}
	if s.Rule != fact.RuleCount {
		slices.Sort(s.Items)
		s.Items = slices.Compact(s.Items)
	}
	return s
}

// Unread is the section of a table whose command gave no answer.
func (p *Platform) Unread(t Table, why string) fact.Section {
	return fact.Section{Rule: t.rule(), Why: remote.Clean(why, 200)}
}

func (t Table) rule() fact.Rule {
	switch {
	case t.Rule != "":
		return fact.Rule(t.Rule)
	case t.Tolerance != "":
		return fact.RuleCount
	}
	return fact.RuleKeep
}

// part is 0.02 for "2%".
func part(percent string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil || n < 0 {
		return 0
	}
	return n / 100
}
