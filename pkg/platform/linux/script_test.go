package linux

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// shells are what the scripts must run under, as far as they are here.
func shells(t *testing.T, each func(t *testing.T, shell []string)) {
	t.Helper()
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skip("needs " + shell[0] + ": one of the shells that hosts have")
			}
			each(t, shell)
		})
	}
}

// runIn runs a command of this package with a shell of this machine in place of the host's.
func runIn(t *testing.T, shell []string, c remote.Command) remote.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args := append(append([]string{}, shell[1:]...), c.Argv[1:]...)
	cmd := exec.CommandContext(ctx, shell[0], args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+emptyLists(t))
	cmd.Stdin = bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil || (err != nil && cmd.ProcessState == nil) {
		t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

// emptyLists is a configuration under which apt knows this machine's packages and
// no repository: quick, and the same everywhere.
func emptyLists(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "apt.conf")
	text := "Dir::State::lists \"" + dir + "/lists\";\nDir::Cache \"" + dir + "/cache\";\n"
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

// texts are all scripts as they are sent.
func texts() map[string]string {
	return map[string]string{
		"probe":       frameScript + commonScript + markerScript + probeScript,
		"resolve":     frameScript + commonScript + resolveScript,
		"preflight":   frameScript + commonScript + preflightScript,
		"after":       frameScript + commonScript + afterScript,
		"reboot_look": frameScript + commonScript + rebootLookScript,
		"lock_look":   frameScript + lockLookScript,
		"lock":        lockScript,
		"mark_look":   frameScript + markerScript + markLookScript,
		"mark":        markScript,
		"reboot":      rebootScript,
		"apt":         aptScript,
		"dnf":         dnfScript,
	}
}

func TestScriptsParse(t *testing.T) {
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		for name, text := range texts() {
			cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-n")...)
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	})
}

func TestScriptsCheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("needs shellcheck: it checks the scripts")
	}
	for name, text := range texts() {
		cmd := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "-")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestCutScriptsDoNothing: a script that arrives in part must not begin.
func TestCutScriptsDoNothing(t *testing.T) {
	home := filepath.Join(t.TempDir(), "patchring")
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		c := takeIn(home, "r1")
		c.Stdin = bytes.TrimSuffix(c.Stdin, []byte("main \"$@\"\n"))
		runIn(t, shell, c)
		if _, err := os.Stat(home); err == nil {
			t.Error("the script did something before its last line came")
		}
	})
}

// TestProbeHere runs the real probe against this machine. It only reads.
func TestProbeHere(t *testing.T) {
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		probe := Probe(platform.Query{Nonce: "0123456789abcdef", Packages: []string{"dpkg", "no-such-package"}})[0]
		res := runIn(t, shell, probe)
		f, err := Read([]remote.Result{res})
		if err != nil || res.Code != 0 {
			t.Fatalf("%v, exit status %d: %s", err, res.Code, res.Err)
		}
		if f.OS.ID == "" || f.Kernel.Running == "" || len(f.Spaces) == 0 || f.Clock.IsZero() || hasProblem(f, "output", "") {
			t.Errorf("%+v", f)
		}
		if shell[0] != "busybox" && f.Platform == Debian { // busybox prefers its own dpkg
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
	probe := Probe(platform.Query{})[0]
	// The script adds the usual folders to PATH; here they must stay out.
	probe.Stdin = bytes.ReplaceAll(probe.Stdin, []byte(":/usr/local/sbin:/usr/sbin:/sbin"), nil)
	res := runIn(t, []string{"env", "-i", "PATH=" + bin, filepath.Join(bin, "sh")}, remote.Command{Argv: append([]string{""}, probe.Argv[1:]...), Stdin: probe.Stdin})
	f, err := Read([]remote.Result{res})
	if err != nil {
		t.Fatal(err)
	}
	if !hasProblem(f, "updates", "") || f.Platform != Other {
		t.Errorf("%q: %+v", f.Platform, f.Problems)
	}
}

// TestRebootOfAnotherBoot: the order belongs to one boot. This machine's is another,
// so that nothing happens here.
func TestRebootOfAnotherBoot(t *testing.T) {
	f := debian()
	f.BootID = "not-this-boot"
	w := aptWork()
	step := stepNamed(t, Apt{Debian}, f, w, "reboot")
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		c := *step.Do[0].Command
		// Even a mistake in the script must not restart this machine.
		c.Stdin = bytes.ReplaceAll(c.Stdin, []byte("by_timer || by_hand"), []byte("echo would restart"))
		r := runIn(t, shell, c)
		if string(r.Out) != "the host has restarted already\n" {
			t.Errorf("%q %q", r.Out, r.Err)
		}
	})
}

func TestRebootLookHere(t *testing.T) {
	step := stepNamed(t, Apt{Debian}, debian(), aptWork(), "reboot")
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		rep, trouble := wholeReport([]remote.Result{runIn(t, shell, *step.Look.Do[0].Command)})
		if trouble != "" || rep.fields("signs")["boot_id"] == "" || !rep.get("reboot_flag").ok() {
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
	step := stepNamed(t, Apt{Debian}, debian(), w, "preflight")
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}} {
		got := step.Look.Judge([]remote.Result{runIn(t, shell, *step.Look.Do[0].Command)})
		if got.State == platform.NotDone {
			t.Skip("needs an unlocked package manager: ", got.Reasons)
		}
		standing(t, got, platform.Failed, "no-such-package")
	}
}

func TestSectionsAreBounded(t *testing.T) {
	shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		many := "many() { i=0; while [ $i -lt 500 ]; do echo line; i=$((i + 1)); done; }\n"
		c := look(remote.Reads, 0, []string{"n"}, frameScript, many+"nonce=$1\nopen_report\nsection few 600 many\nsection cut 100 many\nclose_report\n")
		rep, found := readReport(runIn(t, shell, c))
		if !found || !rep.whole {
			t.Fatal("no report")
		}
		if few := rep.get("few"); !few.ok() || len(few.lines()) != 500 {
			t.Errorf("few: status %d, %d lines", few.status, len(few.lines()))
		}
		if cut := rep.get("cut"); cut.status != -1 || len(cut.lines()) > 110 {
			t.Errorf("cut: status %d, %d lines", cut.status, len(cut.lines()))
		}
	})
}
