package connect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/remote"
)

// endless is a server whose commands print without end: as fast as they can, or not.
func endless(t *testing.T, r *rig, stderr bool, pause time.Duration) *server {
	t.Helper()
	s := passwordServer(t, r)
	s.session = func(ch ssh.Channel, reqs <-chan *ssh.Request, done <-chan struct{}) {
		_ = (<-reqs).Reply(true, nil)
		go ssh.DiscardRequests(reqs)
		var to io.Writer = ch
		if stderr {
			to = ch.Stderr()
		}
		what := bytes.Repeat([]byte("A"), 32<<10)
		if pause > 0 {
			what = what[:1]
		}
		tick := time.NewTicker(max(pause, 1))
		defer tick.Stop()
		for {
			if _, err := to.Write(what); err != nil {
				return
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}
	return s
}

// TestEndlessOutput: what a command prints without end is given up, whatever it was to do.
func TestEndlessOutput(t *testing.T) {
	for name, stderr := range map[string]bool{"stdout": false, "stderr": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			l := r.lease(t, withPassword(t, host(t, "loud", endless(t, r, stderr, 0).address), "right"), site())
			_, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}, Effect: remote.Reads})
			wantFault(t, err, fault.HostFailed, "no end", "32 MiB")
			if !errors.Is(err, remote.ErrEndless) {
				t.Error(err)
			}
			got, err := l.Session().Runner.Run(t.Context(), remote.Command{Argv: []string{"x"}})
			if wantFault(t, err, fault.Lost, "unknown", "32 MiB"); got.Ending != remote.Lost || got.OK() || len(got.Out) > remote.DefaultMaxOut {
				t.Errorf("%v, %d bytes", got.Ending, len(got.Out))
			}
		})
	}
}

// TestDribble: one byte now and then is no progress.
func TestDribble(t *testing.T) {
	r := newRig(t, Options{})
	l := r.lease(t, withPassword(t, host(t, "slow", endless(t, r, false, time.Millisecond).address), "right"), site())
	ctx := WithPatience(t.Context(), 200*time.Millisecond)
	within(t, func() {
		_, err := l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"x"}, Effect: remote.Reads})
		wantFault(t, err, fault.HostFailed, "no end", "too long")
		_, err = l.Session().Runner.Run(ctx, remote.Command{Argv: []string{"x"}})
		wantFault(t, err, fault.Lost, "too long")
	})
}

// TestEveryCommandIsBounded: whoever names no deadline has one.
func TestEveryCommandIsBounded(t *testing.T) {
	for effect, want := range map[remote.Effect]time.Duration{remote.Reads: readsWithin, remote.Refreshes: refreshesWithin, remote.Changes: changesWithin} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := bounded(t.Context(), effect)
			defer cancel()
			if until, ok := ctx.Deadline(); !ok || time.Until(until) != want {
				t.Errorf("%d: %v", effect, until)
			}
			mine, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
			defer cancel()
			kept, cancel := bounded(mine, effect)
			defer cancel()
			if until, _ := kept.Deadline(); time.Until(until) != 3*time.Hour {
				t.Errorf("%d: a caller's own bound became %v", effect, until)
			}
		})
	}
}

// trickle gives size bytes, so many at a time, each after a pause.
type trickle struct {
	left, each int
	pause      time.Duration
	read       atomic.Int64
}

// Read waits, and gives a few.
func (s *trickle) Read(p []byte) (int, error) {
	<-time.After(s.pause) // a bubble's time
	n := min(len(p), s.each, s.left)
	if s.left -= n; n == 0 {
		return 0, io.EOF
	}
	s.read.Add(int64(n))
	return n, nil
}

// TestMinimumProgress: a file that crawls is given up, a slow one is not.
func TestMinimumProgress(t *testing.T) {
	for name, c := range map[string]struct {
		from  *trickle
		cause error
		after time.Duration
	}{
		"a byte a minute":       {&trickle{left: 1 << 20, each: 1, pause: time.Minute}, errStalled, stallWithin},
		"200 bytes a second":    {&trickle{left: 1 << 20, each: 200, pause: time.Second}, nil, 0},
		"nothing after the end": {&trickle{}, errTooLong, changesWithin},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, p := moving(t.Context())
			defer p.done()
			begin := time.Now()
			reader := p.reader(c.from)
			buf := make([]byte, 4096)
			for ctx.Err() == nil {
				if _, err := reader.Read(buf); err != nil {
					break
				}
			}
			if c.cause == nil {
				if ctx.Err() != nil {
					t.Errorf("%s: %v", name, context.Cause(ctx))
				}
				return
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), c.cause) || time.Since(begin) < c.after || time.Since(begin) > c.after+2*time.Minute {
				t.Errorf("%s: %v after %v", name, context.Cause(ctx), time.Since(begin))
			}
		})
	}
}

// TestGetAsRootStreams: a host that was asked for a package and sends without end costs no
// memory: nothing is read that nobody takes.
func TestGetAsRootStreams(t *testing.T) {
	r := newRig(t, Options{})
	s := endless(t, r, false, 0)
	h := withPassword(t, host(t, "loud", s.address), "right")
	h.Become = inventory.BecomeSudo
	content, err := r.lease(t, h, site()).Session().Files.Get(t.Context(), "/x", 4<<30)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	if _, err := io.ReadFull(content, buf); err != nil {
		t.Error(err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadBackIsBounded: the file that was sent is read back no further than it was sent.
func TestReadBackIsBounded(t *testing.T) {
	r := newRig(t, Options{})
	s := passwordServer(t, r)
	s.session = oddSFTP{endless: true}.session
	l := r.lease(t, withPassword(t, host(t, "odd", s.address), "right"), site())
	within(t, func() {
		content := "content"
		err := l.Session().Files.Put(t.Context(), "/f", strings.NewReader(content), patch.DigestOf([]byte(content)))
		wantFault(t, err, fault.HostFailed, "digest", "nothing was replaced")
	})
}
