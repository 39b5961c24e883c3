package device

import (
	"context"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// session is one shell or exec channel.
type session struct {
	d          *Device
	user       string
	channel    ssh.Channel
	tty        *tty
	values     map[string]string // guarded by sys.mu
	mode       string            // guarded by sys.mu where others look
	cancelKeys string
	shell      bool
	ptyRows    int
	ptyColumns int
	column     int // where what is typed begins
	shown      int // lines since the last prompt
	rest       bool
	unpaged    bool // this command's output: | no-more
}

const (
	keyCtrlC, keyCtrlD, keyCtrlU, keyCtrlZ, keyCtrlHat = 0x03, 0x04, 0x15, 0x1a, 0x1e
	keyBackspace, keyDelete                            = 0x08, 0x7f
)

func (d *Device) newSession(user string, channel ssh.Channel) *session {
	console := d.kind.file.Console
	s := &session{d: d, user: user, channel: channel, values: map[string]string{}, cancelKeys: keysOf(console.Cancel)}
	s.tty = newTTY(channel, d.sys.wall, time.Duration(d.kind.file.SSH.Idle))
	s.mode = s.call(d.ctx).text(console.Start)
	return s
}

func keysOf(names string) string {
	if names == "" {
		return string(rune(keyCtrlC))
	}
	var keys strings.Builder
	for name := range strings.FieldsFuncSeq(names, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch name {
		case "ctrl-c":
			keys.WriteByte(keyCtrlC)
		case "ctrl-^":
			keys.WriteByte(keyCtrlHat)
		case "ctrl-z":
			keys.WriteByte(keyCtrlZ)
		}
	}
	return keys.String()
}

func (s *session) call(ctx context.Context) *call { return &call{d: s.d, ctx: ctx, session: s} }

// interact is a shell, from its greeting to its end.
func (s *session) interact(ctx context.Context) {
	s.shell = true
	console := s.d.kind.file.Console
	c := s.call(ctx)
	if s.d.early() {
		s.print(ctx, c.text(console.NotReady))
		return
	}
	if console.Login != nil && !s.login(ctx, console.Login) {
		return
	}
	s.print(ctx, c.text(console.MOTD))
	if out := c.routine("login"); out == overSession || out == overCommand {
		return // a question of the login was not answered rightly
	}
	for ctx.Err() == nil {
		one := s.call(ctx)
		if one.at("prompt") == overSession {
			return
		}
		s.shown, s.rest = 0, false
		prompt := one.text(console.Modes[s.mode])
		s.column = len(prompt) - strings.LastIndexByte(prompt, '\n') - 1
		s.tty.write(s.lines(prompt))
		line, ok := s.readLine(ctx, false)
		if !ok || s.run(ctx, line) == overSession || s.tty.muted() {
			return
		}
	}
}

// early tells whether a login comes before the device is ready.
func (d *Device) early() bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	return d.sys.clock.now().Before(d.notReady)
}

// login is a second login within the session.
func (s *session) login(ctx context.Context, form *LoginForm) bool {
	for range 3 {
		s.print(ctx, form.User)
		user, ok := s.readLine(ctx, false)
		if !ok {
			return false
		}
		s.print(ctx, form.Password)
		given, ok := s.readLine(ctx, true)
		if !ok {
			return false
		}
		if s.d.admits(user, given) {
			return true
		}
		s.print(ctx, form.Wrong)
	}
	return false
}

// readLine reads a line as a terminal's line editor does, with its echo. It is false
// at the session's end. An interrupt gives an empty line.
func (s *session) readLine(ctx context.Context, secret bool) (string, bool) {
	var line []byte
	for {
		b, ok := s.tty.key(ctx)
		if !ok {
			return "", false
		}
		switch b {
		case '\r', '\n':
			if b == '\r' {
				s.tty.skip('\n')
			}
			s.tty.write(s.echoEnd())
			return string(line), true
		case keyBackspace, keyDelete:
			if len(line) > 0 {
				line = line[:len(line)-1]
				s.echo(secret, s.erase())
			}
		case keyCtrlU:
			s.echo(secret, strings.Repeat(s.erase(), len(line)))
			line = line[:0]
		case keyCtrlC, keyCtrlHat:
			s.tty.write(s.echoEnd())
			return "", true
		case keyCtrlZ:
			s.tty.write("^Z" + s.echoEnd())
			return "end", true
		case keyCtrlD:
			if len(line) == 0 {
				return "", false
			}
		default:
			if b >= ' ' && len(line) < 4096 {
				line = append(line, b)
				s.echo(secret, string([]byte{b})+s.wrap(len(line)))
			}
		}
	}
}

func (s *session) echo(secret bool, text string) {
	if !secret {
		s.tty.write(text)
	}
}

// wrap is what the echo of the nth letter of a line is followed by at the screen's edge.
func (s *session) wrap(n int) string {
	width := s.ptyColumns
	s.d.sys.mu.Lock()
	if set, given := s.values["width"]; given {
		width = int(number(set))
	}
	s.d.sys.mu.Unlock()
	if width <= 0 || (s.column+n)%width != 0 {
		return ""
	}
	return s.d.kind.file.Console.Wrap
}

func (s *session) echoEnd() string {
	if end := s.d.kind.file.Console.Echo; end != "" {
		return end
	}
	return "\r\n"
}

func (s *session) erase() string {
	if wipe := s.d.kind.file.Console.Erase; wipe != "" {
		return wipe
	}
	return "\b \b"
}

// skip drops a byte that may follow the one just read.
func (t *tty) skip(b byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.in) > 0 && t.in[0] == b {
		t.in = t.in[1:]
	}
}

// ask puts a question, and reads the answer: a line, or one key. It is false when the
// session ended or a key interrupted.
func (s *session) ask(ctx context.Context, question string, key, secret bool) (string, bool) {
	s.tty.write(s.lines(question))
	s.shown = 0
	if !key {
		return s.answer(ctx, secret)
	}
	b, ok := s.tty.key(ctx)
	if !ok || strings.IndexByte(s.cancelKeys, b) >= 0 {
		return "", false
	}
	if b == '\r' || b == '\n' {
		s.tty.skip('\n')
		s.tty.write(s.echoEnd())
		return "", true
	}
	s.echo(secret, string([]byte{b}))
	return string([]byte{b}), true
}

// answer is a line; unlike a command's, an interrupt is told.
func (s *session) answer(ctx context.Context, secret bool) (string, bool) {
	stop := s.tty.watch(s.cancelKeys)
	inner, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.tty.hit:
			cancel()
		case <-inner.Done():
		}
	}()
	line, ok := s.readLine(inner, secret)
	interrupted := !ok && inner.Err() != nil && ctx.Err() == nil
	cancel()
	<-done
	stop()
	if interrupted {
		s.tty.write(s.echoEnd())
	}
	return line, ok
}
