package view

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/fault"
)

// stuck is a reader that takes nothing until it is let go: a full pipe, Ctrl-S.
type stuck struct {
	free chan struct{}
	mu   sync.Mutex
	got  bytes.Buffer
}

func newStuck() *stuck { return &stuck{free: make(chan struct{})} }

func (w *stuck) Write(b []byte) (int, error) {
	<-w.free
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.Write(b)
}

func (w *stuck) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got.String()
}

// slow takes a little now and then, as somebody who pages through it does.
type slow struct{ bytes.Buffer }

func (w *slow) Write(b []byte) (int, error) {
	<-time.After(patience - time.Second)
	return w.Buffer.Write(b)
}

type making func(out io.Writer, clock func() time.Time) View

func makings() map[string]making {
	return map[string]making{
		"lines": func(out io.Writer, _ func() time.Time) View { return NewLines(out, nil) },
		"json":  func(out io.Writer, _ func() time.Time) View { return NewJSON(out) },
		"live":  func(out io.Writer, clock func() time.Time) View { return NewLive(LiveOptions{Out: out, Clock: clock}) },
	}
}

// Nobody reads: the run goes on as if somebody did, and Close gives up in the end.
func TestStuckReaderDoesNotStopTheRun(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, view := range makings() {
		synctest.Test(t, func(t *testing.T) {
			w, r, begin := newStuck(), newRun(t), time.Now()
			v := view(w, r.clock)
			r.views = []View{v}
			r.middle()
			<-time.After(time.Minute) // a live view is in the middle of drawing
			r.last()
			err := v.Close(final(r))
			if took := time.Since(begin); err == nil || fault.HintOf(err) == "" || took != time.Minute+patience {
				t.Errorf("%s: Close gave %v after %v", name, err, took)
			}
			if again := v.Close(nil); again != err || time.Since(begin) != time.Minute+patience { //nolint:errorlint // the very same
				t.Errorf("%s: Close once more gave %v after %v", name, again, time.Since(begin))
			}
			close(w.free)
			synctest.Wait()
			if got := w.String(); strings.Count(got, "canary1 healthy") > 1 || strings.Contains(got, "halted") {
				t.Errorf("%s: written after it was given up: %q", name, got)
			}
		})
	}
}

// Whoever reads at last gets everything, in order.
func TestReaderComesBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	for file, view := range map[string]making{"lines.txt": makings()["lines"], "events.ndjson": makings()["json"]} {
		synctest.Test(t, func(t *testing.T) {
			w, r := newStuck(), newRun(t)
			v := view(w, r.clock)
			r.views = []View{v}
			r.middle()
			r.last()
			time.AfterFunc(patience-time.Second, func() { close(w.free) })
			if err := v.Close(final(r)); err != nil {
				t.Error(err)
			}
			wantGolden(t, file, w.String())
		})
	}
}

// A reader that takes something is waited for, however long it takes.
func TestSlowReaderGetsAll(t *testing.T) {
	for file, view := range map[string]making{"lines.txt": makings()["lines"], "events.ndjson": makings()["json"]} {
		synctest.Test(t, func(t *testing.T) {
			w, r := &slow{}, newRun(t)
			v := view(w, r.clock)
			r.views = []View{v}
			r.middle()
			r.last()
			if err := v.Close(final(r)); err != nil {
				t.Error(err)
			}
			wantGolden(t, file, w.String())
		})
	}
}

// One long text is many writes, so that a slow reader of it is seen to read.
func TestLongTextIsWrittenInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slow{}
		q := newQueue(w)
		text := strings.Repeat("x", 10*piece+1)
		q.last(text)
		if err := q.end(); err != nil || w.String() != text {
			t.Errorf("%d of %d bytes, %v", w.Len(), len(text), err)
		}
	})
}

func wantGolden(t *testing.T, file, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil || got != string(want) {
		t.Errorf("%s differs, %v:\n%s", file, err, got)
	}
}

// What finds no room is left out and counted at the end; the final document is not.
func TestQueueIsBounded(t *testing.T) {
	const room, all = 1000, "left out here, since nobody read them in time; the journal has every event"
	for name, view := range makings() {
		synctest.Test(t, func(t *testing.T) {
			w, r := newStuck(), newRun(t)
			v := view(w, r.clock)
			bound(v, room)
			r.views = []View{v}
			r.middle()
			r.last()
			synctest.Wait()
			close(w.free)
			if err := v.Close(final(r)); err != nil {
				t.Error(err)
			}
			got := w.String()
			if strings.Count(got, all) != 1 || !strings.Contains(got, "monthly-hq-7f3a") {
				t.Errorf("%s: not told what was left out, or no final document:\n%s", name, got)
			}
			before, _, _ := strings.Cut(got, all)
			if len(before) > 3*room {
				t.Errorf("%s: %d bytes were kept", name, len(before))
			}
		})
	}
}

func bound(v View, room int) {
	switch v := v.(type) {
	case *Lines:
		v.out.most = room
	case *JSON:
		v.out.most = room
	case *Live:
		v.most = 2 // lines
	}
}
