package connect

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// passwordServer takes rightPassword, and is known to r.
func passwordServer(t *testing.T, r *rig) *server {
	t.Helper()
	key := edKey(t)
	s := newServer(t, key)
	s.password = rightPassword
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	return s
}

func TestLeaseRunRelease(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	got := run(t, l, "printf", "%s|", "a b", "$HOME", "it's", "new\nline", "")
	if !got.OK() || string(got.Out) != "a b|$HOME|it's|new\nline||" {
		t.Errorf("%+v", got)
	}
	if l.Ident() != "SSH-2.0-Go" {
		t.Errorf("ident %q", l.Ident())
	}
	if s := l.Session(); s.Console == nil || s.Pusher == nil || s.Files == nil {
		t.Error("what every SSH server may have is missing")
	}
	if s.sentAgent.Load() {
		t.Error("the agent was forwarded")
	}
}

func TestConcurrentLeasesShareOneConnection(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	h := withPassword(t, host(t, "web", s.address), "right")
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			l, err := r.Lease(t.Context(), h, site())
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Release()
			if got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}}); err != nil || !got.OK() {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if s.accepts.Load() != 1 {
		t.Errorf("%d connections to one host", s.accepts.Load())
	}
}

func TestDropThenRunDialsAgain(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	run(t, l, "true")
	l.Drop()
	if got := run(t, l, "echo", "again"); string(got.Out) != "again\n" {
		t.Errorf("%+v", got)
	}
	if s.accepts.Load() != 2 || s.mostOpen.Load() > 2 {
		t.Errorf("%d connections", s.accepts.Load())
	}
}

func TestServerHangsUpThenRunDialsAgain(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	if got := run(t, l, "echo", "again"); string(got.Out) != "again\n" {
		t.Errorf("%+v", got)
	}
}

func TestReleasedLeaseRunsNothing(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	l.Release()
	l.Release()
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}})
	wantFault(t, err, fault.Internal, "given back")
}

func TestMaxConnections(t *testing.T) {
	r := newRig(t, Options{Idle: time.Hour})
	key := edKey(t)
	var mu sync.Mutex
	open, most := 0, 0
	var servers []*server
	for range 12 {
		s := newServer(t, key)
		s.password = rightPassword
		s.start(t)
		r.trust(t, s.address, key.PublicKey())
		servers = append(servers, s)
	}
	few := inventory.Site{Name: "hq", MaxConnections: 3}
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			l, err := r.Lease(t.Context(), withPassword(t, host(t, string(rune('a'+i)), s.address), "right"), few)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Release()
			mu.Lock()
			open++
			most = max(most, open)
			mu.Unlock()
			_, err = l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			open--
			mu.Unlock()
		})
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d connections at once, want at most 3", most)
	}
}

func TestUnreachable(t *testing.T) {
	r := newRig(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = r.Lease(t.Context(), host(t, "off", address), site())
	e := wantFault(t, err, fault.Unreachable, "hq/off", "connection refused", "systemctl status ssh")
	if e.Kind != fault.Retry {
		t.Errorf("kind %d", e.Kind)
	}
}

func TestUnknownName(t *testing.T) {
	r := newRig(t, Options{})
	_, err := r.Lease(t.Context(), host(t, "lost", "no-such-name.invalid:22"), site())
	wantFault(t, err, fault.Unreachable, "no-such-name.invalid")
}

func TestCallerGivesUp(t *testing.T) {
	r := newRig(t, Options{Timeout: time.Hour})
	s := silent(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := r.Lease(ctx, host(t, "mute", s), site())
	wantFault(t, err, fault.Unreachable, "gave up")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the cause is gone: %v", err)
	}
}

func TestClosedFleet(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	_ = r.Close()
	_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "right"), site())
	if fault.CodeOf(err) != fault.Unreachable {
		t.Errorf("%v", err)
	}
}
