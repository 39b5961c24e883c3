package connect

import (
	"context"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/terminal"
)

const (
	// terminalName: every termcap knows it. "dumb" makes pagers warn and wait for a key,
	// "xterm" makes shells set titles and bracket what is pasted.
	terminalName = "vt100"
	// terminalRows keeps the pagers of devices quiet that take the size from here. 0 would
	// mean "not known", and many fall back to 24 then.
	terminalRows = 1000
	readSize     = 4 << 10
)

// shell is one shell channel. One goroutine reads it into the terminal; what comes while
// no exchange is under way is dropped there.
type shell struct {
	console *console
	conn    *conn
	ch      ssh.Channel
	dialect *terminal.Dialect

	limit    int           // of what the exchange under way keeps
	greeting []byte        // what the device printed at the login, and the prompt
	news     chan struct{} // something came
	done     chan struct{} // nothing comes any more

	mu   sync.Mutex
	term *terminal.Terminal
	fed  uint64 // counts what came
	shut bool
	free *time.Timer // closes the connection, should closing the channel not help
}

// open asks for a shell on a terminal. Where ctx ends meanwhile only the end of the
// connection frees us from a server that does not answer.
func (c *console) open(ctx context.Context, on *conn, d *terminal.Dialect, quiet time.Duration) (*shell, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.lease.fleet.opts.Timeout, errTimeout)
	defer cancel()
	select {
	case on.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	case <-on.done:
		return nil, errNotSent
	}
	s, err := c.begin(ctx, on, d, quiet)
	if err != nil {
		<-on.sessions
	}
	if err != nil && ctx.Err() != nil {
		err = gaveUp(ctx)
	}
	return s, err
}

func (c *console) begin(ctx context.Context, on *conn, d *terminal.Dialect, quiet time.Duration) (*shell, error) {
	ch, reqs, err := on.openSession(ctx, on.closeWhenLate(ctx))
	if err != nil {
		return nil, on.openFault(ctx, err)
	}
	stop := context.AfterFunc(ctx, on.close)
	defer stop()
	s := &shell{
		console: c, conn: on, ch: ch, dialect: d, term: terminal.New(d),
		news: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.term.Login(quiet)
	go ssh.DiscardRequests(reqs) // ends with the channel
	if err := s.start(d.Columns()); err != nil {
		_ = ch.Close()
		return nil, err
	}
	if !c.lease.fleet.spawn(s.read) {
		_ = ch.Close()
		return nil, closedFault()
	}
	return s, nil
}

// start asks for the terminal and the shell. A server without terminals may have a shell
// all the same.
func (s *shell) start(columns int) error {
	_, err := s.ch.SendRequest("pty-req", true, ssh.Marshal(struct {
		Name                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{terminalName, uint32(columns), terminalRows, 0, 0, "\x00"})) //nolint:gosec // a few hundred
	if err != nil {
		return errNotSent
	}
	ok, err := s.ch.SendRequest("shell", true, nil)
	if err != nil {
		return errNotSent
	}
	if !ok {
		return &fault.Error{
			Kind: fault.GiveUp, Code: fault.HostFailed, Step: stepConsole, What: "the device opens no interactive session for this user",
			Hint: "are all its lines (VTYs) in use, or is the user not allowed to log in to its command line?",
		}
	}
	return nil
}

// read feeds the terminal until the channel ends.
func (s *shell) read() {
	defer func() {
		s.mu.Lock()
		s.shut = true
		if s.free != nil {
			s.free.Stop()
		}
		s.mu.Unlock()
		_ = s.ch.Close()
		close(s.done)
		<-s.conn.sessions
	}()
	buf := make([]byte, readSize)
	for {
		n, err := s.ch.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.term.Feed(buf[:n])
			s.fed++
			s.mu.Unlock()
			select {
			case s.news <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *shell) alive() bool {
	select {
	case <-s.done:
		return false
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.shut && !s.conn.closing()
}

// close ends the channel, and the connection where that does not help; it does not wait.
func (s *shell) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	s.shut = true
	s.free = time.AfterFunc(grace, s.conn.close)
	go func() { _ = s.ch.Close() }() // a full connection must not hold the caller
}
