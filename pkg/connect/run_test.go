package connect

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

func TestEndings(t *testing.T) {
	r := newRig(t, Options{})
	l := r.lease(t, withPassword(t, host(t, "web", passwordServer(t, r).address), "right"), site())
	for _, c := range []struct {
		script string
		ending remote.Ending
		code   int
	}{{"exit 0", remote.Exited, 0}, {"exit 42", remote.Exited, 42}, {"kill -9 $PPID; kill -9 $$", remote.Signaled, 0}} {
		got := run(t, l, "sh", "-c", c.script)
		if got.Ending != c.ending || got.Code != c.code {
			t.Errorf("%s: %+v", c.script, got)
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	r := newRig(t, Options{})
	l := r.lease(t, withPassword(t, host(t, "web", passwordServer(t, r).address), "right"), site())
	for _, c := range []struct {
		limit     int64
		script    string
		out, err  int
		truncated bool
	}{
		{10, "printf 1234567890", 10, 0, false},
		{10, "printf 12345678901", 10, 0, true},
		{1000, "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2", 1000, 1000, true},
		{0, "head -c 2000000 /dev/zero", remote.DefaultMaxOut, 0, true},
		{513, "head -c 513 /dev/zero >&2", 0, 513, false},
	} {
		got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", c.script}, MaxOut: c.limit})
		if err != nil || len(got.Out) != c.out || len(got.Err) != c.err || got.Truncated != c.truncated || got.Ending != remote.Exited {
			t.Errorf("%s: %d, %d, %v, %v", c.script, len(got.Out), len(got.Err), got.Truncated, err)
		}
	}
}

func TestStdin(t *testing.T) {
	r := newRig(t, Options{})
	l := r.lease(t, withPassword(t, host(t, "web", passwordServer(t, r).address), "right"), site())
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB: twice the window
	got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"cat"}, Stdin: big, MaxOut: 8 << 20, Secret: secret.New("first")})
	if err != nil || !bytes.Equal(got.Out, append([]byte("first\n"), big...)) {
		t.Errorf("%d bytes, %v", len(got.Out), err)
	}
	if got, err = l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"true"}, Stdin: big}); err != nil || !got.OK() {
		t.Errorf("a command that reads nothing: %+v, %v", got, err)
	}
}

func TestNoExitStatusIsLost(t *testing.T) {
	for name, end := range map[string]func(*server, ssh.Channel){
		"channel closed":    func(_ *server, ch ssh.Channel) { _ = ch.Close() },
		"connection closed": func(s *server, _ ssh.Channel) { s.cut() },
		"malformed status": func(_ *server, ch ssh.Channel) {
			_, _ = ch.SendRequest("exit-status", false, []byte{0})
			_ = ch.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			s := passwordServer(t, r)
			s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
				_ = (<-reqs).Reply(true, nil)
				_, _ = io.WriteString(ch, "partial")
				end(s, ch)
				ssh.DiscardRequests(reqs)
			}
			l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
			got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
			wantFault(t, err, fault.Lost, "unknown")
			if got.Ending != remote.Lost || got.OK() {
				t.Errorf("%+v", got)
			}
		})
	}
}

// cut closes all connections.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func TestHostRefusesToRun(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	s.session = func(_ ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
		_ = (<-reqs).Reply(false, nil)
		ssh.DiscardRequests(reqs)
	}
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
	wantFault(t, err, fault.HostFailed, "refuses to run")
}

func TestNoMoreSessions(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	s.refuse = func(open ssh.NewChannel) bool { _ = open.Reject(ssh.ConnectionFailed, "open failed\x1b"); return true }
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
	wantFault(t, err, fault.HostFailed, "MaxSessions", `\x1b`)
}

// sshd allows ten sessions a connection; more commands than that must still all run.
func TestManyCommandsAtOnce(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "web", s.address), "right"), site())
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"echo", strconv.Itoa(i)}})
			if err != nil || strings.TrimSpace(string(got.Out)) != strconv.Itoa(i) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

func FuzzStages(f *testing.F) {
	f.Add([]byte("lecture\n[P]"), []byte("[P]\n[B]"), false)
	f.Add([]byte("Password: "), []byte("Password: x"), true)
	f.Add([]byte("[B"), []byte("]own"), false)
	f.Fuzz(func(t *testing.T, one, two []byte, guess bool) {
		whole, parts := stages{prompt: "[P]", begun: "[B]", guess: guess}, stages{prompt: "[P]", begun: "[B]", guess: guess}
		all := whole.feed(append(bytes.Clone(one), two...))
		var rest []byte
		rest = append(rest, parts.feed(one)...)
		rest = append(rest, parts.feed(two)...)
		if len(one)+len(two) > maxHead {
			return
		}
		if (whole.at == stageBegun) != (parts.at == stageBegun) || !bytes.Equal(all, rest) {
			t.Fatalf("in one piece %d %q, in two %d %q", whole.at, all, parts.at, rest)
		}
		if len(parts.head) > maxHead+len(two) {
			t.Fatal("unbounded")
		}
	})
}

func FuzzDenied(f *testing.F) {
	for _, seed := range []string{"sudo: a password is required\n", "sh: 1: sudo: not found", "patch is not in the sudoers file.", "x\x1b[31m"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, code int) {
		err := denied("sudo", "patch", code, []byte(text))
		if err == nil {
			return
		}
		if fault.CodeOf(err) != fault.Privilege || strings.ContainsAny(err.Error(), "\x1b\n\r\x00") {
			t.Fatalf("%q: %q", text, err)
		}
	})
}
