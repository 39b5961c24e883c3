package job

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
			h.write("0\n", id, "rc")
			h.write("x\n", id, "log")
			when := time.Now().Add(time.Duration(i-1000) * time.Hour)
			if err := os.Chtimes(h.file(id), when, when); err != nil {
				t.Fatal(err)
			}
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
