//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

const sudoPassword = "correct horse battery staple"

func TestSudoAsksForAPassword(t *testing.T) {
	lab := real.New(t)
	lab.Host("test-1", real.SudoPassword(sudoPassword))
	lab.Host("prod-1", real.SudoPassword(sudoPassword))
	d := newDesk(t, lab, twoRings+daemonCheck, settings{"": "become: env:LAB_SUDO"})

	d.env = []string{"LAB_SUDO=wrong " + sudoPassword}
	got := d.call("run", "playbook.yaml", "--yes")
	if got.code != 5 {
		t.Errorf("with a wrong password: want exit code 5, got %s", got)
	}
	for _, h := range lab.Hosts() {
		wantUntouched(t, h, real.Plain, real.Daemon)
	}

	d.env = []string{"LAB_SUDO=" + sudoPassword}
	got = d.run(0)
	if strings.Contains(got.out+got.err, sudoPassword) {
		t.Errorf("the password was printed: %s", got)
	}
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
		if out, err := h.Exec("grep", "-rlF", sudoPassword, "/var/lib/patchring", "/var/log"); err == nil {
			t.Errorf("the password lies on the host in %s", out)
		}
	}
}

func TestNoRightToSudo(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("test-1", real.NoSudo())
	lab.Host("prod-1")
	d := newDesk(t, lab, twoRings, nil)

	wantText(t, d.must(5, "doctor", "--limit", "test"), "test-1", "sudo")
	// The gate to production is closed then, which ranks above "unreachable".
	wantText(t, d.run(6), "test-1", "sudo")
	wantUntouched(t, h, real.Plain)
	wantUntouched(t, lab.Hosts()[1], real.Plain)
}

func TestChangedHostKeyIsRefused(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("test-1")
	lab.Host("prod-1")
	d := newDesk(t, lab, twoRings, nil)

	h.ChangeHostKey()
	wantText(t, d.must(5, "detect"), "test-1", "host key changed")
	wantText(t, d.run(6), "test-1", "host key changed")
	wantUntouched(t, h, real.Plain)
	wantUntouched(t, lab.Hosts()[1], real.Plain)
	wantText(t, d.must(5, "detect", "--accept-new-host-keys"), "host key changed")
	wantUntouched(t, h, real.Plain)
}

func TestUnknownHostKeyIsRefusedUntilAccepted(t *testing.T) {
	lab := real.New(t)
	lab.Host("test-1")
	d := newDesk(t, lab, twoRings, nil)

	d.write("known_hosts", "")
	wantText(t, d.must(5, "detect"), "test-1", "--accept-new-host-keys")
	d.must(0, "detect", "--accept-new-host-keys")
	d.must(0, "detect")
}

func TestFullDiskIsSeenBeforeAnythingIsDone(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("test-1", real.DiskMB(64))
	lab.Host("prod-1")
	d := newDesk(t, lab, twoRings, nil)

	h.FillDisk(0)
	wantText(t, d.run(4), "test-1", "space")
	wantUntouched(t, h, real.Plain)
	wantUntouched(t, lab.Hosts()[1], real.Plain)
}

func TestHeldPackageLockIsWaitedFor(t *testing.T) {
	lab := real.New(t)
	h := lab.Host("test-1")
	lab.Host("prod-1")
	d := newDesk(t, lab, twoRings, nil)

	h.HoldPackageLock()
	r := d.start()
	r.locked(h)
	wantUntouched(t, h, real.Plain)
	h.FreePackageLock()
	if got := r.wait(); got.code != 0 {
		t.Errorf("want exit code 0, got %s", got)
	}
	for _, h := range lab.Hosts() {
		wantOnce(t, h, real.Plain, real.Daemon)
	}
}
