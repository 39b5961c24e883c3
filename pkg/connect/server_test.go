package connect

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// server is an SSH server in this process. Its commands really run, by sh.
type server struct {
	config   *ssh.ServerConfig
	password string // accepted, if set; likewise for keyboard-interactive
	path     string // put before PATH of commands
	forward  bool   // acts as a bastion
	noSFTP   bool
	noExec   bool // commands are refused: SFTP only
	// session replaces what a session channel does; done is closed at the end of the test.
	session func(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{})
	// refuse replaces the answer to an opened channel.
	refuse func(ssh.NewChannel) bool

	// hello is called with each connection that was let in.
	hello func(ssh.Conn)

	address   string
	pins      []string // fingerprints of its keys
	done      chan struct{}
	accepts   atomic.Int64 // connections
	open      atomic.Int64 // connections right now
	mostOpen  atomic.Int64
	passwords atomic.Int64 // tries of a password
	execs     atomic.Int64
	sentAgent atomic.Bool
	wg        sync.WaitGroup
	mu        sync.Mutex
	conns     map[net.Conn]bool
}

func newServer(t *testing.T, keys ...ssh.Signer) *server {
	t.Helper()
	s := &server{config: &ssh.ServerConfig{MaxAuthTries: 6}, done: make(chan struct{}), conns: map[net.Conn]bool{}}
	if len(keys) == 0 {
		keys = []ssh.Signer{edKey(t)}
	}
	for _, key := range keys {
		s.config.AddHostKey(key)
		s.pins = append(s.pins, ssh.FingerprintSHA256(key.PublicKey()))
	}
	return s
}

// start listens on loopback until the test ends.
func (s *server) start(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.serveOn(t, l)
	return s
}

func (s *server) serveOn(t *testing.T, l net.Listener) {
	t.Helper()
	s.prepare()
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		close(s.done)
		_ = l.Close()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
}

func (s *server) prepare() {
	c := s.config
	if s.password == "" {
		c.NoClientAuth = c.PasswordCallback == nil && c.PublicKeyCallback == nil && c.KeyboardInteractiveCallback == nil
		return
	}
	check := func(given string) (*ssh.Permissions, error) {
		s.passwords.Add(1)
		if given == s.password {
			return nil, nil
		}
		return nil, errors.New("wrong password")
	}
	if s.config.PasswordCallback == nil && s.config.KeyboardInteractiveCallback == nil {
		s.config.PasswordCallback = func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) { return check(string(given)) }
	}
}

func (s *server) serve(c net.Conn) {
	s.accepts.Add(1)
	s.mu.Lock()
	s.conns[c] = true
	s.mostOpen.Store(max(s.mostOpen.Load(), s.open.Add(1)))
	s.mu.Unlock()
	defer func() {
		_ = c.Close()
		s.open.Add(-1)
	}()
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	s.wg.Go(func() { s.global(requests) })
	if s.hello != nil {
		s.wg.Go(func() { s.hello(conn) })
	}
	for open := range channels {
		s.channel(open)
	}
}

func (s *server) global(requests <-chan *ssh.Request) {
	for r := range requests {
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}

func (s *server) channel(open ssh.NewChannel) {
	if s.refuse != nil && s.refuse(open) {
		return
	}
	switch {
	case open.ChannelType() == "session":
		ch, reqs, err := open.Accept()
		if err != nil {
			return
		}
		act := s.act
		if s.session != nil {
			act = func(ch ssh.Channel, reqs <-chan *ssh.Request) { s.session(ch, reqs, s.done) }
		}
		s.wg.Go(func() { act(ch, reqs) })
	case open.ChannelType() == "direct-tcpip" && s.forward:
		s.wg.Go(func() { s.relay(open) })
	default:
		_ = open.Reject(ssh.Prohibited, "no")
	}
}

// relay is what a bastion does.
func (s *server) relay(open ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(open.ExtraData(), &to); err != nil {
		return
	}
	out, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = open.Reject(ssh.ConnectionFailed, "Connection refused\x1b[31m")
		return
	}
	ch, reqs, err := open.Accept()
	if err != nil {
		_ = out.Close()
		return
	}
	go ssh.DiscardRequests(reqs)
	s.wg.Go(func() { _, _ = io.Copy(ch, out); _ = ch.Close() })
	_, _ = io.Copy(out, ch)
	_ = out.Close()
}

// act runs one command or SFTP.
func (s *server) act(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	for req := range reqs {
		switch {
		case req.Type == "auth-agent-req@openssh.com":
			s.sentAgent.Store(true)
		case req.Type == "subsystem" && !s.noSFTP:
			_ = req.Reply(true, nil)
			if server, err := sftp.NewServer(ch); err == nil {
				_ = server.Serve()
			}
			return
		case req.Type == "exec" && !s.noExec:
			_ = req.Reply(true, nil)
			var c struct{ Line string }
			_ = ssh.Unmarshal(req.Payload, &c)
			s.execs.Add(1)
			s.run(ch, c.Line)
			return
		}
		if req.WantReply {
			_ = req.Reply(false, nil)
		}
	}
}

func (s *server) run(ch ssh.Channel, line string) {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = []string{"PATH=" + s.path + ":" + os.Getenv("PATH"), "HOME=/nonexistent"}
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	if err := cmd.Start(); err != nil {
		return
	}
	s.wg.Go(func() { _, _ = io.Copy(stdin, ch); _ = stdin.Close() })
	err = cmd.Wait()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if failed && exit.Sys().(syscall.WaitStatus).Signaled() {
		_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal string
			Core   bool
			Text   string
			Lang   string
		}{"KILL", false, "", ""}))
		return
	}
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(cmd.ProcessState.ExitCode())}))
}

func edKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return signer(tb, key, err)
}

func ecKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return signer(tb, key, err)
}

func rsaKey(tb testing.TB) ssh.Signer {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return signer(tb, key, err)
}

func signer(tb testing.TB, key any, err error) ssh.Signer {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
