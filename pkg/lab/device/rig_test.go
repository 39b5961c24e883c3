package device_test

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what should take milliseconds, on a loaded machine.
const patience = 20 * time.Second

// rig is a running device and how to reach it.
type rig struct {
	*device.Device
	t    *testing.T
	port *device.Loopback
}

// start plays a device that is built in. The user is patch, all secrets are "pw".
func start(t *testing.T, kind string, o device.Options) *rig {
	t.Helper()
	k, err := device.Embedded(kind)
	if err != nil {
		t.Fatal(err)
	}
	return startKind(t, k, o)
}

func startKind(t *testing.T, k *device.Kind, o device.Options) *rig {
	t.Helper()
	port := &device.Loopback{}
	o.Port, o.Password, o.Enable = port, "pw", "pw"
	if o.Name == "" {
		o.Name = "sw1"
	}
	if o.Speed == 0 {
		o.Speed = 20000
	}
	d, err := device.New(k, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if broken := d.Done().Broken; len(broken) > 0 {
			t.Errorf("the device file is broken: %s", strings.Join(broken, "\n"))
		}
	})
	return &rig{Device: d, t: t, port: port}
}

func (r *rig) config() *ssh.ClientConfig {
	return &ssh.ClientConfig{User: "patch", Auth: []ssh.AuthMethod{ssh.Password("pw")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: patience}
}

// dial opens a connection that the test closes.
func (r *rig) dial() *ssh.Client {
	r.t.Helper()
	client, err := ssh.Dial("tcp", r.port.Addr(), r.config())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = client.Close() })
	return client
}

// back waits until the device lets itself be logged into and has a prompt again.
func (r *rig) back(prompt string) *shell {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		client, err := ssh.Dial("tcp", r.port.Addr(), r.config())
		if err != nil {
			continue
		}
		r.t.Cleanup(func() { _ = client.Close() })
		s := r.on(client)
		if s.until(prompt) {
			s.expect(prompt)
			return s
		}
	}
	r.t.Fatal("the device did not come back")
	return nil
}

// shell is a session with what it has printed since the last look.
type shell struct {
	t     *testing.T
	in    io.Writer
	mu    sync.Mutex
	seen  bytes.Buffer
	ended bool
	more  chan struct{}
	done  chan struct{}
}

// shell opens a session and waits for its first prompt.
func (r *rig) shell(prompt string) *shell {
	r.t.Helper()
	s := r.on(r.dial())
	s.expect(prompt)
	return s
}

func (r *rig) on(client *ssh.Client) *shell {
	r.t.Helper()
	session, err := client.NewSession()
	if err != nil {
		r.t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := session.RequestPty("vt100", 24, 80, nil); err != nil {
		r.t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		r.t.Fatal(err)
	}
	s := &shell{t: r.t, in: in, more: make(chan struct{}, 1), done: make(chan struct{})}
	go s.read(out)
	return s
}

func (s *shell) read(out io.Reader) {
	defer close(s.done)
	buffer := make([]byte, 4096)
	for {
		n, err := out.Read(buffer)
		s.mu.Lock()
		s.seen.Write(buffer[:n])
		s.ended = err != nil
		s.mu.Unlock()
		select {
		case s.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// until waits for a regular expression at the end of the output; false if the session ends first.
func (s *shell) until(pattern string) bool {
	re := regexp.MustCompile(`(?:` + pattern + `)$`)
	limit := time.After(patience)
	for {
		s.mu.Lock()
		hit, ended := re.Match(bytes.ReplaceAll(s.seen.Bytes(), []byte("\r\n"), []byte("\n"))), s.ended
		s.mu.Unlock()
		if hit || ended {
			return hit
		}
		select {
		case <-s.more:
		case <-s.done:
		case <-limit:
			return false
		}
	}
}

// expect gives what was printed up to the pattern, with plain ends of lines.
func (s *shell) expect(pattern string) string {
	s.t.Helper()
	ok := s.until(pattern)
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.ReplaceAll(s.seen.String(), "\r\n", "\n")
	s.seen.Reset()
	if !ok {
		s.t.Fatalf("no %q at the end of:\n%s", pattern, text)
	}
	return text
}

// type sends text and Enter, and waits for the pattern.
func (s *shell) send(text, pattern string) string {
	s.t.Helper()
	s.raw(text + "\r")
	return s.expect(pattern)
}

// key answers a question that takes one key.
func (s *shell) key(key, pattern string) string {
	s.t.Helper()
	s.raw(key)
	return s.expect(pattern)
}

func (s *shell) raw(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, text); err != nil {
		s.t.Fatal(err)
	}
}

// gone waits for the end of the session.
func (s *shell) gone() {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("the session goes on")
	}
}

// has checks for texts in an output.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
