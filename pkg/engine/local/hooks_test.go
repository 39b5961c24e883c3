package local

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// hooked gives host a every kind of hook: two drains on lb and on the host itself, one
// before on the controller, one after as root.
func hooked(p *plan.Plan) *plan.Plan {
	add := func(name string, a playbook.Action) {
		a.Name, a.Within = name, time.Minute
		p.Hooks = append(p.Hooks, plan.Hook{Hosts: []fact.HostID{host("a")}, Action: a})
	}
	add("ticket", playbook.Action{At: playbook.HookBefore, On: playbook.OnController, Argv: []string{"ticket"}})
	add("pool", playbook.Action{At: playbook.HookDrain, On: "hq/lb", Argv: []string{"lbctl", "drain"}, Undo: []string{"lbctl", "enable"}})
	add("agent", playbook.Action{At: playbook.HookDrain, On: playbook.OnHost, Argv: []string{"agent", "off"}, Undo: []string{"agent", "on"}})
	add("mail", playbook.Action{At: playbook.HookDrain, On: playbook.OnController, Argv: []string{"mail"}}) // owes nothing back
	add("smoke", playbook.Action{At: playbook.HookAfter, On: playbook.OnHost, Become: true, Argv: []string{"smoke"}})
	p.Hooks = append(p.Hooks, plan.Hook{Hosts: []fact.HostID{host("z")}, Action: playbook.Action{Name: "not ours", At: playbook.HookBefore, On: playbook.OnHost, Argv: []string{"x"}, Within: time.Minute}})
	return p
}

func hookWorld(t *testing.T) (*world, *machine, func(*Config)) {
	t.Helper()
	w := newWorld(t, "a", "lb")
	here := &machine{world: w, jobs: map[string]int{}, fails: map[string]int{}}
	return w, here, func(c *Config) { c.Controller = here }
}

func TestHooksInTheirOrder(t *testing.T) {
	w, here, controller := hookWorld(t)
	r := w.rig(hooked(planOf("a")), "r1", controller)
	begin := r.must(t, "a", rollout.FlowBegin)
	wantSteps := []platform.StepID{"before", "stage", "hook_before", "drain", "install", "verify", "check", "undrain", "hook_after", "end"}
	if !slices.Equal(begin.Began.Steps, wantSteps) {
		t.Fatalf("got %q", begin.Began.Steps)
	}
	for _, id := range begin.Began.Steps {
		want(t, r.must(t, "a", id), rollout.OutcomeOK, "")
	}
	for name, c := range map[string]struct {
		on   *machine
		want string
	}{
		"host":       {w.at("a"), "take; job 2drain; install; job 2undrain; job 4after; give"},
		"lb":         {w.at("lb"), "job 1drain; job 1undrain"},
		"controller": {here, "job 0before; job 3drain"},
	} {
		if got := strings.Join(c.on.effects, "; "); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if w.at("lb").looks > 0 {
		t.Error("the lock of the host that a hook runs on was looked at")
	}
}

// Killed at any command of any of these steps, the next process carries on, and no
// program of the user's runs twice.
func TestHooksAfterACrash(t *testing.T) {
	for _, step := range []platform.StepID{rollout.FlowHooks, rollout.FlowDrain, rollout.FlowUndrain, rollout.FlowHooksEnd} {
		for n, died := 1, true; died; n++ {
			synctest.Test(t, func(t *testing.T) {
				w, here, controller := hookWorld(t)
				r := w.rig(hooked(planOf("a")), "r1", controller)
				r.upTo(t, "a", step)
				died = r.killedAt(t, n, "a", step)
				end, err := r.restart().step(t.Context(), "a", step, rollout.Reconcile)
				if err != nil || end.Outcome != rollout.OutcomeOK {
					t.Errorf("%s, died at command %d: %v %+v", step, n, err, end)
				}
				for what, times := range count(w.at("a"), w.at("lb"), here) {
					if times != 1 {
						t.Errorf("%s, died at command %d: %s %d times", step, n, what, times)
					}
				}
			})
		}
	}
}

// upTo performs everything before a step.
func (r *rig) upTo(t *testing.T, name string, step platform.StepID) {
	t.Helper()
	for _, id := range r.must(t, name, rollout.FlowBegin).Began.Steps {
		if id == step {
			return
		}
		want(t, r.must(t, name, id), rollout.OutcomeOK, "")
	}
}

func count(machines ...*machine) map[string]int {
	effects := map[string]int{}
	for _, m := range machines {
		for _, effect := range m.effects {
			effects[effect]++
		}
	}
	return effects
}

func TestHooksThatDoNotSucceed(t *testing.T) {
	for name, c := range map[string]struct {
		step    platform.StepID
		set     func(w *world, here *machine)
		conf    func(*Config)
		outcome rollout.Outcome
		says    string
		effects string // on the host, from this step on
	}{
		"drain fails": {rollout.FlowDrain, func(w *world, _ *machine) { w.at("lb").fails["1drain"] = 3 }, nil,
			rollout.OutcomeFailed, "pool failed (exit status 3); it said so", ""},
		"the second drain fails": {rollout.FlowDrain, func(w *world, _ *machine) { w.at("a").fails["2drain"] = 3 }, nil,
			rollout.OutcomeFailed, "agent failed", "job 2drain"},
		"nobody can tell how the drain stands": {rollout.FlowDrain, func(w *world, _ *machine) { w.at("lb").auth = true }, nil,
			rollout.OutcomeUnknown, "no key fits", ""},
		"its host is gone": {rollout.FlowDrain, nil, func(c *Config) { delete(c.Hosts, host("lb")) },
			rollout.OutcomeFailed, "the host hq/lb, on which it is to run, is not in the inventory", ""},
		"no controller": {rollout.FlowHooks, nil, func(c *Config) { c.Controller = nil }, rollout.OutcomeFailed, "on the controller", ""},
		"before fails":  {rollout.FlowHooks, func(_ *world, here *machine) { here.fails["0before"] = 1 }, nil, rollout.OutcomeFailed, "ticket failed", ""},
		"after fails":   {rollout.FlowHooksEnd, func(w *world, _ *machine) { w.at("a").fails["4after"] = 1 }, nil, rollout.OutcomeFailed, "smoke failed", "job 4after"},
		"undoing fails, and stops there": {rollout.FlowUndrain, func(w *world, _ *machine) { w.at("a").fails["2undrain"] = 1 }, nil,
			rollout.OutcomeFailed, "agent failed", "job 2undrain"},
		"the lock is another's": {rollout.FlowUndrain, func(w *world, _ *machine) { w.at("a").lock = ownedBy("r9", "a") }, nil,
			rollout.OutcomeUnknown, "no longer ours", ""},
		"the lock is gone": {rollout.FlowDrain, func(w *world, _ *machine) { w.at("a").lock = "" }, nil, rollout.OutcomeUnknown, "no longer ours", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, here, controller := hookWorld(t)
				r := w.rig(hooked(planOf("a")), "r1", controller, orNone(c.conf))
				r.must(t, "a", rollout.FlowBegin)
				if c.set != nil {
					c.set(w, here)
				}
				at := len(w.at("a").effects)
				want(t, r.must(t, "a", c.step), c.outcome, c.says)
				if got := strings.Join(w.at("a").effects[at:], "; "); got != c.effects {
					t.Errorf("on the host: %q", got)
				}
				if name == "undoing fails, and stops there" && len(w.at("lb").effects) > 0 {
					t.Error("it went on")
				}
			})
		})
	}
}

