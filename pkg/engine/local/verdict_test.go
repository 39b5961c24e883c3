package local

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// scene is a host under some budgets, and who of its peers is out, known or seen.
type scene struct {
	budgets     []plan.Budget
	units       map[string]string
	known, seen map[fact.HostID]string
}

func drawScene(t *rapid.T) scene {
	s := scene{units: map[string]string{}, known: map[fact.HostID]string{}, seen: map[fact.HostID]string{}}
	names := []string{"a"}
	for i := range rapid.IntRange(1, 9).Draw(t, "peers") {
		names = append(names, "p"+strconv.Itoa(i))
	}
	for _, name := range names {
		if unit := rapid.SampledFrom([]string{"", "", "red", "blue"}).Draw(t, "unit of "+name); unit != "" {
			s.units["hq/"+name] = unit
		}
		if name == "a" {
			continue
		}
		switch rapid.IntRange(0, 5).Draw(t, "state of "+name) {
		case 0:
			s.known[host(name)] = "at work"
		case 1, 2:
			s.seen[host(name)] = "unreachable"
		}
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "budgets") {
		b := plan.Budget{Name: "group " + strconv.Itoa(i), Hosts: []fact.HostID{host("a")}, Most: rapid.IntRange(1, 4).Draw(t, "most"), Members: rapid.Bool().Draw(t, "members")}
		for _, name := range names[1:] {
			if rapid.Bool().Draw(t, name+" in it") {
				b.Hosts = append(b.Hosts, host(name))
			}
		}
		s.budgets = append(s.budgets, b)
	}
	return s
}

// Whoever is out, and in whatever order the answers come: to stop early says the same as
// to look at everybody, and nobody is looked at who is known to be out.
func TestStoppingEarlyNeverChangesTheVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		all := maps.Clone(s.known)
		maps.Copy(all, s.seen)
		_, exceeded := rollout.Exceeds(s.budgets, s.units, host("a"), all)

		v, out := newVerdict(s.budgets, s.units, host("a"), s.known), maps.Clone(s.known)
		var flying []fact.HostID
		for {
			id, more := v.next()
			if more {
				flying = append(flying, id)
			}
			if why, known := s.known[id]; more && (known || id == host("a")) {
				t.Fatalf("%s is looked at: %s", id, why)
			}
			if !more && len(flying) == 0 {
				break
			}
			if more && len(flying) < 4 && rapid.Bool().Draw(t, "another beside it") {
				continue
			}
			i := rapid.IntRange(0, len(flying)-1).Draw(t, "answers")
			id = flying[i]
			flying = slices.Delete(flying, i, i+1)
			why, gone := s.seen[id]
			if v.saw(id, gone); gone {
				out[id] = why
			}
		}
		if !v.decided() || v.may() == exceeded {
			t.Fatalf("decided %v, may %v; by all looks it is exceeded: %v\n%+v", v.decided(), v.may(), exceeded, s)
		}
		if _, is := rollout.Exceeds(s.budgets, s.units, host("a"), out); is != exceeded {
			t.Fatalf("what was seen does not say why: %v", out)
		}
	})
}

// The looks of one begin: no more than can change what is decided.
func TestOnlyAsManyLooksAsNeeded(t *testing.T) {
	names := []string{"a"}
	for i := range 19 {
		names = append(names, "p"+strconv.Itoa(10+i))
	}
	for name, c := range map[string]struct {
		most, small int // small: a second budget of so many of them
		down        []string
		looks       int
		outcome     rollout.Outcome
	}{
		"all but one":          {most: 1, looks: 19, outcome: rollout.OutcomeOK},
		"half of them":         {most: 10, looks: 10, outcome: rollout.OutcomeOK},
		"any, the last one":    {most: 19, looks: 1, outcome: rollout.OutcomeOK},
		"nobody":               {most: 20, looks: 0, outcome: rollout.OutcomeOK},
		"half, and three down": {most: 10, down: names[1:4], looks: 13, outcome: rollout.OutcomeOK},
		"used up at once":      {most: 3, down: names[1:4], looks: 3, outcome: rollout.OutcomeBack},
		"the small one first":  {most: 10, small: 3, down: names[18:], looks: 1, outcome: rollout.OutcomeBack},
		"the big one can't be": {most: 20, small: 3, looks: 2, outcome: rollout.OutcomeOK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, names...)
				p := budgeted(planOf(names...), c.most, names...)
				if c.small > 0 {
					p.Budgets = append(p.Budgets, plan.Budget{Name: "pair", Most: 1, Hosts: []fact.HostID{host("a"), host("p27"), host("p28")}})
				}
				p.Peers = slices.Clone(p.Peers)
				for _, gone := range c.down {
					w.at(gone).muddled = true
				}
				r := w.rig(p, "r1", func(c *Config) { c.Concurrency = 1 })
				want(t, r.must(t, "a", rollout.FlowBegin), c.outcome, "")
				looks := 0
				for id, m := range w.machines {
					if id != host("a") {
						looks += min(m.looks, 1)
					}
				}
				if looks != c.looks {
					t.Errorf("%d peers were looked at, want %d", looks, c.looks)
				}
			})
		})
	}
}

// Who is out by what is known (at work, in quarantine) counts whatever it would answer,
// and is left alone.
func TestKnownToBeOutIsNeverLookedAt(t *testing.T) {
	for _, most := range []int{1, 2} {
		w := newWorld(t, "a", "b", "c")
		r := w.rig(budgeted(planOf("a", "b", "c"), most, "a", "b", "c"), "r1", func(c *Config) {
			c.Out = func() map[fact.HostID]string {
				return map[fact.HostID]string{host("b"): "in quarantine: disk on order", host("elsewhere"): "at work"}
			}
		})
		end := r.must(t, "a", rollout.FlowBegin)
		if most == 1 {
			want(t, end, rollout.OutcomeBack, "budget of group web: 1 of 1 out (hq/b in quarantine: disk on order)")
		} else {
			want(t, end, rollout.OutcomeOK, "")
		}
		if m := w.at("b"); m.looks+m.asked > 0 || (w.at("c").looks > 0) != (most == 2) {
			t.Errorf("of %d: b was looked at %d times, c %d", most, m.looks, w.at("c").looks)
		}
	}
}

// Begins side by side share their looks also where they stop early.
func TestEarlyStopsShareLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c", "d")
		w.draw = rand.New(rand.NewPCG(1, 3))
		r := w.rig(budgeted(planOf("a", "b", "c", "d"), 2, "a", "b", "c", "d"), "r1")
		mark := r.looks.mark()
		for range 5 {
			v := newVerdict(r.Plan.Budgets, r.units, host("a"), nil)
			if out := r.lookUntil(t.Context(), v, mark); len(out) > 0 || !v.may() {
				t.Errorf("out %v", out)
			}
		}
		if n := w.at("b").looks; n != 1 {
			t.Errorf("b was looked at %d times", n)
		}
	})
}
