package job

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/remote"
)

const long = 30 * time.Second

func TestJobRunsToItsEnd(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		h.stands("apt-1", 0, Absent)
		spec := Spec{ID: "apt-1", Env: []string{"GREETING=good day"}, Inhibit: true,
			Argv: []string{"sh", "-c", `echo "$GREETING $1"; echo "$http_proxy"; echo oops >&2; exit 7`, "x", "*"}}
		h.started(spec, "started")
		s := h.stands("apt-1", long, Exited)
		want := []string{"good day *", "http://proxy.example:3128", "oops"}
		if s.Code != 7 || !slices.Equal(s.Log, want) || s.BootID == "" {
			t.Errorf("got %+v", s)
		}
		h.started(spec, "attached")
	})
}

func TestCommandNotFoundIsAnExitStatus(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		h.started(Spec{ID: "a", Argv: []string{"no-such-command"}}, "started")
		if s := h.stands("a", long, Exited); s.Code != 127 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestLookWaitsOnlySoLong(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		// It runs until it is told to end, so that no load of the machine ends it too early.
		end := filepath.Join(t.TempDir(), "end")
		h.started(Spec{ID: "a", Argv: []string{"sh", "-c", `echo begun; while ! [ -e "$1" ]; do sleep 1; done`, "a", end}}, "started")
		if s := h.stands("a", time.Second, Running); s.Last() != "begun" {
			t.Errorf("got %+v", s)
		}
		if err := os.WriteFile(end, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		h.stands("a", long, Exited)
	})
}

// The heart: however many start it at once, the command runs once.
func TestManyStartsRunOnce(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() { h.start(spec) })
		}
		all.Wait()
		h.stands("a", long, Exited)
		if count() != 1 {
			t.Errorf("ran %d times", count())
		}
		// run.sh itself holds the line, not only start.sh.
		h.run(remote.Command{Argv: []string{"sh", h.file("a", "run.sh"), h.file("a")}})
		if count() != 1 {
			t.Errorf("run.sh ran the command again: %d times", count())
		}
	})
}

// Whoever claimed the folder may have died at any of these points.
func TestClaimedFolderIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(host, []byte){
		"empty":      func(h host, _ []byte) { h.write("", "a", "launch") },
		"half spec":  func(h host, spec []byte) { h.write(string(spec[:5]), "a", "spec.1") },
		"spec":       func(h host, spec []byte) { h.write(string(spec), "a", "spec") },
		"and run.sh": func(h host, spec []byte) { h.write(string(spec), "a", "spec"); h.write("echo half", "a", "run.sh") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, "dash")
			spec, count := h.counting("a")
			encoded, err := encode(spec)
			if err != nil {
				t.Fatal(err)
			}
			leave(h, encoded)
			h.stands("a", 0, Claimed)
			h.started(spec, "started")
			h.stands("a", long, Exited)
			if count() != 1 {
				t.Errorf("ran %d times", count())
			}
		})
	}
}

func TestAnotherCommandIsRefused(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		h.started(spec, "started")
		h.stands("a", long, Exited)
		spec.Argv = append(spec.Argv, "more")
		h.refused(spec, 65, "exists with another command")
		if count() != 1 {
			t.Errorf("ran %d times", count())
		}
	})
}

func TestSpecCutOffOnItsWayStartsNothing(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		whole, err := h.at().Start(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, keep := range []int{0, 1, 6, len(whole.Stdin) / 2, len(whole.Stdin) - 1} {
			part := whole
			part.Stdin = whole.Stdin[:keep]
			if r := h.run(part); r.Code != 66 {
				t.Errorf("%d bytes: got %d %q %q", keep, r.Code, r.Out, r.Err)
			}
		}
		h.stands("a", 0, Claimed)
		h.started(spec, "started")
		h.stands("a", long, Exited)
		if count() != 1 {
			t.Errorf("ran %d times", count())
		}
	})
}

func TestRestartedHostMeansInterrupted(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		h.write("another boot\n", "a", "started", "boot_id")
		h.write("1\n", "a", "started", "pid")
		s := h.stands("a", long, Interrupted)
		if !strings.Contains(s.Reason, "restarted") {
			t.Errorf("got %+v", s)
		}
		if h.start(spec); count() != 0 {
			t.Error("an interrupted job was started again")
		}
	})
}

func TestKilledJobMeansInterrupted(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		h.started(Spec{ID: "a", Argv: []string{"sleep", "5"}}, "started")
		h.stands("a", 0, Running)
		h.kill("a", syscall.SIGKILL)
		if s := h.stands("a", long, Interrupted); !strings.Contains(s.Reason, "gone") {
			t.Errorf("got %+v", s)
		}
	})
}

func TestTermDoesNotEndTheJob(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		h.started(Spec{ID: "a", Argv: []string{"sh", "-c", "sleep 2; exit 3"}}, "started")
		h.stands("a", 0, Running)
		h.kill("a", syscall.SIGTERM)
		if s := h.stands("a", long, Exited); s.Code != 3 {
			t.Errorf("got %+v", s)
		}
	})
}

// The process number was given to somebody else meanwhile: this test.
func TestReusedProcessNumberIsNotTheJob(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dash")
	h.write("", "a", "started", "boot_id")
	for _, began := range []string{" 1", ""} {
		h.write(fmt.Sprintf("%d%s\n", os.Getpid(), began), "a", "started", "pid")
		h.stands("a", time.Second, Interrupted)
	}
}

// Whatever the bytes, the command gets them as they were.
func TestArgumentsArriveAsTheyAre(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			if n++; n > 5 {
				return // each costs a second of real processes
			}
			word := rapid.StringOfN(rapid.RuneFrom([]rune("a\\n'\"$`* \n\t%;&|<>(){}#~=é-0")), 0, 12, -1)
			args := rapid.SliceOfN(word, 1, 5).Draw(r, "args")
			id := fmt.Sprintf("args-%d", n)
			argv := append([]string{"sh", "-c", `for a in "$@"; do printf '%s|' "$a"; done >"$0"`, h.path + "/" + id}, args...)
			h.started(Spec{ID: id, Argv: argv, Env: []string{"V=" + args[0]}}, "started")
			h.stands(id, long, Exited)
			got, err := os.ReadFile(h.path + "/" + id)
			if want := strings.Join(args, "|") + "|"; err != nil || string(got) != want {
				t.Errorf("want %q, got %q %v", want, got, err)
			}
		})
	})
}
