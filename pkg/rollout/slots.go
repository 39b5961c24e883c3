package rollout

import "math/bits"

// slots are some of a ring's active hosts, as bits by their place: looking for the next
// host that waits costs next to nothing in a ring of any size.
type slots []uint64

const slotBits = 64

func newSlots(n int) slots { return make(slots, (n+slotBits-1)/slotBits) }

func (s slots) has(i int) bool { return s[i/slotBits]>>(i%slotBits)&1 == 1 }

func (s slots) put(i int, in bool) {
	s[i/slotBits] &^= 1 << (i % slotBits)
	if in {
		s[i/slotBits] |= 1 << (i % slotBits)
	}
}

// next is the first from i on, below end, that is in none of skip; -1: there is none.
func (s slots) next(i, end int, skip []slots) int {
	for w := i / slotBits; w*slotBits < end; w++ {
		word := s[w]
		for _, other := range skip {
			word &^= other[w]
		}
		if w == i/slotBits {
			word &= ^uint64(0) << (i % slotBits)
		}
		if word != 0 {
			if at := w*slotBits + bits.TrailingZeros64(word); at < end {
				return at
			}
			return -1
		}
	}
	return -1
}

// both counts what is in s and in other, from i on, below end.
func (s slots) both(other slots, i, end int) int {
	n := 0
	for w := i / slotBits; w*slotBits < end; w++ {
		word := s[w] & other[w]
		if w == i/slotBits {
			word &= ^uint64(0) << (i % slotBits)
		}
		if left := end - w*slotBits; left < slotBits {
			word &= 1<<left - 1
		}
		n += bits.OnesCount64(word)
	}
	return n
}
