package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/terminal"
)

const stepConsole = "console"

// console is remote.Console over a lease. It holds at most one shell channel, opened by
// the first exchange and kept for the later ones: devices have few.
//
// An exchange that sends nothing only opens it: its Out is what the device printed at the
// login, with the prompt as its last line.
type console struct {
	lease *Lease
	turn  chan struct{} // one exchange at a time

	mu     sync.Mutex
	shell  *shell // the last one; it may have ended
	ended  bool   // the lease was given back
	noExec bool   // exec channels are refused
}

func newConsole(l *Lease) *console { return &console{lease: l, turn: make(chan struct{}, 1)} }

// Exchange sends the line once. It connects again only before that; see remote.Console.
func (c *console) Exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return remote.Result{}, fault.On(gaveUp(ctx), c.lease.id.String(), stepConsole)
	}
	defer func() { <-c.turn }()
	result, err := c.exchange(ctx, e)
	if errors.Is(err, errNotSent) {
		result, err = c.exchange(ctx, e)
	}
	if errors.Is(err, errNotSent) {
		err = &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Err: err, Hint: "run the same command again"}
	}
	result, result.At = c.redact(result, int(limitOf(e))), time.Now()
	if err != nil {
		err = fault.On(err, c.lease.id.String(), stepConsole)
	}
	return result, err
}

func (c *console) exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	d, err := c.lease.fleet.dialects.compiled(e.Dialect)
	if err != nil {
		return remote.Result{}, mistaken(err)
	}
	if c.mayExec(e) {
		if r, handled, err := c.exec(ctx, d, e); handled {
			return r, err
		}
	}
	s, err := c.ready(ctx, d, opening(e))
	if err != nil {
		return remote.Result{}, err
	}
	if e.Send == "" {
		return remote.Result{Ending: remote.Done, Out: s.greeting}, nil
	}
	if e.Enable {
		if err := s.raise(ctx, e.Within); err != nil {
			return remote.Result{}, err
		}
	}
	return s.exchange(ctx, e)
}

// opening is how long nothing may come before the first prompt; 0: as the dialect says. What
// the exchange says is about its own line, where it has one.
func opening(e remote.Exchange) time.Duration {
	if e.Send != "" {
		return 0
	}
	return e.Quiet
}

// ready gives the open shell of this dialect, or opens one.
func (c *console) ready(ctx context.Context, d *terminal.Dialect, quiet time.Duration) (*shell, error) {
	if s := c.current(); s != nil {
		if s.dialect == d && s.alive() {
			return s, nil
		}
		s.close()
		select {
		case <-s.done: // the device may have no second line
		case <-ctx.Done():
			return nil, gaveUp(ctx)
		}
	}
	conn, err := c.lease.conn(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.open(ctx, conn, d, quiet)
	if err != nil {
		return nil, err
	}
	if !c.keep(s) {
		s.close()
		return nil, errNotSent
	}
	s.limit = remote.DefaultMaxOut
	if err := s.login(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (c *console) current() *shell {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shell
}

// keep notes the shell; false when the lease was given back meanwhile.
func (c *console) keep(s *shell) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.shell = s
	}
	return !c.ended
}

// close ends the shell, for good.
func (c *console) close() {
	c.mu.Lock()
	s := c.shell
	c.ended = true
	c.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// mistaken is an exchange or a definition that can't be right.
func mistaken(err error) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Internal, Step: stepConsole, Err: err, What: "nothing was sent",
		Hint: "this is a mistake in the device's definition, or in patchring; please report it",
	}
}
