package connect

import (
	"context"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// bastion is a server that passes connections on and takes any login.
func bastion(t *testing.T, r *rig) *server {
	t.Helper()
	key := edKey(t)
	s := newServer(t, key)
	s.forward = true
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	return s
}

func behind(s inventory.Site, chain ...*server) inventory.Site {
	s.Jump = nil
	for _, b := range chain {
		s.Jump = append(s.Jump, "ops@"+b.address)
	}
	return s
}

func TestHostsShareOneBastionConnection(t *testing.T) {
	r := newRig(t, Options{})
	first, second := bastion(t, r), bastion(t, r)
	way := behind(site(), first, second)
	var servers []*server
	for range 12 {
		servers = append(servers, passwordServer(t, r))
	}
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() {
			h := withPassword(t, host(t, strconv.Itoa(i), s.address), "right")
			h.Jump = nil // the site's
			l, err := r.Lease(t.Context(), h, way)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Release()
			run(t, l, "true")
		})
	}
	all.Wait()
	if first.accepts.Load() != 1 || second.accepts.Load() != 1 {
		t.Errorf("%d and %d connections to the bastions", first.accepts.Load(), second.accepts.Load())
	}
	if first.passwords.Load() > 0 {
		t.Error("a bastion saw a host's password")
	}
}

func TestBastionIsPerSite(t *testing.T) {
	r := newRig(t, Options{})
	b := bastion(t, r)
	for _, name := range []string{"hq", "acme"} {
		s := passwordServer(t, r)
		h := withPassword(t, host(t, "web", s.address), "right")
		h.ID.Site, h.Jump = name, []string{"ops@" + b.address}
		r.lease(t, h, inventory.Site{Name: name})
	}
	if b.accepts.Load() != 2 {
		t.Errorf("%d connections, want one a site", b.accepts.Load())
	}
}

func TestBastionFaults(t *testing.T) {
	t.Run("unreachable", func(t *testing.T) {
		r := newRig(t, Options{})
		h := host(t, "web", "127.0.0.1:22")
		h.Jump = []string{"ops@127.0.0.1:1"}
		_, err := r.Lease(t.Context(), h, site())
		e := wantFault(t, err, fault.Unreachable, "bastion ops@127.0.0.1:1", "connection refused")
		if e.Step != "bastion" {
			t.Errorf("step %s", e.Step)
		}
	})
	t.Run("unknown key", func(t *testing.T) {
		r := newRig(t, Options{})
		h := host(t, "web", "127.0.0.1:22")
		h.Jump = []string{"ops@" + openServer(t).address}
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.HostKeyUnknown, "bastion ops@")
	})
	t.Run("login", func(t *testing.T) {
		r := newRig(t, Options{})
		h := withPassword(t, host(t, "web", "127.0.0.1:22"), "right")
		b := passwordServer(t, r)
		h.Jump = []string{"ops@" + b.address}
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.Auth, "bastion ops@", "never its password")
		if b.passwords.Load() != 0 {
			t.Error("the bastion saw the host's password")
		}
	})
	t.Run("changed key", func(t *testing.T) {
		r := newRig(t, Options{})
		b := openServer(t)
		r.trust(t, b.address, edKey(t).PublicKey())
		for i := range 3 {
			h := host(t, strconv.Itoa(i), "127.0.0.1:22")
			h.Jump = []string{"ops@" + b.address}
			_, err := r.Lease(t.Context(), h, site())
			wantFault(t, err, fault.HostKeyChanged, "bastion ops@")
		}
		if b.accepts.Load() != 1 {
			t.Errorf("dialled %d times", b.accepts.Load())
		}
	})
	t.Run("host behind it refuses", func(t *testing.T) {
		r := newRig(t, Options{})
		h := host(t, "web", "127.0.0.1:1")
		h.Jump = nil
		_, err := r.Lease(t.Context(), h, behind(site(), bastion(t, r)))
		wantFault(t, err, fault.Unreachable, "the bastion could not reach it", `\x1b`)
	})
	t.Run("forwarding refused", func(t *testing.T) {
		r := newRig(t, Options{})
		b := bastion(t, r)
		b.forward = false
		h := host(t, "web", "127.0.0.1:1")
		h.Jump = nil
		_, err := r.Lease(t.Context(), h, behind(site(), b))
		wantFault(t, err, fault.Unreachable, "refuses to pass", "AllowTcpForwarding")
	})
	t.Run("not a bastion", func(t *testing.T) {
		r := newRig(t, Options{})
		h := host(t, "web", "127.0.0.1:1")
		h.Jump = []string{"-oProxyCommand=x"}
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.Usage, "not a bastion")
	})
}

