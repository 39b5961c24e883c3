//go:build linux

package real_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

const soaked = `version: 1
name: gated
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: test}
  - {name: production, hosts: prod, gate: {soak: {for: 6s, interval: 1s}, approval: {approvers: board}}}
reboot: if_needed
on_failure: halt
checks:
  - {hosts: "*", default_diff: true, within: 10s}
  - {hosts: "*", http: {url: "http://{{ .address }}:8080/", status: 200, from: host, within: 10s}}
`

const soakTime = 6 * time.Second

// Production waits for a soak and for somebody else's word. A test host that falls sick in
// the soak shuts the gate; repaired and tried again, it soaks from the beginning.
func TestSoakAndApproval(t *testing.T) {
	lab := real.New(t)
	first, last := lab.Host("test-1"), lab.Host("prod-1")
	d := newDesk(t, lab, soaked, nil)
	d.add("inventory.yaml", "approvers: {board: [jane@hq.example]}\n")

	wantText(t, d.run(7), "approval: board 0 of 1", "soak ")
	approve := []string{"approve", d.rollout(), "--ring", "production", "--as", "jane@hq.example"}
	wantText(t, d.must(2, approve...), "started")
	d.machine = "jane-desk"
	d.must(0, approve...)
	d.machine = ""
	d.wantRecord("approved", "root@jane-desk", "jane@hq.example")

	r := d.start("--wait", "4m")
	seen := len(d.records("sampled"))
	r.until(first, "a sample", func() bool { return len(d.records("sampled")) > seen })
	first.Must("systemctl", "stop", "pr-daemon")
	r.until(first, "the end of the soak", func() bool { return len(d.records("halted")) > 0 })
	wantText(t, d.must(6, "status", d.rollout(), "--exit-code"), "test-1", "soak: 1 of ")
	wantUntouched(t, last, real.Plain, real.Daemon)

	if got := r.wait(); got.code != 6 { // a halt is no time to wait for
		t.Errorf("want exit code 6, got %s", got)
	}

	first.Must("systemctl", "start", "pr-daemon")
	d.retry()
	r = d.start("--wait", "4m")
	if got := r.wait(); got.code != 0 {
		t.Errorf("want exit code 0, got %s", got)
	} else {
		wantText(t, got, "soak 6s of 6s", "board 1 of 1")
	}
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantUnlocked(t, h)
	}
	retried, opened := d.records("retried"), d.records("gate_opened")
	if soak := opened[len(opened)-1].Time.Sub(retried[0].Time); soak < soakTime {
		t.Errorf("production's gate opened %s after the retry, before a whole soak of %s", soak, soakTime)
	}
}

const windowed = `version: 1
name: windowed
patches: [{hosts: "*", packages: {kind: security}}]
rings: [{name: test, hosts: test, window: later}]
checks: [{hosts: "*", default_diff: true, within: 10s}]
`

// Outside its window no host starts, but for a reason that is journaled; in a freeze not
// even then.
func TestWindowAndFreeze(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("test-1", real.Install(real.Plain))
	d := newDesk(t, lab, windowed, nil)
	soon := time.Now().UTC().AddDate(0, 0, 3)
	d.add("inventory.yaml", fmt.Sprintf("timezone: UTC\nwindows: {later: {days: [%s], start: \"10:00\", length: 4h}}\n",
		strings.ToLower(soon.Format("Mon"))))
	run := []string{"run", "playbook.yaml", "--yes", "--detailed-exitcode"}
	until := soon.Format("Mon") + " 10:00"
	wantText(t, d.must(8, run...), "window later", until)
	wantText(t, d.must(0, "status", d.rollout()), "window later", until)

	whole := d.read("inventory.yaml")
	const day = "2006-01-02"
	d.add("inventory.yaml", fmt.Sprintf("freezes: [{from: %s, through: %s, reason: stocktaking}]\n",
		time.Now().UTC().AddDate(0, 0, -1).Format(day), time.Now().UTC().AddDate(0, 0, 1).Format(day)))
	override := slices.Concat(run, []string{"--override-window", "TICKET-7"})
	wantText(t, d.must(8, override...), "stocktaking")
	wantUntouched(t, h, real.Plain)
	wantUnlocked(t, h)
	if n := len(d.records("step_started")); n != 0 {
		t.Errorf("%d steps were started outside the window, and in a freeze", n)
	}

	d.write("inventory.yaml", whole)
	d.must(0, override...)
	wantOnce(t, h, real.Plain)
	if overridden := d.records("window_overridden"); len(overridden) == 0 || !strings.Contains(string(overridden[0].Payload), "TICKET-7") {
		t.Errorf("the journal does not say why the window was overridden: %s", overridden)
	}
}

const oneHost = `version: 1
name: %[1]s
patches: [{hosts: %[1]s, packages: {kind: security}}]
rings: [{name: test, hosts: %[1]s}]
checks: [{hosts: "*", default_diff: true, within: 10s}]
`

// Two operators, each with a state folder of its own, begin with one host each at the
// same time, and the budget allows one: they are never at work on both.
func TestTwoOperatorsOneBudget(t *testing.T) {
	lab := real.New(t)
	var desks []*desk
	for _, name := range []string{"prod-1", "prod-2"} {
		lab.Host(name, real.Install(real.Slow), real.File(real.SlowSeconds, 0o644, "4\n"))
	}
	for i, h := range lab.Hosts() {
		d := newDesk(t, lab, fmt.Sprintf(oneHost, h.Name), nil)
		d.add("inventory.yaml", onlyOneOut)
		d.machine = fmt.Sprintf("desk-%d", i+1)
		desks = append(desks, d)
	}
	both := []*running{desks[0].start("--detailed-exitcode"), desks[1].start("--detailed-exitcode")}
	said := []said{both[0].wait(), both[1].wait()}
	for i, d := range desks {
		switch said[i].code {
		case 0:
		case 8:
			wantText(t, said[i], "budget of prod: 1 of 1 out")
			t.Logf("%s stepped back", d.machine)
			d.again()
		default:
			t.Errorf("%s: want it done, or waiting: %s", d.machine, said[i])
		}
	}
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Slow)
		wantUnlocked(t, h)
	}
	wantApart(t, lab.Hosts()[0], lab.Hosts()[1])
}

// again begins anew at once what would wait minutes after it has stepped back. Nobody
// else may be at work.
func (d *desk) again() {
	d.t.Helper()
	d.must(0, "abort", d.rollout(), "--reason", "not waiting")
	d.must(0, "run", "playbook.yaml", "--yes", "--detailed-exitcode")
}

// wantApart asks dpkg's logs: the packages of these hosts were not worked on at once.
func wantApart(t *testing.T, a, b *real.Host) {
	t.Helper()
	fromA, toA := dpkgTimes(t, a)
	fromB, toB := dpkgTimes(t, b)
	if fromA <= toB && fromB <= toA {
		t.Errorf("dpkg worked on %s from %d to %d, and on %s from %d to %d", a.Name, fromA, toA, b.Name, fromB, toB)
	}
}
