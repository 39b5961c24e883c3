package local

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

const theirs = `{"rollout":"r9","host":"hq/b","by":"omar@ci","since":"2026-11-21T22:00:00Z"}`

func TestPeersThatAreOut(t *testing.T) {
	const free = ""
	for name, c := range map[string]struct {
		peer func(*machine)
		plan func(*plan.Plan)
		conf func(*Config)
		says string // empty: it may start
	}{
		"well":                    {},
		"unreachable":             {peer: func(m *machine) { m.down = true }, says: "hq/b unreachable"},
		"nobody may log in":       {peer: func(m *machine) { m.auth = true }, says: "no key fits"},
		"locked by another":       {peer: func(m *machine) { m.lock = theirs }, says: "locked by rollout r9 of omar@ci"},
		"locked by this rollout":  {peer: func(m *machine) { m.lock = `{"rollout":"r1","host":"hq/b"}` }},
		"ours under another name": {peer: func(m *machine) { m.lock = `{"rollout":"r1","host":"hq/c","by":"jane"}` }, says: "locked by rollout r1 of jane"},
		"lock can't be told":      {peer: func(m *machine) { m.muddled = true }, says: "its lock can't be looked at: the lock can't be understood"},
		"check fails":             {peer: func(m *machine) { m.sick = true }, says: "service app: fail: failed"},
		"check can't be told":     {peer: func(m *machine) { m.loses = 2 }, says: "service app: unknown: the host can't be asked"},
		"connection lost once":    {peer: func(m *machine) { m.loses = 1 }},
		"not in the inventory":    {conf: func(c *Config) { delete(c.Hosts, host("b")) }, says: "no longer in the inventory"},
		"no lock on its platform": {plan: func(p *plan.Plan) { p.Hosts[1].Platform = "switch" }, says: "can keep no lock"},
		"outside the rings":       {plan: func(p *plan.Plan) { p.Hosts = p.Hosts[:1] }},
		"outside the rings, gone": {plan: func(p *plan.Plan) { p.Hosts = p.Hosts[:1] }, peer: func(m *machine) { m.down = true }, says: "hq/b unreachable"},
		"of no known platform":    {plan: func(p *plan.Plan) { p.Hosts = p.Hosts[:1] }, peer: func(m *machine) { m.probe = "?" }, says: "can keep no lock"},
		"known to be out": {conf: func(c *Config) {
			c.Out = func() map[fact.HostID]string { return map[fact.HostID]string{host("b"): "at work"} }
		}, says: "hq/b at work"},
		"of the same unit":  {peer: func(m *machine) { m.down = true }, conf: sameUnit},
		"enough for both":   {peer: func(m *machine) { m.down = true }, plan: func(p *plan.Plan) { p.Budgets[0].Most = 2 }},
		"of another budget": {peer: func(m *machine) { m.down = true }, plan: func(p *plan.Plan) { p.Budgets[0].Hosts = p.Budgets[0].Hosts[1:] }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "b")
				p := budgeted(planOf("a", "b"), 1, "a", "b")
				if c.peer != nil {
					c.peer(w.at("b"))
				}
				if c.plan != nil {
					c.plan(p)
				}
				before := w.at("b").lock
				end := w.rig(p, "r1", orNone(c.conf)).must(t, "a", rollout.FlowBegin)
				if c.says == free {
					want(t, end, rollout.OutcomeOK, "")
					return
				}
				want(t, end, rollout.OutcomeBack, c.says)
				want(t, end, rollout.OutcomeBack, "budget of group web: 1 of 1 out")
				if seen := end.Out["hq/b"]; strings.HasPrefix(c.says, rollout.LockedBy) && !strings.HasPrefix(seen, rollout.LockedBy) {
					t.Errorf("rollout tells a lock that passes by its first words, and got %q", seen)
				}
				if w.at("a").lock != "" {
					t.Error("it stepped back and left its lock")
				}
				if len(w.at("b").effects) > 0 || w.at("b").lock != before {
					t.Errorf("a look changed the peer: %q", w.at("b").effects)
				}
			})
		})
	}
}

func orNone(f func(*Config)) func(*Config) {
	if f == nil {
		return func(*Config) {}
	}
	return f
}

func sameUnit(c *Config) {
	sameUnitOf(c, "a", "pair")
	sameUnitOf(c, "b", "pair")
}

func sameUnitOf(c *Config, name, unit string) {
	if c.Hosts == nil {
		c.Hosts = map[fact.HostID]inventory.Host{}
	}
	h := inventory.Host{ID: host(name)}
	h.Unit = unit
	c.Hosts[h.ID] = h
}

func TestBackSaysWhoIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c", "d")
		w.at("b").down, w.at("c").sick = true, true
		end := w.rig(budgeted(planOf("a", "b", "c", "d"), 2, "a", "b", "c", "d"), "r1").must(t, "a", rollout.FlowBegin)
		want(t, end, rollout.OutcomeBack, "2 of 2 out")
		if len(end.Out) != 2 || end.Out["hq/b"] != "unreachable" || !strings.Contains(end.Out["hq/c"], "fail") || end.Began != nil {
			t.Errorf("got %+v", end)
		}
	})
}