// A bastion that is down is left alone for a while, however many hosts ask.
func TestBastionRests(t *testing.T) {
	r := newRig(t, Options{})
	b := newServer(t, edKey(t)).start(t) // an unknown key
	for i := range 20 {
		h := host(t, strconv.Itoa(i), "127.0.0.1:1")
		h.Jump = []string{b.address}
		_, err := r.Lease(t.Context(), h, site())
		wantFault(t, err, fault.HostKeyUnknown)
	}
	if b.accepts.Load() != 1 {
		t.Errorf("dialled %d times", b.accepts.Load())
	}
}

// A host behind the bastion that never answers must not cost the bastion's others.
func TestSilentHostBehindBastion(t *testing.T) {
	r := newRig(t, Options{Timeout: 500 * time.Millisecond})
	b := bastion(t, r)
	way := behind(site(), b)
	mute, ok := host(t, "mute", silent(t, "SSH-2.0-Mute\r\n")), passwordServer(t, r)
	good := withPassword(t, host(t, "good", ok.address), "right")
	mute.Jump, good.Jump = nil, nil
	l := r.lease(t, good, way)
	within(t, func() {
		_, err := r.Lease(t.Context(), mute, way)
		wantFault(t, err, fault.Unreachable, "key exchange", "500ms")
	})
	run(t, l, "true")
	if b.accepts.Load() != 1 {
		t.Errorf("%d connections to the bastion", b.accepts.Load())
	}
}

// A bastion that neither opens nor refuses the channel.
func TestBastionSilentOnOpening(t *testing.T) {
	r := newRig(t, Options{Timeout: 300 * time.Millisecond})
	b := bastion(t, r)
	b.refuse = func(ssh.NewChannel) bool { return true }
	h := host(t, "web", "127.0.0.1:1")
	h.Jump = nil
	within(t, func() {
		_, err := r.Lease(t.Context(), h, behind(site(), b))
		wantFault(t, err, fault.Unreachable, "no answer within 300ms")
	})
}

// A black hole between us and the bastion after everything was set up: commands of
// hosts behind it end with their context.
func TestBastionTurnsIntoABlackHole(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := newServer(t, key)
	s.password = rightPassword
	s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
		_ = (<-reqs).Reply(true, nil)
		_, _ = io.WriteString(ch, "x")
		<-done
		ssh.DiscardRequests(reqs)
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	h := withPassword(t, host(t, "web", s.address), "right")
	h.Jump = nil
	l := r.lease(t, h, behind(site(), bastion(t, r)))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, func() {
		_, err := l.exec(ctx, task{argv: []string{"x"}, maxOut: 10})
		wantFault(t, err, fault.Lost)
	})
}

func TestParseHop(t *testing.T) {
	for _, c := range []struct{ text, who, host, port string }{
		{"b", "", "b", ""}, {"b:2222", "", "b", "2222"}, {"ops@b", "ops", "b", ""}, {"ops@b:22", "ops", "b", "22"},
		{"ops@[2001:db8::1]:2222", "ops", "2001:db8::1", "2222"}, {"[2001:db8::1]", "", "2001:db8::1", ""},
		{"2001:db8::1", "", "2001:db8::1", ""}, {"ops@corp@b", "ops@corp", "b", ""},
	} {
		who, host, port, err := parseHop(c.text)
		if err != nil || who != c.who || host != c.host || port != c.port {
			t.Errorf("%s: %q %q %q, %v", c.text, who, host, port, err)
		}
	}
	for _, bad := range []string{"", "@b", "b:", "b:0", "b:99999", "b:x", "[b", "[b]x", "a b", "a,b", "-oX=y", "ssh://b", "ops@-b", "b\n", "::%]", "fe80::1%a b"} {
		if _, _, _, err := parseHop(bad); err == nil || fault.CodeOf(err) != fault.Usage {
			t.Errorf("%q passes: %v", bad, err)
		}
	}
}

func FuzzParseHop(f *testing.F) {
	for _, seed := range []string{"ops@b:22", "[::1]:2", "a@[b]:", "@", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, host, port, err := parseHop(text)
		if err != nil {
			return
		}
		if host == "" || host[0] == '-' {
			t.Fatalf("%q: host %q", text, host)
		}
		if _, err := directTCP(endpointOf(host, port, "x", settings{}).address); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
