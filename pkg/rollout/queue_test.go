package rollout

import "time"

// ending is a task that will end.
type ending struct {
	at    time.Time
	n     int
	task  Task
	fresh bool // it had an effect of its own
}

type queue []ending

func (q *queue) Len() int { return len(*q) }
func (q *queue) Less(i, j int) bool {
	a, b := (*q)[i], (*q)[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.n < b.n
}
func (q *queue) Swap(i, j int) { (*q)[i], (*q)[j] = (*q)[j], (*q)[i] }
func (q *queue) Push(x any)    { e, _ := x.(ending); *q = append(*q, e) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
