package connect

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// pass lets virtual time pass; only for use inside synctest.Test.
func pass(d time.Duration) {
	time.Sleep(d)
}

// pipe is one direction of a connection in memory. Waiting on it is durable, so that
// virtual time passes (real sockets and testing/synctest do not mix).
type pipe struct {
	mu     sync.Mutex
	change *sync.Cond
	data   []byte
	closed bool
	hole   bool // swallows what is written from now on
	moved  int  // bytes that were passed on
	limit  int  // of them; 0: none. What comes after is swallowed
}

func newPipe() *pipe {
	p := &pipe{}
	p.change = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.data) == 0 && !p.closed {
		p.change.Wait()
	}
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, syscall.EPIPE // as a socket whose other end has hung up
	}
	whole := len(b)
	if p.limit > 0 {
		b = b[:min(len(b), p.limit-1-p.moved)]
	}
	if !p.hole {
		p.data, p.moved = append(p.data, b...), p.moved+len(b)
	}
	p.change.Broadcast()
	return whole, nil
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change.Broadcast()
}

// memory is a net.Conn of two pipes.
type memory struct {
	net.Conn // its deadlines are not used
	in, out  *pipe
}

func (m memory) Read(b []byte) (int, error)  { return m.in.Read(b) }
func (m memory) Write(b []byte) (int, error) { return m.out.Write(b) }
func (m memory) Close() error                { m.in.close(); m.out.close(); return nil }
func (memory) LocalAddr() net.Addr           { return noAddr() }
func (memory) RemoteAddr() net.Addr          { return noAddr() }

// bubble is a fleet whose hosts are in memory.
type bubble struct {
	*Fleet
	server *server
	key    ssh.Signer
	mu     sync.Mutex
	conns  []memory                // the client's ends
	drops  int                     // how many dials are cut at once
	wire   func(there, back *pipe) // what is done to a new connection
	dials  []time.Time
}

func newBubble(t *testing.T, o Options) *bubble {
	t.Helper()
	b := &bubble{key: edKey(t)}
	b.server = newServer(t, b.key)
	b.server.prepare()
	o.Dial = func(context.Context, string, string) (net.Conn, error) { return b.dial(), nil }
	b.Fleet = New(o)
	return b
}

func (b *bubble) dial() net.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	there, back := newPipe(), newPipe()
	b.dials = append(b.dials, time.Now())
	if b.drops > 0 {
		b.drops--
		back.close()
		return memory{in: back, out: there}
	}
	if b.wire != nil {
		b.wire(there, back)
	}
	b.server.wg.Go(func() { b.server.serve(memory{in: there, out: back}) })
	b.conns = append(b.conns, memory{in: back, out: there})
	return b.conns[len(b.conns)-1]
}

func (b *bubble) host() inventory.Host {
	h := inventory.Host{}
	h.ID.Site, h.ID.Name, h.Address, h.Port, h.User = "hq", "web", "10.0.0.1", 22, "patch"
	h.Jump, h.HostKeys = []string{}, []string{ssh.FingerprintSHA256(b.key.PublicKey())}
	return h
}

func (b *bubble) end(t *testing.T) {
	t.Helper()
	_ = b.Close()
	close(b.server.done)
	b.mu.Lock()
	for _, c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.server.wg.Wait()
}

func (b *bubble) lease(t *testing.T) *Lease {
	t.Helper()
	l, err := b.Lease(t.Context(), b.host(), site())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestIdleConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Idle: 10 * time.Second})
		defer b.end(t)
		l := b.lease(t)
		pass(time.Hour) // virtual: leased, so it stays
		if b.server.open.Load() != 1 {
			t.Error("closed while it was leased")
		}
		l.Release()
		pass(9 * time.Second)
		second := b.lease(t)
		pass(time.Hour)
		second.Release()
		if b.server.accepts.Load() != 1 {
			t.Error("not shared while idle")
		}
		pass(11 * time.Second)
		synctest.Wait()
		if b.server.open.Load() != 0 {
			t.Error("still open")
		}
	})
}

func TestKeepaliveFindsADeadPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{Keepalive: 15 * time.Second})
		defer b.end(t)
		l := b.lease(t)
		defer l.Release()
		pass(time.Hour)
		if b.server.accepts.Load() != 1 {
			t.Fatal("an answering peer was given up")
		}
		b.server.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
			_ = (<-reqs).Reply(true, nil)
			b.conns[0].in.mu.Lock()
			b.conns[0].in.hole = true // nothing comes from the peer any more
			b.conns[0].in.mu.Unlock()
			ssh.DiscardRequests(reqs)
		}
		start := time.Now()
		_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
		if fault.CodeOf(err) != fault.Lost {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 30*time.Second || took > 75*time.Second {
			t.Errorf("noticed after %s", took)
		}
	})
}

func TestDropsBeforeTheLoginAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.drops = 2
		b.lease(t).Release()
		first, second := b.dials[1].Sub(b.dials[0]), b.dials[2].Sub(b.dials[1])
		if len(b.dials) != 3 || first < time.Second || second < 15*time.Second || second > 30*time.Second {
			t.Errorf("dials %v, pauses %s and %s", b.dials, first, second)
		}
	})
}

func TestDropsAreTriedAgainTwiceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.drops = 100
		_, err := b.Lease(t.Context(), b.host(), site())
		wantFault(t, err, fault.Unreachable, "said nothing", "MaxStartups")
		if len(b.dials) != 3 {
			t.Errorf("%d dials", len(b.dials))
		}
	})
}

func TestRefusalIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.server.config.NoClientAuth = false
		b.server.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, io.EOF }
		_, err := b.Lease(t.Context(), b.host(), site())
		wantFault(t, err, fault.Auth)
		if len(b.dials) != 1 {
			t.Errorf("%d dials", len(b.dials))
		}
	})
}

// When the only one who waits gives up, the dial ends; when others wait, it goes on.
func TestDialOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.drops = 1 // a pause of a second before the second dial
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := b.Lease(short, b.host(), site()); fault.CodeOf(err) != fault.Unreachable {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if l, err := b.Lease(t.Context(), b.host(), site()); err != nil {
				t.Error(err)
			} else {
				l.Release()
			}
		})
		all.Wait()
		if len(b.dials) != 2 {
			t.Errorf("%d dials, want one shared try with one repeat", len(b.dials))
		}
	})
}

func TestNobodyWaitsSoNobodyDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.end(t)
		b.drops = 1
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := b.Lease(short, b.host(), site()); err == nil {
			t.Error("no error")
		}
		pass(time.Hour)
		if len(b.dials) != 1 {
			t.Errorf("%d dials", len(b.dials))
		}
		b.lease(t).Release()
	})
}
