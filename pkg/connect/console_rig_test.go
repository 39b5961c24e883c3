package connect

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/remote"
)

// hangUp in what a device prints ends its channel there.
const hangUp = "\x00hang up"

// device is a made-up device over real SSH: it prints greeting, then what says has for
// each line that was sent.
type device struct {
	*server
	greeting string
	says     func(line string) string
	later    func(line string) string // printed after that; may be nil
	shells   atomic.Int64
	term     struct { // what it was asked for
		Name          string
		Columns, Rows uint32
		Width, Height uint32
		Modes         string
	}

	mu   sync.Mutex
	sent []string
}

func newGear(t *testing.T, greeting string, says map[string]string) *device {
	t.Helper()
	d := &device{server: newServer(t), greeting: greeting, says: func(line string) string { return says[line] }}
	d.session = d.serveSession
	return d
}

func (d *device) serveSession(ch ssh.Channel, reqs <-chan *ssh.Request, _ <-chan struct{}) {
	defer func() { _ = ch.Close() }()
	for req := range reqs {
		ok := true
		switch req.Type {
		case "pty-req":
			d.mu.Lock()
			_ = ssh.Unmarshal(req.Payload, &d.term)
			d.mu.Unlock()
		case "shell":
			d.shells.Add(1)
			d.wg.Go(func() { d.talk(ch) })
		case "exec":
			var c struct{ Line string }
			_ = ssh.Unmarshal(req.Payload, &c)
			if ok = !d.noExec; ok {
				d.execs.Add(1)
				_ = req.Reply(true, nil)
				_, _ = io.WriteString(ch, d.says(c.Line))
				return // no exit status: many devices send none
			}
		default:
			ok = false
		}
		if req.WantReply {
			_ = req.Reply(ok, nil)
		}
	}
}

func (d *device) talk(ch ssh.Channel) {
	defer func() { _ = ch.Close() }()
	if !write(ch, d.greeting) {
		return
	}
	line, b := "", make([]byte, 1)
	for {
		if _, err := ch.Read(b); err != nil {
			return
		}
		line += string(b)
		if b[0] != '\r' && b[0] != 0x03 {
			continue
		}
		d.mu.Lock()
		d.sent = append(d.sent, line)
		d.mu.Unlock()
		if !write(ch, d.says(strings.TrimSuffix(line, "\r"))) {
			return
		}
		if d.later != nil && !write(ch, d.later(strings.TrimSuffix(line, "\r"))) {
			return
		}
		line = ""
	}
}

func write(ch ssh.Channel, text string) bool {
	text, end := strings.CutSuffix(text, hangUp)
	_, err := io.WriteString(ch, text)
	return err == nil && !end
}

// await polls until it is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for range 2000 {
		if so() {
			return
		}
		<-again.C
	}
	t.Fatal("it never comes to that")
}

func (d *device) lines() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.sent, "|")
}

// gear is a made-up dialect.
func gear() *remote.Dialect {
	return &remote.Dialect{
		Name: "gear", Prompt: `^(?P<host>[\w.-]+)[>#] ?$`, Open: []string{"terminal length 0"}, Quiet: 500 * time.Millisecond,
		Enable: &remote.Raise{Send: "enable", Ask: []remote.Question{{Ask: `^Password: ?$`, Secret: remote.SecretEnable}}, Prompt: `# ?$`},
		Login:  []remote.Question{{Ask: `^Local password: ?$`, Secret: remote.SecretPassword}},
		Stop:   []remote.Pattern{`rommon \d+ >`},
	}
}

func (d *device) lease(t *testing.T, change func(*inventory.Host)) *Lease {
	t.Helper()
	r := newRig(t, Options{})
	d.start(t)
	h := host(t, "sw1", d.address)
	h.HostKeys = d.pins // a host whose key was only just recorded gets no password
	if change != nil {
		change(&h)
	}
	return r.lease(t, h, site())
}

func exchange(t *testing.T, l *Lease, e remote.Exchange) (remote.Result, error) {
	t.Helper()
	e.Dialect = gear()
	return l.Session().Console.Exchange(t.Context(), e)
}

func basics() map[string]string {
	return map[string]string{
		"terminal length 0": "terminal length 0\r\nsw1>", "show clock": "show clock\r\n12:00\r\nsw1>",
		"enable": "enable\r\nPassword: ", rightPassword: "\r\nsw1#", wrongPassword: "\r\n% Access denied\r\nsw1>",
		"conf": "conf\r\nsw1#", "ask": "ask\r\nErase all? [y/n] ", "\x03": "^C\r\nsw1>",
		"reload": "reload\r\nbye\r\n" + hangUp, "hang": "hang\r\n",
		"echo it": "echo it\r\nPassword: ", "boot": "boot\r\nrommon 1 >",
	}
}

// bareQuietRig is a rig for tests that run beside others.
func bareQuietRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Fleet: New(Options{AcceptNew: true, KnownHosts: knownIn(t.TempDir())})}
	t.Cleanup(func() { _ = r.Close() })
	return r
}
