// Package serve gives files by HTTP, each for the time of one transfer: to devices that can
// only pull. It listens on the one address that the inventory says; there is no default.
//
// The path holds 128 random bits and is the only secret: credentials in a URL would end up
// in the device's logs. Whoever sees the line can read the file meanwhile; what arrived is
// verified on the device by its digest.
package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

// writeTime is how long a device may take no bytes at all, while it writes to its flash.
const writeTime = 2 * time.Minute

// fileName is what may stand in a URL that is typed on a device.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)

// Server serves files, any number at a time. Those at one address share a listener: the whole
// fleet may pull from the one port that a firewall lets through. The zero value is ready.
type Server struct {
	mu   sync.Mutex
	open map[netip.AddrPort]*place
}

// File serves what open gives, size bytes of it, at url until stop is called or ctx ends.
// Port 0 takes any free one. A stream that is an io.Seeker can be read in parts. Stop may be
// called more than once; it cuts what is still under way, and gives how many bytes were
// served in all and why open or a stream failed.
func (s *Server) File(ctx context.Context, on netip.AddrPort, name string, size int64, open func() (io.ReadCloser, error)) (url string, stop func() (int64, error), err error) {
	addr := on.Addr().Unmap()
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || !fileName.MatchString(name) || size < 0 {
		return "", nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Internal, Step: "serve", What: fmt.Sprintf("%q can't be served at %q", name, on), Hint: "this is a mistake in patchring; please report it",
		}
	}
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails (crypto/rand)
	f := &file{path: "/" + hex.EncodeToString(token) + "/" + name, size: size, open: open, under: map[*http.ResponseController]bool{}}
	at, err := s.add(ctx, netip.AddrPortFrom(addr, on.Port()), f)
	if err != nil {
		return "", nil, cantListen(on, err)
	}
	end := sync.OnceFunc(func() { s.remove(at, f) })
	unwatch := context.AfterFunc(ctx, end)
	stop = func() (int64, error) { unwatch(); end(); return f.told() }
	return "http://" + at.listener.Addr().String() + f.path, stop, nil
}

// add gives the place where the file is served, and begins it where it is the first there.
func (s *Server) add(ctx context.Context, on netip.AddrPort, f *file) (*place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.open[on]; p != nil {
		p.add(f)
		return p, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", on.String())
	if err != nil {
		return nil, err //nolint:wrapcheck // cantListen words it
	}
	p := newPlace(on, listener)
	p.add(f)
	p.start()
	if on.Port() != 0 {
		if s.open == nil {
			s.open = map[netip.AddrPort]*place{}
		}
		s.open[on] = p
	}
	return p, nil
}

// remove cuts what is under way of the file, and ends the place with its last one.
func (s *Server) remove(p *place, f *file) {
	s.mu.Lock()
	last := p.remove(f)
	if last {
		_ = p.listener.Close() // in here: the next file may listen there at once
		if s.open[p.on] == p {
			delete(s.open, p.on)
		}
	}
	s.mu.Unlock()
	f.cut()
	if last {
		p.end()
	}
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

// file is one that is served, until it is cut.
type file struct {
	path   string
	size   int64
	open   func() (io.ReadCloser, error)
	served atomic.Int64
	parts  sync.WaitGroup // requests under way

	mu     sync.Mutex
	failed error
	over   bool
	under  map[*http.ResponseController]bool
}

// begin notes a request; false: the file is not served any more.
func (f *file) begin(c *http.ResponseController) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.under[c] = true
		f.parts.Add(1)
	}
	return !f.over
}

func (f *file) done(c *http.ResponseController) {
	f.mu.Lock()
	delete(f.under, c)
	f.mu.Unlock()
	f.parts.Done()
}

// cut ends the requests under way, and waits for them.
func (f *file) cut() {
	f.mu.Lock()
	f.over = true
	for c := range f.under {
		_ = c.SetWriteDeadline(time.Unix(1, 0)) // a write that waits ends now
	}
	f.mu.Unlock()
	f.parts.Wait()
}

// mayWrite gives a write its own time: a slow device may take hours.
func (f *file) mayWrite(c *http.ResponseController) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		_ = c.SetWriteDeadline(time.Now().Add(writeTime)) // else the write has no bound
	}
	return !f.over
}

func (f *file) told() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.served.Load(), f.failed
}

func (f *file) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = errors.Join(f.failed, err)
}

// serve gives the file to who knows its path.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if !f.begin(control) {
		http.NotFound(w, r)
		return
	}
	defer f.done(control)
	content, err := f.open()
	if err != nil {
		f.fail(err)
		http.Error(w, "gone", http.StatusInternalServerError)
		return
	}
	defer func() { _ = content.Close() }() // it was only read
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	counted := &counting{ResponseWriter: w, file: f, control: control}
	if seeker, ok := content.(io.ReadSeeker); ok {
		http.ServeContent(counted, r, "", time.Time{}, seeker)
		return
	}
	f.whole(counted, r, content)
}

// whole gives all of a stream that can't be read in parts. One that fails breaks the
// connection, so that it can't pass for whole.
func (f *file) whole(w http.ResponseWriter, r *http.Request, content io.Reader) {
	w.Header().Set("Content-Length", fmt.Sprint(f.size))
	if r.Method == http.MethodHead {
		return
	}
	failing := &noting{Reader: content}
	_, _ = io.Copy(w, failing) // a device that hangs up is seen by its own digest
	if failing.err != nil {
		f.fail(failing.err)
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

// counting counts, and ends where the file does.
type counting struct {
	http.ResponseWriter
	file    *file
	control *http.ResponseController
}

func (c *counting) Write(p []byte) (int, error) {
	if !c.file.mayWrite(c.control) {
		return 0, http.ErrAbortHandler
	}
	n, err := c.ResponseWriter.Write(p)
	c.file.served.Add(int64(n))
	return n, err //nolint:wrapcheck // net/http's own
}
