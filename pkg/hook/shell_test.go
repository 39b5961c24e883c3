package hook

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/apply"
	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/remote"
)

// eachShell runs the test under every shell that is here.
func eachShell(t *testing.T, test func(t *testing.T, shell string)) {
	t.Helper()
	t.Parallel() // these wait far more than they work
	for _, shell := range []string{"dash", "bash", "busybox"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("needs %s: %v", shell, err)
			}
			sh := filepath.Join(t.TempDir(), "sh")
			if err := os.Symlink(program, sh); err != nil {
				t.Fatal(err)
			}
			test(t, sh)
		})
	}
}

// run runs the command on this machine, under that shell.
func run(t *testing.T, shell string, c remote.Command, env ...string) remote.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, c.Argv[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stdin = bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

func waiting(t *testing.T, r Run, w playbook.Wait) platform.Step {
	t.Helper()
	r.Step, r.On = "drain", fact.HostID{Site: "hq", Name: "web-01"}
	s, err := Wait(r, w)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Do) != 0 || len(s.Look.Do) != 1 || s.Deadline != w.Within || s.Look.Do[0].Command.Effect != remote.Reads {
		t.Fatalf("it does more than look: %+v", s)
	}
	return s
}

func TestWaitForACommand(t *testing.T) {
	eachShell(t, func(t *testing.T, sh string) {
		t.Helper()
		ready := filepath.Join(t.TempDir(), "ready")
		for name, c := range map[string]struct {
			argv []string
			want platform.State
			says string
		}{
			"yes":         {[]string{"sh", "-c", "printf no-newline"}, platform.Done, ""},
			"no":          {[]string{"sh", "-c", "echo; echo 0; exit 3"}, platform.NotDone, "exit status 3"},
			"quoting":     {[]string{"sh", "-c", `[ "$1" = "a b*" ] && [ "$PATCHRING_HOST" = "x y" ]`, "x", "a b*"}, platform.Done, ""},
			"nothing":     {[]string{"no-such-command"}, platform.NotDone, "exit status 127"},
			"in a moment": {[]string{"sh", "-c", `[ -e "$1" ] || { : >"$1"; exit 1; }`, "x", ready}, platform.Done, ""},
			"says much":   {[]string{"sh", "-c", `head -c 100000 /dev/zero | tr '\0' x; exit 4`}, platform.NotDone, "exit status 4"},
		} {
			s := waiting(t, Run{Env: []string{"PATCHRING_HOST=x y"}}, playbook.Wait{Argv: c.argv, Within: time.Second})
			got := s.Look.Judge([]remote.Result{run(t, sh, *s.Look.Do[0].Command)})
			if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, "\n"), c.says) {
				t.Errorf("%s: got %+v", name, got)
			}
		}
	})
}

// A command that hangs ends in time, where the host has something to end it with.
func TestWaitForACommandThatHangs(t *testing.T) {
	t.Parallel()
	s := waiting(t, Run{}, playbook.Wait{Argv: []string{"sleep", "60"}, Within: time.Second})
	if got := s.Look.Judge([]remote.Result{run(t, "/bin/sh", *s.Look.Do[0].Command)}); got.State != platform.NotDone {
		t.Errorf("got %+v", got)
	}
}

// A slow answer takes from the time there is: a look that is cut is no "no".
func TestWaitForASlowCommand(t *testing.T) {
	eachShell(t, func(t *testing.T, sh string) {
		t.Helper()
		tries := filepath.Join(t.TempDir(), "tries")
		argv := []string{"sh", "-c", `echo once more >>"$1"; sleep 2; echo no; exit 1`, "x", tries}
		s := waiting(t, Run{}, playbook.Wait{Argv: argv, Within: 3 * time.Second})
		got := s.Look.Judge([]remote.Result{run(t, sh, *s.Look.Do[0].Command)})
		text, err := os.ReadFile(tries)
		if n := strings.Count(string(text), "once more"); err != nil || n > 2 || got.State != platform.NotDone {
			t.Errorf("asked %d times: %+v, %v", n, got, err)
		}
	})
}

// A "no" at the deadline fails the step, and no more than that: an unknown outcome would
// leave the host drained.
func TestSlowNoFails(t *testing.T) {
	t.Parallel()
	s := waiting(t, Run{}, playbook.Wait{Argv: []string{"sh", "-c", "sleep 2; exit 1"}, Within: time.Second})
	got := apply.Perform(t.Context(), Controller(filepath.Join(t.TempDir(), "jobs")), s, nil)
	if got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, "\n"), "exit status") {
		t.Errorf("got %+v", got)
	}
}

// TestLooksEndBeforeTheyAreCut: apply cuts one after three minutes.
func TestLooksEndBeforeTheyAreCut(t *testing.T) {
	s := waiting(t, Run{}, playbook.Wait{Argv: []string{"true"}, Within: 24 * time.Hour})
	argv, most := s.Look.Do[0].Command.Argv, 0
	for _, seconds := range argv[3:5] {
		n, err := strconv.Atoi(seconds)
		if err != nil {
			t.Fatal(err)
		}
		most += n
	}
	if most > 120 {
		t.Errorf("one look may take %d seconds: %q", most, argv)
	}
}

func TestWaitRefusesWhatItCantAsk(t *testing.T) {
	for name, c := range map[string]struct {
		r Run
		w playbook.Wait
	}{
		"no end":    {w: playbook.Wait{Idle: true}},
		"nothing":   {w: playbook.Wait{Within: time.Minute}},
		"both":      {w: playbook.Wait{Idle: true, Argv: []string{"a"}, Within: time.Minute}},
		"empty":     {w: playbook.Wait{Argv: []string{""}, Within: time.Minute}},
		"a value":   {w: playbook.Wait{Argv: []string{"A=b"}, Within: time.Minute}},
		"NUL":       {w: playbook.Wait{Argv: []string{"a", "\x00"}, Within: time.Minute}},
		"no value":  {r: Run{Env: []string{"A"}}, w: playbook.Wait{Argv: []string{"a"}, Within: time.Minute}},
		"an option": {r: Run{Env: []string{"-i=x"}}, w: playbook.Wait{Argv: []string{"a"}, Within: time.Minute}},
	} {
		if _, err := Wait(c.r, c.w); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestScriptsKeepToTheSubset(t *testing.T) {
	for name, script := range map[string]string{"ask.sh": askScript, "idle.sh": idleScript} {
		for _, outside := range posix.Check(name, []byte(script)) {
			t.Error(outside)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("idle\n")
	f.Add("busy 3 0050\n")
	f.Add("unknown \x1b[1mwhy\n")
	f.Add("text\n\n0\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, s := range map[string]platform.Standing{"answer": readAnswer(text), "idle": readIdle(text)} {
			if s.State == platform.Done && name == "idle" && strings.TrimSpace(text) != "idle" {
				t.Errorf("idle out of %q", text)
			}
			if s.State != platform.Done && len(s.Reasons) == 0 {
				t.Errorf("%s: no reason out of %q", name, text)
			}
			for _, reason := range append(s.Reasons, s.Progress) {
				if strings.ContainsAny(reason, "\x1b\n\x00") || len(reason) > 2*saidBytes {
					t.Errorf("%s: not clean: %q", name, reason)
				}
			}
		}
	})
}
