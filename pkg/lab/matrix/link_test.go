package matrix

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/connect"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/store"
)

// The secrets of every simulated device. They must turn up nowhere.
const (
	loginSecret  = "login-7Hq2-secret"
	enableSecret = "enable-9Zt4-secret"
)

type secrets struct{}

func (secrets) Resolve(_ context.Context, ref secret.Ref, _ string) (secret.Secret, error) {
	if ref.Target() == "ENABLE" {
		return secret.New(enableSecret), nil
	}
	return secret.New(loginSecret), nil
}

// content is the controller's store, and what was kept in it.
type content struct {
	mu   sync.Mutex
	all  map[patch.Digest][]byte
	kept map[string][][]byte
}

func newContent(images ...[]byte) *content {
	c := &content{all: map[patch.Digest][]byte{}, kept: map[string][][]byte{}}
	for _, image := range images {
		c.all[patch.DigestOf(image)] = image
	}
	return c
}

func (c *content) Open(digest patch.Digest) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.all[digest]
	if !ok {
		return nil, store.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (c *content) Size(digest patch.Digest) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.all[digest])), nil
}

func (c *content) Keep(_ context.Context, name string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[name] = append(c.kept[name], bytes.Clone(data))
	return nil
}

// web serves images to devices that fetch them. It stands outside every bubble of virtual time.
type web struct {
	url   string
	files sync.Map // by name
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		data, ok := w.files.Load(path.Dir(in.URL.Path))
		if !ok {
			http.NotFound(out, in)
			return
		}
		_, _ = out.Write(data.([]byte)) // a device that goes away is part of the test
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// Serve is apply.Server.
func (l *link) Serve(_ context.Context, file platform.File) (url string, stop func(), err error) {
	in := "/" + strings.TrimPrefix(string(file.Store), "sha256:")
	l.content.mu.Lock()
	defer l.content.mu.Unlock()
	l.web.files.Store(in, l.content.all[file.Store])
	return l.web.url + in + "/" + path.Base(file.Path), func() {}, nil
}

// link is one life of patchring as one host sees it: a fleet of its own, gone when the life ends.
type link struct {
	*content
	web   *web
	fleet *connect.Fleet
	host  inventory.Host
	watch *health.Watch
	wrap  func(remote.Session) remote.Session

	mu    sync.Mutex
	last  *connect.Lease
	conns []net.Conn
	dead  bool
}

func (l *link) dial(ctx context.Context, port *Port) (net.Conn, error) {
	conn, err := port.Dial(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		_ = conn.Close()
		return nil, errKilled
	}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// cut ends every connection at once, as the end of a process does: nothing is said any more.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
}

// hostOf is what the inventory says of the device.
func hostOf(key ssh.PublicKey) inventory.Host {
	h := inventory.Host{ID: fact.HostID{Site: "hq", Name: "sw1"}}
	h.Address, h.Port, h.User, h.Jump, h.Become = "192.0.2.1", 22, "patch", []string{}, inventory.BecomeEnable
	h.HostKeys = []string{ssh.FingerprintSHA256(key)}
	h.SSHLegacy = slices.Clone(inventory.LegacyAlgorithms())
	h.Credentials.Password, _ = secret.ParseRef("env:LOGIN")
	h.Credentials.Enable, _ = secret.ParseRef("env:ENABLE")
	return h
}

func (l *link) lease(ctx context.Context) (*connect.Lease, error) {
	lease, err := l.fleet.Lease(ctx, l.host, inventory.Site{Name: "hq"})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = lease
	return lease, nil
}

// Session is apply.Sessions and probe.Sessions.
func (l *link) Session(ctx context.Context) (remote.Session, func(), error) {
	lease, err := l.lease(ctx)
	if err != nil {
		return remote.Session{}, func() {}, err
	}
	s := lease.Session()
	if l.wrap != nil {
		s = l.wrap(s)
	}
	return s, lease.Release, nil
}

// Drop closes the connection.
func (l *link) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil {
		l.last.Drop()
	}
}

