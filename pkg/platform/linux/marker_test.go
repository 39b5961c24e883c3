package linux

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

func ourWord(rollout string) platform.Owner {
	o := OwnerOf(rollout)
	o.Host, o.Playbook, o.Site = Web.String(), "monthly", "hq"
	return o
}

// rigged is a folder of the test's own with the marker's commands, run by one shell.
type rigged struct {
	t     *testing.T
	shell []string
	home  string
}

func (r rigged) run(c remote.Command) remote.Result {
	r.t.Helper()
	return RunIn(r.t, r.shell, in(r.home, []platform.Operation{{Command: &c}}))
}

func (r rigged) lock(rollout string) {
	r.run(*sample().Lock(Web, ourWord(rollout)).Do[0].Command)
}
func (r rigged) mark(rollout string) remote.Result {
	return r.run(*sample().Mark(Web, ourWord(rollout)).Do[0].Command)
}
func (r rigged) unmark(rollout string) remote.Result {
	return r.run(sample().Unmark(ourWord(rollout)))
}

func (r rigged) stands(rollout string) platform.State {
	r.t.Helper()
	step := sample().Mark(Web, ourWord(rollout))
	return step.Look.Judge([]remote.Result{r.run(*step.Look.Do[0].Command)}).State
}

// detected is what the real probe reads of it on this machine.
func (r rigged) detected() fact.Facts {
	r.t.Helper()
	c := Managers{sample().Manager}.Probe(platform.Query{Nonce: "0f"})[0]
	c.Stdin = bytes.ReplaceAll(c.Stdin, []byte(lockHome), []byte(r.home))
	f, err := Managers{sample().Manager}.Read([]remote.Result{RunIn(r.t, r.shell, c)})
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// path of the marker that these tests write.
func (r rigged) path() string {
	return filepath.Join(r.home, "open", MarkerName("monthly", "hq"))
}

func (r rigged) put(name, content string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// only is the marker that was detected, if there is exactly one.
func only(f fact.Facts) *fact.Marker {
	if len(f.Markers) != 1 {
		return nil
	}
	return &f.Markers[0]
}

func eachRigged(t *testing.T, test func(t *testing.T, r rigged)) {
	t.Helper()
	Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		test(t, rigged{t, shell, filepath.Join(t.TempDir(), "patchring")})
	})
}

func TestMarkerForReal(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		want := func(what string, rollout string, want platform.State) {
			t.Helper()
			if got := r.stands(rollout); got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		if f := r.detected(); f.Markers != nil || HasProblem(f, "marker", "") {
			t.Errorf("at first: %+v %+v", f.Markers, f.Problems)
		}
		if got := r.mark("r1"); got.Code == 0 {
			t.Error("it was written without the lock")
		}
		r.lock("r1")
		want("locked", "r1", platform.NotDone)
		r.mark("r1")
		want("marked", "r1", platform.Done)
		want("marked, for another", "r2", platform.NotDone)
		marker := fact.Marker{Rollout: "r1", Playbook: "monthly", Site: "hq", By: "jane@laptop", Since: OwnerOf("").Since}
		if got := only(r.detected()); got == nil || *got != marker {
			t.Errorf("detected: %+v", got)
		}
		if got := r.mark("r2"); got.Code == 0 {
			t.Error("it was written under another's lock")
		}
		r.run(*sample().Unlock(Web, ourWord("r1")).Do[0].Command)
		want("unlocked", "r1", platform.Done)
		r.lock("r2")
		r.mark("r2")
		want("replaced", "r2", platform.Done)
		if got := r.unmark("r1"); got.Code != 0 {
			t.Errorf("%s", got.Err)
		}
		want("another removed its own", "r2", platform.Done)
		r.unmark("r2")
		want("removed", "r2", platform.NotDone)
		if got := r.unmark("r2"); got.Code != 0 {
			t.Errorf("removed twice: %s", got.Err)
		}
	})
}

