package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

// staged writes a ring as "a b | c", a stroke between its stages.
func staged(r Ring) string {
	names := []string{}
	for _, id := range r.Hosts {
		names = append(names, id.Name)
	}
	var stages []string
	for _, n := range r.Stages {
		stages = append(stages, strings.Join(names[:n], " "))
		names = names[n:]
	}
	if len(r.Stages) == 0 {
		stages = append(stages, strings.Join(names, " "))
	}
	return strings.Join(stages, " | ")
}

func TestStages(t *testing.T) {
	type hosts = map[string]*inventory.Host
	unit := func(made hosts, unit string, names ...string) {
		for _, name := range names {
			made[name].Unit = unit
		}
	}
	tests := map[string]struct {
		change func(in *Input, made hosts)
		want   string
		note   string
	}{
		"by name alone":          {func(*Input, hosts) {}, "a b c d e", ""},
		"by the playbook":        {func(in *Input, _ hosts) { in.Playbook.Rings[1].Order = []string{"d", "*:!a", "a"} }, "d | b c e | a", ""},
		"the rest comes last":    {func(in *Input, _ hosts) { in.Playbook.Rings[1].Order = []string{"e", "b,c"} }, "e | b c | a d", ""},
		"a stage nobody is in":   {func(in *Input, _ hosts) { in.Playbook.Rings[1].Order = []string{"test", "c"} }, "c | a b d e", ""},
		"units side by side":     {func(_ *Input, m hosts) { unit(m, "pair", "a", "d") }, "a d b c e", ""},
		"a unit stays together":  {func(in *Input, m hosts) { unit(m, "pair", "a", "d"); in.Playbook.Rings[1].Order = []string{"a,c"} }, "c | a d b e", ""},
		"a unit comes late":      {func(in *Input, m hosts) { unit(m, "pair", "a", "d"); in.Playbook.Rings[1].Order = []string{"d,c"} }, "c | a d b e", ""},
		"a bastion":              {func(_ *Input, m hosts) { m["c"].Jump = []string{"ops@a:22"} }, "b c d e | a", ""},
		"a bastion by address":   {func(_ *Input, m hosts) { m["a"].Address = "2001:DB8::1"; m["c"].Jump = []string{"[2001:db8::1]:22"} }, "b c d e | a", ""},
		"a bastion elsewhere":    {func(_ *Input, m hosts) { m["c"].Jump = []string{"gate.example"} }, "a b c d e", ""},
		"the test ring's own":    {func(_ *Input, m hosts) { m["t1"].Jump = []string{"a"} }, "a b c d e", ""},
		"over the order":         {func(in *Input, m hosts) { m["c"].Jump = []string{"a"}; in.Playbook.Rings[1].Order = []string{"a"} }, "b c d e | a", ""},
		"on the path":            {func(_ *Input, m hosts) { m["c"].Via, m["d"].Via = []string{"b"}, []string{"b"} }, "a c d e | b", ""},
		"a chain, nearest first": {func(_ *Input, m hosts) { m["e"].Via, m["c"].Via = []string{"c"}, []string{"b"} }, "a d e | c | b", ""},
		"by way of another ring": {func(_ *Input, m hosts) { m["e"].Via, m["t1"].Via = []string{"t1"}, []string{"b"} }, "a c d e | b", ""},
		"a hook's target": {func(in *Input, _ hosts) {
			in.Playbook.Hooks = []playbook.Hook{{Hosts: "b,c", Action: playbook.Action{At: playbook.HookDrain, On: "a"}}}
		}, "b c d e | a", ""},
		"a hook on the host itself": {func(in *Input, _ hosts) {
			in.Playbook.Hooks = []playbook.Hook{{Hosts: "a", Action: playbook.Action{At: playbook.HookDrain, On: "a"}}}
		}, "a b c d e", ""},
		"the controller, last of all": {func(in *Input, m hosts) {
			m["c"].Jump = []string{"b"}
			in.Controller = func(f fact.Facts) bool { return f.Host.Name == "a" }
		}, "c d e | b | a", ""},
		"a pair of bastions": {func(_ *Input, m hosts) {
			unit(m, "gates", "a", "c")
			m["b"].Jump, m["d"].Via = []string{"a"}, []string{"c"}
		}, "b d e | a c", ""},
		"in a circle": {func(_ *Input, m hosts) { m["a"].Via, m["b"].Via = []string{"b"}, []string{"a"} }, "c d e | a | b", "a and b depend on each other"},
		"a torn unit": {func(_ *Input, m hosts) { unit(m, "pair", "t1", "d") }, "a b c d e", "unit pair stand in different rings: d in production, t1 in test"},
		"site's bastion": {func(in *Input, m hosts) {
			m["a"].Jump = []string{}
			in.Inventory = &inventory.Inventory{Sites: map[string]inventory.Site{"hq": {Jump: []string{"a"}}}}
		}, "b c d e | a", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in, made := small("a", "b", "c", "d", "e")
			tt.change(&in, made)
			settle(&in, made)
			p := build(t, in)
			if got := staged(p.Rings[1]); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if tt.note != "" && !noted(p, tt.note) {
				t.Errorf("notes %q, want %q", p.Notes, tt.note)
			}
		})
	}
}

