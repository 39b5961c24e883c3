package matrix

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

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
