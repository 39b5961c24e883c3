package connect

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// What hosts did to the clients of our peers. Each test names the CVE, or the change that
// fixed it, and what the host does.

// CVE-2019-6111, CVE-2018-20685, CVE-2026-0964: the server of SCP or SFTP chooses names, and
// the client writes there. Nothing here asks a host for names, and what is fetched is a stream.
func TestCVE_2019_6111_NamesOfTheServer(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	s.session = oddSFTP{endless: true}.session
	l := r.lease(t, withPassword(t, host(t, "odd", s.address), "right"), site())
	dir := t.TempDir()
	t.Chdir(dir)
	content, err := l.Session().Files.Get(t.Context(), "/wanted", 100)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(content); err != nil || len(got) != 100 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) > 0 {
		t.Errorf("the host made %q", found)
	}
}

// CVE-2019-6109, CVE-2019-6110, CVE-2023-30844, CVE-2026-45803, CVE-2026-25996: names and
// messages of the server repaint the terminal. The same for SCP's second channel.
func TestCVE_2019_6109_MessagesOfTheServer(t *testing.T) {
	evil := "\x1b[2K\x1b[1A\x1b]52;c;eA==\x07\u202e\u009bm##vso[x]"
	for name, said := range map[string]*sinkServer{
		"refusal": {refuse: "\x02" + evil + "\n"}, "warning": {header: "\x01" + evil + "\n"}, "nonsense": {refuse: evil + "\n"}, "the last word": {last: "\x02" + evil + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			s := passwordServer(t, r)
			s.session = said.session
			l := r.lease(t, withPassword(t, host(t, "scp", s.address), "right"), site())
			err := l.Session().Pusher.Push(t.Context(), remote.SCP, "flash:f", strings.NewReader("x"), 1)
			if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07\n\u202e\u009b") || strings.Contains(err.Error(), "##vso") {
				t.Errorf("%q", err)
			}
		})
	}
}

// CVE-2026-45723, CVE-2020-16846, CVE-2025-24366: texts of others become commands, options or paths.
func TestCVE_2020_16846_TextsThatBecomeCommands(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	l := r.lease(t, withPassword(t, host(t, "sh", s.address), "right"), site())
	dir := t.TempDir()
	canary := filepath.Join(dir, "CANARY")
	for _, evil := range []string{"; touch " + canary, "$(touch " + canary + ")", "`touch " + canary + "`", "' ; touch " + canary + " ; '", "a\ntouch " + canary, "-oProxyCommand=touch " + canary, "|| touch " + canary} {
		got := run(t, l, "printf", "%s", evil)
		if string(got.Out) != evil {
			t.Errorf("%q became %q", evil, got.Out)
		}
		if err := l.Session().Pusher.Push(t.Context(), remote.SCP, "flash:"+evil, strings.NewReader(""), 0); fault.CodeOf(err) != fault.Internal {
			t.Errorf("a path %q: %v", evil, err)
		}
	}
	if _, err := os.Stat(canary); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a text was run")
	}
}

// x/crypto 9beb694 (no CVE): an exit status that is cut off made the client panic.
func TestTruncatedExitStatus(t *testing.T) {
	for _, payload := range [][]byte{nil, {0}, {0, 0, 0}} {
		r := newRig(t, Options{})
		s := passwordServer(t, r)
		s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
			_ = (<-reqs).Reply(true, nil)
			for _, kind := range []string{"exit-status", "exit-signal", "eow@openssh.com", strings.Repeat("x", 30000)} {
				_, _ = ch.SendRequest(kind, false, payload)
			}
			_ = ch.Close()
			ssh.DiscardRequests(reqs)
		}
		l := r.lease(t, withPassword(t, host(t, "cut", s.address), "right"), site())
		got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
		if got.OK() || got.Ending == remote.Exited {
			t.Errorf("%v: %+v, %v", payload, got, err)
		}
	}
}

// CVE-2026-39830: answers to global requests that nobody asked for, and requests without
// end, stopped the client for ever.
func TestCVE_2026_39830_GlobalRequests(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-done })
	go func() {
		defer close(done)
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = raw.Close() }()
		conn, chans, reqs, err := ssh.NewServerConn(raw, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(reqs)
		for range 500 {
			if _, _, err := conn.SendRequest("hostkeys-00@openssh.com", false, []byte("\xff\xff\xff\xff")); err != nil {
				break
			}
		}
		for open := range chans {
			_ = open.Reject(ssh.ConnectionFailed, "\x1b[2J\u202e")
		}
	}()
	r.trust(t, listener.Addr().String(), key.PublicKey())
	within(t, func() {
		l, err := r.Lease(t.Context(), host(t, "loud", listener.Addr().String()), site())
		if err != nil {
			return // it may be refused outright
		}
		defer l.Release()
		_, err = l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}, Effect: remote.Reads})
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
			t.Errorf("%q", err)
		}
		l.Drop()
	})
}

