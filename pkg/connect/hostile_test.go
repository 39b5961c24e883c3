package connect

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// answerAtOnce is a session that says "ok" and exits with 0, without a process.
func answerAtOnce(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
	for req := range reqs {
		_ = req.Reply(req.Type == "exec", nil)
		if req.Type == "exec" {
			_, _ = io.WriteString(ch, "ok")
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0}))
			_ = ch.Close()
		}
	}
}

func TestHostileBeforeLogin(t *testing.T) {
	flood := func(text string) func(*testing.T) string {
		return func(t *testing.T) string { t.Helper(); return pouring(t, text) }
	}
	for _, c := range []struct {
		name, says string
		address    func(*testing.T) string
	}{
		{"an endless version line", "overflow reading version", flood("SSH-2.0-" + strings.Repeat("x", 4096))},
		{"endless lines before the version", "", flood(strings.Repeat("go away\r\n", 500))},
		{"endless zeros", "", flood(strings.Repeat("\x00", 4096))},
		{"endless packets", "", flood("SSH-2.0-x\r\n" + strings.Repeat("\x00\x00\x00\x0c\x0a\x02\x00", 500))},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{Timeout: 2 * time.Second})
			address := c.address(t)
			within(t, func() {
				_, err := r.Lease(t.Context(), host(t, "bad", address), site())
				wantFault(t, err, fault.Unreachable, c.says)
			})
		})
	}
}

// pouring is a server that says the text over and over, for as long as anyone listens.
func pouring(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = c.Close() }()
				for {
					if _, err := io.WriteString(c, text); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

func TestBannerFlood(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := newServer(t, key)
	var conn ssh.ServerPreAuthConn
	s.config.PreAuthConnCallback = func(c ssh.ServerPreAuthConn) { conn = c }
	s.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		for range 1 << 20 {
			if err := conn.SendAuthBanner(strings.Repeat("\x1b]0;x\a", 1000)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	within(t, func() {
		_, err := r.Lease(t.Context(), withPassword(t, host(t, "web", s.address), "right"), site())
		wantFault(t, err, fault.Unreachable, "talks without end")
	})
}

// Requests and channels that nobody asked for are refused, and cost no command anything.
func TestFloodOfRequestsAndChannels(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	refused := make(chan error, 3)
	s.hello = func(c ssh.Conn) {
		for i := range 5000 {
			if _, _, err := c.SendRequest("flood@example", i%100 == 0, make([]byte, 512)); err != nil {
				return
			}
		}
		for _, kind := range []string{"auth-agent@openssh.com", "x11", "forwarded-tcpip"} {
			ch, _, err := c.OpenChannel(kind, nil)
			if err == nil {
				_ = ch.Close()
			}
			refused <- err
		}
	}
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	within(t, func() {
		for range 3 {
			run(t, l, "true")
		}
		for range 3 {
			if refusal := (*ssh.OpenChannelError)(nil); !errors.As(<-refused, &refusal) {
				t.Error("a channel to us was opened")
			}
		}
	})
	if s.sentAgent.Load() {
		t.Error("the agent was forwarded")
	}
}

// A host that takes a command and never makes room for its input.
func TestWindowIsNeverOpened(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	s.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
		if req, ok := <-reqs; ok { // none where the time was up before
			_ = req.Reply(true, nil) // and reads nothing
		}
		<-done
		ssh.DiscardRequests(reqs)
	}
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	ctx, cancel := timeout(t, 200*time.Millisecond)
	defer cancel()
	within(t, func() {
		_, err := l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"cat"}, Stdin: make([]byte, 8<<20)})
		wantFault(t, err, fault.Lost)
	})
}

// FuzzPeer is a host that was let in and then says anything: over a master's socket its
// packets are in the clear. Whatever they are, the command ends, and with it all that
// belongs to the connection.
func FuzzPeer(f *testing.F) {
	packet := func(kind byte, body ...byte) []byte {
		p := append([]byte{0, kind}, body...)
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...)
	}
	confirm := packet(91, 0, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 128, 0)
	truncated := append([]byte{0, 0, 0, 0, 0, 0, 0, 11}, "exit-status\x00\x00"...)
	for _, seed := range [][]byte{
		{}, confirm, packet(91), packet(94, 0, 0, 0, 9, 0, 0, 0, 1, 'x'), packet(81), packet(82), packet(1), packet(99, 0, 0, 0, 0),
		append(confirm, packet(98, truncated...)...),                        // exit-status cut short (9beb694)
		append(confirm, packet(93, 0, 0, 0, 0, 255, 255, 255, 255)...),      // a window that overflows
		append(packet(81), append(packet(82), packet(82)...)...),            // replies that nobody asked for (CVE-2026-39830)
		append(confirm, packet(94, 0, 0, 0, 0, 255, 255, 255, 255, 'x')...), // a length that is a lie
		packet(90, 0, 0, 0, 1, 'x', 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),     // a channel to us
		{255, 255, 255, 255}, {0, 0, 0, 0}, {0, 0, 0, 1, 5}, {0, 0, 0, 2, 0, 0}, // bad frames
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		fleet := New(Options{})
		near, far := net.Pipe()
		var all sync.WaitGroup
		all.Go(func() { _, _ = io.Copy(io.Discard, far) })
		all.Go(func() {
			hello := []byte{0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 8, 0x80, 0, 0, 0x0f, 0, 0, 0, 0}
			_, _ = far.Write(append(hello, said...))
		})
		raw, chans, reqs, err := ssh.NewControlClientConn(&framed{Conn: near})
		if err != nil {
			t.Fatal(err)
		}
		c := newConn(&masterConn{Conn: raw}, time.Hour)
		all.Go(func() { c.serve(chans, reqs) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, _ = c.run(ctx, fleet, order{line: "x", maxOut: 1 << 10})
		c.close()
		_ = far.Close()
		all.Wait()
		_ = fleet.Close()
	})
}
