package plan

import (
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

func TestWitnessesAreCalledOnlyForWhatALaterRingNeeds(t *testing.T) {
	t1, t2, p1 := fact.HostID{Site: "s", Name: "t1"}, fact.HostID{Site: "s", Name: "t2"}, fact.HostID{Site: "s", Name: "p1"}
	nginx := patch.Update{Name: "nginx", Arch: "amd64", From: "1", To: "2"}
	proof := func(domain, name, version string) patch.Proven {
		return patch.Proven{Domain: domain, Name: name, Arch: "amd64", Version: version}
	}
	d := &Draft{
		in: Input{Proved: map[fact.HostID][]patch.Proven{
			t1: {proof("debian 12", "nginx", "2"), proof("debian 12", "nginx", "1"), proof("debian 12", "curl", "9"), proof("debian 11", "nginx", "2")},
			t2: {proof("debian 12", "nginx", "2")},
			p1: {proof("debian 12", "nginx", "2")},
		}},
		rings: []draftRing{{Ring: playbook.Ring{Name: "test"}}, {Ring: playbook.Ring{Name: "production"}}},
	}
	p := &Plan{Hosts: []Host{
		{ID: p1, Ring: "production", Domain: "debian 12", Install: []patch.Update{nginx}},
		{ID: t1, Ring: "test", Domain: "debian 12"},
		{ID: t2, Ring: "test", Domain: "debian 12", Install: []patch.Update{nginx}},
	}}
	d.callWitnesses(p)
	if got := p.Hosts[1].Proved; len(got) != 1 || got[0] != proof("debian 12", "nginx", "2") {
		t.Errorf("t1 is called for %v; only nginx 2 of debian 12 is wanted behind it", got)
	}
	if p.Hosts[1].Idle() {
		t.Error("a witness is not idle")
	}
	if got := p.Hosts[2].Proved; got != nil {
		t.Errorf("t2 gives the proof by its own work, and is called for %v", got)
	}
	if got := p.Hosts[0].Proved; got != nil {
		t.Errorf("no ring comes after production, and p1 is called for %v", got)
	}
}
