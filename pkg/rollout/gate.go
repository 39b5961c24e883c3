package rollout

import (
	"fmt"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// MinParticipation is the share of the hosts of the rings before, in percent, that
// must have taken part: hosts that were gone prove nothing, so too many of them
// close the gate. Hosts with nothing to do took part.
const MinParticipation = 95

// verdict on a gate, with the reasons for it. The zero value is inconclusive.
type verdict struct {
	state   GateState
	reasons []string
}

// judge is the gate of a ring (rule 1). It asks the rings before: have they ended,
// is nothing touched-then-unknown, are their failures within their limits, did
// enough hosts take part, was anything proven. What is not clearly so keeps it shut.
func (s *State) judge(r *ring) verdict {
	if r.at == 0 {
		return verdict{GateOpen, []string{"the first ring: it gets the plan's own versions"}}
	}
	closed := verdict{state: GateClosed}
	for _, before := range s.rings[:r.at] {
		if !before.done() {
			closed.reasons = append(closed.reasons, fmt.Sprintf("ring %s: %d of %d hosts have ended", before.Name, before.ended, len(before.all)))
		}
	}
	if len(closed.reasons) > 0 {
		return closed
	}
	doubts, against := s.doubts(r), s.against(r)
	switch {
	case len(against) > 0:
		return verdict{GateClosed, append(against, doubts...)}
	case len(doubts) > 0:
		return verdict{GateInconclusive, doubts}
	}
	return verdict{GateOpen, s.inFavour(r)}
}

// doubts are hosts that were changed and could not be judged: a person must look.
func (s *State) doubts(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		if n := before.by[HostUnknown] - before.unasked; n > 0 {
			out = append(out, fmt.Sprintf("ring %s: %d changed and then unknown: look at them", before.Name, n))
		}
	}
	return out
}

// against are the reasons that shut the gate.
func (s *State) against(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		if before.tripped() {
			out = append(out, s.failed(before))
		}
		gone := before.by[HostUnreachable] + before.unasked
		if n := len(before.all); (n-gone)*100 < MinParticipation*n {
			out = append(out, fmt.Sprintf("ring %s: only %d of %d hosts took part, and %d %% must", before.Name, n-gone, n, MinParticipation))
		}
	}
	healthy, idle := s.proofs(r)
	if healthy == 0 && !idle {
		out = append(out, "no host of an earlier ring came through healthy, so nothing is proven")
	}
	return out
}

// proofs counts the healthy hosts of the rings before; idle: whoever took part had
// nothing to do, so nobody could prove anything.
func (s *State) proofs(r *ring) (healthy int, idle bool) {
	idle = true
	for _, before := range s.rings[:r.at] {
		healthy += before.by[HostHealthy]
		idle = idle && before.by[HostNothing]+before.by[HostUnreachable] == len(before.all)
	}
	return healthy, idle
}

func (s *State) inFavour(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		out = append(out, fmt.Sprintf("ring %s: %d of %d hosts healthy, %d with nothing to do, %d failed (limit %d)",
			before.Name, before.by[HostHealthy], len(before.all), before.by[HostNothing], before.failures(), before.FailureLimit))
	}
	if healthy, _ := s.proofs(r); healthy == 0 {
		out = append(out, "no earlier ring had anything to do: nothing is proven, so nothing can be installed here; what is pending is left as untested")
	}
	return out
}

// freeze makes the set that a ring is bound to: what the healthy hosts of all the
// rings before have proven (rule 5).
func (s *State) freeze(r *ring) patch.PatchSet {
	var proven []patch.Proven
	for _, before := range s.rings[:r.at] {
		for _, at := range before.active {
			if h := s.hosts[at]; h.State == HostHealthy {
				proven = append(proven, h.Proven...)
			}
		}
	}
	return plan.Freeze(proven)
}
