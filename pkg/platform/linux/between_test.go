package linux

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
)

// order is the restart's command on a made-up host: its lock is what the test says, and
// nothing is restarted.
func order(t *testing.T, home, locks string) remote.Command {
	t.Helper()
	o := restart{manager: sample().Manager, facts: sampleFacts(), work: sampleWork(), order: "w1-reboot", again: true}
	o.manager.Script = "sample_locks() { " + locks + "; }\n"
	o.work.RebootWithin = 4e9 // half of it is waited
	c := *o.step("reboot", "reboot").Do[0].Command
	text := string(c.Stdin)
	for was, is := range map[string]string{"/var/lib/patchring": home, "\tby_timer || by_hand\n": "\techo restarting\n"} {
		if !strings.Contains(text, was) {
			t.Fatalf("the script has no %q", was)
		}
		text = strings.ReplaceAll(text, was, is)
	}
	c.Stdin = []byte(text)
	return c
}

// TestRebootWaits: somebody else's transaction is waited for, and never cut.
func TestRebootWaits(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		home := filepath.Join(t.TempDir(), "patchring")
		held := RunIn(t, shell, order(t, home, "echo /lock 42 apt-get"))
		if _, err := os.Stat(home + "/reboot"); held.Code != 75 || !strings.Contains(string(held.Err), "locked by /lock 42 apt-get") || err == nil {
			t.Errorf("held: %d %s%s %v", held.Code, held.Out, held.Err, err)
		}
		// Free at first, and held again while the order is written down.
		late := RunIn(t, shell, order(t, home, "[ ! -e "+home+"/reboot ] || echo /lock 42 apt-get"))
		if _, err := os.Stat(home + "/reboot"); late.Code != 75 || err == nil {
			t.Errorf("late: %d %s%s %v", late.Code, late.Out, late.Err, err)
		}
		let := "[ -e " + home + ".asked ] || { : >" + home + ".asked; echo /lock 42 apt-get; }"
		if got := RunIn(t, shell, order(t, home, let)); got.Code != 0 || !strings.Contains(string(got.Out), "restarting") {
			t.Errorf("let go: %d %s%s", got.Code, got.Out, got.Err)
		}
		if got := RunIn(t, shell, order(t, home, "echo /lock 42 apt-get")); got.Code != 0 || strings.Contains(string(got.Out), "restarting") {
			t.Errorf("again: %d %s%s", got.Code, got.Out, got.Err)
		}
	})
}

// kept runs a stage job whose NAME_keep is this text; it gives the files that count as kept.
func (r rig) kept(keep string) string {
	r.t.Helper()
	d, w := sample(), sampleWork()
	d.Script = "sample_files() { find \"$1\" -type f | sort | while read -r f; do printf 'n\\ta\\tv\\t%s\\n' \"$f\"; done; }\n"
	d.Acts = "sample_stage() { :; }\nsample_keep() { cd \"$1\" || return; " + keep + "; }\n"
	w.Keep = true
	spec := d.job(sampleFacts(), w, "stage")
	home := filepath.Join(r.dir, "kept")
	put := func(text string) string { return strings.ReplaceAll(text, KeptFolder, home) }
	var args []string
	for _, word := range spec.Argv[4:] {
		args = append(args, put(word))
	}
	argv := append([]string{"sh", "-s", "--"}, args...)
	RunIn(r.t, r.shell, remote.Command{Argv: argv, Stdin: []byte(put(spec.Argv[2]))})
	text := put(frameScript + commonScript + d.Script)
	got := RunIn(r.t, r.shell, remote.Command{Argv: []string{"sh", "-s"}, Stdin: []byte(text + "manager=sample\npackage_files \"$kept\" | cut -f 2,6\n")})
	return strings.ReplaceAll(string(got.Out), home+"/", "")
}

// TestKeptWhole: what a cut job has begun to keep counts for nothing, and does not stand in the way.
func TestKeptWhole(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		r := newRig(t, shell)
		if got := r.kept("printf half >a.deb; kill -9 $$"); got != "" || !r.has("kept/w1.new/a.deb") {
			t.Errorf("cut: %q", got)
		}
		if got := r.kept("printf whole >b.deb; return 1"); got != "5\tw1/b.deb\n" || r.has("kept/w1.new") {
			t.Errorf("in part: %q", got)
		}
		if got := r.kept("printf whole >c.deb"); got != "5\tw1/b.deb\n5\tw1/c.deb\n" {
			t.Errorf("again: %q", got)
		}
	})
}

// TestAsideRearmed: there is always a timer that brings back what an earlier job stopped.
func TestAsideRearmed(t *testing.T) {
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		r := newRig(t, shell, "patchring-aside.timer", "packages.service")
		r.write("aside", "daily.timer\n")
		if said, code := r.run("return 0"); code != 0 || !r.has("active/daily.timer") || r.has("aside") || r.has("active/patchring-aside.timer") || r.has("active/patchring-aside-next.timer") {
			t.Errorf("%d %s\n%s", code, said, r.calls())
		}
		calls := r.calls()
		armed := strings.Index(calls, "systemd-run --quiet --unit=patchring-aside-next ")
		if disarmed := strings.Index(calls, "systemctl stop patchring-aside.timer\n"); armed < 0 || disarmed < armed {
			t.Errorf("for a moment nothing would bring them back:\n%s", calls)
		}
	})
}

// TestAsidePackageKit: it may begin something between any question and its stop.
func TestAsidePackageKit(t *testing.T) {
	r := newRig(t, []string{"sh"}, "daily.timer", "packagekit.service")
	cmd := r.job("return 0")
	for i, word := range cmd.Args {
		cmd.Args[i] = strings.ReplaceAll(word, "packages.service", "packagekit.service")
	}
	if out, err := cmd.CombinedOutput(); err != nil || r.during() != "packagekit.service" {
		t.Errorf("%v, during it %q: %s", err, r.during(), out)
	}
}
