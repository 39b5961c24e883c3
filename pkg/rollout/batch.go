package rollout

import "slices"

// batchEnds works out where each batch of a ring ends, as indices into its active
// hosts. A batch holds units: members of one, which stand beside each other, count once
// and are never parted. It never spans two stages. The last size repeats; without
// sizes a stage is one batch.
//
//	hosts a b c d e, [1, 2]                     → a | b c | d e
//	hosts a b1 b2 c, unit b, [2]                → a b1 b2 | c
//	hosts a b c d, stages [3, 1], [1, 5]        → a | b c | d
func (s *State) batchEnds(r *ring) []int {
	var ends []int
	units, last, stage := 0, "", 0
	for i, at := range r.active {
		here := r.stageOf(at - r.all[0])
		unit := s.hosts[at].unit
		full := len(r.Batches) > 0 && units >= max(1, r.Batches[min(len(ends), len(r.Batches)-1)])
		switch {
		case i > 0 && (here != stage || full && unit != last):
			ends = append(ends, i)
			units = 1
		case i == 0 || unit != last:
			units++
		}
		last, stage = unit, here
	}
	if len(r.active) > 0 {
		ends = append(ends, len(r.active))
	}
	return ends
}

// stageOf is the stage of the host at an index of the ring's hosts.
func (r *ring) stageOf(i int) int {
	for stage, n := range r.Stages {
		if i -= n; i < 0 {
			return stage
		}
	}
	return len(r.Stages)
}

// batchEnd is the index behind the batch that holds the active host at.
func (r *ring) batchEnd(at int) int {
	i, _ := slices.BinarySearch(r.ends, at+1)
	if i == len(r.ends) {
		return len(r.active)
	}
	return r.ends[i]
}