// A later try runs the hooks anew; so do another host and another rollout, though all
// their jobs lie in one folder.
func TestJobsOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, rolloutID := range []string{"r1", "r2", "2026-11-21-monthly-security-7f3a", strings.Repeat("ö", 50)} {
		for _, name := range []string{"a", "b"} {
			for _, try := range []int{0, 2, 99} {
				w := &work{task: rollout.Task{Rollout: rolloutID, Host: host(name), Try: try}}
				for _, kind := range []string{"before", "drain", "undrain", "after"} {
					for _, at := range []int{0, 1, 999} {
						id := w.jobID(at, kind)
						if _, err := job.Home().Start(job.Spec{ID: id, Argv: []string{"x"}}); err != nil || seen[id] {
							t.Errorf("%q: %v, seen %v", id, err, seen[id])
						}
						seen[id] = true
					}
				}
			}
		}
	}
}

// Hosts of one rollout meet in one load balancer's job folder: 5,000 of them share no name.
func TestKeysDoNotMeet(t *testing.T) {
	keys := map[string]bool{}
	for i := range 5000 {
		w := &work{task: rollout.Task{Rollout: "r1", Host: fact.HostID{Site: "hq", Name: "web-" + time.Duration(i).String()}}}
		keys[w.key()] = true
	}
	if len(keys) != 5000 {
		t.Errorf("%d keys for 5000 hosts", len(keys))
	}
}

// A load balancer that is gone for a moment is waited for; one that stays away leaves
// the drain in doubt.
func TestHookHostThatIsGone(t *testing.T) {
	for away, outcome := range map[time.Duration]rollout.Outcome{time.Minute: rollout.OutcomeOK, time.Hour: rollout.OutcomeUnknown} {
		synctest.Test(t, func(t *testing.T) {
			w, _, controller := hookWorld(t)
			r := w.rig(hooked(planOf("a")), "r1", controller)
			r.upTo(t, "a", rollout.FlowDrain)
			w.at("lb").down = true
			back := time.AfterFunc(away, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.at("lb").down = false
			})
			defer back.Stop()
			begin := time.Now()
			if end := r.must(t, "a", rollout.FlowDrain); end.Outcome != outcome || time.Since(begin) > 10*time.Minute {
				t.Errorf("away for %s: %+v after %s", away, end, time.Since(begin))
			}
		})
	}
}

func TestDrainThenWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, here, controller := hookWorld(t)
		p := hooked(planOf("a"))
		p.Hooks[1].Wait = &playbook.Wait{Argv: []string{"lbctl", "empty"}, Within: time.Minute}
		r := w.rig(p, "r1", controller)
		r.must(t, "a", rollout.FlowBegin)
		end := r.must(t, "a", rollout.FlowDrain)
		if end.Outcome == rollout.OutcomeOK { // the made-up host can't tell
			t.Error("nobody waited")
		}
		all := slices.Concat(slices.Collect(maps.Keys(w.at("lb").jobs)), slices.Collect(maps.Keys(here.jobs)))
		if len(all) != 2 {
			t.Errorf("all drains come before the first wait, got %q", all)
		}
	})
}
