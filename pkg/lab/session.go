package lab

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/lab/posix"
)

// connection is one SSH connection after its login.
type connection struct {
	h     *Host
	ctx   context.Context
	net   net.Conn
	login *posix.Proc
	jobs  sync.WaitGroup

	mu       sync.Mutex
	sessions int
	sent     int64
}

// session is one session channel: at most one program.
type session struct {
	c       *connection
	channel ssh.Channel
	env     map[string]string
}

func (s *session) serve(requests <-chan *ssh.Request) {
	defer func() { _ = s.channel.Close() }()
	started := make(chan struct{}, 1)
	var program sync.WaitGroup
	for request := range requests {
		run := s.program(request)
		ok := run != nil || s.setup(request)
		if run != nil {
			select {
			case started <- struct{}{}:
			default:
				ok = false // a second program on one channel
			}
		}
		if request.WantReply {
			_ = request.Reply(ok, nil)
		}
		if ok && run != nil {
			program.Go(run)
		}
	}
	program.Wait()
}

// setup are requests that prepare a program.
func (s *session) setup(request *ssh.Request) bool {
	switch request.Type {
	case "pty-req", "window-change", "signal":
		return true
	case "env":
		var pair struct{ Name, Value string }
		if err := ssh.Unmarshal(request.Payload, &pair); err != nil || pair.Name != "LANG" && !strings.HasPrefix(pair.Name, "LC_") {
			return false // as AcceptEnv of Debian
		}
		if s.env == nil {
			s.env = map[string]string{}
		}
		s.env[pair.Name] = pair.Value
		return true
	}
	return false
}

// program gives what a request starts, nil if it starts nothing.
func (s *session) program(request *ssh.Request) func() {
	var payload struct{ Text string }
	switch request.Type {
	case "exec":
		if ssh.Unmarshal(request.Payload, &payload) != nil {
			return nil
		}
		return func() { s.exec(payload.Text) }
	case "shell":
		return s.shell
	case "subsystem":
		if ssh.Unmarshal(request.Payload, &payload) != nil || payload.Text != "sftp" {
			return nil
		}
		return s.files
	}
	return nil
}

func (s *session) exec(line string) {
	s.c.h.machine.Command()
	s.run(func(ctx context.Context, p *posix.Proc) int {
		return p.Shell(ctx, posix.Script{Name: "sh", Source: []byte(line), Argv: []string{"sh", "-c", line}})
	})
}

// shell reads a script from the channel to its end, and runs it.
func (s *session) shell() {
	s.c.h.machine.Command()
	s.run(func(ctx context.Context, p *posix.Proc) int { return p.Exec(ctx, []string{"/bin/sh", "-s"}) })
}

// run gives a program to the machine. It is the machine's then: it goes on when the
// connection ends, and ends with the machine.
func (s *session) run(program func(context.Context, *posix.Proc) int) {
	if s.talk() {
		return
	}
	s.prompts()
	in, feed, err := os.Pipe()
	if err != nil {
		s.exit(posix.Usage)
		return
	}
	p := s.c.login.Child()
	maps.Copy(p.Env, s.env)
	p.In, p.Out, p.Err = in, s.stdout(), &output{s.c, s.channel.Stderr()}
	s.c.jobs.Go(func() {
		_, _ = io.Copy(feed, s.input()) // until the client's end, or the program's
		_ = feed.Close()
	})
	ended := make(chan struct{})
	s.c.h.machine.Spawn(func(ctx context.Context) {
		defer close(ended)
		defer func() { _ = in.Close() }()
		if !posix.Pause(ctx, time.Duration(s.c.h.spec.Faults.Slow)) {
			return
		}
		if code := program(ctx, p); ctx.Err() == nil {
			s.exit(code)
		}
	})
	select {
	case <-ended:
	case <-s.c.ctx.Done():
	}
	_ = s.channel.Close()
}

// exit tells the client how the program ended.
func (s *session) exit(code int) {
	if s.cutExit() {
		return
	}
	_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)})) //nolint:gosec // 0 to 255
	_ = s.channel.CloseWrite()
	_ = s.channel.Close()
}

func (s *session) files() {
	user := s.c.login
	server := sftp.NewRequestServer(s.channel, s.c.h.tricked(sftpHandlers(user.FS, user.UID)), sftp.WithStartDirectory(user.Dir))
	err := server.Serve()
	if err == nil || errors.Is(err, io.EOF) {
		s.exit(0)
	}
	_ = server.Close()
}

// output is a program's stdout or stderr. The first connection of a host whose
// fault says so ends after so many bytes.
type output struct {
	c  *connection
	to io.Writer
}

func (o *output) Write(data []byte) (int, error) {
	limit := o.c.h.spec.Faults.CutAfter
	if limit == 0 {
		return o.to.Write(data) //nolint:wrapcheck // a writer's errors are the inner writer's
	}
	o.c.mu.Lock()
	o.c.sent += int64(len(data))
	over := o.c.sent - limit
	o.c.mu.Unlock()
	if over <= 0 || !o.c.h.strike() {
		return o.to.Write(data) //nolint:wrapcheck // see above
	}
	n, err := o.to.Write(data[:max(int64(len(data))-over, 0)])
	_ = o.c.net.Close()
	return n, err //nolint:wrapcheck // see above
}

// strike is true once.
func (h *Host) strike() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut {
		return false
	}
	h.cut = true
	return true
}
