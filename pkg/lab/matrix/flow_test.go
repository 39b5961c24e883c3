package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/probe"
	"github.com/patchring/patchring/pkg/rollout"
)

// lives plays the work, and once more from what is journaled where the first life is ended.
func (p *play) lives() {
	if p.kill == nil {
		p.live(context.Background())
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	first := p.link
	p.killer = &killer{kill: *p.kill, die: func() { first.cut(); cancel() }}
	p.link.wrap = p.killer.wrap
	p.live(ctx)
	if ctx.Err() == nil {
		cancel()
		return // it never came to that
	}
	p.link.end()
	p.log = append(p.log, "KILLED")
	pass(p.pause)
	p.killer = nil
	p.link = p.connects()
	p.said, p.why = saidUnknown, nil
	p.live(context.Background())
}

// live performs the flow of one host, from where the journal stands.
func (p *play) live(ctx context.Context) {
	steps, err := p.steps()
	if err != nil {
		p.ends(saidNotDone, "steps", err.Error())
		return
	}
	byID := map[platform.StepID]platform.Step{}
	for _, s := range steps {
		byID[s.ID] = s
	}
	flow, _ := rollout.Flow(steps, rollout.Extras{})
	if watcher, ok := platform.Driver(p.driver()).(platform.Watcher); ok {
		p.link.watch = watcher.Watch(p.facts)
	}
	for _, id := range flow {
		if p.passed[id] {
			continue
		}
		if p.killer != nil {
			p.killer.begin(id)
		}
		if p.watch != nil {
			p.link.wrap = p.watch.counting(id)
		}
		p.meanwhile(id)
		began := time.Now()
		if !p.does(ctx, id, byID[id]) {
			return
		}
		if p.watch != nil {
			p.watch.note(p, id, began, time.Since(began))
		}
		p.passed[id] = true
	}
	p.said = saidDone
}

// meanwhile lets others do what they do before a step begins, once.
func (p *play) meanwhile(id platform.StepID) {
	if p.hooked[id] {
		return
	}
	p.hooked[id] = true
	hook := p.on[id]
	if hook == nil {
		if hook = p.family.on[id]; hook != nil {
			hook(p)
		}
		return
	}
	hook(p)
	now := p.device.Truth()
	p.started.Running, p.started.Startup = now.Running, now.Startup // what others change is theirs
}

// does performs one step of the flow; false ends the host's work.
func (p *play) does(ctx context.Context, id platform.StepID, step platform.Step) bool {
	switch id {
	case rollout.FlowBefore:
		return p.snapshot(ctx, id, &p.earlier)
	case rollout.FlowVerify:
		return p.verify(ctx)
	case rollout.FlowCheck:
		if !p.check(ctx) {
			return false
		}
		p.checked = p.device.Now()
		return true
	case rollout.FlowEnd:
		return true
	}
	p.touched = p.touched || step.Changes
	if p.begun[id] {
		step = step.Resumed() // as package local does
		if step.Once {
			p.lies = "it may be done once only, and a process that ended may have done it"
		}
	}
	p.begun[id] = true
	s := apply.Perform(ctx, p.link, step, func(line string) { p.log = append(p.log, "  "+line) })
	p.log = append(p.log, fmt.Sprintf("%s %s: %s %s", time.Now().Format("15:04:05"), id, s.State, strings.Join(append(s.Reasons, s.Notes...), "; ")))
	switch s.State {
	case platform.Done:
		return true
	case platform.Failed:
		p.ends(saidNotDone, string(id), s.Reasons...)
	default:
		p.ends(saidUnknown, string(id), s.Reasons...)
	}
	return false
}

func (p *play) ends(v verdict, at string, why ...string) {
	p.said, p.at, p.why = v, at, why
}

func (p *play) snapshot(ctx context.Context, id platform.StepID, into *fact.Snapshot) bool {
	if p.link.watch == nil {
		return true // nothing here reads the state of a device
	}
	s, err := probe.SnapshotAgain(ctx, p.link, time.Now, patience)
	if err != nil {
		p.ends(saidUnknown, string(id), err.Error())
		return false
	}
	*into = s
	return true
}

// patience is how long the program waits for a device that was changed, and is away.
const patience = 20 * time.Minute

// verify looks again: the version that runs is the one that was to be installed.
func (p *play) verify(ctx context.Context) bool {
	facts, err := p.detect(ctx, patience)
	switch {
	case err != nil:
		p.ends(saidUnknown, "verify", err.Error())
	case !slices.Equal(serials(p.facts), serials(facts)):
		p.ends(saidUnknown, "verify", "it is not the same device")
	case p.link.watch != nil && !p.configured(ctx):
	case !same(facts.Version, p.work.Install[0].To):
		p.ends(saidNotDone, "verify", "it runs "+facts.Version)
	default:
		return true
	}
	return false
}

func serials(f fact.Facts) []string {
	if f.Device == nil {
		return nil
	}
	return slices.Sorted(slices.Values(f.Device.Serials()))
}

// configured compares the configuration with that of before, as the program does whatever is
// to be checked.
func (p *play) configured(ctx context.Context) bool {
	var after fact.Snapshot
	if !p.snapshot(ctx, rollout.FlowVerify, &after) {
		return false
	}
	results := health.Configuration(p.earlier, after)
	var why []string
	for _, r := range results {
		if r.Verdict != health.Pass {
			why = append(why, r.Check+": "+r.Seen)
		}
	}
	switch health.Worst(results) {
	case health.Pass:
		return true
	case health.Fail:
		p.ends(saidNotDone, "verify", why...)
	default:
		p.ends(saidUnknown, "verify", why...)
	}
	return false
}

func same(a, b string) bool {
	trim := func(v string) string { return strings.NewReplacer(".0", ".").Replace(v) }
	return trim(a) == trim(b)
}

// check compares the state with that of before, for as long as a device may settle.
func (p *play) check(ctx context.Context) bool {
	if p.link.watch == nil {
		return true
	}
	var why []string
	for range 20 {
		var after fact.Snapshot
		if !p.snapshot(ctx, "check", &after) {
			return false
		}
		if why = worse(p.earlier, after); len(why) == 0 {
			return true
		}
		pass(15 * time.Second)
	}
	p.ends(saidNotDone, "check", why...)
	return false
}

func worse(before, after fact.Snapshot) []string {
	var why []string
	for _, r := range health.Diff(before, after) {
		if r.Verdict != health.Pass {
			why = append(why, r.Check+": "+r.Seen)
		}
	}
	return why
}
