package app

import (
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/view"
)

// lateCounter shows the progress over many hosts only once that has taken a while.
type lateCounter struct {
	mu         sync.Mutex
	timer      *time.Timer
	counter    *view.Counter // nil: not yet
	ok, failed int
	closed     bool
}

func (e Env) later(verb string, total int) *lateCounter {
	c := &lateCounter{}
	c.timer = time.AfterFunc(unmarkQuiet, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed {
			return
		}
		c.counter = e.progress(verb, total)
		for range c.ok {
			c.counter.Done(true)
		}
		for range c.failed {
			c.counter.Done(false)
		}
	})
	return c
}

func (c *lateCounter) done(ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.counter != nil:
		c.counter.Done(ok)
	case ok:
		c.ok++
	default:
		c.failed++
	}
}

func (c *lateCounter) close() {
	c.timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.counter != nil {
		_ = c.counter.Close() // a broken stderr must not stop the run
	}
}
