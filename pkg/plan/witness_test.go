package plan

import (
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

func TestHostsAreLookedAtAgainWhereNeededOrInDoubt(t *testing.T) {
	id := func(name string) fact.HostID { return fact.HostID{Site: "s", Name: name} }
	nginx := patch.Update{Name: "nginx", Arch: "amd64", From: "1", To: "2"}
	proof := func(domain, name, version string) patch.Proven {
		return patch.Proven{Domain: domain, Name: name, Arch: "amd64", Version: version}
	}
	wanted := proof("debian 12 amd64", "nginx", "2")
	d := &Draft{
		in: Input{Past: map[fact.HostID]Recheck{
			id("witness"): {Rollout: "r1", Proved: []patch.Proven{wanted, proof("debian 12 amd64", "nginx", "1"), proof("debian 12 amd64", "curl", "9"), proof("debian 11", "nginx", "2")}},
			id("worker"):  {Rollout: "r1", Proved: []patch.Proven{wanted}},
			id("sick"):    {Rollout: "r1", Doubted: true},
			id("gone"):    {Rollout: "r1", Doubted: true},
			id("prod"):    {Rollout: "r1", Proved: []patch.Proven{wanted}},
		}},
		rings: []draftRing{{Ring: playbook.Ring{Name: "test"}}, {Ring: playbook.Ring{Name: "production"}}},
	}
	host := func(name, ring string, install ...patch.Update) Host {
		return Host{ID: id(name), Ring: ring, Domain: "debian 12 amd64", Install: install}
	}
	p := &Plan{Hosts: []Host{host("witness", "test"), host("worker", "test", nginx), host("sick", "test"), host("gone", "test"), host("prod", "production", nginx), host("new", "test")}}
	p.Hosts[3].Problem = &Problem{What: "unreachable"}
	d.recheck(p)
	for i, want := range []struct {
		again, doubted bool
		proved         int
	}{{true, false, 1}, {false, false, 0}, {true, true, 0}, {false, false, 0}, {false, false, 0}, {false, false, 0}} {
		h := p.Hosts[i]
		if (h.Recheck != nil) != want.again || want.again && (h.Recheck.Doubted != want.doubted || len(h.Recheck.Proved) != want.proved) {
			t.Errorf("%s: %+v, want %+v", h.ID, h.Recheck, want)
		}
		if h.Idle() != (h.Recheck == nil && len(h.Install) == 0) {
			t.Errorf("%s: idle is %v", h.ID, h.Idle())
		}
	}
	if got := p.Hosts[0].Witness(); len(got) != 1 || got[0].Name != "nginx" || got[0].To != "2" {
		t.Errorf("the witness vouches for %v", got)
	}
}