// A host that no budget counts, or whose budget can't be used up, costs nobody a look.
func TestNoBudgetNoLooks(t *testing.T) {
	for name, p := range map[string]*plan.Plan{
		"none":               planOf("a", "b"),
		"of others":          budgeted(planOf("a", "b"), 1, "b"),
		"more than there is": budgeted(planOf("a", "b"), 2, "a", "b"),
	} {
		w := newWorld(t, "a", "b")
		want(t, w.rig(p, "r1").must(t, "a", rollout.FlowBegin), rollout.OutcomeOK, "")
		if m := w.at("b"); m.looks+m.asked > 0 {
			t.Errorf("%s: the peer was looked at", name)
		}
	}
}

// What has nothing to do does not look either.
func TestNothingToDoNoLooks(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.at("a").installed = true
	want(t, w.rig(budgeted(planOf("a", "b"), 1, "a", "b"), "r1").must(t, "a", rollout.FlowBegin), rollout.OutcomeNothing, "")
	if w.at("b").looks > 0 {
		t.Error("the peer was looked at")
	}
}

func TestLooksAreSharedButNeverOlderThanTheOwnLock(t *testing.T) {
	l := newLooks()
	seen := 0
	see := func() string { seen++; return strconv.Itoa(seen) }
	first := l.mark()
	for range 2 {
		if got := l.after(t.Context(), first, host("b"), see); got != "1" {
			t.Errorf("got look %s", got)
		}
	}
	second := l.mark()
	if got := l.after(t.Context(), second, host("b"), see); got != "2" {
		t.Errorf("a lock taken later got look %s", got)
	}
	if got := l.after(t.Context(), first, host("b"), see); got != "2" || seen != 2 {
		t.Errorf("a younger look is as good: got %s of %d", got, seen)
	}
}

// A begin does not take the look of another that is still under way, if that began
// before its own lock.
func TestLookUnderWayIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLooks()
		hold := make(chan struct{})
		var all sync.WaitGroup
		old := l.mark()
		all.Go(func() { l.after(t.Context(), old, host("b"), func() string { <-hold; return "old" }) })
		synctest.Wait()
		if got := l.after(t.Context(), l.mark(), host("b"), func() string { return "new" }); got != "new" {
			t.Errorf("got %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := l.after(ctx, old, host("c"), func() string { return "" }); got != "" {
			t.Errorf("its own look: %q", got)
		}
		close(hold)
		all.Wait()
	})
}

// Two operators with a state folder each, two hosts of one budget: whatever happens in
// which order, never do both proceed; and who steps back leaves no lock.
func TestNeverBothProceed(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "a", "b")
			w.draw = rand.New(rand.NewPCG(seed, 1))
			p := budgeted(planOf("a", "b"), 1, "a", "b")
			jane, omar := w.rig(p, "r1"), w.rig(p, "r2")
			var first, second rollout.StepEnded
			var all sync.WaitGroup
			all.Go(func() { first, _ = jane.step(t.Context(), "a", rollout.FlowBegin, rollout.Start) })
			all.Go(func() {
				pause(t.Context(), time.Duration(seed%7)*50*time.Millisecond)
				second, _ = omar.step(t.Context(), "b", rollout.FlowBegin, rollout.Start)
			})
			all.Wait()
			ends[string(first.Outcome)+" "+string(second.Outcome)]++
			for name, end := range map[string]rollout.StepEnded{"a": first, "b": second} {
				if (end.Outcome == rollout.OutcomeOK) != (w.at(name).lock != "") || end.Outcome != rollout.OutcomeOK && end.Outcome != rollout.OutcomeBack {
					t.Errorf("seed %d: %s: outcome %q %v, lock %q", seed, name, end.Outcome, end.Reasons, w.at(name).lock)
				}
			}
		})
	}
	if ends["ok ok"] > 0 {
		t.Errorf("both proceeded: %v", ends)
	}
	if ends["ok back"] == 0 || ends["back ok"] == 0 || ends["back back"] == 0 {
		t.Errorf("the interleavings are too few to prove anything: %v", ends)
	}
}

// A begin whose process died is performed again: whatever was done, the lock is taken
// once, and the peers are looked at anew.
func TestBeginAfterACrash(t *testing.T) {
	for n, died := 1, true; died; n++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "a", "b")
			r := w.rig(budgeted(planOf("a", "b"), 1, "a", "b"), "r1")
			died = r.killedAt(t, n, "a", rollout.FlowBegin)
			looks := w.at("b").looks
			end, err := r.restart().step(t.Context(), "a", rollout.FlowBegin, rollout.Reconcile)
			if err != nil || end.Outcome != rollout.OutcomeOK || strings.Join(w.at("a").effects, " ") != "take" || w.at("b").looks == looks {
				t.Errorf("died at command %d: %v, %+v, %q", n, err, end, w.at("a").effects)
			}
			if !died && n < 6 {
				t.Errorf("a begin of only %d commands", n-1)
			}
		})
	}
}

func TestLooksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"a"}
		for i := range 30 {
			names = append(names, "p"+strconv.Itoa(10+i))
		}
		w := newWorld(t, names...)
		w.draw = rand.New(rand.NewPCG(1, 1))
		r := w.rig(budgeted(planOf(names...), 1, names...), "r1", func(c *Config) { c.Concurrency = 3 })
		begin := time.Now()
		want(t, r.must(t, "a", rollout.FlowBegin), rollout.OutcomeOK, "")
		if took := time.Since(begin); took < time.Second {
			t.Errorf("30 peers, 3 at a time, took %s", took)
		}
	})
}
