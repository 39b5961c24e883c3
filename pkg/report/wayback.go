package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// WayBack is what is known, before a host is changed, of taking it back.
type WayBack struct {
	Light   string   `json:"light"` // green | amber | red; empty: there is nothing to take back
	Reasons []string `json:"reasons"`
}

func newWayBack(r plan.Return, changes bool) WayBack {
	if !changes {
		return WayBack{Reasons: []string{}}
	}
	return WayBack{Light: r.Light.String(), Reasons: cleanAll(r.Reasons)}
}

// wayBackOf is what the begin step found, else what the plan says.
func wayBackOf(h rollout.HostStatus, planned plan.Host) WayBack {
	if h.Began != nil && !h.Began.Work.Back {
		return newWayBack(h.Began.Return, len(h.Began.Work.Install) > 0)
	}
	return newWayBack(planned.Return, len(planned.Install)+len(h.Did) > 0)
}

// Lights counts the hosts that are to be changed by their way back.
type Lights struct {
	Green int `json:"green"`
	Amber int `json:"amber"`
	Red   int `json:"red"`
}

func (l *Lights) add(light string) {
	switch light {
	case string(plan.Green):
		l.Green++
	case string(plan.Amber):
		l.Amber++
	case plan.Red.String():
		l.Red++
	}
}

// String is "7 green, 1 amber, 2 red", without what there is none of; empty: no host is
// to be changed.
func (l *Lights) String() string {
	var out []string
	for _, one := range []struct {
		n    int
		word string
	}{{l.Green, "green"}, {l.Amber, "amber"}, {l.Red, "red"}} {
		if one.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", one.n, one.word))
		}
	}
	return strings.Join(out, ", ")
}

// WaysBack counts the lights of a plan, as Lights.String does.
func WaysBack(p *plan.Plan) string {
	var l Lights
	for _, h := range p.Hosts {
		if h.Problem == nil {
			l.add(newWayBack(h.Return, len(h.Install) > 0).Light)
		}
	}
	return l.String()
}

func lightWord(light string) cell {
	if light == "" {
		return text("")
	}
	return word(light)
}

// wayBackSheet says why hosts may not go back; hosts of the same light and reasons share
// a row.
func (d Plan) wayBackSheet() sheet {
	s := sheet{title: "Way back", columns: []column{{head: "BACK", whole: true}, {head: "HOSTS", least: 16}, {head: "WHY", least: 20, prose: true}}}
	type row struct {
		light, why string
		hosts      []string
	}
	var rows []row
	for _, h := range d.Hosts {
		if h.Back.Light == "" || h.Back.Light == string(plan.Green) {
			continue
		}
		why := strings.Join(h.Back.Reasons, "; ")
		at := slices.IndexFunc(rows, func(r row) bool { return r.light == h.Back.Light && r.why == why })
		if at < 0 {
			at = len(rows)
			rows = append(rows, row{light: h.Back.Light, why: why})
		}
		rows[at].hosts = append(rows[at].hosts, h.Host)
	}
	for _, r := range rows {
		s.rows = append(s.rows, []cell{word(r.light), text(some(r.hosts)), text(r.why)})
	}
	return s
}

// Uncovered are hosts of a ring for which nothing can be proven: no host of a ring before
// has their distribution, release and architecture.
type Uncovered struct {
	Ring   string   `json:"ring"`
	Domain string   `json:"domain"`
	Hosts  []string `json:"hosts"`
}

func newUncovered(p *plan.Plan) []Uncovered {
	out := []Uncovered{}
	if p == nil {
		return out
	}
	for _, u := range p.Uncovered() {
		out = append(out, Uncovered{Ring: clean(u.Ring), Domain: clean(u.Domain), Hosts: hostNames(u.Hosts)})
	}
	return out
}

func uncoveredSheet(all []Uncovered) sheet {
	s := sheet{title: "Not covered: no host of an earlier ring is like these, so nothing can be proven for them", columns: []column{{head: "RING", whole: true}, {head: "SYSTEM", whole: true}, {head: "HOSTS", least: 20}}}
	for _, u := range all {
		s.rows = append(s.rows, texts(u.Ring, orElse(u.Domain, "(not known)"), some(u.Hosts)))
	}
	return s
}