// TestMarkerIsReplacedWhole: whatever was cut off on the way there, the next one is whole.
func TestMarkerIsReplacedWhole(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		r.lock("r1")
		r.put(r.path(), `{"rollout":"r0`)
		r.put(r.path()+".new", strings.Repeat("x", 5000))
		if f := r.detected(); f.Markers != nil || !HasProblem(f, "marker", "can't be understood") {
			t.Errorf("%+v %+v", f.Markers, f.Problems)
		}
		r.mark("r1")
		if r.stands("r1") != platform.Done || only(r.detected()) == nil {
			t.Error("it was not replaced")
		}
	})
}

func TestOddMarkers(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		r.lock("r1")
		odd := func(what, problem string) {
			t.Helper()
			if f := r.detected(); f.Markers != nil || !HasProblem(f, "marker", problem) || r.stands("r1") != platform.Failed {
				t.Errorf("%s: %+v %+v", what, f.Markers, f.Problems)
			}
			if got := r.mark("r1"); got.Code == 0 {
				t.Errorf("%s: it was written all the same", what)
			}
			if err := os.RemoveAll(filepath.Join(r.home, "open")); err != nil {
				t.Fatal(err)
			}
		}
		r.put(filepath.Join(r.home, "open"), "{}")
		odd("a file for the folder", "not a folder")
		if err := os.Symlink("lock", filepath.Join(r.home, "open")); err != nil {
			t.Fatal(err)
		}
		odd("a link for the folder", "not a folder")
		r.put(filepath.Join(r.path(), "inside"), "{}")
		odd("a folder for the file", "can't be understood")
	})
}

// TestTwoPlaybooks: each has a marker of its own, and what is no marker is not read.
func TestTwoPlaybooks(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		weekly := ourWord("w1")
		weekly.Playbook = "weekly"
		r.lock("w1")
		r.run(*sample().Mark(Web, weekly).Do[0].Command)
		r.run(*sample().Unlock(Web, weekly).Do[0].Command)
		r.lock("r1")
		r.mark("r1")
		r.put(filepath.Join(r.home, "open", "README"), "hello")
		f := r.detected()
		if len(f.Markers) != 2 || f.Markers[0].Rollout != "r1" || f.Markers[1].Rollout != "w1" || HasProblem(f, "marker", "") {
			t.Errorf("%+v %+v", f.Markers, f.Problems)
		}
		r.unmark("r1")
		if m := only(r.detected()); m == nil || m.Rollout != "w1" {
			t.Errorf("%+v", m)
		}
		for i := range 50 {
			r.put(filepath.Join(r.home, "open", strconv.Itoa(i)), "{}")
		}
		if f := r.detected(); len(f.Markers) != 0 || !HasProblem(f, "marker", "could not be read") {
			t.Errorf("more than anybody would read: %+v %+v", f.Markers, f.Problems)
		}
	})
}

// TestLongMarker: only its first bytes are read, and what is cut off is not understood.
func TestLongMarker(t *testing.T) {
	eachRigged(t, func(t *testing.T, r rigged) {
		t.Helper()
		r.lock("r1")
		o := ourWord("r1")
		o.By = strings.Repeat("j", 9000)
		text, _ := ownerJSON(o)
		r.put(r.path(), text)
		if f := r.detected(); f.Markers != nil || !HasProblem(f, "marker", "can't be understood") {
			t.Errorf("%+v", f.Markers)
		}
		text, _ = ownerJSON(ourWord("r1"))
		r.put(r.path(), text+"\n"+strings.Repeat("more\n", 90))
		if m := only(r.detected()); m == nil || m.Rollout != "r1" {
			t.Errorf("%+v", m)
		}
	})
}

func markerSays(text, status string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(opening + "n\n@n begin open\n" + text + "\n\n@n status " + status + "\n@n end open\n@n whole\n")}
}

