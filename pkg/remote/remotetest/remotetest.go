// Package remotetest is a scripted host for tests: it answers the commands,
// exchanges and files that the test told it of, refuses everything else, and fails
// the test when something that was told of was never asked. It can lose its
// connection at any point, and come back.
package remotetest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// Host is the scripted host. It is safe for concurrent use.
type Host struct {
	tb    testing.TB
	mu    sync.Mutex
	stubs []*Stub
	calls []string
	line  int     // the number of the connection: a session of an older one is dead
	up    bool    // there is a connection
	down  []error // what the next attempts to connect get
	opens int
}

// New makes a host that answers the stubs, in their order: the first that matches
// and is not used up. At the end of the test every stub must have been used.
func New(tb testing.TB, stubs ...*Stub) *Host {
	tb.Helper()
	h := &Host{tb: tb, stubs: stubs}
	tb.Cleanup(h.unused)
	return h
}

// Add tells of more.
func (h *Host) Add(stubs ...*Stub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stubs = append(h.stubs, stubs...)
}

func (h *Host) unused() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.stubs {
		if s.used == 0 || (s.times > 0 && s.used < s.times) {
			h.tb.Errorf("the host was never asked (or too seldom, %d times): %s", s.used, s.what)
		}
	}
}

// Calls are what was asked so far, one line each.
func (h *Host) Calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.calls...)
}

// Opens counts the connections made.
func (h *Host) Opens() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opens
}

// Down makes the next attempts to connect fail with these errors; nil stands for
// an unreachable host.
func (h *Host) Down(errs ...error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = append(h.down, errs...)
}

// Drop cuts the connection: sessions of it are dead, and the next Session connects anew.
func (h *Host) Drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up = false
}

// Session connects where there is no connection.
func (h *Host) Session(ctx context.Context) (remote.Session, func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return remote.Session{}, nil, err
	}
	if !h.up {
		if err := h.connect(); err != nil {
			return remote.Session{}, nil, err
		}
	}
	w := &wire{host: h, line: h.line}
	return remote.Session{Runner: w, Console: w, Files: w}, func() {}, nil
}

func (h *Host) connect() error {
	h.opens++
	if len(h.down) == 0 {
		h.up, h.line = true, h.line+1
		return nil
	}
	err := h.down[0]
	h.down = h.down[1:]
	if err == nil {
		err = Unreachable()
	}
	return err
}

// Unreachable is the error of a host that does not answer.
func Unreachable() error {
	return &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, Step: "connect", What: "connection refused"}
}

// Lost is the error of a connection that ended in the middle.
func Lost() error {
	return &fault.Error{Kind: fault.Unknown, Code: fault.Lost, What: "the connection ended"}
}

// wire is one session on one connection.
type wire struct {
	host *Host
	line int
}

func (w *wire) Run(ctx context.Context, c remote.Command) (remote.Result, error) {
	return w.ask(ctx, question{kind: run, argv: c.Argv, text: string(c.Stdin), line: strings.Join(c.Argv, " "), command: c})
}

func (w *wire) Exchange(ctx context.Context, e remote.Exchange) (remote.Result, error) {
	return w.ask(ctx, question{kind: send, argv: []string{e.Send}, line: e.Send, exchange: e})
}

func (w *wire) Put(ctx context.Context, path string, content io.Reader, want patch.Digest) error {
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if patch.DigestOf(b) != want {
		return fmt.Errorf("%s: the content is not %s", path, want)
	}
	_, err = w.ask(ctx, question{kind: put, argv: []string{path}, text: string(b), line: "put " + path})
	return err
}

func (w *wire) Get(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	r, err := w.ask(ctx, question{kind: get, argv: []string{path}, line: "get " + path})
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.LimitReader(strings.NewReader(string(r.Out)), limit)), nil
}

// ask finds the stub under the lock, and answers without it.
func (w *wire) ask(ctx context.Context, q question) (remote.Result, error) {
	if err := ctx.Err(); err != nil {
		return remote.Result{}, err
	}
	stub, err := w.find(q)
	if err != nil {
		return remote.Result{}, err
	}
	r, err := stub.answer(ctx, q)
	if r.Ending == remote.Lost && stub.cuts {
		w.host.Drop()
	}
	return r, err
}

func (w *wire) find(q question) (*Stub, error) {
	h := w.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up || h.line != w.line {
		return nil, Lost()
	}
	h.calls = append(h.calls, remote.Clean(q.line, 120))
	for _, s := range h.stubs {
		if s.matches(q) {
			s.used++
			return s, nil
		}
	}
	h.tb.Errorf("the host was asked what the test did not tell of: %q", q.line)
	return nil, &fault.Error{Kind: fault.GiveUp, Code: fault.Internal, What: "no stub for " + remote.Clean(q.line, 120)}
}
