package matrix

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

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

// Serve is apply.Server.
func (l *link) Serve(_ context.Context, file platform.File) (url string, stop func(), err error) {
	in := "/" + strings.TrimPrefix(string(file.Store), "sha256:")
	l.content.mu.Lock()
	defer l.content.mu.Unlock()
	l.web.files.Store(in, l.content.all[file.Store])
	return l.web.url + in + "/" + path.Base(file.Path), func() {}, nil
}
