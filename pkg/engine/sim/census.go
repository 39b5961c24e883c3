package sim

import (
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// census keeps which hosts have come through: those are whom a sample asks. When a gate
// asks, only the rings before it have been begun.
type census struct {
	mu      sync.Mutex
	healthy map[fact.HostID]int // the try in which it came through
	failed  map[fact.HostID]bool
	frail   []fact.HostID // nil: not looked for yet
}

// note books how a step ended.
func (c *census) note(t rollout.Task, e rollout.StepEnded) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.Step == rollout.FlowBegin {
		delete(c.healthy, t.Host)
		delete(c.failed, t.Host)
	}
	closing := t.Step == rollout.FlowEnd || t.Step == rollout.FlowUnsilence
	if bad := e.Outcome != rollout.OutcomeOK || len(e.Checks) > 0 && health.Worst(e.Checks) != health.Pass; bad && !closing {
		if c.failed == nil {
			c.failed = map[fact.HostID]bool{}
		}
		c.failed[t.Host] = true
	}
	if t.Step == rollout.FlowEnd && !c.failed[t.Host] {
		if c.healthy == nil {
			c.healthy = map[fact.HostID]int{}
		}
		c.healthy[t.Host] = max(1, t.Try)
	}
}

// sample asks those who have come through.
func (c *census) sample(f Fleet, ring string, at time.Time) rollout.Sampled {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frail == nil {
		c.frail = append([]fact.HostID{}, f.frail()...)
	}
	asked := slices.DeleteFunc(slices.Clone(c.frail), func(id fact.HostID) bool { return c.healthy[id] == 0 })
	return f.asTried(c.healthy, asked).sample(ring, at, len(c.healthy), asked)
}

// asTried are these hosts as they are at the try in which they came through.
func (f Fleet) asTried(tries map[fact.HostID]int, hosts []fact.HostID) Fleet {
	out := make(Fleet, len(hosts))
	for _, id := range hosts {
		out[id] = f[id].behaves(tries[id])
	}
	return out
}

// end is how a task ends at a time.
func (w *World) end(c *census, t rollout.Task, at time.Time) rollout.Entry {
	switch name, check := checkOf(t.Ask); {
	case t.Ask == rollout.AskSample:
		return c.sample(w.Fleet, t.Ring, at)
	case check:
		return w.answer(t.Ring, name, t.When, at)
	}
	end, _ := w.End(t)
	c.note(t, end)
	return end
}

func (w *World) answer(ring, check string, when playbook.When, at time.Time) rollout.Asked {
	e := rollout.Asked{Ring: ring, Check: check, When: when, Verdict: health.Pass, Seen: "as foreseen"}
	if w.Answer != nil {
		e.Verdict, e.Seen = w.Answer(check, when, at)
	}
	return e
}
