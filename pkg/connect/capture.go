package connect

import (
	"io"
	"slices"
	"sync"
)

// firstChunk is what most commands print on one of their streams.
const firstChunk = 512

// capture keeps the first limit bytes of a stream and drops the rest. One goroutine
// fills it; others may look meanwhile.
type capture struct {
	mu      sync.Mutex
	buf     []byte
	limit   int64
	over    bool
	dropped int64
}

// fill reads r to its end, straight into the buffer: a command's output is copied
// once, and a quiet stream costs next to nothing. An error means that the stream may
// have no end.
func (c *capture) fill(r io.Reader) error {
	var scratch []byte // once the buffer is full
	for {
		space := c.space()
		if len(space) == 0 {
			if scratch == nil {
				scratch = make([]byte, 32<<10)
			}
			space = scratch
		}
		n, err := r.Read(space)
		c.took(n, scratch != nil)
		if err != nil {
			return nil //nolint:nilerr // however it ends, the exit status tells whether it was whole
		}
		if c.flooded() {
			return errTooMuch
		}
	}
}

func (c *capture) flooded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped > mostDropped
}

// space is where the next read may go; empty when the limit is reached.
func (c *capture) space() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(len(c.buf)) >= c.limit {
		return nil
	}
	if len(c.buf) == cap(c.buf) {
		c.buf = slices.Grow(c.buf, max(firstChunk, len(c.buf)))
	}
	return c.buf[len(c.buf):min(int64(cap(c.buf)), c.limit)]
}

func (c *capture) took(n int, dropped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if dropped {
		c.over = c.over || n > 0
		c.dropped += int64(n)
		return
	}
	c.buf = c.buf[:len(c.buf)+n]
}

// Write keeps what fits; it fails when far too much came.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(0, c.limit-int64(len(c.buf)))
	keep := p[:min(int64(len(p)), room)]
	c.buf = append(c.buf, keep...)
	c.over = c.over || len(keep) < len(p)
	if c.dropped += int64(len(p) - len(keep)); c.dropped > mostDropped {
		return len(keep), errTooMuch
	}
	return len(p), nil
}

func (c *capture) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clip(c.buf)
}

func (c *capture) cut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}
