package inventory

import (
	"maps"
	"slices"

	"github.com/patchring/patchring/pkg/document"
)

// checkJumps reports a host that would be reached through itself: a bastion that
// stands in the inventory needs `jump: []`, or a chain of its own.
func (l *loader) checkJumps() {
	for i := range l.inv.Hosts {
		h := &l.inv.Hosts[i]
		for _, text := range h.Jump {
			_, host, _, err := splitHop(text)
			if err == nil && (host == h.ID.Name || host == h.Address) {
				l.file.Errorf(l.origin[h.ID], "give the bastion itself `jump: []`", "the host %s would be reached through itself (%s)", h.ID, text)
				break
			}
		}
	}
	l.checkLabels()
}

// Bastion finds, among hosts, one that another of them is reached through: a hop of
// its jump names the other or its address. They can't be worked on at the same time.
func Bastion(hosts []Host) (bastion, behind Host, found bool) {
	named := make(map[string]Host, 2*len(hosts))
	for _, h := range hosts {
		named[h.ID.Site+"/"+h.ID.Name] = h
		if h.Address != "" {
			named[h.ID.Site+"/"+h.Address] = h
		}
	}
	for _, h := range hosts {
		for _, hop := range h.Jump {
			_, host, _, err := splitHop(hop)
			if b, ok := named[h.ID.Site+"/"+host]; err == nil && ok && b.ID != h.ID {
				return b, h, true
			}
		}
	}
	return Host{}, Host{}, false
}

// checkLabels checks the keys of labels: they stand before the = of a pattern.
func (l *loader) checkLabels() {
	check := func(c *commonYAML) {
		for _, e := range c.Labels.Entries {
			if !labelShape.MatchString(e.Key) {
				l.badName(e.At, "label", e.Key)
			}
		}
	}
	check(&l.yaml.Defaults.V)
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		if y := l.groups[name].yaml; y != nil {
			check(&y.commonYAML)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.sites)) {
		check(&l.sites[name].commonYAML)
		l.checkHostLabels(l.sites[name].Hosts, check)
	}
}

func (l *loader) checkHostLabels(hosts document.Map[hostYAML], check func(*commonYAML)) {
	for i := range hosts.Entries {
		check(&hosts.Entries[i].Value.commonYAML)
	}
}
