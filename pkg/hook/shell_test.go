package hook

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/job"
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

const (
	header  = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	sshd    = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 130 1 0 100 0 0 10 0\n"
	web     = "   1: 0A00000A:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 131 1 0 100 0 0 10 0\n"
	ours    = "   2: 0A00000A:0016 0100000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 132 2 0 20 4 29 10 -1\n"
	visitor = "   3: 0A00000A:0050 0200000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 133 2 0 20 4 29 10 -1\n"
	leaving = "   4: 0A00000A:0050 0300000A:D431 06 00000000:00000000 02:000A7D8C 00000000     0        0 134 2 0 20 4 29 10 -1\n"
	outward = "   5: 0A00000A:D002 0900000A:0050 01 00000000:00000000 02:000A7D8C 00000000     0        0 135 2 0 20 4 29 10 -1\n"
	local   = "   6: 0100007F:0050 0100007F:D433 01 00000000:00000000 02:000A7D8C 00000000     0        0 136 2 0 20 4 29 10 -1\n"
	web6    = "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 140 1 0 100 0 0 10 0\n"
	mapped  = "   1: 0000000000000000FFFF00000A00000A:01BB 0000000000000000FFFF00000300000A:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 141 2 0 20 4 29 10 -1\n"
	near6   = "   2: 0000000000000000FFFF00000100007F:01BB 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 142 2 0 20 4 29 10 -1\n"
	loop6   = "   3: 00000000000000000000000001000000:01BB 00000000000000000000000001000000:D431 01 00000000:00000000 02:000A7D8C 00000000     0        0 143 2 0 20 4 29 10 -1\n"
)

func TestIdle(t *testing.T) {
	t.Parallel()
	const ssh = "SSH_CONNECTION=10.0.0.1 54321 10.0.0.10 22"
	for name, c := range map[string]struct {
		tcp, tcp6, env string
		want           platform.State
		says           string
	}{
		"idle":             {sshd + web + ours + leaving + outward, web6, ssh, platform.Done, ""},
		"no IPv6":          {sshd + web + ours, "-", ssh, platform.Done, ""},
		"busy":             {sshd + web + ours + visitor, web6, ssh, platform.NotDone, "to port 80"},
		"busy over IPv6":   {sshd + ours, web6 + mapped, ssh, platform.NotDone, "to port 443"},
		"itself":           {sshd + web + local, web6 + near6 + loop6, ssh, platform.Done, ""},
		"another SSH port": {sshd + ours, web6, "SSH_CONNECTION=10.0.0.1 54321 10.0.0.10 2222", platform.Unknown, "does not show the SSH server"},
		"no port":          {sshd + web, web6, "X=", platform.Unknown, "SSH_CONNECTION"},
		"bad port":         {sshd + web, web6, "SSH_CONNECTION=1 2 3 $(reboot)", platform.Unknown, "SSH_CONNECTION"},
		"no table":         {"-", web6, ssh, platform.Unknown, "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, sh string) {
				t.Helper()
				got := idle(t, sh, c.tcp, c.tcp6, c.env)
				if got.State != c.want || !strings.Contains(strings.Join(got.Reasons, "\n"), c.says) {
					t.Errorf("got %+v", got)
				}
			})
		})
	}
}

// idle asks with these tables instead of the kernel's, and without waiting for long.
func idle(t *testing.T, sh, tcp, tcp6, env string) platform.Standing {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"tcp": tcp, "tcp6": tcp6} {
		if text == "-" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(header+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := waiting(t, Run{Place: job.Root()}, playbook.Wait{Idle: true, Within: time.Second})
	c := *s.Look.Do[0].Command
	if c.Become {
		t.Error("it asks for root")
	}
	script := strings.NewReplacer("/proc/net", folder, "sleep 1", "sleep 0.01").Replace(string(c.Stdin))
	if strings.Contains(script, "sleep 1") || strings.Count(script, folder) < 2 {
		t.Fatal("idle.sh has changed: this test gives it other tables")
	}
	c.Stdin = []byte(script)
	return s.Look.Judge([]remote.Result{run(t, sh, c, env)})
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
