//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// pairOfBalancers patches two load balancers. Nothing but their unit keeps them from being
// at work at once: the failure limit and max_in_flight would let both begin.
const pairOfBalancers = `version: 1
name: balancers
patches: [{hosts: lb, packages: {kind: security}}]
rings: [{name: test, hosts: lb, max_in_flight: 2, failure_limit: 1}]
reboot: if_needed
drain:
  - hosts: lb
    become: true
    argv: [/usr/local/bin/vrrpctl, drain]
    undrain: [/usr/local/bin/vrrpctl, ready]
    within: 1m
    wait: {argv: [/usr/local/bin/vrrpctl, idle], within: 30s}
checks:
  - {hosts: "*", default_diff: true, within: 10s}
  - {hosts: lb, command: {argv: [systemctl, is-active, keepalived]}, within: 10s}
  - {hosts: lb, http: {url: "http://{{ .address }}/", status: 200, contains: nginx, from: host, within: 10s}}
  - {hosts: lb, http: {url: "http://{{ .address }}:8080/", status: 200, from: host, within: 10s}}
`

// The pair: lb-1, the standby, and lb-2, which has the address. The role of a server is
// nothing that patchring knows: of a unit's members the first by name goes first.
func newPair(t *testing.T, packages ...string) (lab *real.Lab, standby, active *real.Host) {
	t.Helper()
	lab = real.New(t)
	web := []*real.Host{lab.Host("web-1", real.WebServer()), lab.Host("web-2", real.WebServer())}
	standby = lab.Host("lb-1", real.Install(packages...), real.Paired(150, web...))
	active = lab.Host("lb-2", real.Install(packages...), real.Paired(200, web...))
	return lab, standby, active
}

func pairDesk(t *testing.T, lab *real.Lab) *desk {
	t.Helper()
	return newDesk(t, lab, pairOfBalancers, settings{"lb-1": "unit: lbpair", "lb-2": "unit: lbpair"})
}

// Both load balancers of a pair are patched and rebooted, the standby first. The virtual
// address goes to the other one while its owner is out, and comes back; no client notices.
func TestNoClientNoticesThatThePairIsPatched(t *testing.T) {
	lab, standby, active := newPair(t, real.Daemon, real.Reboot)
	d := pairDesk(t, lab)
	active.Await("the virtual address", func() bool { return active.HasVirtualAddress() && !standby.HasVirtualAddress() })

	clients := newTrafficTo(t, lab, real.VirtualAddress, real.BalancedBy)
	wantHurt(t, clients, active)
	byStandby := clients.answers(standby.Name + " " + nginxAnswer(t, lab))
	d.run(0)

	active.Await("the virtual address again", func() bool { return active.HasVirtualAddress() && !standby.HasVirtualAddress() })
	for _, h := range []*real.Host{standby, active} {
		wantOnce(t, h, real.Daemon, real.Reboot)
		wantUnlocked(t, h)
		if got := strings.Join(h.Shared(), " "); got != "drain ready" || h.Boots() != 2 {
			t.Errorf("%s was told %q and booted %d times, want drain and ready, and twice", h.Name, got, h.Boots())
		}
	}
	_, done := dpkgTimes(t, standby)
	if begun, _ := dpkgTimes(t, active); done > begun {
		t.Errorf("dpkg worked on the standby until %d, and on its partner from %d", done, begun)
	}
	if n := clients.answers(standby.Name+" "+nginxAnswer(t, lab)) - byStandby; n == 0 {
		t.Error("the standby never stood in for its partner")
	}
	clients.wantNone(t)
	clients.wantAgainAtMost(t, 2) // each move of the address can cut the request that is under way
}

// A standby that its update made sick stays drained: its partner keeps the address, and is
// not touched.
func TestSickStandbyLeavesThePairsOtherHalfAlone(t *testing.T) {
	lab, standby, active := newPair(t, real.Daemon)
	standby.Ready()
	standby.Must("touch", real.BreakDaemon)
	d := pairDesk(t, lab)
	active.Await("the virtual address", active.HasVirtualAddress)

	clients := newTrafficTo(t, lab, real.VirtualAddress, real.BalancedBy)
	wantText(t, d.run(4), "lb-1", "pr-daemon", "lb-2 waits: budget of unit lbpair: 1 of 1 out")
	wantUntouched(t, active, real.Daemon)
	if len(active.Shared()) != 0 || !active.HasVirtualAddress() {
		t.Errorf("%s was told %q, and has the virtual address: %v", active.Name, active.Shared(), active.HasVirtualAddress())
	}
	if got := strings.Join(standby.Shared(), " "); got != "drain" {
		t.Errorf("%s was told %q, want drain", standby.Name, got)
	}
	clients.wantNone(t)
	clients.wantAgainAtMost(t, 0)
}

// nginxAnswer is what nginx itself says of its version.
func nginxAnswer(t *testing.T, lab *real.Lab) string {
	t.Helper()
	web := named(lab, "web-1")[0]
	_, version, found := strings.Cut(web.Must("sh", "-c", "nginx -v 2>&1"), "nginx/")
	if !found {
		t.Fatal("nginx does not tell its version")
	}
	return "nginx " + strings.TrimSpace(version)
}

// wantHurt shows that clients are hurt where the owner of the address is down undrained.
func wantHurt(t *testing.T, clients *traffic, owner *real.Host) {
	t.Helper()
	answer := owner.Name + " " + nginxAnswer(t, clients.lab)
	owner.Await("an answer", func() bool { return clients.answers(answer) > 0 })
	clients.wantNone(t)
	owner.Must("systemctl", "stop", "haproxy")
	owner.Await("a client that is hurt", func() bool { return len(clients.failures()) > 0 })
	owner.Must("systemctl", "start", "haproxy")
	well := clients.answers(answer)
	owner.Await("an answer again", func() bool { return clients.answers(answer) > well })
	clients.failures()
	clients.wantAgainAtMost(t, trafficMost)
}
