package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/remote"
)

func TestPlacesSayWithWhoseRights(t *testing.T) {
	for name, c := range map[string]struct {
		place Place
		root  bool
		word  string
	}{
		"root": {Root(), true, Folder}, "home": {Home(), false, "home"}, "zero": {Place{}, false, "home"}, "folder": {In("/s/jobs"), false, "/s/jobs"},
	} {
		start, err := c.place.Start(Spec{ID: "a", Argv: []string{"true"}})
		if err != nil || start.Become != c.root || start.Argv[4] != c.word {
			t.Errorf("%s: start: %v %q", name, err, start.Argv[4:6])
		}
		if look := c.place.Look("a", 0); look.Become != c.root || look.Argv[3] != c.word || look.Effect != remote.Reads {
			t.Errorf("%s: look: %+v", name, look.Argv)
		}
	}
	for _, folder := range []string{"jobs", "home", "/", "/jobs", "/s/", "/a\x00/b"} {
		if _, err := In(folder).Start(Spec{ID: "a", Argv: []string{"true"}}); err == nil {
			t.Errorf("%q was taken for a place", folder)
		}
	}
}

func TestJobInTheHomeFolder(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		h.place = new(Home())
		h.folder = filepath.Join(h.home(), ".patchring", "jobs")
		spec := Spec{ID: "a", Argv: []string{"sh", "-c", `echo "$HOME"`}}
		h.refused(spec, 67, "no home folder")
		if s := h.stands("a", 0, Unknown); !strings.Contains(s.Reason, "no home folder") {
			t.Errorf("got %+v", s)
		}
		if err := os.Mkdir(h.home(), 0o700); err != nil {
			t.Fatal(err)
		}
		h.stands("a", 0, Absent)
		h.started(spec, "started")
		h.stands("a", long, Exited)
		if info, err := os.Stat(h.file("a")); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v %v", info, err)
		}
	})
}

// The same without root: who logs in owns the folder and runs the command.
func TestJobOfALoginWithoutRoot(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		if os.Getuid() != 0 {
			t.Skip("needs root: to become somebody else")
		}
		h.place, h.uid = new(Home()), 65534
		h.folder = filepath.Join(h.home(), ".patchring", "jobs")
		if err := os.Mkdir(h.home(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(h.home(), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		passable(t, filepath.Dir(h.path))
		h.started(Spec{ID: "a", Argv: []string{"sh", "-c", `id -u; echo "$HOME"`}}, "started")
		if s := h.stands("a", long, Exited); s.Code != 0 || len(s.Log) != 2 || s.Log[0] != "65534" || s.Log[1] != h.home() {
			t.Errorf("got %+v", s)
		}
		// What root left in the way is not theirs.
		if err := os.Mkdir(h.file("b"), 0o755); err != nil {
			t.Fatal(err)
		}
		h.refused(Spec{ID: "b", Argv: []string{"true"}}, 67, "somebody else")
		if s := h.stands("b", 0, Unknown); !strings.Contains(s.Reason, "somebody else") {
			t.Errorf("got %+v", s)
		}
	})
}

// passable lets others through to the shell under test.
func passable(t *testing.T, root string) {
	t.Helper()
	for _, folder := range []string{root, filepath.Join(root, "bin"), filepath.Dir(root)} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// A folder that others may write to proves nothing, wherever it is.
func TestFoldersOfOthersAreRefused(t *testing.T) {
	eachShell(t, func(h host) {
		t := h.t
		spec, count := h.counting("a")
		h.write("", "a", "launch")
		for _, folder := range []string{filepath.Dir(h.folder), h.folder, h.file("a")} {
			for _, mode := range []os.FileMode{0o720, 0o702} {
				if err := os.Chmod(folder, mode); err != nil {
					t.Fatal(err)
				}
				h.refused(spec, 67, "others may write to "+folder)
				if s := h.stands("a", 0, Unknown); !strings.Contains(s.Reason, "others may write") {
					t.Errorf("%s %v: got %+v", folder, mode, s)
				}
			}
			if err := os.Chmod(folder, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if count() != 0 {
			t.Error("it ran")
		}
		h.started(spec, "started")
		h.stands("a", long, Exited)
	})
}
