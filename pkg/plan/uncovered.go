package plan

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
)

// Uncovered are hosts of a ring with updates whose domain no host of a ring before has:
// nothing can be proven for them, so they will get nothing.
type Uncovered struct {
	Ring, Domain string
	Hosts        []fact.HostID
}

// Uncovered lists them, in the order of the rings, then by domain. The first ring needs
// no proof.
func (p *Plan) Uncovered() []Uncovered {
	var out []Uncovered
	covered := map[string]bool{}
	for at, ring := range p.Rings {
		var here []Host
		for _, h := range p.Hosts {
			if h.Ring == ring.Name && h.Problem == nil {
				here = append(here, h)
			}
		}
		if at > 0 {
			out = append(out, uncovered(ring.Name, here, covered)...)
		}
		for _, h := range here {
			covered[h.Domain] = covered[h.Domain] || h.Domain != ""
		}
	}
	return out
}

func uncovered(ring string, hosts []Host, covered map[string]bool) []Uncovered {
	var out []Uncovered
	for _, h := range hosts {
		if len(h.Install) == 0 || covered[h.Domain] {
			continue
		}
		at := slices.IndexFunc(out, func(u Uncovered) bool { return u.Domain == h.Domain })
		if at < 0 {
			at = len(out)
			out = append(out, Uncovered{Ring: ring, Domain: h.Domain})
		}
		out[at].Hosts = append(out[at].Hosts, h.ID)
	}
	slices.SortFunc(out, func(a, b Uncovered) int { return strings.Compare(a.Domain, b.Domain) })
	return out
}
