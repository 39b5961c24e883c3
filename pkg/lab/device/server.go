package device

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// connection is one SSH connection after its login.
type connection struct {
	d    *Device
	ctx  context.Context // connection's life
	net  net.Conn
	user string
	jobs sync.WaitGroup

	mu    sync.Mutex
	execs int
}

// serve is one connection, from its first byte to its end.
func (d *Device) serve(conn net.Conn) {
	d.sys.mu.Lock()
	life := d.life
	d.sys.mu.Unlock()
	login := &call{d: d, ctx: life}
	if login.at("login") != goOn {
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, d.config())
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(life)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	d.sys.mu.Lock()
	d.done.Logins++
	d.sys.mu.Unlock()
	c := &connection{d: d, ctx: ctx, net: conn, user: server.User()}
	c.jobs.Go(func() { ssh.DiscardRequests(requests) })
	for opened := range channels {
		c.open(opened)
	}
	cancel()
	_ = server.Close() // it is at its end
	c.jobs.Wait()
}

func (c *connection) open(opened ssh.NewChannel) {
	if opened.ChannelType() != "session" {
		_ = opened.Reject(ssh.Prohibited, "administratively prohibited")
		return
	}
	channel, requests, err := opened.Accept()
	if err != nil {
		return
	}
	c.jobs.Go(func() { c.requests(channel, requests) })
}

// requests answers what is asked of a channel; the first program on it runs.
func (c *connection) requests(channel ssh.Channel, requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(c.ctx)
	s := c.d.newSession(c.user, channel)
	var program sync.WaitGroup
	started := false
	for request := range requests {
		run, ok := c.program(ctx, s, request)
		if run != nil && started {
			run, ok = nil, false
		}
		if request.WantReply {
			_ = request.Reply(ok, nil)
		}
		if run != nil {
			started = true
			program.Go(run)
		}
	}
	cancel()
	program.Wait()
	_ = channel.Close()
}

// program gives what a request starts, nil if it starts nothing.
func (c *connection) program(ctx context.Context, s *session, request *ssh.Request) (run func(), ok bool) {
	var payload struct{ Text string }
	form := c.d.kind.file.SSH
	switch request.Type {
	case "pty-req":
		s.ptyRows, s.ptyColumns = windowOf(request.Payload)
		return nil, true
	case "window-change", "env":
		return nil, request.Type == "window-change"
	case "shell":
		return func() { c.shell(ctx, s) }, true
	case "exec":
		if ssh.Unmarshal(request.Payload, &payload) != nil {
			return nil, false
		}
		return c.exec(ctx, s, payload.Text)
	case "subsystem":
		if !form.SFTP || ssh.Unmarshal(request.Payload, &payload) != nil || payload.Text != "sftp" {
			return nil, false
		}
		return func() { c.sftp(s) }, true
	}
	return nil, false
}

func windowOf(payload []byte) (rows, columns int) {
	var pty struct {
		Term          string
		Columns, Rows uint32
		Rest          []byte `ssh:"rest"`
	}
	if ssh.Unmarshal(payload, &pty) != nil || pty.Rows > 100000 || pty.Columns > 100000 {
		return 0, 0
	}
	return int(pty.Rows), int(pty.Columns)
}

// enter takes a line (VTY) for a session.
func (d *Device) enter(s *session) bool {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	if most := d.kind.file.SSH.VTYs; most > 0 && len(d.sessions) >= most || d.values["vtys_full"] == "yes" {
		return false
	}
	d.sessions[s] = true
	return true
}

func (d *Device) leave(s *session) {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	delete(d.sessions, s)
}

func (c *connection) shell(ctx context.Context, s *session) {
	if !c.d.enter(s) {
		s.tty.write(s.lines(c.d.kind.file.SSH.VTYRefuse))
		_ = c.net.Close()
		return
	}
	defer c.d.leave(s)
	c.jobs.Go(func() { s.tty.feed(s.channel) })
	s.interact(ctx)
	if s.tty.muted() {
		_ = c.net.Close() // nothing more is heard of it, not even a status
	}
	s.exit(0)
}

func (s *session) exit(code int) {
	_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)})) //nolint:gosec // 0 to 255
	_ = s.channel.CloseWrite()
	_ = s.channel.Close()
}

// exec is a command without a shell, where the device has that.
func (c *connection) exec(ctx context.Context, s *session, line string) (run func(), ok bool) {
	form := c.d.kind.file.SSH
	if words := strings.Fields(line); len(words) > 0 && words[0] == "scp" && form.SCP != "" && form.SCP != "none" {
		return func() { c.scp(ctx, s, words[1:]) }, true
	}
	c.mu.Lock()
	c.execs++
	n := c.execs
	c.mu.Unlock()
	if form.Exec == "" || form.Exec == "none" || form.Exec == "one" && n > 1 {
		return nil, false
	}
	return func() {
		if !c.d.enter(s) {
			_ = c.net.Close()
			return
		}
		defer c.d.leave(s)
		c.jobs.Go(func() { s.tty.feed(s.channel) })
		_, code := s.runLine(ctx, line)
		s.exit(code)
		if form.Exec == "one" || s.tty.muted() {
			_ = c.net.Close()
		}
	}, true
}

func (c *connection) sftp(s *session) {
	if !c.d.enter(s) {
		return
	}
	defer c.d.leave(s)
	server := sftp.NewRequestServer(s.channel, c.d.handlers())
	_ = server.Serve() // its end is the client's
	_ = server.Close()
	s.exit(0)
}
