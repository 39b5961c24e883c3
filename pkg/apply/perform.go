// Package apply is the one interpreter of steps: look → do → look until the
// deadline. Every waiting, expected disconnect, reattaching and resuming is this one
// loop; what a step may do next is decided by one pure function, memory.next.
//
// # Why a step may be begun any number of times
//
// It looks first. What is done is not done again, what runs is waited for, and only
// what has not begun is done. After a Do whose connection was cut nobody knows
// whether the host got it. Then the look decides: only where it says "not done" is
// the Do sent again, and at most once. The first Do may still be on its way on the
// host at that moment, so what a Do starts must itself claim the work on the host by
// something that only one can win: a job does so by its mkdir (package job), a lock
// too. A Do that can't, such as a reboot, is marked MayDrop and is never repeated.
// Nothing that is typed on a device can claim anything: an exchange that changes is sent
// once at most by one Perform, whether its connection was cut or the device came back to its
// prompt and said nothing. Then only looks follow, until the deadline.
//
// Nothing here ends what runs on a host. At a deadline, or when patchring is
// stopped, the step's outcome is Unknown and says that the work goes on there.
package apply

import (
	"context"
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// Sessions gives sessions to one host. Session connects again where the connection
// is gone; release gives the session back. Drop closes the connection: before the
// return of a restarting host is awaited, and after a loss.
type Sessions interface {
	Session(ctx context.Context) (s remote.Session, release func(), err error)
	Drop()
}

// Perform brings a step to its end, and tells how it stands: Done, Failed or
// Unknown, the latter two always with reasons. The work's progress, a cleaned line
// at a time, goes to progress, which may be nil.
func Perform(ctx context.Context, on Sessions, step platform.Step, progress func(string)) platform.Standing {
	p := &performer{on: on, step: step, progress: progress, pace: newPace(step.On.String())}
	if step.Look.Judge == nil {
		return unknown("nothing tells when this step is done; nothing was started. This is a mistake in patchring; please report it")
	}
	p.memory = memory{step: step}
	if step.Once && p.onlyLooks() { // another life may have done it: platform.Step.Resumed
		p.last, p.typed, p.begun = cut, true, true
	}
	if step.Look.Reconnects || p.onlyLooks() {
		// The host may be on its way back from what an interrupted patchring began; and
		// where nothing is done, nothing else would ever start the clock.
		p.until = time.Now().Add(step.Deadline)
	}
	return p.run(ctx)
}

type performer struct {
	memory
	on       Sessions
	step     platform.Step
	progress func(string)
	told     string
	prompt   bool // the Do was answered: look at once
	pace     pace
	until    time.Time // zero: nothing has begun
}

func (p *performer) run(ctx context.Context) platform.Standing {
	for {
		began := time.Now()
		saw := p.look(ctx)
		if ctx.Err() != nil {
			return p.stopped()
		}
		p.tell(saw.standing.Progress)
		action, standing := p.next(saw, p.expired())
		switch action {
		case finish:
			return standing
		case perform:
			p.perform(ctx)
		case reconnect:
			p.on.Drop()
		case wait:
		}
		p.remember(saw, action)
		p.begin()
		if !p.pause(ctx, time.Since(began), action) {
			return p.stopped()
		}
	}
}

// begin starts the step's clock when there is something to wait for.
func (p *performer) begin() {
	if p.begun && (p.until.IsZero() || p.fresh) {
		p.until, p.fresh = time.Now().Add(p.step.Deadline), false
	}
}

func (p *performer) expired() bool {
	return !p.until.IsZero() && !time.Now().Before(p.until)
}

func (p *performer) tell(line string) {
	if p.progress != nil && line != "" && line != p.told {
		p.told = line
		p.progress(line)
	}
}

// pause waits before the next look: what the look itself took on the host counts.
// It is false when patchring is being stopped.
func (p *performer) pause(ctx context.Context, took time.Duration, a action) bool {
	if a == perform {
		p.pace.reset()
		if p.prompt {
			return ctx.Err() == nil
		}
		took = 0
	}
	rest := p.pace.next() - took
	if !p.until.IsZero() {
		rest = min(rest, time.Until(p.until)) // the last look is at the deadline
	}
	rest = max(rest, p.untilNextTry())
	if rest <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// untilNextTry is the least pause after a login that was refused. The last try is at the
// deadline, if that is not too close.
func (p *performer) untilNextTry() time.Duration {
	if p.until.IsZero() {
		return p.apart
	}
	return min(p.apart, max(time.Until(p.until), graceApart))
}

func (p *performer) stopped() platform.Standing {
	if p.onlyLooks() {
		return unknown("patchring was stopped at " + name(p.step) + "; the same command carries on from there")
	}
	if p.begun {
		return unknown("patchring was stopped while " + name(p.step) + ", on the host, goes on; the same command carries on from there")
	}
	return unknown("patchring was stopped before " + name(p.step) + " began; nothing was started")
}
