package connect

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// The round trips that a command costs, counted, not measured: over a link whose only delay
// is half a second each way, in virtual time. To sshd 9.2 it is two more for a first one: it
// holds back its KEXINIT and its confirmation of a channel until what it said before is
// acknowledged (performance.md, section 2).
const (
	coldTrips  = 9 // TCP, version, key exchange 2, service, none, key asked for, key signed, channel, command: less one
	laterTrips = 2 // channel, command
)

// slow is a way for bytes that takes its time.
type slow struct {
	net.Conn
	delay time.Duration
	queue chan parcel
	done  chan struct{}
	end   sync.Once
}

type parcel struct {
	due  time.Time
	data []byte
}

func newSlow(all *sync.WaitGroup, c net.Conn, delay time.Duration) *slow {
	s := &slow{Conn: c, delay: delay, queue: make(chan parcel, 1024), done: make(chan struct{})}
	all.Go(s.deliver)
	return s
}

func (s *slow) Write(b []byte) (int, error) {
	select {
	case s.queue <- parcel{time.Now().Add(s.delay), append([]byte(nil), b...)}:
		return len(b), nil
	case <-s.done:
		return 0, io.ErrClosedPipe
	}
}

func (s *slow) deliver() {
	for {
		select {
		case p := <-s.queue:
			pass(time.Until(p.due))
			if _, err := s.Conn.Write(p.data); err != nil {
				return
			}
		case <-s.done:
			return
		}
	}
}

func (s *slow) Close() error {
	s.end.Do(func() { close(s.done) })
	return s.Conn.Close()
}

func TestRoundTrips(t *testing.T) {
	path, public := keyFile(t, "id", "")
	synctest.Test(t, func(t *testing.T) {
		const trip = time.Second
		b := newBubble(t, Options{Keepalive: time.Hour})
		defer b.end(t)
		b.server.config.NoClientAuth, b.server.config.PublicKeyCallback = false, keysOnly(public)
		b.server.session = answerAtOnce
		b.opts.Dial = func(context.Context, string, string) (net.Conn, error) {
			there, back := newPipe(), newPipe()
			far, near := newSlow(&b.server.wg, memory{in: there, out: back}, trip/2), newSlow(&b.server.wg, memory{in: back, out: there}, trip/2)
			b.server.wg.Go(func() { b.server.serve(far); _ = far.Close() })
			pass(trip) // SYN, SYN-ACK
			return near, nil
		}
		h := b.host()
		h.Credentials.Key = path
		began := time.Now()
		l, err := b.Lease(t.Context(), h, site())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Release()
		once := func() float64 {
			if _, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}}); err != nil {
				t.Fatal(err)
			}
			return float64(time.Since(began)) / float64(trip)
		}
		cold := once()
		began = time.Now()
		later := once()
		t.Logf("%.2f round trips for a first command, %.2f for each later one", cold, later)
		if cold > coldTrips || later > laterTrips {
			t.Errorf("%.2f and %.2f round trips, want at most %d and %d", cold, later, coldTrips, laterTrips)
		}
	})
}

// turns passes bytes on to a real server and counts how often it was the client's turn.
type turns struct {
	mu     sync.Mutex
	client bool // spoke last
	count  int
}

func (c *turns) spoke(client bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client && !c.client {
		c.count++
	}
	c.client = client
}

func (c *turns) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// turned is a connection that counts.
type turned struct {
	net.Conn
	turns *turns
}

func (c turned) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.turns.spoke(false)
	}
	return n, err
}

func (c turned) Write(b []byte) (int, error) {
	c.turns.spoke(true)
	return c.Conn.Write(b)
}

// The same against a real sshd: each time that we speak after it did is one round trip at
// most, beside the first for TCP.
func TestRoundTripsToRealSSHD(t *testing.T) {
	count := &turns{}
	r := newRig(t, Options{Keepalive: time.Hour, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return turned{c, count}, err
	}})
	path, public := keyFile(t, "id", "")
	d := startSSHD(t, public, "")
	r.trust(t, d.address, d.hostKey)
	l := r.lease(t, d.host(t, "real", path), site())
	cold, later := 1000, 1000
	for range 5 { // the best of them: sshd's words may come in one piece or in two
		l.Drop()
		began := count.now()
		run(t, l, "true")
		first := count.now()
		run(t, l, "true")
		cold, later = min(cold, first-began+1), min(later, count.now()-first)
	}
	t.Logf("%d turns for a first command, %d for a later one", cold, later)
	if cold > 12 || later > 3 { // the closing of a channel is a turn, which nobody waits for
		t.Errorf("%d and %d turns", cold, later)
	}
}
