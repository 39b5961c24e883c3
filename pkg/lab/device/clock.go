package device

import (
	"context"
	"slices"
	"sync"
	"time"
)

// clock is the time of the devices of one group. It runs as the real one does, and
// speed times as fast while something that nobody needs to watch is under way.
// It holds one runtime timer and no goroutine, so that idle devices cost nothing.
type clock struct {
	mu     sync.Mutex
	speed  float64
	real   time.Time // when the pair was last made equal
	device time.Time
	hurry  int
	events []*event // by time
	timer  *time.Timer
}

// event is something that happens at a time of the device.
type event struct {
	at    time.Time
	hurry bool
	fire  func() // must not block
	gone  bool
}

func newClock(start time.Time, speed float64) *clock {
	return &clock{speed: max(speed, 1), real: time.Now(), device: start}
}

func (c *clock) rate() float64 {
	if c.hurry > 0 {
		return c.speed
	}
	return 1
}

// settle makes the pair of times equal to now.
func (c *clock) settle() time.Time {
	real := time.Now()
	c.device = c.device.Add(time.Duration(float64(real.Sub(c.real)) * c.rate()))
	c.real = real
	return c.device
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settle()
}

// after lets something happen later. It hurries the clock unless it is a deadline.
func (c *clock) after(d time.Duration, hurry bool, fire func()) *event {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &event{at: c.settle().Add(d), hurry: hurry, fire: fire}
	if hurry {
		c.hurry++
	}
	i, _ := slices.BinarySearchFunc(c.events, e.at, func(x *event, at time.Time) int {
		if x.at.After(at) {
			return 1
		}
		return -1 // the later of two at the same time comes later
	})
	c.events = slices.Insert(c.events, i, e)
	c.arm()
	return e
}

// cancel takes an event back, if it is still to come.
func (c *clock) cancel(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.gone {
		return
	}
	c.settle()
	c.drop(e)
	c.arm()
}

func (c *clock) drop(e *event) {
	e.gone = true
	if e.hurry {
		c.hurry--
	}
	c.events = slices.DeleteFunc(c.events, func(x *event) bool { return x == e })
}

// arm sets the timer for the next event.
func (c *clock) arm() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if len(c.events) == 0 {
		return
	}
	wait := time.Duration(float64(c.events[0].at.Sub(c.device)) / c.rate())
	c.timer = time.AfterFunc(max(wait, 0), c.run)
}

// run fires what is due.
func (c *clock) run() {
	for {
		c.mu.Lock()
		now := c.settle()
		if len(c.events) == 0 || c.events[0].at.After(now) {
			c.arm()
			c.mu.Unlock()
			return
		}
		e := c.events[0]
		c.drop(e)
		c.mu.Unlock()
		e.fire()
	}
}

// advance moves the time, and fires what falls due on the way.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.settle()
	c.device = c.device.Add(d)
	c.mu.Unlock()
	c.run()
}

// left is the time until an event, 0 if there is none.
func (c *clock) left(e *event) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e == nil || e.gone {
		return 0
	}
	return max(e.at.Sub(c.settle()), 0)
}

// sleep waits for a time of the device. It ends early, and gives false, with ctx or
// when a value comes from early.
func (c *clock) sleep(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	done := make(chan struct{})
	e := c.after(d, true, func() { close(done) })
	defer c.cancel(e)
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-early:
	}
	return false
}
