//go:build linux

package real_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// oneRing is the playbook of a ring that is worked on all at once.
const oneRing = `version: 1
name: once
patches: [{hosts: "*", packages: {kind: security}}]
rings: [{name: test, hosts: test, failure_limit: 100%}]
reboot: if_needed
on_failure: halt
checks:
  - {hosts: "*", default_diff: true, within: 10s}
`

// restarts is a made-up package whose script restarts sshd under patchring.
const restarts = "pr-sshd"

// TestTransactionOnce disturbs the transactions of four systems in every way that there
// is: each is done once, by the host's own log.
func TestTransactionOnce(t *testing.T) {
	lab := real.New(t)
	if err := lab.Repo.Publish(t.Context(), real.Base, real.NewPackage(restarts, "1.0")); err != nil {
		t.Fatal(err)
	}
	f := &disturbed{lab: lab, hosts: perSystem(lab, "test", real.Install(real.Plain, real.Slow, real.Reboot, restarts),
		real.File(real.SlowSeconds, 0o644, "6\n"))}
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"ConnectionCutAtEachStep", f.cut},
		{"ControllerKilledAndSSHRestarted", f.killed},
	} {
		if !t.Run(part.name, part.run) {
			t.Fatal("the parts build on each other")
		}
	}
}

// disturbed is the fleet of that test.
type disturbed struct {
	lab   *real.Lab
	hosts []*real.Host
}

// Of each host the connection is cut at another step: while it downloads, while it
// installs, and while it reboots.
func (f *disturbed) cut(t *testing.T) {
	t.Helper()
	d := newDesk(t, f.lab, oneRing, nil)
	boots := map[string]string{}
	for _, h := range f.hosts {
		boots[h.Name] = h.BootID()
	}
	debian, rocky, sles, arch := f.hosts[0], f.hosts[1], f.hosts[2], f.hosts[3]
	r := d.start()
	r.until(debian, "the download", func() bool { return working(debian, "stage") })
	debian.CutNetwork()
	for _, h := range []*real.Host{rocky, arch} {
		r.inTransaction(h)
		h.CutNetwork()
	}
	debian.Await("the end of the download", func() bool { return ended(debian, "stage") })
	debian.RestoreNetwork()
	for _, h := range []*real.Host{rocky, arch} {
		h.Await("the end of the transaction, all by itself", func() bool { return ended(h, "install") })
		h.RestoreNetwork()
	}
	r.until(sles, "its reboot", func() bool { return d.startedOn(sles, "reboot") })
	sles.CutNetwork()
	sles.Await("the boot, all by itself", func() bool {
		id, err := sles.Exec("cat", "/proc/sys/kernel/random/boot_id")
		return err == nil && strings.TrimSpace(id) != boots[sles.Name]
	})
	sles.RestoreNetwork()
	if got := r.wait(); got.code != 0 {
		t.Logf("the call that lost its network ended with %s", got) // giving up for now is allowed
		d.run(0)
	}
	for _, h := range f.hosts {
		wantOnce(t, h, real.Plain, real.Slow, real.Reboot)
		wantUnlocked(t, h)
		if rebooted := h.BootID() != boots[h.Name]; rebooted != (h.OS != real.Arch) || h.Boots() > 2 {
			t.Errorf("%s has another boot id: %t; it booted %d times", h.Name, rebooted, h.Boots())
		}
	}
}

// The program is killed while all four install, and run again. Meanwhile a script of one
// of the packages restarts sshd.
func (f *disturbed) killed(t *testing.T) {
	t.Helper()
	publish(t, f.lab, real.NewPackage(real.Slow, "3.0"), restartingSSH())
	d := newDesk(t, f.lab, oneRing, nil)
	r := d.start()
	for _, h := range f.hosts {
		r.until(h, "the transaction", func() bool { return h.Configured(real.Slow, "3.0") > 0 })
	}
	r.kill()
	d.run(0)
	for _, h := range f.hosts {
		for pkg, version := range map[string]string{real.Slow: "3.0", restarts: "2.0"} {
			wantVersion(t, h, pkg, version)
			if n, m := h.Upgrades(pkg, version), h.Configured(pkg, version); n != 1 || m != 1 {
				t.Errorf("%s: %s was unpacked %d times, and configured %d times", h.Name, pkg, n, m)
			}
		}
		wantUnlocked(t, h)
	}
}

// restartingSSH takes the name under which every host of the lab knows its sshd.
func restartingSSH() real.Package {
	p := real.NewPackage(restarts, "2.0")
	p.Post = "if [ -d /run/systemd/system ]; then systemctl restart ssh; fi"
	return p
}

// working tells whether a job of this step has begun on the host.
func working(h *real.Host, step string) bool {
	_, err := h.Exec("sh", "-c", "ls -d /var/lib/patchring/jobs/*-"+step+"/started")
	return err == nil
}

// ended tells whether it has ended, too.
func ended(h *real.Host, step string) bool {
	_, err := h.Exec("sh", "-c", "ls -d /var/lib/patchring/jobs/*-"+step+"/rc")
	return err == nil
}

// startedOn tells whether the journal says that a step was started on the host.
func (d *desk) startedOn(h *real.Host, step string) bool {
	for _, r := range d.records("step_started") {
		var said struct{ Host, Step string }
		if json.Unmarshal(r.Payload, &said) == nil && said.Step == step && strings.HasSuffix(said.Host, "/"+h.Name) {
			return true
		}
	}
	return false
}
