package rollout

import (
	"fmt"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Would gives the patch set that a ring is bound to, or would be if its gate opened now. An
// error: it is the first ring, which is bound to none, or a ring before it has not ended.
func (s *State) Would(name string) (patch.PatchSet, error) {
	at := slices.IndexFunc(s.rings, func(r *ring) bool { return r.Name == name })
	if at < 0 {
		return patch.PatchSet{}, fmt.Errorf("rollout %s has no ring %q", s.ID(), name)
	}
	if at == 0 {
		return patch.PatchSet{}, fmt.Errorf("ring %s is the first: it gets the plan's own versions, and is bound to no patch set", name)
	}
	digest, err := s.wanted(s.rings[at])
	if err != nil {
		return patch.PatchSet{}, err
	}
	if set, ok := s.Frozen(digest); ok {
		return set, nil
	}
	return s.freeze(s.rings[at]), nil
}

// Proven is what the healthy hosts of all rings prove now.
func (s *State) Proven() patch.PatchSet {
	var proven []patch.Proven
	for _, h := range s.hosts {
		if h.State == HostHealthy {
			proven = append(proven, h.Proven...)
		}
	}
	return plan.Freeze(proven)
}
