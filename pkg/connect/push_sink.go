package connect

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// sinkEnds is how long the other side may take to end the channel once the file is there.
const sinkEnds = 5 * time.Second

// sink is the channel of one push, and what came back on it. Its goroutines end with it.
type sink struct {
	ch      ssh.Channel
	conn    *conn
	fleet   *Fleet
	ended   func()        // tells those who wait for the end of a session
	acks    chan ack      // room for all three, so that nobody waits for a reader
	gone    chan struct{} // closed once the channel and its goroutines are gone
	sending atomic.Bool   // bytes of the file may be there
	release func() bool   // stops watching the context

	mu     sync.Mutex
	status int
	err    capture
}

// startSink asks for the command, on a new connection when the old one turns out to be dead.
func (l *Lease) startSink(ctx context.Context, line string) (*sink, error) {
	s, err := l.startSinkOnce(ctx, line)
	if errors.Is(err, errNotSent) {
		s, err = l.startSinkOnce(ctx, line)
	}
	if errors.Is(err, errNotSent) {
		err = lostFile(err)
	}
	return s, err
}

func (l *Lease) startSinkOnce(ctx context.Context, line string) (*sink, error) {
	c, err := l.conn(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case c.sessions <- struct{}{}:
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	case <-c.done:
		return nil, errNotSent
	}
	s, stop, err := c.openSink(ctx, l.fleet, line)
	if !stop() && err == nil {
		s.abort()
		return nil, lostFile(context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	s.release = context.AfterFunc(ctx, s.abort)
	return s, nil
}

// openSink frees the place among the sessions in every case, at once or when it is over.
// Stop ends what closes the connection under a host that does not answer in time.
func (c *conn) openSink(ctx context.Context, f *Fleet, line string) (s *sink, stop func() bool, err error) {
	stop = func() bool { return true }
	ch, reqs, err := c.openSession(ctx, c.closeWhenLate(ctx))
	if err != nil {
		<-c.sessions
		return nil, stop, c.openFault(ctx, err)
	}
	stop = context.AfterFunc(ctx, c.close)
	s = &sink{ended: c.ours.begin(), ch: ch, conn: c, fleet: f, acks: make(chan ack, 3), gone: make(chan struct{})}
	s.err.limit = ackText
	ok, err := s.start(reqs, line)
	switch {
	case err != nil:
		s.abort()
		return nil, stop, lostFile(err)
	case !ok:
		s.abort()
		return nil, stop, refusedExec()
	}
	return s, stop, nil
}

// start asks for the command while its goroutines listen.
func (s *sink) start(reqs <-chan *ssh.Request, line string) (bool, error) {
	var parts sync.WaitGroup
	parts.Go(func() { s.watch(reqs) })
	parts.Go(func() {
		if s.err.fill(s.ch.Stderr()) != nil {
			s.abort()
		}
	})
	parts.Go(s.read)
	last := func() {
		parts.Wait()
		s.ended()
		<-s.conn.sessions
		close(s.gone)
	}
	if !s.fleet.spawn(last) {
		go last()
		return false, closedFault()
	}
	return s.ch.SendRequest("exec", true, ssh.Marshal(struct{ Line string }{line})) //nolint:wrapcheck // the caller says what it means
}

func (s *sink) watch(reqs <-chan *ssh.Request) {
	for req := range reqs {
		if req.Type == "exit-status" && len(req.Payload) >= 4 {
			s.mu.Lock()
			s.status = int(binary.BigEndian.Uint32(req.Payload))
			s.mu.Unlock()
		}
		if req.WantReply {
			_ = req.Reply(false, nil)
		}
	}
}

// leftovers are the exit status, 0 where none came, and what was printed beside.
func (s *sink) leftovers() (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status, strings.TrimSpace(string(s.err.bytes()))
}

// abort ends the channel, or the whole connection where the other side does not play along.
func (s *sink) abort() {
	go func() {
		_ = s.ch.Close()
		graceOf(s.conn, s.gone)
	}()
}

// await gives the other side time to end by itself.
func (s *sink) await(ctx context.Context) {
	timer := time.NewTimer(sinkEnds)
	defer timer.Stop()
	select {
	case <-s.gone:
	case <-timer.C:
		s.abort()
		<-s.gone
	case <-ctx.Done():
		<-s.gone // its own abort is under way
	}
}

// end frees the channel. A server that took all of it may say its last word.
func (s *sink) end(ctx context.Context, well bool) {
	if well {
		_ = s.ch.CloseWrite()
		s.await(ctx)
	} else {
		s.abort()
		<-s.gone
	}
	s.release()
}
