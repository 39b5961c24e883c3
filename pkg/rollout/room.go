package rollout

// tripped: more failures than the limit of the ring, or of the rollout. Unknown counts
// as failed.
func (s *State) tripped(r *ring) bool {
	limit := s.opened.FailureLimit
	return r.tripped() || limit != nil && s.failures() > *limit
}

func (r *ring) tripped() bool { return r.failures() > r.FailureLimit }

// failures of all rings.
func (s *State) failures() int {
	n := 0
	for _, r := range s.rings {
		n += r.failures()
	}
	return n
}

// room is how many hosts of the ring may start now: hosts in flight never exceed
// max_in_flight, nor the failure allowance that is left, of the ring and of the rollout
// (at least one, or a ring with limit 0 could never begin).
//
//	limit 0, none failed                              → 1 in flight
//	limit 5, none failed, max 20                      → 5 in flight
//	limit 5, 2 failed, 3 in flight                    → no further one
//	limit 5, 5 failed, none in flight                 → 1: one more failure stops the ring
//	limit 5, none failed, 8 of 10 failed in all rings → 2 in flight
//	100 hosts, batch 50 %, limit 2 %                  → 2 in flight, though the batch holds 50
func (s *State) room(r *ring) int {
	if s.tripped(r) {
		return 0
	}
	left := r.FailureLimit - r.failures()
	if limit := s.opened.FailureLimit; limit != nil {
		left = min(left, *limit-s.failures())
	}
	most := max(1, left)
	if r.MaxInFlight > 0 {
		most = min(most, r.MaxInFlight)
	}
	return max(0, most-len(s.working))
}
