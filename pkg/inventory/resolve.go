package inventory

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fact"
)

// layer is one level that may say a setting, nearest first: the host, its groups,
// the site, the defaults.
type layer struct {
	what string // "host", "group web", "site hq", "defaults"
	yaml *commonYAML
}

// choice is what a set of groups says, worked out once for all hosts that are in
// exactly these groups.
type choice struct {
	groups []string // all levels, sorted
	picks  map[string]pick
}

// pick is a setting as groups say it: groups that lost follow the winner. rival is
// a group that disagrees with the winner and is neither above nor below it.
type pick struct {
	order []*group
	rival *group
}

// resolveAll gives each host its groups of all levels and its settings.
func (l *loader) resolveAll() {
	known := settings()
	for i := range l.inv.Hosts {
		h := &l.inv.Hosts[i]
		c := l.choiceOf(h.Groups)
		h.Groups = c.groups
		l.resolve(h, c, known)
		h.entry = nil
	}
}

func (l *loader) choiceOf(direct []string) *choice {
	key := strings.Join(direct, ",")
	if c, ok := l.chosen[key]; ok {
		return c
	}
	all := map[string]bool{}
	for _, name := range direct {
		all[name] = true
		maps.Copy(all, l.ancestors(name))
	}
	c := &choice{groups: slices.Sorted(maps.Keys(all)), picks: map[string]pick{}}
	l.chosen[key] = c
	return c
}

// resolve takes each setting from the nearest level that says it.
func (l *loader) resolve(h *Host, c *choice, known []setting) {
	h.Where, h.Lost, h.Labels = map[string]string{}, map[string][]string{}, map[string]string{}
	if h.entry.Address.Set() {
		h.Where["address"] = l.place(h.entry.Address.At)
	}
	outer := l.outer(h.ID.Site)
	for _, s := range known {
		if won := l.settle(h, c, s, outer); won != nil {
			s.put(&h.Settings, won)
			if s.name == "via" {
				l.via[h.ID] = won.Via.V
			}
		}
	}
	for _, s := range l.labels(h, c, outer) {
		if won := l.settle(h, c, s, outer); won != nil {
			h.Labels[strings.TrimPrefix(s.name, "labels.")] = s.text(won)
		}
	}
	if h.Become == "" {
		h.Become = BecomeNone
	}
}

// outer are the levels above a host's groups.
func (l *loader) outer(site string) []layer {
	return []layer{{"site " + site, &l.sites[site].commonYAML}, {"defaults", &l.yaml.Defaults.V.commonYAML}}
}

// settle finds who wins one setting for one host, and records who lost. It gives nil
// where nobody says anything.
func (l *loader) settle(h *Host, c *choice, s setting, outer []layer) *commonYAML {
	var won *commonYAML
	meet := func(what string, y *commonYAML) {
		at := s.at(y)
		switch {
		case !at.Written():
		case won == nil:
			won = y
			h.Where[s.name] = l.place(at)
		default:
			h.Lost[s.name] = append(h.Lost[s.name], l.place(at)+" ("+what+": "+s.text(y)+")")
		}
	}
	meet("host", &h.entry.commonYAML)
	p := l.pickOf(c, s)
	if won == nil && p.rival != nil {
		l.conflict(h.ID, s, p)
	}
	for _, g := range p.order {
		meet("group "+g.name, &g.yaml.commonYAML)
	}
	for _, o := range outer {
		meet(o.what, o.yaml)
	}
	return won
}

// pickOf decides between the groups that say a setting: a child wins over what is
// above it; the rest is in the order of names, and must agree.
func (l *loader) pickOf(c *choice, s setting) pick {
	if p, ok := c.picks[s.name]; ok {
		return p
	}
	var order []*group
	for _, name := range c.groups {
		if g := l.groups[name]; g.yaml != nil && s.at(&g.yaml.commonYAML).Written() {
			order = append(order, g)
		}
	}
	p := pick{order: l.nearestFirst(order)}
	for _, g := range p.order[min(1, len(p.order)):] {
		if p.rival == nil && !l.covered(g, order) && s.text(&g.yaml.commonYAML) != s.text(&p.order[0].yaml.commonYAML) {
			p.rival = g
		}
	}
	c.picks[s.name] = p
	return p
}

// covered tells whether one of the others is below g, and so nearer to the host.
func (l *loader) covered(g *group, others []*group) bool {
	return slices.ContainsFunc(others, func(o *group) bool { return o != g && l.ancestors(o.name)[g.name] })
}

// nearestFirst sorts groups so that children stand before what is above them.
func (l *loader) nearestFirst(groups []*group) []*group {
	depth := make(map[*group]int, len(groups))
	for _, g := range groups {
		for _, o := range groups {
			if l.ancestors(o.name)[g.name] {
				depth[g]++
			}
		}
	}
	sorted := slices.Clone(groups)
	slices.SortStableFunc(sorted, func(a, b *group) int { return depth[a] - depth[b] })
	return sorted
}

// conflict reports two unrelated groups that disagree, once for each setting.
func (l *loader) conflict(id fact.HostID, s setting, p pick) {
	a, b := p.order[0], p.rival
	key := s.name + " " + a.name + " " + b.name
	if l.told[key] {
		return
	}
	l.told[key] = true
	atA, atB := s.at(&a.yaml.commonYAML), s.at(&b.yaml.commonYAML)
	if atB.Compare(atA) < 0 {
		a, b, atA, atB = b, a, atB, atA
	}
	l.file.Errorf(atB, "say it for the host, or make one group a child of the other",
		"groups disagree on `%s` of the host %s: %s says %s (line %d), %s says %s (line %d)",
		s.name, id, a.name, s.text(&a.yaml.commonYAML), atA.Line, b.name, s.text(&b.yaml.commonYAML), atB.Line)
}

// labels makes a setting of each label that any of the host's levels gives.
func (l *loader) labels(h *Host, c *choice, outer []layer) []setting {
	names := map[string]bool{}
	add := func(y *commonYAML) {
		for _, e := range y.Labels.Entries {
			names[e.Key] = true
		}
	}
	add(&h.entry.commonYAML)
	for _, name := range c.groups {
		if g := l.groups[name]; g.yaml != nil {
			add(&g.yaml.commonYAML)
		}
	}
	for _, o := range outer {
		add(o.yaml)
	}
	made := make([]setting, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		made = append(made, labelSetting(name))
	}
	return made
}

func labelSetting(name string) setting {
	find := func(c *commonYAML) document.Value[labelValue] {
		for _, e := range c.Labels.Entries {
			if e.Key == name {
				return e.Value
			}
		}
		return document.Value[labelValue]{}
	}
	s := one("labels."+name, find, func(*Settings, labelValue) {})
	return s
}

// place is "file:line", made once a line: there can be many hosts on it.
func (l *loader) place(at document.Pos) string {
	text, ok := l.places[at.Line]
	if !ok {
		text = l.file.Place(at)
		l.places[at.Line] = text
	}
	return text
}
