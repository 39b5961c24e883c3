package hook

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/job"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ apply.Sessions = (*Local)(nil)

func TestLocalEnvironmentIsClean(t *testing.T) {
	t.Setenv("PATCHRING_PASSWORD", "hunter2-planted")
	t.Setenv("AM_TOKEN", "hunter2-planted")
	l := Controller(t.TempDir())
	r, err := l.Run(t.Context(), remote.Command{Argv: []string{"env"}})
	if err != nil || !r.OK() {
		t.Fatalf("%v %+v", err, r)
	}
	for line := range strings.Lines(string(r.Out)) {
		name, _, _ := strings.Cut(line, "=")
		if !slices.Contains([]string{"PATH", "HOME", "LANG", "USER"}, name) {
			t.Errorf("%s is handed on", name)
		}
	}
}

func TestLocalRun(t *testing.T) {
	t.Parallel()
	l := Controller(t.TempDir())
	r, err := l.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", `cat; pwd; echo oops >&2; exit 3`}, Stdin: []byte("in\n")})
	if err != nil || r.Ending != remote.Exited || r.Code != 3 || string(r.Out) != "in\n/\n" || string(r.Err) != "oops\n" {
		t.Errorf("%v %+v", err, r)
	}
	r, err = l.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", `head -c 1000000 /dev/zero; echo end`}, MaxOut: 10})
	if err != nil || !r.Truncated || len(r.Out) != 10 || r.Code != 0 {
		t.Errorf("%v %d bytes, %+v", err, len(r.Out), r.Truncated)
	}
	if r, err = l.Run(t.Context(), remote.Command{Argv: []string{"sh", "-c", `kill -9 $$`}}); err != nil || r.Ending != remote.Signaled {
		t.Errorf("%v %+v", err, r)
	}
	for name, c := range map[string]remote.Command{
		"root":    {Argv: []string{"true"}, Become: true},
		"secret":  {Argv: []string{"true"}, Secret: secret.New("x")},
		"nothing": {},
		"absent":  {Argv: []string{"/no/such/command"}},
	} {
		if _, err := l.Run(t.Context(), c); err == nil || fault.KindOf(err) != fault.GiveUp {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What a command started is ended with it, also where it holds the output open.
func TestLocalKillsTheWholeGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	file := filepath.Join(t.TempDir(), "pid")
	began := time.Now()
	r, err := Controller(t.TempDir()).Run(ctx, remote.Command{Argv: []string{"sh", "-c", `sleep 60 & echo $! >"$1"; wait`, "x", file}})
	if fault.CodeOf(err) != fault.Lost || !errors.Is(err, context.DeadlineExceeded) || r.Ending != remote.Lost || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v %+v", time.Since(began), err, r)
	}
	pid, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A killed process may take a moment to go, on a machine with other things to do.
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for late := time.After(10 * time.Second); ; {
		stat, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		select {
		case <-late:
			t.Fatalf("its child goes on: %s", stat)
		case <-look.C:
		}
	}
}

// hooked is a run on this machine, with jobs in a state folder of its own.
func hooked(t *testing.T, within time.Duration, argv ...string) (*Local, Run) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	l := Controller(filepath.Join(state, "jobs"))
	env := Values{Host: "web-01", Site: "hq", Ring: "test", Hook: "drain"}.Env()
	return l, Run{
		ID: "r1-h0-drain", Step: "drain", On: fact.HostID{Site: "hq", Name: "web-01"}, Name: "lbctl",
		Place: l.Place(), Argv: argv, Env: env, Within: within,
	}
}

func perform(t *testing.T, on apply.Sessions, r Run) platform.Standing {
	t.Helper()
	s, err := Step(r)
	if err != nil {
		t.Fatal(err)
	}
	return apply.Perform(t.Context(), on, s, nil)
}

