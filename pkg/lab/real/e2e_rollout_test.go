//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// twoRings is the playbook of these tests: one host after the other in production.
const twoRings = `version: 1
name: e2e
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: test, window: any}
  - {name: production, hosts: prod, window: any, batches: [1]}
reboot: if_needed
on_failure: halt
checks:
  - {hosts: "*", default_diff: true, within: 10s}
`

const daemonCheck = `  - {hosts: "*", service: pr-daemon, within: 10s}
  - {hosts: "*", http: {url: "http://{{ .address }}:8080/", status: 200, from: host, within: 10s}}
`

// Six hosts, two rings. The second production host turns sick by the update.
func TestSickProductionHostStopsItsRing(t *testing.T) {
	lab := real.New(t)
	for _, name := range []string{"test-1", "test-2", "prod-1"} {
		lab.Host(name)
	}
	lab.Host("prod-2", real.File(real.BreakDaemon, 0o644, ""))
	lab.Host("prod-3")
	lab.Host("prod-4")
	d := newDesk(t, lab, twoRings+daemonCheck, nil)

	before := map[string]string{}
	for _, h := range lab.Hosts() {
		before[h.Name] = h.Must("cat", "/var/log/dpkg.log")
	}
	d.must(0, "doctor")
	d.must(0, "detect")
	d.must(0, "plan", "playbook.yaml")
	d.must(0, "check", "playbook.yaml")
	for _, h := range lab.Hosts() {
		if h.Must("cat", "/var/log/dpkg.log") != before[h.Name] {
			t.Errorf("%s: a command that only looks changed packages", h.Name)
		}
	}

	got := d.run(4)
	wantText(t, got, "prod-2", "pr-daemon")
	for _, h := range named(lab, "test-1", "test-2", "prod-1", "prod-2") {
		wantOnce(t, h, real.Plain, real.Daemon)
	}
	for _, h := range named(lab, "prod-3", "prod-4") {
		wantUntouched(t, h, real.Plain, real.Daemon)
		wantUnlocked(t, h)
	}
	for _, h := range named(lab, "test-1", "test-2", "prod-1") {
		h.Must("systemctl", "is-active", "pr-daemon")
		wantUnlocked(t, h)
	}
	again := d.run(4)
	if strings.Contains(again.out, "prod-3: preflight") {
		t.Errorf("a second run went on past the failure limit: %s", again)
	}
	for _, h := range named(lab, "prod-3", "prod-4") {
		wantUntouched(t, h, real.Plain, real.Daemon)
	}
	for _, h := range named(lab, "test-1", "prod-1", "prod-2") {
		wantOnce(t, h, real.Plain, real.Daemon)
	}
}

func TestSecondRunDoesNothing(t *testing.T) {
	lab := real.New(t)
	lab.Host("test-1", real.Install(real.Plain, real.Daemon, real.Extra))
	lab.Host("prod-1", real.Install(real.Plain, real.Daemon, real.Extra, real.Conffile))
	d := newDesk(t, lab, twoRings+daemonCheck, nil)
	for _, h := range named(lab, "prod-1") {
		h.Must("sh", "-c", "echo mine = yes >>/etc/pr-conffile.conf")
	}
	// Proven in no test host: the package must not reach production.
	d.run(12)
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantVersion(t, h, real.Extra, "1.0") // no security update
		wantUnlocked(t, h)
	}
	wantUntouched(t, lab.Hosts()[1], real.Conffile)
	d.run(12)
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
	}
}

func TestAdminsConffileStays(t *testing.T) {
	lab := real.New(t)
	lab.Host("test-1", real.Install(real.Conffile))
	lab.Host("prod-1", real.Install(real.Conffile))
	d := newDesk(t, lab, twoRings, nil)
	for _, h := range lab.Hosts() {
		h.Must("sh", "-c", "echo mine = yes >>/etc/pr-conffile.conf")
	}
	d.run(0)
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Conffile)
		h.Must("grep", "-qx", "mine = yes", "/etc/pr-conffile.conf")
	}
	d.run(0)
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Conffile)
	}
}

// While the test ring is at work the archive gets something newer. Production must
// get what was proven, not that.
func TestProductionGetsTheProvenVersion(t *testing.T) {
	lab := real.New(t)
	first := lab.Host("test-1", real.Install(real.Plain, real.Slow), real.File(real.SlowSeconds, 0o644, "8\n"))
	last := lab.Host("prod-1", real.Install(real.Plain))
	d := newDesk(t, lab, twoRings, nil)

	r := d.start()
	r.inTransaction(first)
	publish(t, lab, real.NewPackage(real.Plain, "2.1"))
	last.Refresh()
	if got := r.wait(); got.code != 0 {
		t.Errorf("want exit code 0, got %s", got)
	}
	wantOnce(t, first, real.Plain, real.Slow)
	wantOnce(t, last, real.Plain)
}

// The same, but the archive takes the proven version away: it comes from the store, which
// was filled while the test ring was at work.
func TestWithdrawnVersionComesFromTheStore(t *testing.T) {
	lab := real.New(t)
	first := lab.Host("test-1", real.Install(real.Plain, real.Slow), real.File(real.SlowSeconds, 0o644, "8\n"))
	last := lab.Host("prod-1", real.Install(real.Plain))
	d := newDesk(t, lab, twoRings, nil)

	r := d.start()
	r.inTransaction(first)
	withdraw(t, lab, real.Plain, "2.0")
	publish(t, lab, real.NewPackage(real.Plain, "2.1"))
	if got := r.wait(); got.code != 0 {
		t.Errorf("want exit code 0, got %s", got)
	}
	wantOnce(t, first, real.Plain, real.Slow)
	wantOnce(t, last, real.Plain)
}

func TestFailingScriptStopsTheRollout(t *testing.T) {
	lab := real.New(t)
	lab.Host("test-1", real.Install(real.Plain, real.BadPost))
	lab.Host("prod-1", real.Install(real.Plain, real.BadPost))
	d := newDesk(t, lab, twoRings, nil)

	wantText(t, d.run(4), "test-1", "pr-badpost")
	wantVersion(t, lab.Hosts()[0], real.BadPost, "")
	wantUntouched(t, lab.Hosts()[1], real.Plain, real.BadPost)
}

func publish(t *testing.T, lab *real.Lab, packages ...real.Package) {
	t.Helper()
	if err := lab.Repo.Publish(t.Context(), real.Security, packages...); err != nil {
		t.Fatal(err)
	}
}