// Watch is how the device's state is read.
func (l *link) Watch() *health.Watch { return l.watch }

// kill is a moment at which a life ends: at an operation of a step that changes, or a time
// after the step began.
type kill struct {
	step  platform.StepID // in which
	op    int             // which of its operations that change, from 0
	when  string          // before, asked, sent, after, look
	delay time.Duration   // asked, sent, look: so long after
}

// killer ends a life.
type killer struct {
	kill
	die func()

	mu   sync.Mutex
	now  platform.StepID
	seen int
	done bool
}

var errKilled = errors.New("killed")

// begin tells that a step begins.
func (k *killer) begin(id platform.StepID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.seen = id, 0
	if !k.done && k.when == "look" && id == k.step {
		k.done = true
		time.AfterFunc(k.delay, k.die)
	}
}

// strikes tells whether the next operation that changes is the one.
func (k *killer) strikes() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done || k.when == "look" || k.now != k.step {
		return false
	}
	k.seen++
	k.done = k.seen-1 == k.op
	return k.done
}

func (k *killer) wrap(s remote.Session) remote.Session {
	if s.Console != nil {
		s.Console = deadly{k, s.Console}
	}
	if s.Pusher != nil {
		s.Pusher = deadlyPush{k, s.Pusher}
	}
	return s
}

type deadly struct {
	*killer
	remote.Console
}

func (d deadly) Exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	if e.Effect != remote.Changes || !d.strikes() {
		return d.Console.Exchange(ctx, e) //nolint:wrapcheck // passed on
	}
	switch d.when {
	case "before":
		d.die()
		return remote.Result{}, errKilled
	case "asked":
		e.Questions = nil
		time.AfterFunc(d.delay, d.die)
	case "sent":
		time.AfterFunc(d.delay, d.die)
	}
	r, err := d.Console.Exchange(ctx, e)
	d.die()
	return r, errors.Join(err, errKilled)
}

type deadlyPush struct {
	*killer
	remote.Pusher
}

func (d deadlyPush) Push(ctx context.Context, how remote.Protocol, path string, content io.Reader, size int64) error {
	if !d.strikes() {
		return d.Pusher.Push(ctx, how, path, content, size) //nolint:wrapcheck // passed on
	}
	switch d.when {
	case "before", "asked":
		d.die()
		return errKilled
	case "sent":
		content = &lethal{content, size / 2, d.die}
	}
	err := d.Pusher.Push(ctx, how, path, content, size)
	d.die()
	return errors.Join(err, errKilled)
}

// lethal ends a life in the middle of a file.
type lethal struct {
	io.Reader
	left int64
	die  func()
}

func (l *lethal) Read(b []byte) (int, error) {
	if l.left <= 0 {
		l.die()
		return 0, errKilled
	}
	n, err := l.Reader.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}

// counting notes the operations of a step that change.
func (c *course) counting(id platform.StepID) func(remote.Session) remote.Session {
	count := func() {
		c.ops = append(c.ops, stepOp{id, len(slices.DeleteFunc(slices.Clone(c.ops), func(o stepOp) bool { return o.step != id }))})
	}
	return func(s remote.Session) remote.Session {
		s.Console, s.Pusher = countedConsole{s.Console, count}, countedPusher{s.Pusher, count}
		return s
	}
}

type countedConsole struct {
	remote.Console
	count func()
}

func (c countedConsole) Exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	if e.Effect == remote.Changes {
		c.count()
	}
	return c.Console.Exchange(ctx, e) //nolint:wrapcheck // passed on
}

type countedPusher struct {
	remote.Pusher
	count func()
}

func (c countedPusher) Push(ctx context.Context, how remote.Protocol, path string, content io.Reader, size int64) error {
	c.count()
	return c.Pusher.Push(ctx, how, path, content, size) //nolint:wrapcheck // passed on
}
