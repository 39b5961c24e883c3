package sim

import (
	"time"

	"github.com/patchring/patchring/pkg/rollout"
)

// coming is what will happen: a task's end, or the approval of a ring.
type coming struct {
	at   time.Time
	n    uint64
	task rollout.Task
	ring string
}

// queue is a heap, the earliest first; of two at once, the one foreseen first.
type queue []coming

func (q *queue) Len() int      { return len(*q) }
func (q *queue) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }
func (q *queue) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.n < b.n
}

func (q *queue) Push(x any) {
	if c, ok := x.(coming); ok {
		*q = append(*q, c)
	}
}

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
