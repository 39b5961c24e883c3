package job

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ends fails the test unless the process of this number, which the job wrote to a file
// under the name, is gone.
func (h host) ends(name string) {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.path, name))
	if err != nil {
		h.t.Fatal(err)
	}
	pid := strings.TrimSpace(string(text))
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err == nil && !strings.Contains(string(stat), ") Z ") {
		h.t.Errorf("%s goes on: %s", name, stat)
	}
}

// family is a command with a child; each writes its process number, and hangs.
const family = `sh -c 'echo $$ >"$1/child"; sleep 60' x "$1" & echo $$ >"$1/parent"; echo begun; sleep 60`

func TestBoundedJobIsEndedAsAWhole(t *testing.T) {
	eachShell(t, func(h host) { h.endsFamily(family) })
}

// What does not listen is killed.
func TestBoundedJobThatIgnoresSignals(t *testing.T) {
	t.Parallel()
	newHost(t, "dash").endsFamily(`trap "" TERM HUP INT; ` + family)
}

func (h host) endsFamily(script string) {
	h.t.Helper()
	spec := Spec{ID: "a", Within: 900 * time.Millisecond, Argv: []string{"sh", "-c", script, "x", h.path}}
	h.started(spec, "started")
	h.stands("a", 0, Running)
	if s := h.stands("a", long, TimedOut); s.Code != 0 || len(s.Log) == 0 || s.Log[0] != "begun" {
		h.t.Errorf("got %+v", s)
	}
	h.ends("parent")
	h.ends("child")
	h.started(spec, "attached")
	h.stands("a", 0, TimedOut)
}

func TestBoundedJobInTime(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		// What it leaves running on purpose stays.
		leave := `sleep 30 & echo $! >"$1/left"; echo "$X $2"; exit 124`
		h.started(Spec{ID: "a", Within: 20 * time.Second, Env: []string{"X=y z"}, Argv: []string{"sh", "-c", leave, "x", h.path, "*"}}, "started")
		if s := h.stands("a", long, Exited); s.Code != 124 || s.Last() != "y z *" {
			t.Errorf("got %+v", s)
		}
		text, err := os.ReadFile(filepath.Join(h.path, "left"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join("/proc", strings.TrimSpace(string(text)))); err != nil {
			t.Errorf("what it had started is gone: %v", err)
		}
		h.started(Spec{ID: "b", Within: time.Hour, Argv: []string{"no-such-command"}}, "started")
		if s := h.stands("b", long, Exited); s.Code != 127 && s.Code != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

// Signals to those who watch over it end neither the job nor its bound.
func TestBoundOutlivesSignals(t *testing.T) {
	eachShell(t, func(h host) {
		h.started(Spec{ID: "a", Within: 2 * time.Second, Argv: []string{"sleep", "60"}}, "started")
		h.stands("a", 0, Running)
		for range 3 {
			h.kill("a", syscall.SIGTERM)
			h.kill("a", syscall.SIGHUP)
		}
		h.stands("a", long, TimedOut)
	})
}

// limited has only these tools, and the shell.
func (h host) limited(names ...string) host {
	h.t.Helper()
	h.tools = filepath.Join(filepath.Dir(h.path), "tools")
	if err := os.Mkdir(h.tools, 0o700); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range append(names, "cat", "chmod", "date", "env", "grep", "id", "ls", "mkdir", "mv", "nohup", "printf", "rm", "sleep", "sync", "tail", "wc") {
		program, err := exec.LookPath(name)
		if err != nil {
			h.t.Skipf("needs %s: %v", name, err)
		}
		if err := os.Symlink(program, filepath.Join(h.tools, name)); err != nil {
			h.t.Fatal(err)
		}
	}
	return h
}

func TestBoundWithoutSetsid(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dash").limited("timeout")
	h.started(Spec{ID: "a", Within: time.Second, Argv: []string{"sleep", "60"}}, "started")
	h.stands("a", long, TimedOut)
	h.started(Spec{ID: "b", Within: time.Minute, Argv: []string{"sh", "-c", "exit 124"}}, "started")
	if s := h.stands("b", long, Exited); s.Code != 124 {
		t.Errorf("got %+v", s)
	}
}

// Where nothing could end it, it does not begin; what is not bounded does.
func TestNoBoundNoJob(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dash").limited()
	spec, count := h.counting("a")
	spec.Within = time.Minute
	h.refused(spec, 69, "nothing was started")
	h.stands("a", 0, Claimed)
	if count() != 0 {
		t.Error("it ran")
	}
	spec, count = h.counting("b")
	h.started(spec, "started")
	h.stands("b", long, Exited)
	if count() != 1 {
		t.Errorf("ran %d times", count())
	}
}

func TestBoundsAreSaid(t *testing.T) {
	if got, err := encode(Spec{ID: "a", Argv: []string{"x"}, Within: 1100 * time.Millisecond}); err != nil || string(got) != "within 2\narg x\nend 2\n" {
		t.Errorf("got %q %v", got, err)
	}
	for _, s := range []Spec{{ID: "a", Argv: []string{"x"}, Within: -1}, {ID: "a", Argv: []string{"x"}, Within: time.Hour, Inhibit: true}} {
		if _, err := Start(s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}
