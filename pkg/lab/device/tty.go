package device

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// tty is the two directions of a session. One goroutine reads for it.
type tty struct {
	to   io.Writer
	wall *clock
	idle time.Duration
	more chan struct{} // something came, or the end
	hit  chan struct{} // a watched key came

	mu    sync.Mutex
	in    []byte
	ended bool
	keys  string // that are watched for
	dead  bool   // nothing more is written

	out sync.Mutex // one writer at a time
}

const maxInput = 64 << 10 // typed ahead

func newTTY(to io.Writer, wall *clock, idle time.Duration) *tty {
	return &tty{to: to, wall: wall, idle: idle, more: make(chan struct{}, 1), hit: make(chan struct{}, 1)}
}

// feed reads until the other side's end.
func (t *tty) feed(from io.Reader) {
	buffer := make([]byte, 1024)
	for {
		n, err := from.Read(buffer)
		t.take(buffer[:n])
		if err != nil {
			break
		}
	}
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	signal(t.more)
}

func (t *tty) take(data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keys != "" {
		if at := bytes.LastIndexAny(data, t.keys); at >= 0 {
			data = data[at+1:]
			t.in = t.in[:0]
			signal(t.hit)
		}
	}
	t.in = append(t.in, data[:min(len(data), maxInput-len(t.in))]...)
	signal(t.more)
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// watch lets keys signal t.hit instead of being read.
func (t *tty) watch(keys string) (stop func()) {
	select {
	case <-t.hit:
	default:
	}
	t.mu.Lock()
	t.keys = keys
	if at := bytes.LastIndexAny(t.in, keys); keys != "" && at >= 0 {
		t.in = append(t.in[:0], t.in[at+1:]...)
		signal(t.hit)
	}
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.keys = ""
	}
}

// key waits for one byte; false at the end of the session.
func (t *tty) key(ctx context.Context) (byte, bool) {
	for {
		t.mu.Lock()
		if len(t.in) > 0 {
			b := t.in[0]
			t.in = t.in[1:]
			t.mu.Unlock()
			return b, true
		}
		ended := t.ended
		t.mu.Unlock()
		if ended || !t.await(ctx) {
			return 0, false
		}
	}
}

// await waits for input, no longer than the session may be idle.
func (t *tty) await(ctx context.Context) bool {
	var over chan struct{}
	if t.idle > 0 {
		over = make(chan struct{})
		e := t.wall.after(t.idle, false, func() { close(over) })
		defer t.wall.cancel(e)
	}
	select {
	case <-t.more:
		return true
	case <-over:
	case <-ctx.Done():
	}
	return false
}

// write sends bytes as they are.
func (t *tty) write(text string) {
	t.mu.Lock()
	dead := t.dead
	t.mu.Unlock()
	if dead {
		return
	}
	t.out.Lock()
	defer t.out.Unlock()
	_, _ = io.WriteString(t.to, text) // its end is told by the reading side
}

// mute throws away all further output.
func (t *tty) mute() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead = true
}

func (t *tty) muted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dead
}
