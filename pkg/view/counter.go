package view

import (
	"fmt"
	"io"
	"sync"

	"github.com/patchring/patchring/pkg/report"
)

// Counter shows how far a command over many hosts has come: "detecting 40 hosts:
// 12 done, 1 failed". On a terminal it is one redrawn line that goes away at the end;
// elsewhere one line at the end.
type Counter struct {
	mu     sync.Mutex
	out    sink
	verb   string // "detecting"
	total  int
	done   int
	failed int
	width  func() int
}

// NewCounter shows the progress of total hosts on out. width is the terminal's; nil
// means that out is none.
func NewCounter(out io.Writer, verb string, total int, width func() int) *Counter {
	c := &Counter{out: sink{w: out}, verb: clean(verb), total: total, width: width}
	c.draw()
	return c
}

// Done counts one host.
func (c *Counter) Done(ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if !ok {
		c.failed++
	}
	c.draw()
}

func (c *Counter) text() string {
	text := fmt.Sprintf("%s %s: %d done", c.verb, plural(c.total, "host"), c.done)
	if c.failed > 0 {
		text += fmt.Sprintf(", %d failed", c.failed)
	}
	return text
}

func (c *Counter) draw() {
	if c.width != nil {
		c.out.print("\r" + report.Truncate(c.text(), max(c.width()-1, 10)) + "\x1b[K")
	}
}

// Close takes the line away, or leaves the one line that a pipe gets.
func (c *Counter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.width != nil {
		c.out.print("\r\x1b[K")
	} else {
		c.out.print(c.text() + "\n")
	}
	return c.out.end()
}