func TestReadMarker(t *testing.T) {
	whole, _ := ownerJSON(ourWord("2026-11-21-monthly-7f3a"))
	for name, c := range map[string]struct{ text, status, problem string }{
		"absent":               {"absent", "0", ""},
		"there":                {"there\n" + whole, "0", ""},
		"of a newer patchring": {"there\n" + strings.Replace(whole, "{", `{"ring":"test",`, 1), "0", ""},
		"hidden":               {"hidden", "0", "can't be entered"},
		"odd":                  {"odd", "0", "not a folder"},
		"another word":         {"perhaps", "0", "could not be read"},
		"not whole":            {"there\n" + whole, "1", "could not be read"},
		"nothing":              {"", "0", "could not be read"},
		"no JSON":              {"there\nhello", "0", "can't be understood"},
		"two on one line":      {"there\n" + whole + whole, "0", "can't be understood"},
		"no file":              {"there\nodd", "0", "can't be understood"},
		"empty folder":         {"there", "0", ""},
		"of the lock":          {"there\n" + `{"rollout":"r1","by":"jane","since":"2026-11-21T00:00:00Z"}`, "0", "can't be understood"},
		"a command":            {"there\n" + strings.Replace(whole, "2026-11-21-monthly", "$(id)", 1), "0", "can't be understood"},
		"an option":            {"there\n" + strings.Replace(whole, "2026-11-21-monthly", "--yes", 1), "0", "can't be understood"},
		"control characters":   {"there\n" + strings.Replace(whole, `"monthly"`, `"m\u001b[2J"`, 1), "0", "can't be understood"},
		"no time":              {"there\n" + strings.Replace(whole, "2026-11-21T", "0001-11-21T", 1), "0", "can't be understood"},
	} {
		f, err := Managers{sample().Manager}.Read([]remote.Result{markerSays(c.text, c.status)})
		if err != nil || HasProblem(f, "marker", "") != (c.problem != "") || !HasProblem(f, "marker", c.problem) && c.problem != "" {
			t.Errorf("%s: %v %+v", name, err, f.Problems)
		}
		if is := c.problem == "" && strings.Contains(c.text, "{"); (len(f.Markers) == 1) != is {
			t.Errorf("%s: %+v", name, f.Markers)
		}
	}
}

// TestOldLocksAreOurs: a lock that says nothing of playbook and site is the same lock.
func TestOldLocksAreOurs(t *testing.T) {
	old, _ := ownerJSON(OwnerOf("r1"))
	ours := ourWord("r1")
	ours.Host = ""
	for _, step := range []platform.Step{sample().Lock(Web, ours), sample().Lock(Web, ours)} {
		Standing(t, step.Look.Judge([]remote.Result{LockSays("held", old)}), platform.Done, "")
	}
	if !reflect.DeepEqual(platform.Show(sample().Mark(Web, ours)), platform.Show(sample().Mark(Web, ours))) {
		t.Error("the marker is the same on all Linux hosts")
	}
}

// FuzzMarker: whatever stands in the file, what is taken for a marker is clean, may be
// typed, and can be written down again; and it does not pass for another rollout's.
func FuzzMarker(f *testing.F) {
	whole, _ := ownerJSON(ourWord("r1"))
	f.Add("there\n"+whole, "r1")
	f.Add("there\n"+strings.Replace(whole, "hq", `\u202e`, 1), "r2")
	f.Add("hidden", "")
	f.Fuzz(func(t *testing.T, text, rollout string) {
		got, err := Managers{sample().Manager}.Read([]remote.Result{markerSays(text, "0")})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.Problems {
			CleanText(t, p.Detail)
		}
		for _, m := range got.Markers {
			CleanText(t, m.Rollout+m.Playbook+m.Site+m.By)
			if raw, err := json.Marshal(m); err != nil || !plainRollout.MatchString(m.Rollout) || m.Since.Year() < 1970 || m.Since.Location() != time.UTC {
				t.Errorf("%s %v", raw, err)
			}
		}
		s := judgeMark(ourWord(rollout), []remote.Result{markerSays(text, "0")})
		Standing(t, s, s.State, "")
		if s.State == platform.Done && len(got.Markers) > 0 && !slices.ContainsFunc(got.Markers, func(m fact.Marker) bool { return m.Rollout == rollout }) {
			t.Errorf("%q is not the marker of %q", text, rollout)
		}
	})
}
