package apply

import (
	"hash/fnv"
	"time"
)

// The time between two looks: long enough not to trip a server's penalties for
// frequent connections, short enough not to waste a window.
const (
	shortest = time.Second
	longest  = 15 * time.Second
)

// pace is an exponential back-off. Its jitter comes from the host's name: hosts
// that lost one bastion together come back apart, and the same run always the same.
type pace struct {
	tries int
	extra int64 // percent of the pause, 0 to 24
}

func newPace(host string) pace {
	h := fnv.New32a()
	_, _ = h.Write([]byte(host)) // never fails
	return pace{extra: int64(h.Sum32() % 25)}
}

func (p *pace) reset() { p.tries = 0 }

func (p *pace) next() time.Duration {
	pause := min(shortest<<min(p.tries, 4), longest)
	p.tries++
	return pause + time.Duration(int64(pause)*p.extra/100)
}
