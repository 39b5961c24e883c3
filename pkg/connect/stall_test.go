package connect

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// silent accepts, says greeting, and then nothing until the test ends.
func silent(t *testing.T, greeting string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				_, _ = io.WriteString(c, greeting)
				_, _ = io.Copy(io.Discard, c) // until the client is gone
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// throttle passes on what a server says until limit bytes, and then nothing more.
func throttle(t *testing.T, to string, limit int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				_ = c.Close()
				return
			}
			wg.Go(func() {
				_, _ = io.Copy(s, c)
				_, _ = s.Close(), c.Close()
			})
			wg.Go(func() {
				_, _ = io.CopyN(struct{ io.Writer }{c}, s, limit) // not spliced: that waits for more
				_, _ = io.Copy(io.Discard, s)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// within fails when work takes longer than anything bounded may.
func within(t *testing.T, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	select {
	case <-done:
	case <-time.After(8 * time.Second):
		t.Fatal("hangs")
	}
}

func TestSilentBeforeLogin(t *testing.T) {
	key := edKey(t)
	for _, c := range []struct {
		name, stage string
		address     func(*testing.T) string
	}{
		{"accepts and is silent", "said nothing", func(t *testing.T) string { t.Helper(); return silent(t, "") }},
		{"silent after its version", "key exchange", func(t *testing.T) string { t.Helper(); return silent(t, "SSH-2.0-Mute\r\n") }},
		{"silent in the key exchange", "key exchange", func(t *testing.T) string {
			t.Helper()
			return throttle(t, newServer(t, key).start(t).address, 400)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{Timeout: 400 * time.Millisecond})
			address := c.address(t)
			r.trust(t, address, key.PublicKey())
			within(t, func() {
				_, err := r.Lease(t.Context(), host(t, "mute", address), site())
				wantFault(t, err, fault.Unreachable, c.stage, "400ms", "ssh -v -p")
			})
		})
	}
}

func TestSilentDuringLogin(t *testing.T) {
	r := newRig(t, Options{Timeout: 200 * time.Millisecond})
	key := edKey(t)
	s := newServer(t, key)
	s.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		<-s.done
		return nil, io.EOF
	}
	s.start(t)
	r.trust(t, s.address, key.PublicKey())
	within(t, func() {
		_, err := r.Lease(t.Context(), withPassword(t, host(t, "mute", s.address), "right"), site())
		wantFault(t, err, fault.Unreachable, "during the login", "200ms")
	})
}

func TestSilentInSession(t *testing.T) {
	stages := map[string]func(*server){
		"opening": func(s *server) {
			s.refuse = func(ssh.NewChannel) bool { return true } // neither accepted nor refused
		},
		"exec": func(s *server) {
			s.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
				<-done
				ssh.DiscardRequests(reqs)
			}
		},
		"command": func(s *server) {
			s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
				_ = (<-reqs).Reply(true, nil)
				_, _ = io.WriteString(ch, "partial")
				<-done
				ssh.DiscardRequests(reqs)
			}
		},
	}
	for name, stage := range stages {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			key := edKey(t)
			s := newServer(t, key)
			s.password = rightPassword
			stage(s)
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			l := r.lease(t, withPassword(t, host(t, "mute", s.address), "right"), site())
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			within(t, func() {
				start := time.Now()
				got, err := l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"x"}})
				if got.Ending != remote.Lost || time.Since(start) > time.Second {
					t.Errorf("%+v after %s", got, time.Since(start))
				}
				if name == "opening" {
					wantFault(t, err, fault.Unreachable)
					return
				}
				wantFault(t, err, fault.Lost, "unknown")
			})
		})
	}
}

func TestSilentSFTP(t *testing.T) {
	for _, sftpAnswers := range []bool{false, true} {
		t.Run(fmt.Sprint("answers=", sftpAnswers), func(t *testing.T) {
			r := newRig(t, Options{})
			key := edKey(t)
			s := newServer(t, key)
			s.password = rightPassword
			s.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
				if req := <-reqs; sftpAnswers {
					_ = req.Reply(true, nil)
				}
				<-done
				ssh.DiscardRequests(reqs)
			}
			s.start(t)
			r.trust(t, s.address, key.PublicKey())
			l := r.lease(t, withPassword(t, host(t, "mute", s.address), "right"), site())
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			within(t, func() {
				_, err := l.Session().Files.Get(ctx, "/x", 10)
				if err == nil {
					t.Error("no error")
				}
				err = l.Session().Files.Put(ctx, "/tmp/x", nil, patch.DigestOf(nil))
				if err == nil {
					t.Error("no error")
				}
			})
			cancel()
		})
	}
}