func TestUnknownVia(t *testing.T) {
	in, made := small("a")
	made["a"].Via = []string{"nosuch"}
	settle(&in, made)
	_, err := Build(in)
	refused(t, err, "hq/a is said to be reached via nosuch")
}

func TestHopHost(t *testing.T) {
	for hop, want := range map[string]string{
		"gate": "gate", "ops@gate": "gate", "ops@gate:2222": "gate", "10.0.0.1:22": "10.0.0.1",
		"::1": "::1", "ops@[::1]:22": "::1", "[::1]": "::1", "a@b@gate": "gate",
	} {
		if got := hopHost(hop); got != want {
			t.Errorf("%s: %q, want %q", hop, got, want)
		}
	}
}

// Batches count units that have work; a pair is one.
func TestBatchesCountUnits(t *testing.T) {
	in, made := small("a", "b", "c", "d", "e")
	made["a"].Unit, made["b"].Unit = "pair", "pair"
	in.Facts[id("e")] = Found{Facts: debian(id("e"))}
	in.Playbook.Rings[1].Batches = []playbook.Size{{N: 1}, {N: 100, Percent: true}}
	settle(&in, made)
	p := build(t, in)
	if got := fmt.Sprint(p.Rings[1].Batches); got != "[1 2]" {
		t.Errorf("batches of three units: %s", got)
	}
	if at(t, p, "a").Unit != "pair" || at(t, p, "c").Unit != "" {
		t.Error("the plan does not know the units")
	}
}

// Whatever the fleet: every host stands in the plan once; stages hold all hosts; the
// members of a unit stand side by side, in one stage; what others need comes after them, alone.
func TestStagesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawFleet(t)
		p, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[fact.HostID]bool{}
		for _, r := range p.Rings {
			holdsOnce(t, r, seen)
			holdsUnits(t, p, r)
			holdsPaths(t, in, r)
		}
		if len(seen) != len(in.Inventory.Hosts) || len(p.Hosts) != len(seen) {
			t.Errorf("%d hosts in rings, %d in the plan, of %d", len(seen), len(p.Hosts), len(in.Inventory.Hosts))
		}
		for _, b := range p.Budgets {
			if b.Most < 1 || len(b.Hosts) == 0 || !slices.IsSortedFunc(b.Hosts, fact.HostID.Compare) {
				t.Errorf("budget %+v", b)
			}
		}
	})
}

