package serve

import (
	"context"
	"crypto/subtle"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// maxConns bounds the open connections for each file: a device pulls with one, and leaves
	// some behind.
	maxConns = 8
	// headerTime is how long a request may take to come, headerBytes how long it may be. Who
	// connects and says nothing is gone by then.
	headerTime  = 3 * time.Second
	headerBytes = 8 << 10
	// idleTime is how long a connection may rest between two requests.
	idleTime = 30 * time.Second
)

// place is one address, and the files that are served there.
type place struct {
	on       netip.AddrPort
	listener net.Listener
	few      *few
	web      *http.Server
	running  sync.WaitGroup

	mu    sync.Mutex
	files []*file
}

func newPlace(on netip.AddrPort, listener net.Listener) *place {
	p := &place{on: on, listener: listener, few: &few{Listener: listener}}
	p.web = &http.Server{
		Handler: p, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		DisableGeneralOptionsHandler: true, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	return p
}

func (p *place) start() { p.running.Go(func() { _ = p.web.Serve(p.few) }) }

// end is for when no file is left, and the listener is closed.
func (p *place) end() {
	_ = p.web.Close()
	p.running.Wait()
}

func (p *place) add(f *file) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = append(p.files, f)
	p.few.allow(maxConns * len(p.files))
}

// remove tells whether it was the last one.
func (p *place) remove(f *file) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = slices.DeleteFunc(p.files, func(other *file) bool { return other == f })
	p.few.allow(maxConns * max(1, len(p.files)))
	return len(p.files) == 0
}

// ServeHTTP gives a file to who knows its path, and nothing to anybody else.
func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.find(r.URL.EscapedPath())
	if f == nil || r.URL.RawQuery != "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	if c, ok := r.Context().Value(connKey{}).(*placed); ok {
		p.few.prove(c)
	}
	f.serve(w, r)
}

func (p *place) find(path string) (found *file) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.files {
		if subtle.ConstantTimeCompare([]byte(path), []byte(f.path)) == 1 {
			found = f
		}
	}
	return found
}

type connKey struct{}

// few lets a bounded number of connections in. For one more the oldest is closed that has not
// named a path yet: those that say nothing must not keep a device out.
type few struct {
	net.Listener

	mu    sync.Mutex
	most  int
	conns []*placed // the oldest first
}

func (f *few) allow(most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.most = most
}

func (f *few) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http knows it
		}
		p := &placed{Conn: c, few: f}
		instead, ok := f.enter(p)
		if instead != nil {
			_ = instead.Conn.Close()
		}
		if ok {
			return p, nil
		}
		_ = c.Close()
	}
}

// enter lets a connection in, where there is room or one to be closed instead of it.
func (f *few) enter(p *placed) (instead *placed, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.conns) >= f.most {
		at := slices.IndexFunc(f.conns, func(c *placed) bool { return !c.proven })
		if at < 0 {
			return nil, false
		}
		instead = f.conns[at]
		f.conns = slices.Delete(f.conns, at, at+1)
	}
	f.conns = append(f.conns, p)
	return instead, true
}

func (f *few) prove(p *placed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p.proven = true
}

func (f *few) leave(p *placed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = slices.DeleteFunc(f.conns, func(c *placed) bool { return c == p })
}

type placed struct {
	net.Conn
	few    *few
	proven bool // it has named a path; guarded by few
}

func (p *placed) Close() error {
	p.few.leave(p)
	return p.Conn.Close() //nolint:wrapcheck // net/http's own
}
