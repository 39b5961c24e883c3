package local

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/hook"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// extras are the steps that the playbook asks for around the work on this host.
func (w *work) extras() rollout.Extras {
	return rollout.Extras{
		Silence: len(w.silences()) > 0,
		Before:  len(w.hooksAt(playbook.HookBefore)) > 0,
		Drain:   len(w.hooksAt(playbook.HookDrain)) > 0,
		After:   len(w.hooksAt(playbook.HookAfter)) > 0,
	}
}

// numbered is a hook with its place in the plan, which names its jobs.
type numbered struct {
	plan.Hook
	at int
}

func (w *work) hooksAt(moment playbook.HookAt) []numbered {
	var all []numbered
	for i, h := range w.p.Plan.Hooks {
		if h.At == moment && slices.Contains(h.Hosts, w.task.Host) {
			all = append(all, numbered{h, i})
		}
	}
	return all
}

// call is one run of a hook, or one wait for what it did.
type call struct {
	step platform.Step
	on   apply.Sessions
	err  error // why it can't be run at all
}

// hooks runs what the playbook asks for at this step, one after the other, up to the
// first that does not succeed. Each is a job of its own: a repetition after a crash
// finds those done that are done.
func (w *work) hooks(ctx context.Context) (rollout.StepEnded, error) {
	if lost, err := w.stillOurs(ctx); lost != nil || err != nil {
		return deref(lost), err
	}
	done := rollout.StepEnded{Outcome: rollout.OutcomeOK}
	for _, c := range w.calls() {
		if c.err != nil {
			return *failed(fault.HostFailed, c.err.Error()), nil //nolint:nilerr // a hook that can't be run is the host's outcome, not our error
		}
		end := ended(apply.Perform(ctx, c.on, c.step, w.progress))
		end.Notes = append(done.Notes, end.Notes...)
		if end.Outcome != rollout.OutcomeOK {
			return end, nil
		}
		done.Notes = end.Notes
	}
	return done, nil
}

func deref(end *rollout.StepEnded) rollout.StepEnded {
	if end == nil {
		return rollout.StepEnded{}
	}
	return *end
}

// calls are all of a step, in order. Undoing goes backwards. It is waited for a drain
// only when all of them have run: as long as one of several still sends work to the
// host, no waiting helps.
func (w *work) calls() []call {
	var all []call
	switch w.task.Step {
	case rollout.FlowHooks:
		all = w.runs(w.hooksAt(playbook.HookBefore), "before")
	case rollout.FlowHooksEnd:
		all = w.runs(w.hooksAt(playbook.HookAfter), "after")
	case rollout.FlowDrain:
		drains := w.hooksAt(playbook.HookDrain)
		all = append(w.runs(drains, "drain"), w.waits(drains)...)
	case rollout.FlowUndrain:
		drains := slices.DeleteFunc(w.hooksAt(playbook.HookDrain), func(h numbered) bool { return len(h.Undo) == 0 })
		slices.Reverse(drains)
		for i := range drains {
			drains[i].Argv = drains[i].Undo
		}
		all = w.runs(drains, "undrain")
	}
	return all
}

func (w *work) runs(hooks []numbered, kind string) []call {
	all := make([]call, 0, len(hooks))
	for _, h := range hooks {
		c, run := w.call(h, kind)
		if c.err == nil {
			c.step, c.err = hook.Step(run)
		}
		all = append(all, c)
	}
	return all
}

func (w *work) waits(hooks []numbered) []call {
	var all []call
	for _, h := range hooks {
		if h.Wait == nil {
			continue
		}
		if h.Wait.Idle {
			h.On = playbook.OnHost // its own connections are counted
		}
		c, run := w.call(h, "drain")
		if c.err == nil {
			c.step, c.err = hook.Wait(run, *h.Wait)
		}
		all = append(all, c)
	}
	return all
}

// call finds where a hook runs. On another host of the inventory it needs no lock: that
// host is told something, not patched.
func (w *work) call(h numbered, kind string) (call, hook.Run) {
	run := hook.Run{
		ID: w.jobID(h.at, kind), Step: w.task.Step, On: w.task.Host, Name: h.Name, Place: placeOf(h.Become),
		Argv: h.Argv, Env: w.values(kind).Env(), Within: h.Within,
	}
	switch h.On {
	case playbook.OnHost:
		return call{on: patient{w.link}}, run
	case playbook.OnController:
		if w.p.Controller == nil {
			return call{err: fmt.Errorf("hook %s: nothing can be run on the controller here", h.Name)}, run
		}
		run.Place = w.p.Controller.Place()
		return call{on: w.p.Controller}, run
	}
	err := run.On.UnmarshalText([]byte(h.On)) // a plan has it as site/name
	if _, ok := w.p.Hosts[run.On]; err != nil || !ok {
		return call{err: fmt.Errorf("hook %s: the host %s, on which it is to run, is not in the inventory", h.Name, h.On)}, run
	}
	return call{on: patient{w.p.sessions(run.On)}}, run
}

// patient gives sessions to a host that a hook runs on, and waits a while for one that is
// gone for a moment: a load balancer that is just switching over must not leave a host in
// doubt.
type patient struct{ *sessions }

// hookPatience is how long.
const hookPatience = 2 * time.Minute

func (p patient) Session(ctx context.Context) (remote.Session, func(), error) {
	until := time.Now().Add(hookPatience)
	for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
		s, release, err := p.sessions.Session(ctx)
		if err == nil || fault.KindOf(err) != fault.Retry {
			return s, release, err
		}
		wait = min(wait, time.Until(until))
		if wait <= 0 || !pause(ctx, wait) {
			return s, release, err
		}
	}
}

func placeOf(become bool) job.Place {
	if become {
		return job.Root()
	}
	return job.Home()
}

func (w *work) values(kind string) hook.Values {
	v := vars(w.host)
	planned, _ := w.p.Plan.Host(w.task.Host)
	return hook.Values{
		Host: v.Name, Site: v.Site, Address: v.Address, Rollout: w.task.Rollout,
		Ring: planned.Ring, Playbook: w.p.Plan.Playbook, Hook: kind,
	}
}

// key names this host's part of this rollout to the world outside, where the hosts of
// many rollouts meet: a load balancer's job folder, an Alertmanager. So it holds more of
// the digest than the work's ID, which only has to differ on its own host.
func (w *work) key() string {
	digest := patch.DigestOf([]byte(w.task.Rollout + "\x00" + w.task.Host.String()))
	id := workID(w.task.Rollout, w.task.Host)
	return id[:min(16, len(id)-7)] + "-" + string(digest[len(digest)-20:])
}

// jobID is the same for the same run of the same hook, before a crash and after, and
// another for every other. It fits into job.Spec's 64 bytes.
func (w *work) jobID(at int, kind string) string {
	return w.key() + "-" + strconv.Itoa(at) + kind + tryOf(w.task)
}

// hookLock is how long it is tried to see the lock before a hook.
const hookLock = time.Minute

// stillOurs tells that the host's lock is not ours any more; nil: it is.
func (w *work) stillOurs(ctx context.Context) (*rollout.StepEnded, error) {
	facts, _, err := w.recall()
	if err != nil {
		return nil, err
	}
	driver, ok := w.p.Driver(facts.Platform)
	if !ok {
		return nil, fmt.Errorf("no driver for platform %q", facts.Platform)
	}
	return w.lockLost(ctx, driver, platform.Step{Deadline: hookLock}), nil
}