func TestStepOnTheController(t *testing.T) {
	t.Setenv("AM_TOKEN", "hunter2-planted")
	l, r := hooked(t, time.Minute, "sh", "-c", `echo "$PATCHRING_HOST $PATCHRING_SITE $PATCHRING_RING $PATCHRING_HOOK ${AM_TOKEN:-clean}" >>"$1"`, "x", filepath.Join(t.TempDir(), "told"))
	for range 2 { // the second is what a crash does
		if got := perform(t, l, r); got.State != platform.Done {
			t.Fatalf("got %+v", got)
		}
	}
	if text, err := os.ReadFile(r.Argv[4]); err != nil || string(text) != "web-01 hq test drain clean\n" {
		t.Errorf("it ran otherwise than once: %q %v", text, err)
	}
}

func TestStepThatFails(t *testing.T) {
	t.Parallel()
	l, r := hooked(t, time.Minute, "sh", "-c", `for i in 1 2 3 4 5 6 7 8; do echo "line $i"; done; printf '\033[1mbad'; exit 4`)
	got := perform(t, l, r)
	want := `lbctl failed (exit status 4)|line 5|line 6|line 7|line 8|\x1b[1mbad`
	if got.State != platform.Failed || strings.Join(got.Reasons, "|") != want {
		t.Errorf("got %+v", got)
	}
}

func TestStepThatHangs(t *testing.T) {
	t.Parallel()
	l, r := hooked(t, time.Second, "sh", "-c", `echo waiting; sleep 60`)
	got := perform(t, l, r)
	if got.State != platform.Failed || !strings.Contains(got.Reasons[0], "lbctl did not end within 1s, and was ended") {
		t.Errorf("got %+v", got)
	}
}

func TestWaitOnTheController(t *testing.T) {
	t.Parallel()
	l, r := hooked(t, time.Minute, "true")
	w := playbook.Wait{Argv: []string{"sh", "-c", `echo x >>"$1"; [ "$PATCHRING_HOST $(wc -l <"$1")" = "web-01 2" ]`, "x", filepath.Join(t.TempDir(), "tries")}, Within: time.Minute}
	s, err := Wait(r, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := apply.Perform(t.Context(), l, s, nil); got.State != platform.Done {
		t.Errorf("got %+v", got)
	}
	w.Argv, w.Within = []string{"sh", "-c", "echo still here; exit 5"}, 2*time.Second
	if s, err = Wait(r, w); err != nil {
		t.Fatal(err)
	}
	got := apply.Perform(t.Context(), l, s, nil)
	if got.State == platform.Done || got.State == platform.NotDone || !strings.Contains(strings.Join(got.Reasons, "|"), "exit status 5|still here") {
		t.Errorf("got %+v", got)
	}
}

func TestStepIsRefused(t *testing.T) {
	ok := Run{ID: "a", Argv: []string{"true"}, Within: time.Minute, Place: job.Home()}
	for name, spoil := range map[string]func(*Run){
		"no end":     func(r *Run) { r.Within = 0 },
		"no command": func(r *Run) { r.Argv = nil },
		"bad id":     func(r *Run) { r.ID = "../x" },
		"bad place":  func(r *Run) { r.Place = job.In("jobs") },
	} {
		r := ok
		spoil(&r)
		if _, err := Step(r); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestJudgeOfAStep(t *testing.T) {
	r := Run{Argv: []string{"/usr/local/bin/backup"}, Within: time.Minute}
	for state, want := range map[string]platform.State{
		"absent": platform.NotDone, "claimed": platform.NotDone, "running": platform.Running, "exited\ncode 0": platform.Done, "exited\ncode 7": platform.Failed,
		"timed_out": platform.Failed, "revoked\nwhy late": platform.Failed, "interrupted\nwhy gone": platform.Unknown, "unknown\nwhy hm": platform.Unknown, "new": platform.Unknown,
	} {
		got := r.judge([]remote.Result{{Ending: remote.Exited, Out: []byte("patchring-job 1\nstate " + state + "\nlog\nlast\n")}})
		if got.State != want || want < platform.NotDone && (len(got.Reasons) == 0 || !strings.Contains(got.Reasons[0], "backup")) {
			t.Errorf("%s: got %+v", state, got)
		}
	}
	if got := r.judge(nil); got.State != platform.Unknown || len(got.Reasons) == 0 {
		t.Errorf("got %+v", got)
	}
	if got := r.judge([]remote.Result{{Ending: remote.Lost}}); got.State != platform.Unknown {
		t.Errorf("got %+v", got)
	}
}
