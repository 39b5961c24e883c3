package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
)

// A host that answers keepalives and else does what it likes must not hold anybody for
// ever. What a caller bounds by itself keeps that bound.
const (
	readsWithin     = 15 * time.Minute // a command that only looks
	refreshesWithin = 30 * time.Minute // one that fetches package lists
	changesWithin   = time.Hour        // one that changes the host: long work runs as a job, not as a command
	filesWithin     = 12 * time.Hour   // one file, either way
	stallWithin     = 10 * time.Minute // a file moves on by leastMoved in that time; flash is erased slowly
	leastMoved      = 64 << 10         // bytes: a hundred a second, which the worst line has
	mostDropped     = 32 << 20         // bytes that a command may print in vain
)

var (
	errTooLong = errors.New("it took too long, and was given up")
	errStalled = errors.New("the file hardly moved for too long, and was given up")
	errTooMuch = errors.New("it printed more than 32 MiB that nobody asked for, and was given up")
)

type patienceKey struct{}

// WithPatience shortens what bounds the commands and files that their callers do not bound.
func WithPatience(ctx context.Context, most time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, most)
}

func patience(ctx context.Context, usual time.Duration) time.Duration {
	if most, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		return min(most, usual)
	}
	return usual
}

// bounded gives a context that ends, at the latest, when such a command is hopeless.
func bounded(ctx context.Context, e remote.Effect) (context.Context, context.CancelFunc) {
	within := changesWithin
	switch e {
	case remote.Reads:
		within = readsWithin
	case remote.Refreshes:
		within = refreshesWithin
	case remote.Changes:
	}
	return atMost(ctx, within)
}

func atMost(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, patience(ctx, within), errTooLong)
}

// hopeless turns what is no lost connection into the host's own failure, where the command
// changed nothing: asked again, it would only do the same.
func hopeless(err error, e remote.Effect, host string) error {
	if e == remote.Changes || fault.CodeOf(err) != fault.Lost || !errors.Is(err, errTooLong) && !errors.Is(err, errTooMuch) {
		return err
	}
	why := errTooLong
	if errors.Is(err, errTooMuch) {
		why = errTooMuch
	}
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.HostFailed, Host: host, Step: "run", Err: fmt.Errorf("%w: %w", remote.ErrEndless, why),
		Hint: "log in there and look what runs; a host that does so on purpose is not to be trusted",
	}
}

// progress is how far a file has come. It ends its context when that is too little. Its
// time counts from the session on that was opened for it: a file may wait for its turn.
type progress struct {
	cancel context.CancelCauseFunc
	free   context.CancelFunc
	stall  time.Duration
	whole  time.Duration // for what the host does when all of it is there

	mu     sync.Mutex
	timer  *time.Timer
	moved  int64
	before int64 // what had moved when the time was looked at
	ended  bool  // all of it was read
}

// moving gives a context that ends when the file that its progress reads stalls, or in
// half a day.
func moving(ctx context.Context) (context.Context, *progress) {
	p := &progress{stall: patience(ctx, stallWithin), whole: patience(ctx, changesWithin)}
	ctx, p.free = atMost(ctx, filesWithin)
	ctx, p.cancel = context.WithCancelCause(ctx)
	return context.WithValue(ctx, progressKey{}, p), p
}

type progressKey struct{}

// underWay begins the time of the file that a session was opened for: its first byte may
// never come.
func underWay(ctx context.Context) {
	if p, ok := ctx.Value(progressKey{}).(*progress); ok {
		p.took(0, false)
	}
}

// done ends the watch and the context.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.cancel(nil)
	p.free()
}

// look is what the timer does.
func (p *progress) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
		p.cancel(errTooLong)
	case p.moved-p.before < leastMoved:
		p.cancel(errStalled)
	default:
		p.before = p.moved
		p.timer.Reset(p.stall)
	}
}

func (p *progress) took(n int, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved += int64(n)
	if p.timer == nil && !p.ended {
		p.timer = time.AfterFunc(p.stall, p.look)
	}
	if end && !p.ended {
		p.ended = true
		p.timer.Reset(p.whole)
	}
}

// size is how much has passed.
func (p *progress) size() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.moved
}

// reader counts what passes.
func (p *progress) reader(from io.Reader) io.Reader { return counted{p, from} }

type counted struct {
	progress *progress
	from     io.Reader
}

func (c counted) Read(b []byte) (int, error) {
	c.progress.took(0, false) // the time begins here: the first byte may never come
	n, err := c.from.Read(b)
	c.progress.took(n, err != nil)
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
