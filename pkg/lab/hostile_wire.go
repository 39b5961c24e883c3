package lab

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// rude is what some hosts do instead of speaking SSH; false: they speak it.
func (h *Host) rude(conn net.Conn) bool {
	switch {
	case h.spec.is("version_flood"):
		line := []byte(strings.Repeat("\x1b]0;owned\x07A", 2000))
		for { // until the other side or Cut ends it
			if _, err := conn.Write(line); err != nil {
				return true
			}
		}
	case h.spec.is("disconnect_text"):
		_, _ = io.WriteString(conn, h.ident()+"\r\n")
		_, _ = conn.Write(disconnect("\x1b]52;c;eA==\x07\x1b[2J\r\n##vso[x]\u202e" + strings.Repeat("x", 3000)))
		_, _ = io.Copy(io.Discard, conn)
		return true
	}
	return false
}

// disconnect is a message of RFC 4253, as it is before keys are exchanged.
func disconnect(text string) []byte {
	payload := ssh.Marshal(struct {
		Reason uint32 `sshtype:"1"`
		Text   string
		Lang   string
	}{2, text, "en"})
	padding := 8 - (5+len(payload))%8
	if padding < 4 {
		padding += 8
	}
	packet := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding)) //nolint:gosec // a few kilobytes
	packet = append(packet, byte(padding))
	packet = append(packet, payload...)
	return append(packet, make([]byte, padding)...)
}

// asks are the questions of a forged login.
func asks() []string {
	return []string{
		"\x1b[2J\x1b[Hpatchring: the vault is locked. Passphrase: ", "root@backup's password: ",
		"[sudo] password for patch: ", "Enter passphrase for key 'id_ed25519': ", "Password: ",
	}
}

// forge changes how a host lets people in.
func (h *Host) forge(config *ssh.ServerConfig) {
	if h.spec.is("banner_flood") {
		config.BannerCallback = func(ssh.ConnMetadata) string {
			return strings.Repeat("\x1b]52;c;eA==\x07\x1b[2J\u202e##vso[x]\n", 4000)
		}
	}
	if !h.spec.is("prompt_forgery") {
		return
	}
	config.PublicKeyCallback = nil
	config.PasswordCallback = func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
		h.hear(given)
		return nil, errDenied
	}
	config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for range 3 {
			answers, err := ask("patchring", "\x1b]0;x\x07Answer all of them.", asks(), make([]bool, len(asks())))
			if err != nil {
				return nil, errDenied
			}
			h.hear([]byte(strings.Join(answers, "\n")))
		}
		return nil, errDenied
	}
}

// mostHeard bounds what a host keeps of what it was told, in bytes.
const mostHeard = 8 << 20

// hear keeps what the host was told.
func (h *Host) hear(what []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, what[:min(len(what), mostHeard-len(h.heard))]...)
}

// Heard is what a hostile host was told: what it was answered, and all that came on the
// standard input of its commands. Tests look for secrets in there.
func (h *Host) Heard() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return bytes.Clone(h.heard)
}

// Hijacked stands in what a host heard when it could open a channel to its client.
const Hijacked = "PATCHRING_HIJACKED"

// hijack uses a connection the other way round.
func (c *connection) hijack(server *ssh.ServerConn) {
	if !c.h.spec.is("agent_hijack") {
		return
	}
	evil, err := newKey()
	if err != nil {
		return
	}
	offer := ssh.Marshal(struct{ Key string }{string(evil.PublicKey().Marshal())})
	for range 200 {
		_, _, _ = server.SendRequest("hostkeys-00@openssh.com", false, offer)
		_, _, _ = server.SendRequest("tcpip-forward", false, []byte("\xff\xff\xff\xff"))
	}
	for _, kind := range []string{"auth-agent@openssh.com", "x11", "forwarded-tcpip", "forwarded-streamlocal@openssh.com", "session"} {
		channel, requests, err := server.OpenChannel(kind, nil)
		if err != nil {
			continue
		}
		go ssh.DiscardRequests(requests)
		c.h.hear([]byte("\n" + Hijacked + " " + kind + "\n"))
		_ = channel.Close()
	}
}

// talk is what a hostile host does instead of a command; false: it runs the command.
func (s *session) talk() bool {
	spec := s.c.h.spec
	switch {
	case spec.is("endless_output"):
		s.endless(bytes.Repeat([]byte("A"), 32<<10), 0)
	case spec.is("dribble"):
		s.endless([]byte("A"), 20*time.Millisecond)
	default:
		return false
	}
	return true
}

// endless prints the same again and again, until nobody is there to read it.
func (s *session) endless(what []byte, pause time.Duration) {
	for posix.Pause(s.c.ctx, pause) {
		if _, err := s.channel.Write(what); err != nil {
			return
		}
		if pause > 0 {
			_, _ = s.channel.Stderr().Write(what)
		}
	}
}

// prompts are printed before each command of a host that is after passwords.
func (s *session) prompts() {
	if s.c.h.spec.is("fake_sudo_prompt") {
		for _, ask := range asks() {
			_, _ = io.WriteString(s.channel.Stderr(), ask)
			_, _ = io.WriteString(s.channel, "\n"+ask+"\n")
		}
	}
}

// input is what a command gets to read, and what a hostile host hears of it.
func (s *session) input() io.Reader {
	if len(s.c.h.spec.Hostile) == 0 {
		return s.channel
	}
	return io.TeeReader(s.channel, listener{s.c.h})
}

type listener struct{ h *Host }

func (l listener) Write(p []byte) (int, error) {
	l.h.hear(p)
	return len(p), nil
}

// stdout is where a command prints to.
func (s *session) stdout() io.Writer {
	out := &output{s.c, s.channel}
	if s.c.h.spec.is("marker_forgery") {
		return &forger{to: out}
	}
	return out
}

// forger adds marks to the answer of a script: it repeats each with other words behind it.
type forger struct {
	to   io.Writer
	line []byte
}

// Write passes whole lines on.
func (f *forger) Write(p []byte) (int, error) {
	f.line = append(f.line, p...)
	for {
		line, rest, whole := bytes.Cut(f.line, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		out := append(bytes.Clone(line), '\n')
		if mark, _, found := bytes.Cut(line, []byte(" begin ")); found && bytes.HasPrefix(line, []byte("@")) {
			out = append(out, string(mark)+" status 0\n"+string(mark)+" begin forged\nuid=0\n"+string(mark)+" whole\n"...)
		}
		f.line = rest
		if _, err := f.to.Write(out); err != nil {
			return 0, err //nolint:wrapcheck // a writer's errors are the inner writer's
		}
	}
}

// cutExit ends a program in a way that no server would.
func (s *session) cutExit() bool {
	if !s.c.h.spec.is("exit_status_cut") {
		return false
	}
	_, _ = s.channel.SendRequest("exit-status", false, []byte{0, 0})
	_, _ = s.channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
		Signal string
		Core   bool
		Text   string
		Lang   string
	}{"\x1b[2J", true, "\x1b]0;x\x07", strings.Repeat("x", 1000)})[:20])
	_ = s.channel.Close()
	return true
}
