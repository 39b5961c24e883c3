//go:build linux

package real_test

import (
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// slowHosts makes one host in each ring whose update takes a while.
func slowHosts(lab *real.Lab) (first, last *real.Host) {
	slow := []real.Option{real.Install(real.Plain, real.Slow), real.File(real.SlowSeconds, 0o644, "6\n")}
	return lab.Host("test-1", slow...), lab.Host("prod-1", slow...)
}

// inTransaction waits until the slow package's script runs on the host.
func (r *running) inTransaction(h *real.Host) {
	r.t.Helper()
	r.until(h, "the transaction", func() bool { return h.Configured(real.Slow, "2.0") > 0 })
}

// locked waits until patchring's lock lies on the host.
func (r *running) locked(h *real.Host) {
	r.t.Helper()
	r.until(h, "patchring's lock", func() bool {
		_, err := h.Exec("test", "-e", "/var/lib/patchring/lock")
		return err == nil
	})
}

func TestNetworkCutInTheTransaction(t *testing.T) {
	lab := real.New(t)
	first, last := slowHosts(lab)
	d := newDesk(t, lab, twoRings, nil)

	r := d.start()
	r.inTransaction(first)
	first.CutNetwork()
	first.Await("the end of the transaction, all by itself", func() bool { return first.Version(real.Slow) == "2.0" })
	wantUntouched(t, last, real.Plain, real.Slow)
	first.RestoreNetwork()
	if got := r.wait(); got.code != 0 {
		// Giving up for now is allowed; forgetting, or doing it twice, is not.
		t.Logf("the call that lost its network ended with %s", got)
		d.run(0)
	}
	wantOnce(t, first, real.Plain, real.Slow)
	wantOnce(t, last, real.Plain, real.Slow)
	wantUnlocked(t, first)
	wantUnlocked(t, last)
}

// Killed in the transaction of the first ring, and again in that of the second.
func TestKilledProgramCarriesOn(t *testing.T) {
	lab := real.New(t)
	first, last := slowHosts(lab)
	d := newDesk(t, lab, twoRings, nil)

	r := d.start()
	r.inTransaction(first)
	r.kill()
	r = d.start()
	r.inTransaction(last)
	wantOnce(t, first, real.Plain, real.Slow)
	r.kill()
	d.run(0)
	wantOnce(t, first, real.Plain, real.Slow)
	wantOnce(t, last, real.Plain, real.Slow)
	wantUnlocked(t, first)
	wantUnlocked(t, last)
	d.run(0)
	wantOnce(t, last, real.Plain, real.Slow)
}

// Killed as soon as it has done anything to the host, before the transaction.
func TestKilledBeforeTheTransaction(t *testing.T) {
	lab := real.New(t)
	first, last := slowHosts(lab)
	d := newDesk(t, lab, twoRings, nil)

	r := d.start()
	r.locked(first)
	r.kill()
	d.run(0)
	wantOnce(t, first, real.Plain, real.Slow)
	wantOnce(t, last, real.Plain, real.Slow)
	wantUnlocked(t, first)
}

func TestRebootIsRealAndOnlyWhereNeeded(t *testing.T) {
	lab := real.New(t)
	first := lab.Host("test-1", real.Install(real.Plain, real.Reboot))
	lab.Host("prod-1", real.Install(real.Plain, real.Reboot))
	plain := lab.Host("prod-2", real.Install(real.Plain))
	d := newDesk(t, lab, twoRings, nil)

	boots := map[string]string{}
	for _, h := range lab.Hosts() {
		boots[h.Name] = h.BootID()
	}
	d.run(0)
	for _, h := range named(lab, "test-1", "prod-1") {
		wantOnce(t, h, real.Plain, real.Reboot)
		if h.BootID() == boots[h.Name] {
			t.Errorf("%s did not reboot", h.Name)
		}
		if n := h.Boots(); n != 2 {
			t.Errorf("%s booted %d times, want 2", h.Name, n)
		}
	}
	wantOnce(t, plain, real.Plain)
	if plain.Boots() != 1 {
		t.Error("prod-2 was rebooted without need")
	}
	d.run(0)
	if n := first.Boots(); n != 2 {
		t.Errorf("a second run rebooted test-1: %d boots", n)
	}
}

// The host goes down for its reboot and nobody boots it again.
func TestRebootThatNeverComesBack(t *testing.T) {
	lab := real.New(t)
	first := lab.Host("test-1", real.Install(real.Reboot))
	last := lab.Host("prod-1", real.Install(real.Reboot))
	d := newDesk(t, lab, twoRings, nil)

	first.StopSupervising()
	r := d.start()
	r.until(first, "its end", func() bool { return !first.Up() })
	r.kill() // the program waits longer than a test should
	wantUntouched(t, last, real.Reboot)
	first.Boot()
	d.run(0)
	wantOnce(t, first, real.Reboot)
	wantOnce(t, last, real.Reboot)
}

func TestBastionInBetween(t *testing.T) {
	lab := real.New(t)
	bastion := lab.Host("bastion-1", real.Bastion(), real.Install())
	lab.Host("test-1", real.Inner())
	lab.Host("prod-1", real.Inner())
	jump := "jump: [" + real.User + "@" + bastion.Address + "]"
	d := newDesk(t, lab, twoRings+daemonCheck, settings{"test-1": jump, "prod-1": jump})

	d.run(0)
	for _, h := range named(lab, "test-1", "prod-1") {
		wantOnce(t, h, real.Plain, real.Daemon)
	}
}

func TestBastionIsUnreachable(t *testing.T) {
	lab := real.New(t)
	bastion := lab.Host("bastion-1", real.Bastion(), real.Install())
	inner := lab.Host("test-1", real.Inner())
	d := newDesk(t, lab, twoRings, settings{"test-1": "jump: [" + real.User + "@" + bastion.Address + "]"})

	bastion.CutNetwork()
	wantText(t, d.must(5, "detect", "--connect-timeout", "5s", "--limit", "test"), bastion.Address)
	wantUntouched(t, inner, real.Plain)
}