// CVE-2026-39829: a host key of a hundred thousand bits costs minutes of computing.
func TestCVE_2026_39829_HugeHostKey(t *testing.T) {
	modulus := make([]byte, 100_000/8)
	_, _ = rand.Read(modulus)
	modulus[0] = 0x7f
	blob := ssh.Marshal(struct {
		Kind string
		E, N string
	}{"ssh-rsa", "\x01\x00\x01", string(modulus)})
	begin := time.Now()
	if key, err := ssh.ParsePublicKey(blob); err == nil {
		err = key.Verify([]byte("x"), &ssh.Signature{Format: ssh.KeyAlgoRSASHA512, Blob: modulus})
		if err == nil {
			t.Error("it verified")
		}
	}
	if time.Since(begin) > 20*time.Second {
		t.Errorf("it took %v", time.Since(begin))
	}
}

// CVE-2026-39834: more than 4 GiB in one write never end. Everything is sent in pieces.
func TestCVE_2026_39834_NoWriteIsHuge(t *testing.T) {
	var largest int
	content := &exact{from: io.LimitReader(zeroReader{}, 8<<20), left: 8 << 20}
	_, err := io.Copy(writerFunc(func(p []byte) (int, error) { largest = max(largest, len(p)); return len(p), nil }), bufferOnly{content})
	if err != nil || largest > 64<<10 {
		t.Errorf("a write of %d bytes, %v", largest, err)
	}
}

type zeroReader struct{}

// Read always fills.
func (zeroReader) Read(p []byte) (int, error) { return len(p), nil }

type writerFunc func([]byte) (int, error)

// Write is the function.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// CVE-2025-47913: an agent's answer of the wrong kind made the client panic.
func TestCVE_2025_47913_AgentAnswers(t *testing.T) {
	for _, answer := range [][]byte{{}, {6}, {5}, {12}, {12, 0xff, 0xff, 0xff, 0xff}, {14}, {14, 0, 0, 0, 1}, []byte("\x0c\x00\x00\x00\x01\x00\x00\x00\x04\xff\xff\xff\xff\x00\x00\x00\x00")} {
		t.Run(hex.EncodeToString(answer), func(t *testing.T) {
			near, far := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = far.Close() }()
				for {
					var size [4]byte
					if _, err := io.ReadFull(far, size[:]); err != nil {
						return
					}
					if _, err := io.CopyN(io.Discard, far, int64(binary.BigEndian.Uint32(size[:]))); err != nil {
						return
					}
					if _, err := far.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)); err != nil {
						return
					}
				}
			}()
			client := agent.NewClient(near)
			_, err := client.List()
			key := edKey(t).PublicKey()
			_, signErr := client.Sign(key, []byte("x"))
			if err == nil && signErr == nil {
				t.Error("nonsense was taken for an answer")
			}
			_ = near.Close()
			<-done
		})
	}
}

// CVE-2016-8628, CVE-2016-9587, CVE-2020-10684, CVE-2024-11079: what a host says decides
// where and as whom the next connection goes. An address is the inventory's, whatever the
// last one's answers were; nothing that a host says is in reach of the route.
func TestCVE_2016_9587_AnswersDoNotSteer(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	trap := silent(t, "")
	s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
		_ = (<-reqs).Reply(true, nil)
		where, port, _ := net.SplitHostPort(trap)
		_, _ = fmt.Fprintf(ch, "address=%s\nport=%s\nuser=root\njump=root@%s\nansible_ssh_common_args=-oProxyCommand=touch CANARY\nHostName %s\n", where, port, trap, trap)
		_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
		_ = ch.Close()
		ssh.DiscardRequests(reqs)
	}
	h := withPassword(t, host(t, "web", s.address), "right")
	h.Become = inventory.BecomeNone
	for range 2 {
		l := r.lease(t, h, site())
		if got := run(t, l, "facts"); !strings.Contains(string(got.Out), trap) {
			t.Errorf("%s", got.Out)
		}
		l.Drop()
		l.Release()
	}
	if n := s.accepts.Load(); n != 2 {
		t.Errorf("%d connections to where the inventory says", n)
	}
}
