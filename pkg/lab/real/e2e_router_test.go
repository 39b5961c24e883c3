//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

const routers = `version: 1
name: routers
patches: [{hosts: edge, packages: {kind: security}}]
rings: [{name: test, hosts: edge, failure_limit: 0}]
checks: [{hosts: "*", default_diff: true, within: 15s}]
`

const (
	newFRR = "9.9.9-1~lab"
	// away is a neighbour that was never there: no fault of an update.
	away = "10.99.0.200"
)

// newRouters are three real FRR routers of three systems, each a neighbour of both others,
// and an update of FRR itself, with Debian's own scripts and then one line more.
func newRouters(t *testing.T, post string) (*real.Lab, []*real.Host) {
	t.Helper()
	lab := real.New(t)
	one := lab.Host("edge-1", real.Router(65001, away), real.Install())
	two := lab.Host("edge-2", real.Router(65002, one.Address), real.Install())
	core := lab.Host("core-1", real.Router(65000, one.Address, two.Address), real.Install())
	for suite, p := range map[string]real.Package{
		real.Base: lab.Rebuilt(real.Route, "frr", "", ""), real.Security: lab.Rebuilt(real.Route, "frr", newFRR, post),
	} {
		if err := lab.Repo.Publish(t.Context(), suite, p); err != nil {
			t.Fatal(err)
		}
	}
	return lab, []*real.Host{one, two, core}
}

// meshed waits until each of them has both others.
func meshed(all []*real.Host) {
	for _, h := range all {
		h.Await("both of its neighbours", func() bool { return len(h.Neighbours()) == len(all)-1 })
	}
}

// FRR itself is updated on two routers, one after the other. The sessions are lost for a
// moment, and come back; a neighbour that was down before is no fault.
func TestRoutersKeepTheirNeighbours(t *testing.T) {
	lab, all := newRouters(t, "systemctl restart frr.service")
	core := all[2]
	d := newDesk(t, lab, routers, nil)
	meshed(all)

	d.run(0)
	for _, h := range all[:2] {
		wantVersion(t, h, "frr", newFRR)
		wantUnlocked(t, h)
		if got := h.Neighbours(); len(got) != 2 {
			t.Errorf("%s has the neighbours %v, want two", h.Name, got)
		}
		d.wantSeen(h, "default_diff bgp_neighbours", "2 before, 2 after")
	}
	for address, dropped := range core.Neighbours() {
		if dropped == 0 {
			t.Errorf("core-1 never lost its session with %s: the update restarted nothing", address)
		}
		t.Logf("core-1 lost its session with %s %d times, and has it again", address, dropped)
	}
}

// The new version of FRR does not start bgpd any more: the first router has no neighbours
// after its update, and the second one is never touched.
func TestRouterThatLosesItsNeighboursHaltsTheRollout(t *testing.T) {
	lab, all := newRouters(t, "sed -i s/bgpd=yes/bgpd=no/ /etc/frr/daemons\nsystemctl restart frr.service")
	first, second, core := all[0], all[1], all[2]
	old := first.Version("frr")
	d := newDesk(t, lab, routers, nil)
	meshed(all)

	got := strings.Join(strings.Fields(d.run(4).out), " ")
	for _, want := range []string{"edge-1", "bgp_neighbours: fail: no longer established: " + second.Address + " ipv4Unicast, " + core.Address + " ipv4Unicast"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in what it printed: %s", want, got)
		}
	}
	wantVersion(t, first, "frr", newFRR)
	wantVersion(t, second, "frr", old)
	if has, lost := core.Neighbours(), 0; has[second.Address] != lost || len(has) != 1 {
		t.Errorf("core-1 has the neighbours %v, want %s alone, and never lost", has, second.Address)
	}
}
