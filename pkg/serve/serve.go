// Package serve gives one file by HTTP for the time of one transfer: to a device that can
// only pull. It listens on the one address that the inventory says; there is no default.
//
// The path holds 128 random bits and is the only secret: credentials in a URL would end up
// in the device's logs. Whoever sees the line can read the file meanwhile; what arrived is
// verified on the device by its digest.
package serve

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

const (
	// maxConns bounds the open connections: a device pulls with one, and leaves some behind.
	maxConns = 8
	// headerTime is how long a request may take to come, headerBytes how long it may be.
	headerTime  = 10 * time.Second
	headerBytes = 8 << 10
	// idleTime is how long a connection may rest between two requests.
	idleTime = 30 * time.Second
	// writeTime is how long a device may take no bytes at all, while it writes to its flash.
	writeTime = 2 * time.Minute
)

// fileName is what may stand in a URL that is typed on a device.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)

// File serves what open gives, size bytes of it, at url until stop is called or ctx ends.
// Port 0 takes any free one. A stream that is an io.Seeker can be read in parts. Stop may be
// called more than once; it cuts what is still under way, and gives how many bytes were
// served in all and why open or a stream failed.
func File(ctx context.Context, on netip.AddrPort, name string, size int64, open func() (io.ReadCloser, error)) (url string, stop func() (int64, error), err error) {
	addr := on.Addr().Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || !fileName.MatchString(name) || size < 0 {
		return "", nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Internal, Step: "serve", What: fmt.Sprintf("%q can't be served at %q", name, on), Hint: "this is a mistake in patchring; please report it",
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", netip.AddrPortFrom(addr, on.Port()).String())
	if err != nil {
		return "", nil, cantListen(on, err)
	}
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails (crypto/rand)
	s := &server{path: "/" + hex.EncodeToString(token) + "/" + name, size: size, open: open}
	end := s.start(ctx, listener)
	return "http://" + listener.Addr().String() + s.path, func() (int64, error) { end(); return s.told() }, nil
}

func cantListen(on netip.AddrPort, err error) error {
	hint := "is the port free, and may this user listen there? Leave the port out for any free one"
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		hint = "serve: in the inventory must be one of this machine's own addresses"
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, Step: "serve", What: "can't serve a file at " + on.String() + ": " + remote.Clean(err.Error(), 200), Hint: hint,
	}
}

// server is the one file.
type server struct {
	path   string
	size   int64
	open   func() (io.ReadCloser, error)
	served atomic.Int64

	mu     sync.Mutex
	failed error
}

// start gives what ends it and waits for its goroutines.
func (s *server) start(ctx context.Context, listener net.Listener) (end func()) {
	web := &http.Server{
		ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		DisableGeneralOptionsHandler: true, ErrorLog: log.New(io.Discard, "", 0),
	}
	under := &underway{}
	web.Handler = waited{under, s}
	under.parts.Go(func() { _ = web.Serve(&few{Listener: listener, places: make(chan struct{}, maxConns)}) })
	unwatch := context.AfterFunc(ctx, func() { _ = web.Close() })
	return func() {
		unwatch()
		_ = web.Close()
		_ = listener.Close() // where Serve had not begun
		under.end()
	}
}

// underway is what an end waits for. Nothing begins after it.
type underway struct {
	parts sync.WaitGroup
	mu    sync.Mutex
	over  bool
}

func (u *underway) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		u.parts.Add(1)
	}
	return !u.over
}

func (u *underway) end() {
	u.mu.Lock()
	u.over = true
	u.mu.Unlock()
	u.parts.Wait()
}

// waited counts requests under way.
type waited struct {
	under *underway
	next  http.Handler
}

func (h waited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.under.begin() {
		defer h.under.parts.Done()
		h.next.ServeHTTP(w, r)
	}
}

func (s *server) told() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served.Load(), s.failed
}

func (s *server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = errors.Join(s.failed, err)
}

// ServeHTTP gives the file to who knows its path, and nothing to anybody else.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known := subtle.ConstantTimeCompare([]byte(r.URL.EscapedPath()), []byte(s.path)) == 1
	if !known || r.URL.RawQuery != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	content, err := s.open()
	if err != nil {
		s.fail(err)
		http.Error(w, "gone", http.StatusInternalServerError)
		return
	}
	defer func() { _ = content.Close() }() // it was only read
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	counted := &counting{ResponseWriter: w, server: s, control: http.NewResponseController(w)}
	if seeker, ok := content.(io.ReadSeeker); ok {
		http.ServeContent(counted, r, "", time.Time{}, seeker)
		return
	}
	s.whole(counted, r, content)
}

// whole gives all of a stream that can't be read in parts. One that fails breaks the
// connection, so that it can't pass for whole.
func (s *server) whole(w http.ResponseWriter, r *http.Request, content io.Reader) {
	w.Header().Set("Content-Length", fmt.Sprint(s.size))
	if r.Method == http.MethodHead {
		return
	}
	failing := &noting{Reader: content}
	_, _ = io.Copy(w, failing) // a device that hangs up is seen by its own digest
	if failing.err != nil {
		s.fail(failing.err)
		panic(http.ErrAbortHandler)
	}
}

// noting remembers why a stream failed.
type noting struct {
	io.Reader
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	read, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return read, err //nolint:wrapcheck // io.EOF must stay what it is
}

// counting counts, and gives each write its own time: a slow device may take hours.
type counting struct {
	http.ResponseWriter
	server  *server
	control *http.ResponseController
}

func (c *counting) Write(p []byte) (int, error) {
	_ = c.control.SetWriteDeadline(time.Now().Add(writeTime)) // else the write has no bound
	n, err := c.ResponseWriter.Write(p)
	c.server.served.Add(int64(n))
	return n, err //nolint:wrapcheck // net/http's own
}

// few lets a bounded number of connections in; more are closed at once.
type few struct {
	net.Listener
	places chan struct{}
}

func (f *few) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http knows it
		}
		select {
		case f.places <- struct{}{}:
			return &placed{Conn: c, leave: sync.OnceFunc(func() { <-f.places })}, nil
		default:
			_ = c.Close()
		}
	}
}

type placed struct {
	net.Conn
	leave func()
}

func (p *placed) Close() error {
	p.leave()
	return p.Conn.Close() //nolint:wrapcheck // net/http's own
}
