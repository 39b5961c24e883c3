//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

// takenBack is the playbook of a ring whose failed hosts go back by themselves. Behind it
// stands a ring that waits for somebody's word: the rollout stays open.
const takenBack = `version: 1
name: back
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: test, failure_limit: 100%}
  - {name: production, hosts: prod, gate: {approval: {approvers: board}}}
reboot: if_needed
on_failure: rollback
rollback_window: any
checks:
  - {hosts: "*", default_diff: true, within: 10s}
`

// newcomer is what version 2.0 of Plain needs, and no host has.
const newcomer = "pr-newcomer"

// TestRollbackToTheFormerSet fails four systems by a package's script, and then takes them
// back by hand after all went well. Each time every host has exactly the packages and
// versions that it had before.
func TestRollbackToTheFormerSet(t *testing.T) {
	lab := real.New(t)
	plain := real.NewPackage(real.Plain, "2.0")
	plain.Depends = []string{newcomer}
	publish(t, lab, real.NewPackage(newcomer, "2.0"), plain)
	f := &former{lab: lab, sets: map[string]string{}, held: map[string]string{}, hosts: perSystem(lab, "test", real.Install(real.Plain, real.Daemon, real.BadPost, real.Conffile, real.Extra))}
	lab.Host("prod-debian", real.Install(real.Plain))
	lab.Ready()
	for _, h := range f.hosts {
		cacheFirst(h, real.Plain, real.Daemon, real.BadPost, real.Conffile, real.Extra)
		hold(h, real.Extra)
		h.Must("sh", "-c", "echo mine = yes >>/etc/pr-conffile.conf")
		f.sets[h.Name], f.held[h.Name] = set(h), holds(h)
	}
	f.desk = newDesk(t, lab, takenBack, nil)
	f.desk.add("inventory.yaml", board)
	if !t.Run("FailedHostsByThemselves", f.byThemselves) {
		t.Fatal("the parts build on each other")
	}
	t.Run("HealthyHostsByHand", f.byHand)
}

// former is that test's fleet as it was before.
type former struct {
	lab        *real.Lab
	hosts      []*real.Host
	sets, held map[string]string
	desk       *desk
}

func (f *former) byThemselves(t *testing.T) {
	d := f.desk.of(t)
	got := d.run(10)
	for _, h := range f.hosts {
		if n := h.Configured(real.BadPost, "2.0"); n == 0 {
			t.Errorf("%s: the script that fails was never run", h.Name)
		}
		wantFailed(t, got, h, real.BadPost)
	}
	f.wantFormer(t)
	d.must(0, "abort", d.rollout(), "--reason", "its test ring is as it was")
}

func (f *former) byHand(t *testing.T) {
	d := f.desk.of(t)
	d.write("playbook.yaml", strings.Replace(takenBack, "kind: security}", "kind: security, exclude: [{package: pr-badpost, reason: broken, owner: dba, until: 2099-01-01}]}", 1))
	d.run(7)
	wantAll(t, f.hosts, "2.0", real.Plain, real.Daemon, newcomer)
	for _, h := range f.hosts {
		wantBeside(t, d, h)
		f.wantHeld(t, h)
	}
	for _, pkg := range []string{real.Plain, real.Daemon} { // they were kept
		if err := f.lab.Repo.Withdraw(t.Context(), real.Base, pkg, "1.0"); err != nil {
			t.Fatal(err)
		}
	}
	wantText(t, d.must(2, "rollback", d.rollout(), "--yes"), "--reason")
	d.must(10, "rollback", d.rollout(), "--reason", "TICKET-9", "--yes")
	d.wantRecord("rollback_asked", "TICKET-9")
	f.wantFormer(t)
	wantUntouched(t, named(f.lab, "prod-debian")[0], real.Plain)
}

// wantFormer wants all as it was.
func (f *former) wantFormer(t *testing.T) {
	t.Helper()
	for _, h := range f.hosts {
		if got := set(h); got != f.sets[h.Name] {
			t.Errorf("%s had\n%s\nand has now\n%s", h.Name, f.sets[h.Name], got)
		}
		f.wantHeld(t, h)
		h.Must("grep", "-qx", "mine = yes", "/etc/pr-conffile.conf")
		h.Must("systemctl", "is-active", "pr-daemon")
		wantUnlocked(t, h)
	}
}

func (f *former) wantHeld(t *testing.T, h *real.Host) {
	t.Helper()
	if got := holds(h); got != f.held[h.Name] {
		t.Errorf("%s held %q, and holds %q", h.Name, f.held[h.Name], got)
	}
}

// set is all that is installed, by the host's own database.
func set(h *real.Host) string {
	switch h.OS {
	case real.Debian:
		return h.Must("sh", "-c", "dpkg-query --show --showformat='${Package} ${Version} ${Architecture} ${db:Status-Status}\\n' | sort")
	case real.Arch:
		return h.Must("pacman", "--query")
	default:
		return h.Must("sh", "-c", "rpm --query --all | sort")
	}
}

// hold has the host keep the version of a package, by its own means.
func hold(h *real.Host, pkg string) {
	switch h.OS {
	case real.Debian:
		h.Must("apt-mark", "hold", pkg)
	case real.Rocky:
		h.Must("dnf", "--quiet", "--assumeyes", "versionlock", "add", pkg)
	case real.SUSE:
		h.Must("zypper", "--non-interactive", "addlock", pkg)
	case real.Arch:
		h.Must("sed", "-i", "/^HoldPkg/a IgnorePkg = "+pkg, "/etc/pacman.conf")
	}
}

// holds is what the host says that it holds.
func holds(h *real.Host) string {
	switch h.OS {
	case real.Debian:
		return h.Must("apt-mark", "showhold")
	case real.Rocky:
		return h.Must("dnf", "--quiet", "versionlock", "list")
	case real.SUSE:
		return h.Must("cat", "/etc/zypp/locks")
	default:
		return h.Must("grep", "^IgnorePkg", "/etc/pacman.conf")
	}
}

// cacheFirst puts the first versions where pacman keeps what it has installed: the lab
// installs them from files.
func cacheFirst(h *real.Host, packages ...string) {
	if h.OS != real.Arch {
		return
	}
	for _, pkg := range packages {
		file := pkg + "-1.0-1-any.pkg.tar.gz"
		for _, name := range []string{file, file + ".sig"} {
			h.Must("curl", "-fsS", "-o", "/var/cache/pacman/pkg/"+name, "http://repo.lab/arch/"+name)
		}
	}
}

// wantBeside wants the report to name the other version of the admin's file, and that it
// lies there.
func wantBeside(t *testing.T, d *desk, h *real.Host) {
	t.Helper()
	ending := map[real.OS]string{real.Debian: ".dpkg-dist", real.Rocky: ".rpmnew", real.SUSE: ".rpmnew", real.Arch: ".pacnew"}[h.OS]
	wantVersion(t, h, real.Conffile, "2.0")
	h.Must("grep", "-qx", "mine = yes", "/etc/pr-conffile.conf")
	h.Must("grep", "-qx", "shipped = 2.0", "/etc/pr-conffile.conf"+ending)
	wantText(t, d.must(0, "report", d.rollout()), "/etc/pr-conffile.conf"+ending)
}
