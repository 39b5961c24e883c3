package connect

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// wire is the connection under SSH. It notes whether the server ever said a word and how
// it began, and reads the version line, which the library takes byte by byte, at one go.
type wire struct {
	net.Conn
	ahead []byte
	heard atomic.Bool
	began atomic.Pointer[string] // the first bytes that came
	prods int                    // how often acknowledgements were asked for at once
}

// small is below any read of the library but those for the version line.
const small = 64

// handshakeReads is about how many reads a login and a first command take.
const handshakeReads = 64

func (w *wire) Read(p []byte) (int, error) {
	if w.prods < handshakeReads && len(w.ahead) == 0 {
		// sshd sends a small message only once the one before is acknowledged (it keeps
		// Nagle's algorithm on until a session begins), and that would take 40 ms each.
		w.prods++
		acknowledgeAtOnce(w.Conn)
	}
	if len(w.ahead) == 0 && len(p) < small {
		if err := w.listen(); err != nil {
			return 0, err
		}
	}
	if len(w.ahead) > 0 {
		n := copy(p, w.ahead)
		w.ahead = w.ahead[n:]
		return n, nil
	}
	w.ahead = nil
	return w.Conn.Read(p)
}

// listen reads what comes next.
func (w *wire) listen() error {
	buf := make([]byte, 1024)
	n, err := w.Conn.Read(buf)
	if n == 0 {
		return err
	}
	w.ahead = buf[:n]
	if !w.heard.Swap(true) {
		began := string(buf[:n])
		w.began.Store(&began)
	}
	return nil
}

// Write listens once where the server hung up before our version line: it may have said why.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil && !w.heard.Load() && dropped(err) {
		_ = w.listen() // the connection is over: this ends at once
	}
	return n, err
}

// excuse is what came instead of a version line: sshd 9.8 and later says why it hangs up
// ("Not allowed at this time", "Exceeded MaxStartups"). It may be empty.
func (w *wire) excuse() string {
	began := w.began.Load()
	if began == nil || strings.Contains(*began, "SSH-") {
		return ""
	}
	return remote.Clean(*began, 80)
}

// leash ends a hop's context when its time is up. The clock stands still while the
// hop waits for something that is not the server's doing.
type leash struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration

	mu    sync.Mutex
	timer *time.Timer
}

func newLeash(ctx context.Context, limit time.Duration) (context.Context, *leash) {
	l := &leash{limit: limit}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	l.timer = time.AfterFunc(limit, func() { l.cancel(errTimeout) })
	return l.ctx, l
}

// hold stops the clock; the returned function starts it anew.
func (l *leash) hold() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.timer.Reset(l.limit)
	}
}

func (l *leash) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
	l.cancel(nil)
}
