package plan

import "github.com/patchring/patchring/pkg/patch"

// Wants counts, for each version that hosts of a ring are to get, how many of them are:
// what a gate's coverage is measured against.
func (p *Plan) Wants(ring string) map[patch.Proven]int {
	out := map[patch.Proven]int{}
	for _, h := range p.working() {
		if h.Ring != ring {
			continue
		}
		for _, u := range h.Install {
			out[proofFor(h, u)]++
		}
	}
	return out
}
