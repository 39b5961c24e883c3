package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
)

// The worked examples of most.
func TestMost(t *testing.T) {
	for _, tt := range []struct {
		units int
		size  inventory.Size
		want  int
	}{
		{8, inventory.Size{N: 25, Percent: true}, 2}, {7, inventory.Size{N: 25, Percent: true}, 1}, {3, inventory.Size{N: 25, Percent: true}, 1},
		{100, inventory.Size{N: 10, Percent: true}, 10}, {8, inventory.Size{N: 2}, 2}, {8, inventory.Size{}, 1}, {8, inventory.Size{N: -3}, 1},
		{1, inventory.Size{N: 50, Percent: true}, 1}, {0, inventory.Size{N: 50, Percent: true}, 1}, {4, inventory.Size{N: 900, Percent: true}, 4},
	} {
		if got := most(tt.units, tt.size); got != tt.want {
			t.Errorf("%s of %d: %d, want %d", tt.size, tt.units, got, tt.want)
		}
	}
}

func TestBudgets(t *testing.T) {
	in, made := small("a", "b", "c", "d", "spare", "far")
	in.Playbook.Rings[1].Hosts = "all:!test:!spare:!far"
	made["a"].Unit, made["b"].Unit = "pair", "pair"
	made["c"].Unit = "single"
	made["spare"].Unit = "elsewhere"
	made["far"].Unit = "elsewhere"
	settle(&in, made)
	half := inventory.Size{N: 50, Percent: true}
	in.Inventory.Hosts = append([]inventory.Host{{ID: fact.HostID{Site: "acme", Name: "a"}}}, in.Inventory.Hosts...)
	in.Inventory.Sites["acme"] = inventory.Site{}
	in.Inventory.Budgets = []inventory.Budget{
		{Name: "everything", Hosts: "*", Most: half}, {Name: "a and b", Hosts: "hq/a,hq/b", Most: half},
		{Name: "outside", Hosts: "spare,far", Most: half}, {Name: "site acme", Hosts: "acme/*", Most: half},
	}
	p := build(t, in)
	var got []string
	for _, b := range p.Budgets {
		got = append(got, fmt.Sprint(b.Name, ": ", b.Most, " of ", b.Hosts, " ", b.Members))
	}
	want := "everything: 2 of [hq/a hq/b hq/c hq/d hq/far hq/spare hq/t1] false\n" + // five units
		"a and b: 1 of [hq/a hq/b] false\n" + // one unit
		"unit pair: 1 of [hq/a hq/b] true"
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("budgets\n%s\nwant\n%s", all, want)
	}
	var peers []string
	for _, peer := range p.Peers {
		peers = append(peers, peer.ID.Name+"/"+peer.Unit)
		if len(peer.Checks) != 1 || peer.Checks[0].Name != "ssh" {
			t.Errorf("%s is asked %v", peer.ID, peer.Checks)
		}
	}
	if all := strings.Join(peers, " "); all != "a/pair b/pair c/single d/ far/elsewhere spare/elsewhere t1/" {
		t.Errorf("peers %s", all)
	}
}

func TestBudgetOfNobodyKnown(t *testing.T) {
	in, made := small("a")
	settle(&in, made)
	in.Inventory.Budgets = []inventory.Budget{{Name: "x", Hosts: "nosuch", Where: "inventory.yaml:7"}}
	_, err := Build(in)
	refused(t, err, "inventory.yaml:7: budget x")
}

func TestQuarantine(t *testing.T) {
	in, made := small("a", "b", "c")
	settle(&in, made)
	in.Inventory.Budgets = []inventory.Budget{{Name: "all", Hosts: "*", Most: inventory.Size{N: 2}}}
	in.Quarantine = map[fact.HostID]Quarantined{
		id("a"):     {Owner: "omar", Until: now(), Reason: "dead"}, // its last second
		id("b"):     {Owner: "omar", Until: now().Add(-time.Second), Reason: "dead"},
		id("other"): {Owner: "omar", Until: now().Add(time.Hour)},
	}
	p := build(t, in)
	if len(p.Quarantined) != 1 || p.Quarantined[0].ID != id("a") || p.Quarantined[0].Ring != "production" || p.Quarantined[0].Owner != "omar" {
		t.Errorf("quarantined %+v", p.Quarantined)
	}
	if got := staged(p.Rings[1]); got != "b c" || len(p.Hosts) != 3 {
		t.Errorf("production is %s, hosts %v", got, p.Hosts)
	}
	for _, note := range []string{"quarantine of hq/b ended on 2026-11-21", "hq/a is in quarantine, and still counts as out in the budget of all, which allows 2"} {
		if !noted(p, note) {
			t.Errorf("notes %q, want %q", p.Notes, note)
		}
	}
	if noted(p, "are in no ring") {
		t.Error("a quarantined host is in a ring")
	}
	if len(p.Peers) != 4 {
		t.Errorf("a quarantined host is a peer all the same: %v", p.Peers)
	}
}

func TestQuarantineOfTheTestRing(t *testing.T) {
	in, made := small("a")
	settle(&in, made)
	in.Quarantine = map[fact.HostID]Quarantined{id("t1"): {Until: now().Add(time.Hour)}}
	_, err := Build(in)
	refused(t, err, "every host of the test ring test is in quarantine: hq/t1")
	in.Limit = []fact.HostID{id("a")} // then nobody asked for the test ring
	if _, err := Build(in); err != nil {
		t.Error(err)
	}
}

func TestHooksAndSilences(t *testing.T) {
	in, made := small("a", "b", "lb1")
	in.Playbook.Rings[1].Hosts = "a,b"
	in.Playbook.Hooks = []playbook.Hook{
		{Hosts: "b,a,lb1", Action: playbook.Action{Name: "one", On: "lb1"}}, {Hosts: "lb1", Action: playbook.Action{Name: "nobody", On: "host"}},
		{Hosts: "a", Action: playbook.Action{Name: "two", On: "hq/lb1"}}, {Hosts: "*", Action: playbook.Action{Name: "three", On: "controller"}},
	}
	in.Playbook.Silences = []playbook.Silence{{Hosts: "lb1"}, {Hosts: "*", Mute: playbook.Mute{Name: "alerts"}}}
	settle(&in, made)
	p := build(t, in)
	var got []string
	for _, h := range p.Hooks {
		got = append(got, fmt.Sprint(h.Name, " ", h.Hosts, " on ", h.On))
	}
	if all := strings.Join(got, ", "); all != "one [hq/a hq/b] on hq/lb1, two [hq/a] on hq/lb1, three [hq/a hq/b hq/t1] on controller" {
		t.Errorf("hooks %s", all)
	}
	if len(p.Silences) != 1 || fmt.Sprint(p.Silences[0].Hosts) != "[hq/a hq/b hq/t1]" {
		t.Errorf("silences %+v", p.Silences)
	}
	for _, on := range []string{"nosuch", "acme/lb1"} {
		in.Playbook.Hooks[0].On = on
		_, err := Build(in)
		refused(t, err, "hook one runs on "+on)
	}
}
