//go:build linux

package real_test

import (
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab/real"
)

const (
	fills   = "pr-filler" // its 2.0 fills the disk before it is unpacked, where the file filling is there
	mate    = "pr-mate"   // what the host's own timer installs
	timer   = "apt-daily-upgrade.timer"
	filling = "/etc/pr-filler.on"
)

// bigFile is what does not fit any more.
const bigFile = "/usr/share/pr-filler/big"

// filler makes the package that fills the disk.
func filler(version string) real.Package {
	p := real.NewPackage(fills, version)
	if version == "1.0" {
		return p
	}
	p.Pre = "if [ -e " + filling + " ]; then fallocate -l \"$(($(df -k --output=avail / | tail -n 1) - 64))K\" /var/tmp/filler; fi"
	return p.WithFile(bigFile, 0o644, strings.Repeat("0123456789abcde\n", 200_000))
}

// TestTransactionBroken breaks transactions half-way: by a full disk, by another admin's
// kill, by a kill of patchring's own job. Each host fails closed, and is whole after the
// repair that the playbook asks for.
func TestTransactionBroken(t *testing.T) {
	lab := real.New(t)
	slowly := real.NewPackage(mate, "1.0")
	slowly.Post = "sleep 4"
	if err := lab.Repo.Publish(t.Context(), real.Base, filler("1.0"), slowly); err != nil {
		t.Fatal(err)
	}
	publish(t, lab, filler("2.0"))
	f := &broken{
		full:  perSystem(lab, "test-full", real.Install(fills), real.DiskMB(320), real.File(filling, 0o644, "")),
		cut:   lab.Host("test-cut", real.Install(real.Plain, real.Slow), real.File(real.SlowSeconds, 0o644, "3\n")),
		timed: lab.Host("test-timed", real.Install(real.Plain, real.Slow), real.File(real.SlowSeconds, 0o644, "8\n")),
	}
	d := newDesk(t, lab, oneRing, nil)
	cutByHand(f.cut)
	ownTimer(f.timed)
	if !t.Run("FailsClosed", func(t *testing.T) { f.failsClosed(t, d.of(t)) }) {
		t.Fatal("the parts build on each other")
	}
	t.Run("Repaired", func(t *testing.T) { f.repaired(t, d.of(t)) })
}

// broken is that test's fleet.
type broken struct {
	full       []*real.Host
	cut, timed *real.Host
}

func (f *broken) failsClosed(t *testing.T, d *desk) {
	t.Helper()
	wantText(t, d.call("plan", "playbook.yaml"), f.cut.Name, "dpkg --configure -a", "repair: true")
	f.timed.Must("systemctl", "start", "--no-block", strings.TrimSuffix(timer, ".timer"))
	f.timed.Await("the timer's own transaction", func() bool { return f.timed.Configured(mate, "1.0") > 0 })
	r := d.start()
	r.inTransaction(f.timed)
	wantVersion(t, f.timed, mate, "1.0") // which was waited for
	wantTimer(t, f.timed, "inactive")
	f.timed.Must("systemctl", "kill", "--signal=KILL", "patchring-*-install.service") // all of it: as a crash does
	got := r.wait()
	f.timed.Must("systemctl", "is-active", "patchring-aside.timer") // which would start it, if nobody did
	if got.code != 4 {
		t.Errorf("want exit code 4, got %s", got)
	}
	wantText(t, got, f.cut.Name, "is interrupted", f.timed.Name)
	wantVersion(t, f.cut, real.Plain, "1.0")
	for _, h := range f.full {
		wantFailed(t, got, h, fills)
		if h.Version(fills) == h.OS.Version("2.0") && h.OS != real.Arch { // pacman says so all the same
			t.Errorf("%s: its disk was not full", h.Name)
		}
		wantUnlocked(t, h)
	}
}

func (f *broken) repaired(t *testing.T, d *desk) {
	t.Helper()
	for _, h := range f.full {
		h.FreeDisk()
		h.Must("rm", filling)
	}
	d.retry()
	d.write("playbook.yaml", oneRing+"repair: true\n")
	d.run(4) // the plan that was begun has no repair in it: those that were interrupted are refused
	for _, h := range []*real.Host{f.cut, f.timed} {
		if out := h.Must("dpkg", "--audit"); out == "" {
			t.Errorf("%s was repaired, though its plan does not say so", h.Name)
		}
	}
	d.run(0)
	for _, h := range f.full {
		wantVersion(t, h, fills, "2.0")
		if h.OS == real.Arch {
			t.Logf("%s: not judged: a cut pacman says 2.0 of files that are not whole, and patchring goes by that", h.Name)
			continue
		}
		if size := h.Must("stat", "-c", "%s", bigFile); size != "3200000" {
			t.Errorf("%s: %s has %s bytes", h.Name, bigFile, size)
		}
	}
	for _, h := range []*real.Host{f.cut, f.timed} {
		wantAll(t, []*real.Host{h}, "2.0", real.Plain, real.Slow)
		if out := h.Must("dpkg", "--audit"); out != "" {
			t.Errorf("%s: %s", h.Name, out)
		}
		wantUnlocked(t, h)
	}
	wantTimer(t, f.timed, "active")
}

// of is the desk in another part of the test.
func (d *desk) of(t *testing.T) *desk {
	t.Helper()
	other := *d
	other.t = t
	return &other
}

// cutByHand has another admin's dpkg killed in the middle of a package's script.
func cutByHand(h *real.Host) {
	h.Must("systemd-run", "--quiet", "--unit=admin", "--setenv=DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "install", real.Slow+"=2.0")
	h.Await("another admin's transaction", func() bool { return h.Configured(real.Slow, "2.0") > 0 })
	h.Must("systemctl", "kill", "--signal=KILL", "admin")
}

// ownTimer gives the host a timer that installs something by itself, as Debian's does.
func ownTimer(h *real.Host) {
	const script = `
cd /etc/systemd/system
rm -f "$1"
printf '[Timer]\nOnCalendar=yearly\n' >"$1"
printf '[Service]\nType=oneshot\nEnvironment=DEBIAN_FRONTEND=noninteractive\nExecStart=/usr/bin/apt-get --yes install %s\n' "$2" >"${1%.timer}.service"
systemctl daemon-reload
systemctl start "$1"`
	h.Must("sh", "-eu", "-c", script, "sh", timer, mate)
}

// wantTimer wants the host's own timer to be in this state.
func wantTimer(t *testing.T, h *real.Host, state string) {
	t.Helper()
	if got, _ := h.Run("systemctl", "is-active", timer); strings.TrimSpace(got) != state {
		t.Errorf("%s: %s is %s, want %s", h.Name, timer, strings.TrimSpace(got), state)
	}
}
