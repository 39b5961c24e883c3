//go:build linux

package real_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// behindBalancer patches the servers of a load balancer, lb-1.
const behindBalancer = `version: 1
name: shop
patches: [{hosts: "*", packages: {kind: security}}]
rings: [%s]
reboot: if_needed
on_failure: halt
drain:
  - hosts: prod
    run_on: lb-1
    become: true
    argv: [/usr/local/bin/lbctl, drain]
    undrain: [/usr/local/bin/lbctl, ready]
    within: 1m
    wait: {argv: [/usr/local/bin/lbctl, idle], within: 1m}
hooks:
  - {hosts: prod, when: before, become: true, argv: [/bin/sh, -c, 'echo "before $PATCHRING_RING" >>/var/log/hooks']}
  - {hosts: prod, when: after, become: true, argv: [/bin/sh, -c, 'echo "after $PATCHRING_RING" >>/var/log/hooks']}
checks:
  - {hosts: "*", default_diff: true, within: 10s}
  - {hosts: prod, http: {url: "http://{{ .address }}:8080/", status: 200, from: host, within: 10s}}
`

const onlyOneOut = "budgets: [{hosts: prod, max_unavailable: 1}]\n"

// shop is the playbook with these rings.
func shop(rings ...string) string { return fmt.Sprintf(behindBalancer, strings.Join(rings, ", ")) }

// wantHooks asks the log that the hooks write on their host.
func wantHooks(t *testing.T, h *real.Host, want string) {
	t.Helper()
	got, _ := h.Exec("cat", "/var/log/hooks")
	if got = strings.Join(strings.Fields(got), " "); got != want {
		t.Errorf("%s: the hooks wrote %q, want %q", h.Name, got, want)
	}
}

// Two servers are patched behind a real HAProxy, and no client notices: one restarts its
// service, the other reboots. The failure limit would let both be at work at once.
func TestNoClientNotices(t *testing.T) {
	lab := real.New(t)
	servers := []*real.Host{lab.Host("prod-1", real.Install(real.Daemon)), lab.Host("prod-2", real.Install(real.Daemon, real.Reboot))}
	balancer := lab.Host("lb-1", real.Install(), real.LoadBalancer(servers...))
	d := newDesk(t, lab, shop("{name: test, hosts: prod, failure_limit: 1}"), nil)
	d.add("inventory.yaml", onlyOneOut)

	clients := newTraffic(t, lab, balancer)
	clients.canFail(t, servers[0])
	d.run(0)
	for _, h := range servers {
		h.Await("its answer to a client", func() bool { return clients.answers(h.Name+" ok 2.0") > 0 })
		wantOnce(t, h, real.Daemon)
		wantUnlocked(t, h)
		wantHooks(t, h, "before test after test")
		wantBalanced(t, balancer, h.Name, "drain", "ready")
		wantBackend(t, balancer, h.Name, inUse)
	}
	if n := servers[1].Boots(); n != 2 {
		t.Errorf("prod-2 booted %d times, want 2", n)
	}
	clients.wantNone(t)
	wantOutWhilePatched(t, balancer, servers)
}

// wantOutWhilePatched asks HAProxy's log and dpkg's: each server came out before its
// packages were touched, went in again after that, and never were the two out at once.
func wantOutWhilePatched(t *testing.T, balancer *real.Host, servers []*real.Host) {
	t.Helper()
	var outs, ins []int64
	for _, h := range servers {
		out, in := balancer.BackendTimes(h.Name)
		first, last := dpkgTimes(t, h)
		if len(out) != 1 || len(in) != 1 || out[0] > first || in[0] < last {
			t.Fatalf("%s: out of HAProxy at %v, dpkg from %d to %d, in again at %v", h.Name, out, first, last, in)
		}
		outs, ins = append(outs, out[0]), append(ins, in[0])
	}
	if outs[0] < ins[1] && outs[1] < ins[0] {
		t.Errorf("both were out at once: from %d, in again at %d", outs, ins)
	}
}

// dpkgTimes are the seconds of the first and last line about version 2.0 in dpkg's log.
func dpkgTimes(t *testing.T, h *real.Host) (first, last int64) {
	t.Helper()
	log := h.Must("sh", "-c", "grep ' 2.0' /var/log/dpkg.log | while read -r day time rest; do date -d \"$day $time\" +%s; done")
	times := strings.Fields(log)
	if len(times) == 0 {
		t.Fatalf("%s: dpkg's log knows nothing of version 2.0", h.Name)
	}
	first, errFirst := strconv.ParseInt(times[0], 10, 64)
	last, errLast := strconv.ParseInt(times[len(times)-1], 10, 64)
	if errFirst != nil || errLast != nil {
		t.Fatalf("%s: times of dpkg's log: %q", h.Name, log)
	}
	return first, last
}