// drawFleet draws units, paths that go to later names (so without circles), bastions,
// orders and work.
func drawFleet(t *rapid.T) Input {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}[:rapid.IntRange(1, 8).Draw(t, "hosts")]
	in, made := small(names...)
	for i, name := range names {
		h := made[name]
		h.Unit = rapid.SampledFrom([]string{"", "", "", "x", "y"}).Draw(t, "unit")
		if later := names[i+1:]; len(later) > 0 && rapid.IntRange(0, 3).Draw(t, "depends") == 0 {
			h.Via = []string{rapid.SampledFrom(later).Draw(t, "via")}
		}
		if rapid.Bool().Draw(t, "idle") {
			in.Facts[id(name)] = Found{Facts: debian(id(name))}
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "orders") {
		in.Playbook.Rings[1].Order = append(in.Playbook.Rings[1].Order, rapid.SampledFrom(names).Draw(t, "order"))
	}
	in.Playbook.Rings[1].Batches = []playbook.Size{{N: rapid.IntRange(0, 3).Draw(t, "first")}, {N: rapid.IntRange(0, 120).Draw(t, "then"), Percent: true}}
	settle(&in, made)
	in.Inventory.Budgets = []inventory.Budget{{Name: "all", Hosts: "*", Most: inventory.Size{N: rapid.IntRange(0, 100).Draw(t, "most"), Percent: rapid.Bool().Draw(t, "percent")}}}
	return in
}

func holdsOnce(t *rapid.T, r Ring, seen map[fact.HostID]bool) {
	for _, id := range r.Hosts {
		if seen[id] {
			t.Errorf("%s stands twice", id)
		}
		seen[id] = true
	}
	total := 0
	for _, n := range r.Stages {
		if n < 1 {
			t.Errorf("a stage of %d", n)
		}
		total += n
	}
	if len(r.Stages) > 0 && (total != len(r.Hosts) || len(r.Stages) < 2) {
		t.Errorf("stages %v of %d hosts", r.Stages, len(r.Hosts))
	}
}

func stageOf(r Ring, at int) int {
	for i, n := range r.Stages {
		if at -= n; at < 0 {
			return i
		}
	}
	return 0
}

func holdsUnits(t *rapid.T, p *Plan, r Ring) {
	last, sum, working := map[string]int{}, 0, map[string]bool{}
	for i, id := range r.Hosts {
		h, _ := p.Host(id)
		node := nodeOf(id.Name, h.Unit)
		if before, known := last[node]; known && (before != i-1 || stageOf(r, before) != stageOf(r, i)) {
			t.Errorf("unit %s is torn in %s", h.Unit, staged(r))
		}
		last[node] = i
		if h.Takes > 0 {
			working[node] = true
		}
	}
	for _, n := range r.Batches {
		sum += n
	}
	if sum != len(working) {
		t.Errorf("batches %v of %d units with work", r.Batches, len(working))
	}
}

// holdsPaths holds the ring against the inventory: no order can help a circle of units.
func holdsPaths(t *rapid.T, in Input, r Ring) {
	stages, members := map[string]int{}, map[int]map[string]bool{}
	for i, id := range r.Hosts {
		node := nodeOf(id.Name, in.unitOf(id))
		stages[node] = stageOf(r, i)
		if members[stages[node]] == nil {
			members[stages[node]] = map[string]bool{}
		}
		members[stages[node]][node] = true
	}
	needs := map[string]map[string]bool{}
	for _, h := range in.Inventory.Hosts {
		for _, via := range h.Via {
			on, _ := in.host(id(via))
			from, to := nodeOf(h.ID.Name, h.Unit), nodeOf(via, on.Unit)
			if needs[from] == nil {
				needs[from] = map[string]bool{}
			}
			needs[from][to] = from != to
		}
	}
	for _, from := range slices.Sorted(maps.Keys(needs)) {
		for to, other := range needs[from] {
			if !other || reaches(needs, to, from, map[string]bool{}) {
				continue
			}
			if _, here := stages[from]; here && (stages[to] <= stages[from] || len(members[stages[to]]) != 1) {
				t.Errorf("%s needs %s, in %s", from, to, staged(r))
			}
		}
	}
}

func reaches(needs map[string]map[string]bool, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for on, other := range needs[from] {
		if other && reaches(needs, on, to, seen) {
			return true
		}
	}
	return false
}
