package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// errAbandoned ends a dial that nobody waits for any more.
var errAbandoned = errors.New("nobody waits for this connection any more")

// bastionRest is how long a bastion that could not be reached is left alone, so
// that the hundreds of hosts behind it don't hammer it. OpenSSH's shortest penalty.
const bastionRest = 15 * time.Second

// node is one SSH server, a host or a bastion, and its one connection.
type node struct {
	fleet *Fleet
	slots *slots // nil: a bastion, which no limit counts

	mu sync.Mutex
	course
	live   *conn
	flight *flight
	refs   int // leases of a host; connections through a bastion
	timer  *time.Timer
	ident  string
	barred error     // why not to dial at all …
	until  time.Time // … until then; zero: as long as the fleet lives
}

// course is where a connection goes, and how.
type course struct {
	to     endpoint
	via    *node  // nil: dialled directly
	master string // socket of the user's own ssh, which is used instead; "": none
}

// flight is one dial, shared by all who wait for it.
type flight struct {
	done      chan struct{}
	cancel    context.CancelCauseFunc
	waiting   int  // under the node's lock
	abandoned bool // likewise
	conn      *conn
	err       error
}

func (n *node) aim(c course) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.course = c
}

func (n *node) user() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.to.user
}

// connect gives the live connection, or dials one. ctx bounds the waiting; the dial
// itself ends when nobody waits for it any more.
func (n *node) connect(ctx context.Context) (*conn, error) {
	for {
		c, fl, err := n.board(ctx)
		if fl == nil {
			return c, err
		}
		select {
		case <-fl.done:
			if !errors.Is(fl.err, errAbandoned) {
				return fl.conn, fl.err
			}
		case <-ctx.Done():
			n.leave(fl)
			return nil, gaveUp(ctx)
		}
	}
}

// board gives the live connection, the flight to wait for, or why there is none.
func (n *node) board(ctx context.Context) (*conn, *flight, error) {
	if ctx.Err() != nil {
		return nil, nil, gaveUp(ctx)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.live != nil && !n.live.closing() {
		return n.live, nil, nil
	}
	if n.barred != nil && (n.until.IsZero() || time.Now().Before(n.until)) {
		return nil, nil, n.barred
	}
	if n.flight == nil {
		if err := n.takeOff(ctx); err != nil {
			return nil, nil, err
		}
	}
	if !n.flight.abandoned {
		n.flight.waiting++
	}
	return nil, n.flight, nil
}

// takeOff starts a dial that outlives the caller's context as long as others wait.
func (n *node) takeOff(ctx context.Context) error {
	dialing, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	fl := &flight{done: make(chan struct{}), cancel: cancel}
	old, to := n.live, n.course
	if !n.fleet.spawn(func() { n.fly(dialing, fl, old, to) }) {
		cancel(errClosed)
		return closedFault()
	}
	n.flight = fl
	return nil
}

func (n *node) fly(ctx context.Context, fl *flight, old *conn, to course) {
	defer fl.cancel(nil)
	c, err := n.dial(ctx, old, to)
	n.mu.Lock()
	n.flight = nil
	if fl.abandoned || n.fleet.isClosed() {
		if c != nil {
			c.close()
		}
		c, err = nil, n.whyEnded()
	}
	n.note(c, err)
	fl.conn, fl.err = c, err
	n.mu.Unlock()
	close(fl.done)
}

// whyEnded is the error of a dial whose outcome nobody wants.
func (n *node) whyEnded() error {
	if n.fleet.isClosed() {
		return closedFault()
	}
	return errAbandoned
}

// note keeps the outcome of a dial.
func (n *node) note(c *conn, err error) {
	if c != nil {
		n.live, n.ident, n.barred = c, string(c.ServerVersion()), nil
		return
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || errors.Is(err, errClosed) {
		return
	}
	isBastion := n.slots == nil
	switch {
	case e.Code == fault.HostKeyChanged && (isBastion || e.Step != stepBastion):
		n.barred, n.until = err, time.Time{} // quarantine
	case isBastion:
		n.barred, n.until = err, time.Now().Add(bastionRest)
	}
}

func (n *node) leave(fl *flight) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fl.waiting--
	if fl.waiting <= 0 && n.flight == fl {
		fl.abandoned = true
		fl.cancel(errAbandoned)
	}
}

// retain keeps the connection open.
func (n *node) retain() {
	n.mu.Lock()
	n.refs++
	if n.timer != nil {
		n.timer.Stop()
	}
	n.mu.Unlock()
	if n.slots != nil {
		n.slots.unpark(n)
	}
}

// release lets the connection go idle once nobody needs it.
func (n *node) release() {
	n.mu.Lock()
	n.refs--
	idle := n.refs == 0 && n.live != nil
	if idle {
		n.armTimer()
	}
	n.mu.Unlock()
	if idle && n.slots != nil && !n.slots.park(n) {
		n.closeIfIdle()
	}
}

func (n *node) armTimer() {
	if n.timer == nil {
		n.timer = time.AfterFunc(n.fleet.opts.Idle, func() { n.closeIfIdle() })
		return
	}
	n.timer.Reset(n.fleet.opts.Idle)
}

// closeIfIdle tells whether there was an idle connection to close.
func (n *node) closeIfIdle() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refs > 0 || n.live == nil || n.live.closing() {
		return false
	}
	n.live.close()
	return true
}

// drop closes the connection now; the next use dials again.
func (n *node) drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.live != nil {
		n.live.close()
	}
}

// ended is told when a connection is gone, whatever ended it.
func (n *node) ended(c *conn, via *node) {
	n.mu.Lock()
	if n.live == c {
		n.live = nil
		if n.timer != nil {
			n.timer.Stop()
		}
	}
	n.mu.Unlock()
	n.giveBack(via)
}

// giveBack returns what a connection, or the attempt at one, held.
func (n *node) giveBack(via *node) {
	if n.slots != nil {
		n.slots.unpark(n)
		n.slots.release()
	}
	if via != nil {
		via.release()
	}
}

func (n *node) shut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.flight != nil {
		n.flight.cancel(errClosed)
	}
	if n.live != nil {
		n.live.close()
	}
	if n.timer != nil {
		n.timer.Stop()
	}
}
