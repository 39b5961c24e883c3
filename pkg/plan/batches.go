package plan

import "github.com/patchring/patchring/pkg/playbook"

// DefaultInFlight is max_in_flight where a ring does not say.
const DefaultInFlight = 20

// Batches cuts n units into batches. A percentage is of all n, rounded down, but a
// batch has at least one; the last size repeats until all n are used. They are laid over
// the ring's units in order, whatever its stages; where a stage ends in the middle of a
// batch, the rollout does the batch in two parts.
//
//	n=10  [1, 10%, 50%]  → 1 1 5 3
//	n=3   [50%]          → 1 1 1      (50 % of 3 is 1.5, rounded down)
//	n=199 [1%, 100%]     → 1 198
//	n=7   []             → 7
//	n=0   [1]            → nothing
func Batches(n int, sizes []playbook.Size) []int {
	if len(sizes) == 0 {
		sizes = []playbook.Size{{N: 100, Percent: true}}
	}
	var out []int
	for left, i := n, 0; left > 0; i++ {
		size := max(1, share(n, sizes[min(i, len(sizes)-1)]))
		size = min(size, left)
		out = append(out, size)
		left -= size
	}
	return out
}

// Limit is how many of n hosts may fail before the ring stops: one failure more does
// stop it. A percentage is rounded down and may come to 0: then the first one does.
//
//	n=100 2%  → 2        n=40 2% → 0
//	n=3   5   → 3        n=5  20% → 1
func Limit(n int, s playbook.Size) int { return min(share(n, s), max(0, n)) }

// share is a size of n, rounded down, never negative and never more than n can hold.
func share(n int, s playbook.Size) int {
	if !s.Percent {
		return max(0, s.N)
	}
	return max(0, n) * min(max(0, s.N), 100) / 100 // multiplied before divided: the other order is always 0
}
