// Package imports turns what people have already, an ssh_config, a CSV file or a few
// answers, into a first inventory and playbook with comments that teach. It takes
// bytes and gives text; what could not be taken over is told, never dropped silently.
package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

// Draft is a first inventory and playbook. Both parse.
type Draft struct {
	Inventory string
	Playbook  string
	Notes     []string // what was left out or chosen, for a person
}

// limits of what is imported.
const (
	maxBytes = 8 << 20
	maxHosts = 50_000
)

// host is one host to be written.
type host struct {
	name, address, user, become, key string
	port                             int
	groups, jump                     []string
	direct                           bool // jump: [] is written
	line                             int  // in the source
}

// names gives what a range in the name stands for; most names are themselves.
func (h host) names() []string { return expanded(h.name) }

func (h host) addresses() []string { return expanded(h.address) }

func expanded(text string) []string {
	if !strings.Contains(text, "[") {
		return []string{text}
	}
	all, _ := inventory.Expand(text) // checked when it was read
	return all
}

// site is a site to be written; the only one may have no name.
type site struct {
	name, timezone, owner string
	jump                  []string
	hosts                 []host
}

// model is all that is written.
type model struct {
	origin, user, become string
	sites                []site
	notes                []string
}

func (m *model) note(format string, args ...any) {
	m.notes = append(m.notes, plainText(fmt.Sprintf(format, args...)))
}

// plainText keeps foreign text on one line and short, for notes and comments.
func plainText(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
	if runes := []rune(text); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return text
}

// errOwnText marks the error that the files just written don't parse. It is the last
// defence, not the way in which mistakes of the source are told.
var errOwnText = errors.New("the result has mistakes")

// draft writes both files, and parses them again: what can't be read is never given out.
func (m *model) draft() (Draft, error) {
	if !slices.ContainsFunc(m.sites, func(s site) bool { return len(s.hosts) > 0 }) {
		return Draft{}, fault.Usagef("write the hosts by hand, or import another file", "no host was found in the %s%s", m.origin, withNotes(m.notes))
	}
	if err := m.check(); err != nil {
		return Draft{}, err
	}
	r := m.assignRings()
	d := Draft{Inventory: m.inventory(), Playbook: firstPlaybook(r), Notes: m.notes}
	inv, err := inventory.Parse("inventory.yaml", []byte(d.Inventory))
	if err != nil {
		return Draft{}, fmt.Errorf("%s: %w: %w", m.origin, errOwnText, err)
	}
	if _, err := playbook.Parse("playbook.yaml", []byte(d.Playbook), inv); err != nil {
		return Draft{}, fmt.Errorf("%s: %w: %w", m.origin, errOwnText, err)
	}
	return d, nil
}

// check finds what would only show in the written inventory, where it would be hard
// to trace back to the source.
func (m *model) check() error {
	groups := map[string]bool{}
	for _, s := range m.sites {
		for _, h := range s.hosts {
			for _, g := range h.groups {
				groups[g] = true
			}
		}
	}
	for _, s := range m.sites {
		if err := s.check(groups); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(m.sites, func(s site) bool {
		return slices.ContainsFunc(s.hosts, func(h host) bool { return !s.isBastion(&h) })
	}) {
		return fault.Usagef("name a host that is no bastion", "every host of the %s is the bastion of another", m.origin)
	}
	return nil
}

func (s site) check(groups map[string]bool) error {
	seen := map[string]bool{}
	for _, h := range s.hosts {
		for _, name := range h.names() {
			switch {
			case groups[name]:
				return fault.Usagef("rename one of them", "%s`%s` is both a host and a group", h.where(), name)
			case seen[name]:
				return fault.Usagef("keep one of them", "%sthe host `%s` stands twice", h.where(), name)
			}
			seen[name] = true
		}
		if slices.ContainsFunc(slices.Concat(h.jump, s.jump), func(hop string) bool { return through(hop, &h) }) {
			return fault.Usagef("leave the bastion out", "%s`%s` would be reached through itself", h.where(), h.name)
		}
	}
	return nil
}

// where is "line 5: ", or nothing where the source has no lines.
func (h host) where() string {
	if h.line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", h.line)
}

func withNotes(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return " (" + notes[0] + ")"
}

// rings are the groups that the playbook's rings are made of.
type rings struct {
	test, production string
	single           bool // every host is in the test ring
}

// assignRings makes sure that each site has a test ring: where the source names none,
// the site's first host becomes one, and that is said. All others are production, but
// for bastions: they must not be patched beside the hosts behind them.
func (m *model) assignRings() rings {
	r := rings{test: m.freeName("test"), production: m.freeName("production"), single: true}
	bastions := m.freeName("bastions")
	for i := range m.sites {
		var hosts []*host
		for j := range m.sites[i].hosts {
			h := &m.sites[i].hosts[j]
			if !m.sites[i].isBastion(h) {
				hosts = append(hosts, h)
				continue
			}
			h.groups = append(slices.DeleteFunc(h.groups, func(g string) bool { return g == r.test || g == r.production }), bastions)
			m.note("%s is a bastion, and in no ring: patch it on its own, when nothing runs through it", h.name)
		}
		r.single = m.assign(hosts, r) && r.single
	}
	return r
}

// isBastion tells whether another host of the site is reached through this one.
func (s site) isBastion(h *host) bool {
	return slices.ContainsFunc(s.hosts, func(o host) bool {
		return o.name != h.name && slices.ContainsFunc(slices.Concat(o.jump, s.jump), func(hop string) bool { return through(hop, h) })
	})
}

// assign puts a site's hosts into rings, and tells whether all are in the test ring.
func (m *model) assign(hosts []*host, r rings) bool {
	single := true
	if len(hosts) > 0 && !slices.ContainsFunc(hosts, func(h *host) bool { return slices.Contains(h.groups, r.test) }) {
		first := hosts[0]
		first.groups = append(slices.DeleteFunc(first.groups, func(g string) bool { return g == r.production }), r.test)
		m.note("%s became the test ring because it stands first: choose a host there that you can afford to lose", first.name)
	}
	for _, h := range hosts {
		if !slices.Contains(h.groups, r.test) && !slices.Contains(h.groups, r.production) {
			h.groups = append(h.groups, r.production)
		}
		single = single && !slices.Contains(h.groups, r.production)
	}
	return single
}

// freeName gives the group's name, or another where a host is named so.
func (m *model) freeName(name string) string {
	taken := map[string]bool{}
	for _, s := range m.sites {
		for _, h := range s.hosts {
			for _, n := range h.names() {
				taken[n] = true
			}
		}
	}
	free := name
	for i := 2; taken[free]; i++ {
		free = fmt.Sprintf("%s_%d", name, i)
	}
	return free
}
