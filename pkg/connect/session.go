package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	shortestReap = 25 * time.Millisecond
	longestReap  = time.Second
)

// openSession asks for a session. A refusal may only mean that the server has not yet
// reaped one that ended, and nothing tells when it has; so it is asked again, a few
// times. Where commands of ours are what fills the server, one of them has to end first.
// Mark is told when an answer is awaited, and says whether anyone still waits.
func (c *conn) openSession(ctx context.Context, mark func(awaited bool) bool) (ssh.Channel, <-chan *ssh.Request, error) {
	for wait := shortestReap; ; wait *= 2 {
		if ctx.Err() != nil || !mark(true) {
			return nil, nil, errAbandoned
		}
		next := c.ours.next()
		ch, reqs, err := c.OpenChannel("session", nil)
		mark(false)
		if err == nil {
			underWay(ctx)
		}
		refusal, refused := errors.AsType[*ssh.OpenChannelError](err)
		if !refused || refusal.Reason == ssh.Prohibited {
			return ch, reqs, err
		}
		if wait > longestReap {
			if !c.oneEnds(ctx, next) {
				return nil, nil, err
			}
			wait = shortestReap
		}
		c.pause(ctx, wait)
	}
}

// oneEnds waits until a command of ours has ended that ran when next was taken, or began
// since; false where none runs.
func (c *conn) oneEnds(ctx context.Context, next <-chan struct{}) bool {
	select {
	case <-next:
		return true
	default:
	}
	if !c.ours.any() {
		return false
	}
	select {
	case <-next:
	case <-ctx.Done():
	case <-c.done:
	}
	return true
}

func (c *conn) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.done:
	}
}

// closeWhenLate is the mark of who has nobody else to free it from a silent server: the
// connection is closed where ctx ends, or patience does, while an answer is awaited. While
// none is owed, the commands of others go on.
func (c *conn) closeWhenLate(ctx context.Context) func(bool) bool {
	stop := func() {}
	return func(awaited bool) bool {
		if !awaited {
			stop()
			return ctx.Err() == nil
		}
		late := time.AfterFunc(patience(ctx, stallWithin), c.close)
		gone := context.AfterFunc(ctx, c.close)
		stop = func() { late.Stop(); gone() }
		return true
	}
}

// running are the sessions of a connection that end by themselves: commands and files on
// their way. A console lasts as long as its lease, so nobody may wait for it.
type running struct {
	mu    sync.Mutex
	count int
	ended chan struct{} // closed when one ends; nil: nobody looks
}

// next gives what is closed when one ends.
func (r *running) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = make(chan struct{})
	}
	return r.ended
}

func (r *running) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count > 0
}

// begin counts one; the returned function, called once, tells that it ended.
func (r *running) begin() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count--
		if r.ended != nil {
			close(r.ended)
			r.ended = nil
		}
	}
}

// openFault explains why there is no session. Without a refusal the connection is
// gone, though its own goroutine may not have noticed yet.
func (c *conn) openFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	if errors.Is(err, errAbandoned) {
		return err
	}
	refusal, ok := errors.AsType[*ssh.OpenChannelError](err)
	if !ok {
		c.close()
		return errNotSent
	}
	return &fault.Error{
		Kind: fault.Retry, Code: fault.HostFailed, Step: "run",
		What: "the host opens no more sessions: " + remote.Clean(refusal.Message, peerText),
		Hint: "MaxSessions in its sshd_config may be too low; patchring uses up to 6 at once",
	}
}
