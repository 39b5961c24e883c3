package local

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// rig is one operator: a plan, a store, and what the journal would have said.
type rig struct {
	*Performer
	world  *world
	try    int
	back   bool
	proven []patch.Proven // what the last verify saw
}

// outside writes down what it was told, and when.
type outside struct {
	mu    sync.Mutex
	begin time.Time
	told  []string
	until map[string]time.Time // of each silence
	errs  []error              // of the next calls; then none
}

func (o *outside) note(what string) error {
	o.told = append(o.told, what+" @"+time.Since(o.begin).Round(time.Second).String())
	if len(o.errs) == 0 {
		return nil
	}
	err := o.errs[0]
	o.errs = o.errs[1:]
	return err
}

func (o *outside) Ask(_ context.Context, q playbook.Inquiry, env []string) (health.Verdict, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.note("ask " + q.Name); err != nil {
		return health.Unknown, err.Error()
	}
	return health.Pass, strings.Join(env, " ")
}

func (o *outside) Silence(_ context.Context, m playbook.Mute, v health.Vars, key string, until time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.note("silence " + m.Name + " " + v.Name); err != nil {
		return err
	}
	o.until[m.Name+key] = until
	return nil
}

func (o *outside) Unsilence(_ context.Context, m playbook.Mute, v health.Vars, key string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.note("unsilence " + m.Name + " " + v.Name); err != nil {
		return err
	}
	delete(o.until, m.Name+key)
	return nil
}

func update() patch.Update {
	return patch.Update{Name: "pr-plain", Arch: "all", From: "1.2-1", To: "1.3-1"}
}

// planOf is a plan for these hosts of a world, in one ring.
func planOf(names ...string) *plan.Plan {
	p := &plan.Plan{Playbook: "monthly", Site: "hq", Rings: []plan.Ring{{Name: "test"}, {Name: "prod"}}}
	for _, name := range names {
		p.Hosts = append(p.Hosts, plan.Host{ID: host(name), Ring: "test", Platform: "debian", Install: []patch.Update{update()}})
		p.Rings[0].Hosts = append(p.Rings[0].Hosts, host(name))
	}
	slices.SortFunc(p.Hosts, func(a, b plan.Host) int { return a.ID.Compare(b.ID) })
	return p
}

func service() []health.Check { return []health.Check{{Service: "app", Within: time.Second}} }

// budgeted puts hosts under one budget, with a check each.
func budgeted(p *plan.Plan, most int, names ...string) *plan.Plan {
	b := plan.Budget{Name: "group web", Most: most}
	for _, name := range names {
		b.Hosts = append(b.Hosts, host(name))
		p.Peers = append(p.Peers, plan.Peer{ID: host(name), Checks: service()})
	}
	p.Budgets = append(p.Budgets, b)
	return p
}

func (w *world) rig(p *plan.Plan, id string, change ...func(*Config)) *rig {
	c := Config{
		Plan: p, Hosts: map[fact.HostID]inventory.Host{}, Connect: w, Store: &shelf{}, Now: time.Now,
		Driver: func(name fact.Platform) (platform.Driver, bool) {
			switch name {
			case "switch":
				return lockless{}, true
			case "":
				return nil, false
			}
			return linux{}, true
		},
		Owner: platform.Owner{Rollout: id, By: id + "@laptop"},
	}
	for name := range w.machines {
		c.Hosts[name] = inventory.Host{ID: name}
	}
	for _, f := range change {
		f(&c)
	}
	return &rig{Performer: New(c, &rollout.State{}), world: w, try: 1}
}

// step performs one, and journals it.
func (r *rig) step(ctx context.Context, name string, id platform.StepID, mode rollout.Mode) (rollout.StepEnded, error) {
	if mode == rollout.Start {
		r.Learn(rollout.Event{Entry: rollout.StepStarted{Host: host(name), Step: id, Mode: mode, Try: r.try}})
	}
	entry, err := r.Perform(ctx, rollout.Task{Rollout: r.Owner.Rollout, Ring: "test", Host: host(name), Step: id, Mode: mode, Try: r.try, Back: r.back})
	if err != nil || ctx.Err() != nil {
		return rollout.StepEnded{}, err
	}
	end := entry.(rollout.StepEnded)
	r.Learn(rollout.Event{Entry: end})
	return end, nil
}

// killedAt begins a step, and its process is killed at the nth command; false: the step
// had ended before that.
func (r *rig) killedAt(t *testing.T, n int, name string, id platform.StepID) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.world.dies, r.world.die = r.world.commands+n, cancel
	_, _ = r.step(ctx, name, id, rollout.Start)
	return ctx.Err() != nil
}

func (r *rig) must(t *testing.T, name string, id platform.StepID) rollout.StepEnded {
	t.Helper()
	end, err := r.step(t.Context(), name, id, rollout.Start)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return end
}

// all performs begin and whatever follows, up to the first that is not ok.
func (r *rig) all(t *testing.T, name string) rollout.StepEnded {
	t.Helper()
	end := r.must(t, name, rollout.FlowBegin)
	if end.Outcome != rollout.OutcomeOK {
		return end
	}
	for _, id := range end.Began.Steps {
		if end = r.must(t, name, id); end.Outcome != rollout.OutcomeOK {
			return end
		}
	}
	return end
}

// restart is another process of the same operator, that has read the journal.
func (r *rig) restart() *rig {
	again := New(r.Config, &rollout.State{})
	maps.Copy(again.hosts, r.hosts)
	return &rig{Performer: again, world: r.world, try: r.try, back: r.back}
}

func want(t *testing.T, end rollout.StepEnded, outcome rollout.Outcome, says string) {
	t.Helper()
	if said := strings.Join(slices.Concat(end.Reasons, end.Notes), "; "); end.Outcome != outcome || !strings.Contains(said, says) {
		t.Errorf("%s: outcome %q (%s), want %q with %q", end.Step, end.Outcome, said, outcome, says)
	}
}

func down() error { return &fault.Error{Kind: fault.Retry, Code: fault.Unreachable, What: "no answer"} }
