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
		if h.ControlMaster != "" && len(h.HostKeys) > 0 {
			l.file.Errorf(l.origin[h.ID], "remove host_keys, or write `control_master: none`", "the host %s pins host_keys, which can't be checked over a control_master: its ssh has judged the key", h.ID)
		}
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

// checkLabels checks the keys of labels: they stand before the = of a pattern.
func (l *loader) checkLabels() {
	check := func(c *commonYAML) {
		for _, e := range c.Labels.Entries {
			if !labelShape.MatchString(e.Key) {
				l.badName(e.At, "label", e.Key)
			}
		}
	}
	check(&l.yaml.Defaults.V.commonYAML)
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