// A drain that fails stops its host before it is touched, and the ring with it. The host
// is put back, since the drain may have done its work all the same.
func TestFailedDrainLeavesTheHostAlone(t *testing.T) {
	lab := real.New(t)
	first, second := lab.Host("prod-1"), lab.Host("prod-2")
	balancer := lab.Host("lb-1", real.Install(), real.LoadBalancer(first, second),
		real.File(real.BalancerBroken, 0o644, first.Name+"\n"))
	d := newDesk(t, lab, shop("{name: test, hosts: prod}"), nil)
	d.add("inventory.yaml", onlyOneOut)

	clients := newTraffic(t, lab, balancer)
	wantText(t, d.run(4), "prod-1", "lbctl failed (exit status", "disk is full")
	for _, h := range []*real.Host{first, second} {
		wantUntouched(t, h, real.Plain, real.Daemon)
		wantBackend(t, balancer, h.Name, inUse)
		wantUnlocked(t, h)
	}
	wantBalanced(t, balancer, first.Name, "drain", "ready")
	wantBalanced(t, balancer, second.Name)
	clients.wantNone(t)

	balancer.Must("rm", real.BalancerBroken)
	d.retry()
	d.run(0)
	for _, h := range []*real.Host{first, second} {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantBackend(t, balancer, h.Name, inUse)
	}
	wantBalanced(t, balancer, first.Name, "drain", "ready", "drain", "ready")
	clients.wantNone(t)
}

// A server that its update made sick stays out of HAProxy, and counts in the budget: the
// other one is not touched. A retry after the repair puts it back.
func TestSickServerStaysDrained(t *testing.T) {
	lab := real.New(t)
	first, second := lab.Host("prod-1", real.File(real.BreakDaemon, 0o644, "")), lab.Host("prod-2")
	balancer := lab.Host("lb-1", real.Install(), real.LoadBalancer(first, second))
	// One may fail: what stops here is the budget.
	d := newDesk(t, lab, shop("{name: test, hosts: prod, failure_limit: 1}"), nil)
	d.add("inventory.yaml", onlyOneOut)

	clients := newTraffic(t, lab, balancer)
	wantText(t, d.run(4), "prod-1", "pr-daemon", "prod-2 waits: budget of prod: 1 of 1 out")
	wantBackend(t, balancer, first.Name, drained)
	wantBalanced(t, balancer, first.Name, "drain")
	wantUntouched(t, second, real.Plain, real.Daemon)
	wantBalanced(t, balancer, second.Name)
	wantHooks(t, first, "before test")

	first.Must("rm", real.BreakDaemon)
	first.Must("systemctl", "restart", "pr-daemon")
	wantText(t, d.run(4), "prod-2 waits: budget of prod: 1 of 1 out") // nobody has said that it is repaired
	wantBackend(t, balancer, first.Name, drained)
	d.retry()
	d.run(0)
	for _, h := range []*real.Host{first, second} {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantBackend(t, balancer, h.Name, inUse)
	}
	clients.wantNone(t)
}

// Killed while the host is drained: before its transaction, in the middle of it, and
// while it is put back.
func TestKilledWhileDrained(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("prod-1", real.Install(real.Daemon, real.Slow), real.File(real.SlowSeconds, 0o644, "3\n"))
	balancer := lab.Host("lb-1", real.Install(), real.LoadBalancer(h), real.File(real.BalancerBusy, 0o644, h.Name+"\n"))
	d := newDesk(t, lab, shop("{name: test, hosts: prod}"), nil)
	told := func(word string) func() bool {
		return func() bool { return strings.Contains(strings.Join(balancer.Balanced(h.Name), " "), word) }
	}

	r := d.start()
	r.until(balancer, "the drain", told("drain"))
	r.kill()
	wantUntouched(t, h, real.Daemon, real.Slow)
	wantBackend(t, balancer, h.Name, drained)

	balancer.Must("mv", real.BalancerBusy, real.BalancerHangsReady)
	r = d.start()
	r.inTransaction(h)
	r.kill()
	wantBackend(t, balancer, h.Name, drained)

	r = d.start()
	r.until(balancer, "the undrain", told("ready"))
	r.kill()
	balancer.Must("rm", real.BalancerHangsReady)
	d.run(0)
	wantOnce(t, h, real.Daemon, real.Slow)
	wantBalanced(t, balancer, h.Name, "drain", "ready")
	wantBackend(t, balancer, h.Name, inUse)
	wantHooks(t, h, "before test after test")
	wantUnlocked(t, h)
}

// The balancer is cut off while the host is at work, and when it is to put it back.
func TestBalancerIsAwayForAMoment(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("prod-1", real.Install(real.Daemon, real.Slow), real.File(real.SlowSeconds, 0o644, "1\n"))
	balancer := lab.Host("lb-1", real.Install(), real.LoadBalancer(h))
	d := newDesk(t, lab, shop("{name: test, hosts: prod}"), nil)

	r := d.start()
	r.inTransaction(h)
	balancer.CutNetwork()
	r.until(h, "the undrain", func() bool {
		return slices.ContainsFunc(d.records("step_started"), func(e record) bool { return strings.Contains(string(e.Payload), `"undrain"`) })
	})
	balancer.RestoreNetwork()
	if got := r.wait(); got.code != 0 {
		t.Errorf("want exit code 0, got %s", got)
	}
	wantOnce(t, h, real.Daemon, real.Slow)
	wantBalanced(t, balancer, h.Name, "drain", "ready")
	wantBackend(t, balancer, h.Name, inUse)
	wantUnlocked(t, h)
}
