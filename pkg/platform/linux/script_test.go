package linux_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
)

// TestProbeHere runs the real probe against this machine. It only reads.
func TestProbeHere(t *testing.T) {
	linux.Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		probe := managers().Probe(platform.Query{Nonce: "0123456789abcdef", Packages: []string{"dpkg", "no-such-package"}})[0]
		res := linux.RunIn(t, shell, probe)
		f, err := managers().Read([]remote.Result{res})
		if err != nil || res.Code != 0 {
			t.Fatalf("%v, exit status %d: %s", err, res.Code, res.Err)
		}
		if f.OS.ID == "" || f.Kernel.Running == "" || len(f.Spaces) == 0 || f.Clock.IsZero() || linux.HasProblem(f, "output", "") {
			t.Errorf("%+v", f)
		}
		if shell[0] != "busybox" && f.Platform == apt.Debian { // busybox prefers its own dpkg
			if _, ok := f.Installed("dpkg", ""); !ok {
				t.Errorf("dpkg is not installed, it says: %+v", f.Problems)
			}
		}
	})
}

// TestProbeBareHost: without any of the tools it wants, the probe still ends, and
// says what it could not learn.
func TestProbeBareHost(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("needs busybox: the barest of hosts")
	}
	bin := t.TempDir()
	for _, tool := range []string{"sh", "cat", "head", "printf", "uname", "id", "date"} {
		if err := os.Symlink(busybox, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	probe := managers().Probe(platform.Query{})[0]
	// The script adds the usual folders to PATH; here they must stay out.
	probe.Stdin = bytes.ReplaceAll(probe.Stdin, []byte(":/usr/local/sbin:/usr/sbin:/sbin"), nil)
	res := linux.RunIn(t, []string{"env", "-i", "PATH=" + bin, filepath.Join(bin, "sh")}, remote.Command{Argv: append([]string{""}, probe.Argv[1:]...), Stdin: probe.Stdin})
	f, err := managers().Read([]remote.Result{res})
	if err != nil {
		t.Fatal(err)
	}
	if !linux.HasProblem(f, "updates", "") || f.Platform != linux.Other {
		t.Errorf("%q: %+v", f.Platform, f.Problems)
	}
}

// TestRebootOfAnotherBoot: the order belongs to one boot. This machine's is another,
// so that nothing happens here.
func TestRebootOfAnotherBoot(t *testing.T) {
	f := debian()
	f.BootID = "not-this-boot"
	w := aptWork()
	step := stepNamed(t, driverOf(apt.Debian), f, w, "reboot")
	linux.Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		c := *step.Do[0].Command
		// Even a mistake in the script must not restart this machine.
		c.Stdin = bytes.ReplaceAll(c.Stdin, []byte("by_timer || by_hand"), []byte("echo would restart"))
		r := linux.RunIn(t, shell, c)
		if string(r.Out) != "the host has restarted already\n" {
			t.Errorf("%q %q", r.Out, r.Err)
		}
	})
}

func TestRebootLookHere(t *testing.T) {
	step := stepNamed(t, driverOf(apt.Debian), debian(), aptWork(), "reboot")
	linux.Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		rep, trouble := linux.WholeReport([]remote.Result{linux.RunIn(t, shell, *step.Look.Do[0].Command)})
		if trouble != "" || rep.Fields("signs")["boot_id"] == "" || !rep.Get("reboot_flag").OK() {
			t.Errorf("%s %+v", trouble, rep)
		}
	})
}

func TestPreflightHere(t *testing.T) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		t.Skip("needs apt-get: the simulation is asked for real")
	}
	w := aptWork()
	w.Install = w.Install[:1]
	w.Install[0].Name = "no-such-package"
	step := stepNamed(t, driverOf(apt.Debian), debian(), w, "preflight")
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}} {
		got := step.Look.Judge([]remote.Result{linux.RunIn(t, shell, *step.Look.Do[0].Command)})
		if got.State == platform.NotDone {
			t.Skip("needs an unlocked package manager: ", got.Reasons)
		}
		linux.Standing(t, got, platform.Failed, "no-such-package")
	}
}
