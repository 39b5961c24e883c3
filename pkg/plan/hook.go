package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/playbook"
)

// Hook is a hook of the playbook with its hosts worked out. The order of a plan's hooks
// is the order in which they run; undoing goes backwards. On is OnHost, OnController, or
// another host of the site as "site/name".
type Hook struct {
	Hosts []fact.HostID `json:"hosts"` // for whose work; sorted
	playbook.Action
}

// Silence is one of the playbook with its hosts worked out.
type Silence struct {
	Hosts []fact.HostID `json:"hosts"`
	playbook.Mute
}

// addHooks keeps the playbook's hooks that are for hosts of the rings.
func (d *Draft) addHooks() error {
	for _, h := range d.in.Playbook.Hooks {
		hosts, err := d.inRings(h.Hosts)
		if err != nil {
			return err
		}
		if len(hosts) == 0 {
			continue
		}
		hook := Hook{Hosts: hosts, Action: h.Action}
		if hook.On, err = d.in.target(h.Action); err != nil {
			return err
		}
		d.hooks = append(d.hooks, hook)
	}
	return nil
}

func (d *Draft) addSilences() error {
	for _, s := range d.in.Playbook.Silences {
		hosts, err := d.inRings(s.Hosts)
		if err != nil {
			return err
		}
		if len(hosts) > 0 {
			d.silences = append(d.silences, Silence{Hosts: hosts, Mute: s.Mute})
		}
	}
	return nil
}

// inRings are the hosts of the rings that a pattern names, sorted.
func (d *Draft) inRings(pattern string) ([]fact.HostID, error) {
	hosts, err := d.in.hostsOf(pattern)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(sorted(hosts), func(id fact.HostID) bool { return d.hosts[id] == nil }), nil
}

// target is where a hook runs. Another host is of the same site: a rollout never spans
// two.
func (in Input) target(a playbook.Action) (string, error) {
	if a.On == playbook.OnHost || a.On == playbook.OnController || a.On == "" {
		return cmp.Or(a.On, playbook.OnHost), nil
	}
	name := strings.TrimPrefix(a.On, in.Site+"/")
	if _, ok := in.host(fact.HostID{Site: in.Site, Name: name}); !ok {
		return "", fault.Usagef("write host, controller, or the name of one host; see: patchring inventory list",
			"hook %s runs on %s, and site %s has no such host", a.Name, a.On, in.Site)
	}
	return in.Site + "/" + name, nil
}

// elsewhere tells whether the hook runs on another host, and on which.
func (h Hook) elsewhere() (on fact.HostID, other bool) {
	if h.On == playbook.OnHost || h.On == playbook.OnController {
		return fact.HostID{}, false
	}
	return on, on.UnmarshalText([]byte(h.On)) == nil
}
