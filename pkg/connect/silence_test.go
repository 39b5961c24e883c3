package connect

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// direction is which of the two falls silent.
type direction struct {
	name string
	of   func(there, back *pipe) *pipe
}

func directions() []direction {
	return []direction{
		{"the host", func(_, back *pipe) *pipe { return back }},
		{"the way to it", func(there, _ *pipe) *pipe { return there }},
	}
}

// handshakeBytes is how many bytes go one way until a login is over.
func handshakeBytes(t *testing.T, way direction, login func(*testing.T) (*bubble, inventory.Host)) int {
	t.Helper()
	bytes := 0
	synctest.Test(t, func(t *testing.T) {
		b, h := login(t)
		defer b.end(t)
		var p *pipe
		b.wire = func(there, back *pipe) { p = way.of(there, back) }
		if _, err := b.Lease(t.Context(), h, site()); err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		bytes = p.moved
	})
	return bytes
}

// A peer that falls silent after any byte of the handshake costs exactly the hop's time.
func TestSilentAtAnyByteOfTheHandshake(t *testing.T) {
	for _, way := range directions() {
		t.Run(way.name, func(t *testing.T) {
			path, public := keyFile(t, "id", "")
			login := func(t *testing.T) (*bubble, inventory.Host) {
				t.Helper()
				b := newBubble(t, Options{Timeout: 15 * time.Second})
				b.server.config.NoClientAuth, b.server.config.PublicKeyCallback = false, keysOnly(public)
				h := b.host()
				h.Credentials.Key = path
				return b, h
			}
			all := handshakeBytes(t, way, login)
			for n := range all {
				synctest.Test(t, func(t *testing.T) { silentLogin(t, way, n, login) })
			}
			t.Logf("silent after each of %d bytes", all)
		})
	}
}

func silentLogin(t *testing.T, way direction, n int, login func(*testing.T) (*bubble, inventory.Host)) {
	t.Helper()
	b, h := login(t)
	defer b.end(t)
	b.wire = func(there, back *pipe) { way.of(there, back).only(n) }
	began := time.Now()
	_, err := b.Lease(t.Context(), h, site())
	if took := time.Since(began); fault.CodeOf(err) != fault.Unreachable || took != 15*time.Second {
		t.Fatalf("after %d bytes: %v after %s", n, err, took)
	}
	if len(b.dials) != 1 {
		t.Errorf("after %d bytes: %d dials", n, len(b.dials))
	}
}

// The same for a command: it costs the command's own time, and is never sent twice.
func TestSilentAtAnyByteOfACommand(t *testing.T) {
	for _, way := range directions() {
		t.Run(way.name, func(t *testing.T) {
			for n := range 320 {
				synctest.Test(t, func(t *testing.T) { silentCommand(t, way, n) })
			}
		})
	}
}

func silentCommand(t *testing.T, way direction, n int) {
	t.Helper()
	b := newBubble(t, Options{Keepalive: time.Hour})
	defer b.end(t)
	var p *pipe
	b.wire = func(there, back *pipe) { p = way.of(there, back) }
	b.server.session = answerAtOnce
	l := b.lease(t)
	defer l.Release()
	p.only(n)
	ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
	defer cancel()
	began := time.Now()
	got, err := l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"x"}})
	took := time.Since(began)
	switch {
	case err == nil && got.OK(): // its answer was shorter than n
	case took != 7*time.Second:
		t.Fatalf("after %d bytes: %+v, %v after %s", n, got, err, took)
	case fault.CodeOf(err) != fault.Lost && fault.CodeOf(err) != fault.Unreachable:
		t.Fatalf("after %d bytes: %v", n, err)
	}
	if b.server.accepts.Load() != 1 {
		t.Errorf("after %d bytes: %d connections", n, b.server.accepts.Load())
	}
}

// only lets n more bytes through from now on, and swallows the rest.
func (p *pipe) only(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = p.moved + n + 1
}
