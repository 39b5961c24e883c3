package rollout

// tripped: more failures than the ring's limit. Unknown counts as failed.
func (r *ring) tripped() bool { return r.failures() > r.FailureLimit }

// room is how many hosts of the ring may start now: hosts in flight never exceed
// max_in_flight, nor the failure allowance that is left (at least one, or a ring
// with limit 0 could never begin).
//
//	limit 0, none failed                 → 1 in flight
//	limit 5, none failed, max 20         → 5 in flight
//	limit 5, 2 failed, 3 in flight       → no further one
//	limit 5, 5 failed, none in flight    → 1: one more failure stops the ring
func (r *ring) room() int {
	if r.tripped() {
		return 0
	}
	most := max(1, r.FailureLimit-r.failures())
	if r.MaxInFlight > 0 {
		most = min(most, r.MaxInFlight)
	}
	return max(0, most-r.by[HostWorking])
}

// next gives at most room hosts of the current batch that have not been begun, in
// order. The current batch is that of the first host which has not ended: the next
// one begins only when all of it have.
func (r *ring) next(hosts []*host, room int) []int {
	var out []int
	end := r.batchEnd(r.firstOut)
	for i := r.firstNew; i < end && len(out) < room; i++ {
		if hosts[r.active[i]].State == HostWaiting {
			out = append(out, r.active[i])
		}
	}
	return out
}

// batchEnd is the index behind the batch that holds the active host at. The last
// size repeats; without sizes the ring is one batch.
func (r *ring) batchEnd(at int) int {
	n := len(r.active)
	if len(r.Batches) == 0 {
		return n
	}
	end := 0
	for _, size := range r.Batches {
		if end += max(1, size); end > at {
			return min(end, n)
		}
	}
	last := max(1, r.Batches[len(r.Batches)-1])
	return min(end+((at-end)/last+1)*last, n)
}
