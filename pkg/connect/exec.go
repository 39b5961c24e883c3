package connect

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// grace is how long a session that was given up may take to close before the whole
// connection is closed: only that surely frees it (golang/go#21699).
const grace = 2 * time.Second

// order is one command as the wire sees it.
type order struct {
	line   string
	stdin  io.Reader // nil: EOF at once
	maxOut int64
	to     io.Writer  // takes standard output as it comes, whatever its length; nil: it is kept
	raise  *elevation // nil: no password has to be given first
}

// execution is one order under way. Its goroutines end when its channel does.
type execution struct {
	order
	conn *conn
	done chan struct{}

	mu       sync.Mutex
	ch       ssh.Channel
	gone     bool // the caller does not wait any more
	opening  bool // the server owes an answer to the opening
	sent     bool // the command was asked for
	out, err capture
	status   *int
	signaled bool
	failed   error // why it could not be started
	stopped  error // why its end was not waited for
}

// run performs the order. When ctx ends first, it returns at once: the session is
// closed behind it, or the connection if that does not help.
func (c *conn) run(ctx context.Context, f *Fleet, o order) (remote.Result, error) {
	select {
	case c.sessions <- struct{}{}:
	case <-ctx.Done():
		return remote.Result{}, gaveUp(ctx)
	case <-c.done:
		return remote.Result{}, errNotSent
	}
	x := &execution{order: o, conn: c, done: make(chan struct{})}
	x.out.limit, x.err.limit = o.maxOut, o.maxOut
	if !f.spawn(func() { defer func() { <-c.sessions }(); x.perform(ctx) }) {
		<-c.sessions
		return remote.Result{}, closedFault()
	}
	select {
	case <-x.done:
		return x.result()
	case <-ctx.Done():
		return x.abandon(ctx)
	}
}

// errNotSent: the connection ended before the command was sent, so that sending it
// on another one is safe.
var errNotSent = errors.New("the connection ended before the command was sent")

func (x *execution) perform(ctx context.Context) {
	defer close(x.done)
	ch, reqs, err := x.conn.openSession(ctx, x.mark)
	if err != nil {
		x.fail(x.conn.openFault(ctx, err))
		return
	}
	defer x.conn.ours.begin()()
	if !x.opened(ch) {
		_ = ch.Close()
		ssh.DiscardRequests(reqs)
		return
	}
	var parts sync.WaitGroup
	parts.Go(func() { x.watch(reqs) })
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ Line string }{x.line}))
	if err != nil || !ok {
		if err == nil {
			x.fail(refusedExec())
		}
		_ = ch.Close()
		parts.Wait()
		return
	}
	parts.Go(func() { x.readErr(ch) })
	x.feed(&parts, ch)
	x.readOut(ch)
	parts.Wait()
	if x.raise != nil {
		x.raise.settle(x.exited())
	}
}

func (x *execution) exited() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.status != nil
}

// mark notes whether an opening is under way; false when nobody waits for it.
func (x *execution) mark(opening bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.opening = opening && !x.gone
	return !x.gone
}

// opened notes the channel; false when nobody waits for it any more.
func (x *execution) opened(ch ssh.Channel) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ch, x.sent = ch, !x.gone
	return !x.gone
}

// feed sends what goes to standard input, then EOF.
func (x *execution) feed(parts *sync.WaitGroup, ch ssh.Channel) {
	if x.raise != nil {
		parts.Go(func() { x.raise.serve(ch, x.stdin) })
		return
	}
	if x.stdin == nil {
		_ = ch.CloseWrite()
		return
	}
	parts.Go(func() {
		_, _ = io.Copy(ch, x.stdin)
		_ = ch.CloseWrite()
	})
}

func (x *execution) readOut(ch ssh.Channel) {
	if x.to == nil {
		x.stop(ch, x.out.fill(ch))
		return
	}
	_, err := io.Copy(x.to, ch)
	x.stop(ch, err)
}

func (x *execution) readErr(ch ssh.Channel) {
	if x.raise == nil {
		x.stop(ch, x.err.fill(ch.Stderr()))
		return
	}
	_, err := io.Copy(x.raise.filter(&x.err), ch.Stderr())
	x.stop(ch, err)
	x.raise.ended()
}

// stop closes the session of a program that nobody listens to any more; where that does
// not help, the connection.
func (x *execution) stop(ch ssh.Channel, why error) {
	if why == nil {
		return
	}
	x.mu.Lock()
	first := x.stopped == nil
	x.stopped = cmp.Or(x.stopped, why)
	x.mu.Unlock()
	if first {
		x.close(ch)
	}
}

// close frees the session without waiting for it.
func (x *execution) close(ch ssh.Channel) {
	free := time.AfterFunc(grace, x.conn.close)
	go func() {
		_ = ch.Close()
		<-x.done
		free.Stop()
	}()
}

// watch keeps how the command ended; it ends with the channel.
func (x *execution) watch(reqs <-chan *ssh.Request) {
	for req := range reqs {
		x.mu.Lock()
		switch {
		case req.Type == "exit-status" && len(req.Payload) >= 4:
			code := int(binary.BigEndian.Uint32(req.Payload))
			x.status = &code
		case req.Type == "exit-signal":
			x.signaled = true
		}
		x.mu.Unlock()
		if req.WantReply {
			_ = req.Reply(false, nil)
		}
	}
}

func (x *execution) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = err
}

// abandon gives up on the session without waiting for it.
func (x *execution) abandon(ctx context.Context) (remote.Result, error) {
	x.mu.Lock()
	x.gone = true
	ch, opening := x.ch, x.opening
	x.mu.Unlock()
	if opening { // and only this frees it from a server that never answers
		x.conn.close()
	}
	if ch == nil {
		return remote.Result{}, gaveUp(ctx)
	}
	x.close(ch)
	return x.lost(context.Cause(ctx))
}

func (x *execution) lost(why error) (remote.Result, error) {
	r := remote.Result{Out: x.out.bytes(), Err: x.err.bytes(), Truncated: x.out.cut() || x.err.cut()}
	return r, &fault.Error{
		Kind: fault.Unknown, Code: fault.Lost, Step: "run", What: "the command was sent, but how it ended is unknown", Err: why,
		Hint: "it may still run on the host; run the same command again: patchring looks before it does anything",
	}
}

// result of a session that ended by itself.
func (x *execution) result() (remote.Result, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.failed != nil:
		return remote.Result{}, x.failed
	case x.stopped != nil:
		return x.lost(x.stopped)
	}
	if x.raise != nil {
		if err := x.raise.verdict(x.status != nil); err != nil {
			return remote.Result{Out: x.out.bytes()}, err
		}
	}
	r := remote.Result{Out: x.out.bytes(), Err: x.err.bytes(), Truncated: x.out.cut() || x.err.cut()}
	switch {
	case x.status != nil:
		r.Ending, r.Code = remote.Exited, *x.status
	case x.signaled:
		r.Ending = remote.Signaled
	default:
		return x.lost(errors.New("no exit status came"))
	}
	return r, nil
}

func refusedExec() error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Step: "run", What: "the host refuses to run commands for this user",
		Hint: "ForceCommand, internal-sftp or the login shell in its sshd_config and /etc/passwd",
	}
}
