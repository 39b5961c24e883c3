package apply

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/remote/remotetest"
)

// jobHost is a model of a host that runs a detached job, with faults drawn at
// every step: the connection may fail, be cut before or after the host got the
// command, and what it got may begin late.
type jobHost struct {
	claims bool // the host's mkdir: only one start wins
	draw   func(what string, n int) int
	faults int // still to come
	length time.Duration
	code   int

	mu      sync.Mutex
	began   int // how often the job's effect happened
	claimed bool
	ends    time.Time
	down    time.Time // unreachable until
}

func (h *jobHost) fault(what string) bool {
	if h.faults > 0 && h.draw(what, 3) == 0 {
		h.faults--
		return true
	}
	return false
}

func (h *jobHost) Drop() {}

func (h *jobHost) Session(context.Context) (remote.Session, func(), error) {
	if h.fault("goes down") {
		h.down = time.Now().Add(time.Duration(h.draw("seconds down", 900)) * time.Second)
	}
	if time.Now().Before(h.down) {
		return remote.Session{}, nil, remotetest.Unreachable()
	}
	return remote.Session{Runner: h}, func() {}, nil
}

func (h *jobHost) Run(_ context.Context, c remote.Command) (remote.Result, error) {
	if h.fault("cut before") {
		return remote.Result{}, remotetest.Lost()
	}
	out := ""
	if c.Effect == remote.Changes {
		h.start()
	} else {
		out = h.state()
	}
	if h.fault("cut after") {
		return remote.Result{}, remotetest.Lost()
	}
	if c.Effect == remote.Changes && h.fault("start fails") {
		return remote.Result{Ending: remote.Exited, Code: 70}, nil
	}
	return remote.Result{Ending: remote.Exited, Out: []byte(out)}, nil
}

// start is what the host does with a start: at once, or only later, as a start that
// hangs on a slow disk would.
func (h *jobHost) start() {
	late := time.Duration(0)
	if h.fault("start hangs") {
		late = time.Duration(h.draw("seconds late", 60)) * time.Second
	}
	time.AfterFunc(late, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.claimed && h.claims {
			return
		}
		h.claimed, h.ends = true, time.Now().Add(h.length)
		h.began++
	})
	synctest.Wait()
}

// effects counts how often the job's effect happened.
func (h *jobHost) effects() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.began
}

func (h *jobHost) state() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.claimed:
		return "absent"
	case time.Now().Before(h.ends):
		return "running"
	case h.code != 0:
		return "failed"
	}
	return "done"
}

// violation performs the step on the host, is interrupted and performs it again,
// and tells what rule was broken.
func violation(t *testing.T, h *jobHost) string {
	t.Helper()
	s := step(func(s *platform.Step) { s.Do[0].Command.Effect = remote.Changes })
	s.Look.Reconnects = h.draw("reconnects", 2) == 0
	for range 3 { // patchring is run again after each end, as after a crash
		begin := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(1+h.draw("patchring lives", 1500))*time.Second)
		got := Perform(ctx, h, s, nil)
		stop()
		switch {
		case h.effects() > 1:
			return fmt.Sprintf("the job's effect happened %d times", h.effects())
		case got.State == platform.Done && h.state() != "done":
			return "done was claimed, and the host is " + h.state()
		case got.State != platform.Done && len(got.Reasons) == 0:
			return "no reason for " + got.State.String()
		case got.State == platform.NotDone || got.State == platform.Running:
			return "ended as " + got.State.String()
		case time.Since(begin) > 2*s.Deadline+time.Minute:
			return "took " + time.Since(begin).String()
		}
	}
	<-time.After(time.Hour) // whatever is still on its way on the host
	if n := h.effects(); n > 1 {
		return fmt.Sprintf("the job's effect happened %d times in the end", n)
	}
	return ""
}

// Rule 4: however the connection fails, the effect happens at most once, and done
// is only claimed where the host really is done.
func TestOnceUnderRandomFaults(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		if broken := inBubble(t, choices().Draw(r, "choices"), true); broken != "" {
			r.Fatal(broken)
		}
	})
}

// The check can fail: on a host whose start claims nothing, the rule breaks.
func TestOnceNeedsTheClaim(t *testing.T) {
	for seed := range 2000 {
		if inBubble(t, choices().Example(seed), false) != "" {
			return
		}
	}
	t.Error("no violation found on a host without a claim: the property test sees nothing")
}

// choices are drawn beforehand: rapid must not be called inside a bubble.
func choices() *rapid.Generator[[]int] { return rapid.SliceOfN(rapid.IntRange(0, 1<<20), 60, 60) }

func inBubble(t *testing.T, choices []int, claims bool) (broken string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		next := 0
		draw := func(_ string, n int) int {
			next++
			return choices[next%len(choices)] % n
		}
		broken = violation(t, &jobHost{
			claims: claims, draw: draw, faults: draw("faults", 12),
			length: time.Duration(draw("seconds", 900)) * time.Second, code: draw("code", 2),
		})
	})
	return broken
}
