package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab"
)

func TestJobFolderIsRootsAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dash")
	spec, _ := h.counting("a")
	h.started(spec, "started")
	h.stands("a", long, Exited)
	for _, folder := range []string{filepath.Dir(h.folder), h.folder, h.file("a")} {
		info, err := os.Stat(folder)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", folder, info.Mode(), err)
		}
	}
}

func TestSymbolicLinksAreRefused(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		elsewhere := t.TempDir()
		if err := os.MkdirAll(h.folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(elsewhere, h.file("a")); err != nil {
			t.Fatal(err)
		}
		h.refused(spec, 67, "symbolic link")
		if s := h.stands("a", 0, Unknown); !strings.Contains(s.Reason, "symbolic link") {
			t.Errorf("got %+v", s)
		}
		if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 || count() > 0 {
			t.Errorf("something happened behind the link: %v %v", left, err)
		}
	})
}

func TestOnlyWhoMayLookCanSayAbsent(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: to become somebody who may not look")
	}
	h := newHost(t, "dash")
	for _, folder := range []string{h.path, filepath.Dir(filepath.Dir(h.path))} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.write("x", "b", "spec")
	h.uid = 65534
	if s := h.stands("a", 0, Unknown); !strings.Contains(s.Reason, "can't be read") {
		t.Errorf("got %+v", s)
	}
}

func TestFullDiskKeepsTheExitStatus(t *testing.T) {
	t.Parallel()
	h := newHost(t, "dash")
	if err := os.MkdirAll(h.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", h.folder, "tmpfs", 0, "size=256k,mode=700"); err != nil {
		t.Skipf("needs root and mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(h.folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	fill := Spec{ID: "a", Argv: []string{"sh", "-c", `cat /dev/zero >"$1"; echo full; exit 9`, "x", h.file("fill")}}
	h.started(fill, "started")
	if s := h.stands("a", long, Exited); s.Code != 9 {
		t.Errorf("got %+v", s)
	}
	// And with no room at all, nothing begins.
	spec, count := h.counting("b")
	if r := h.start(spec); r.Code == 0 || count() != 0 {
		t.Errorf("got %d %q, ran %d times", r.Code, r.Err, count())
	}
	if s := h.look("b", 0); s.State != Absent && s.State != Claimed && s.State != Revoked {
		t.Errorf("got %+v", s)
	}
}

func TestOldLogsGoAndProofsStay(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		const old = keepLogs + 5
		for i := range old {
			id := fmt.Sprintf("old-%d", i)
			h.write("x\n", id, "log")
			when := time.Now().Add(time.Duration(i-1000) * time.Hour)
			h.ended(id, when)
		}
		h.write("x\n", "Not-Ours", "log")
		spec, _ := h.counting("new")
		h.started(spec, "started")
		h.stands("new", long, Exited)
		for i, gone := range map[int]bool{0: true, 3: true, old - 1: false} {
			id := fmt.Sprintf("old-%d", i)
			if _, err := os.Stat(h.file(id, "log")); os.IsNotExist(err) != gone {
				t.Errorf("%s: log gone: want %v, got %v", id, gone, err)
			}
			h.stands(id, 0, Exited)
		}
		h.read("Not-Ours", "log")
	})
}

// ended leaves an exit status of that moment.
func (h host) ended(id string, when time.Time) {
	h.t.Helper()
	h.write("0\n", id, "rc")
	if err := os.Chtimes(h.file(id, "rc"), when, when); err != nil {
		h.t.Fatal(err)
	}
}

// Half a year of hooks must not fill the hosts that all of them run on.
func TestOldProofsGo(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		days := func(n int) time.Time { return time.Now().Add(-time.Duration(n) * 24 * time.Hour) }
		for id, n := range map[string]int{"young": 89, "old": 91, "older": 500, "Not-Ours": 400, "linked": 300} {
			h.write("0 0\n", id, "started", "pid")
			h.ended(id, days(n))
		}
		h.write("0 0\n", "cut", "started", "pid") // and left no exit status
		if err := os.Chtimes(h.file("cut"), days(500), days(500)); err != nil {
			t.Fatal(err)
		}
		h.write("x\n", ".gone-half", "started", "pid")
		h.write("x\n", ".gone-older", "rc") // from a start that was cut
		elsewhere := filepath.Join(h.path, "elsewhere")
		if err := errors.Join(os.Rename(h.file("linked"), elsewhere), os.Symlink(elsewhere, h.file("linked"))); err != nil {
			t.Fatal(err)
		}
		spec, _ := h.counting("new")
		h.started(spec, "started")
		h.stands("new", long, Exited)
		for id, want := range map[string]State{"young": Exited, "old": Absent, "older": Absent, "cut": Interrupted} {
			h.stands(id, 0, want)
		}
		h.read("Not-Ours", "rc")
		h.read("linked", "rc")
		if left, err := filepath.Glob(h.file(".gone-*")); err != nil || len(left) > 0 {
			t.Errorf("still there: %q %v", left, err)
		}
	})
}

// What is asked for by its name is never forgotten at that moment.
func TestOldJobThatIsStartedAgain(t *testing.T) {
	eachShell(t, func(h host) {
		spec, count := h.counting("a")
		h.started(spec, "started")
		h.stands("a", long, Exited)
		h.ended("a", time.Now().Add(-500*24*time.Hour))
		h.started(spec, "attached")
		h.stands("a", 0, Exited)
		if count() != 1 {
			h.t.Errorf("ran %d times", count())
		}
	})
}

// A start that finds finished jobs asks simulated hosts for nothing they do not know.
func TestSecondJobInTheLab(t *testing.T) {
	fleet, err := lab.Start(t.Context(), lab.Spec{Version: 1, Hosts: []lab.HostSpec{{Name: "h", OS: "debian-12"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	h := fleet.Host("h")
	for _, id := range []string{"a", "b"} {
		start, err := Root().Start(Spec{ID: id, Argv: []string{"true"}})
		if err != nil {
			t.Fatal(err)
		}
		if r := simulated(t, h, start); !r.OK() {
			t.Fatalf("%s: start: %+v %s", id, r, r.Err)
		}
		if s := Read(simulated(t, h, Root().Look(id, long))); s.State != Exited {
			t.Errorf("%s: got %+v", id, s)
		}
	}
	if odd := h.Complaints(); len(odd) > 0 {
		t.Errorf("the scripts asked for what is not simulated: %q", odd)
	}
}
