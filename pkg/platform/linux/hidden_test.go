package linux_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/memfs"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/remote"
)

// learned are the facts that a look without root may get otherwise, each with the problems
// of which one has to stand there then.
func learned(f fact.Facts) map[string]any {
	return map[string]any{
		"updates": f.Updates, "kept_back": f.KeptBack, "holds": f.Holds, "packages": f.Packages,
		"manager": f.Manager.State, "reboot": f.Reboot.Needed, "kernel": f.Kernel, "marker": f.Markers,
		"space": len(f.Spaces), "container": f.Container, "boot_id": f.BootID, "lists": f.Refreshed.IsZero(),
	}
}

// excuses are the problems that speak for a fact that was not learned.
func excuses(of string) []string {
	switch of {
	case "kept_back":
		return []string{"updates", "holds", "lists"}
	case "manager":
		return []string{"manager", "lock", "updates"}
	case "kernel", "reboot":
		return []string{"kernel", "reboot"}
	case "packages":
		return []string{"packages", "manager"}
	}
	return []string{of}
}

// wantSaid compares a look without root with what is true: whatever it got otherwise, it says.
func wantSaid(t *testing.T, truth, seen fact.Facts) {
	t.Helper()
	had := learned(truth)
	for of, value := range learned(seen) {
		said := slices.ContainsFunc(excuses(of), func(what string) bool { return linux.HasProblem(seen, what, "") })
		if !reflect.DeepEqual(had[of], value) && !said {
			t.Errorf("without root %s is %v, with it %v, and no problem says so: %+v", of, value, had[of], seen.Problems)
		}
	}
}

// asUser runs the probe as who logs in.
func (m *machine) asUser(q platform.Query) fact.Facts {
	m.t.Helper()
	f, err := managers().Read([]remote.Result{m.runAs(m.Login(), managers().Probe(q)[0])})
	if err != nil {
		m.t.Fatal(err)
	}
	f.Host = linux.Web
	return f
}

func pendingHost(t *testing.T, os string) *machine {
	t.Helper()
	return newMachine(t, lab.Config{
		Name: "x", OS: os, Held: []string{"pr-held"}, Password: "pw",
		Installed:  []lab.Package{{Name: "pr-plain", Version: "1.0-1"}, {Name: "pr-held", Version: "1.0-1"}},
		Repository: []lab.Package{{Name: "pr-plain", Version: "1.1-1", Suite: "security"}, {Name: "pr-held", Version: "1.1-1"}},
	})
}

// TestWithoutRootNothingIsTakenForNone: whichever path of those that the probe reads is
// closed, the look says so; what it then does not know is never "none".
func TestWithoutRootNothingIsTakenForNone(t *testing.T) {
	for name, os := range map[string]string{"apt": "debian-12", "dnf": "rocky-9"} {
		for _, m := range managers() {
			if m.Name != name {
				continue
			}
			for _, read := range m.Reads {
				for _, path := range read.Paths {
					t.Run(name+path, func(t *testing.T) { closedPath(t, os, read.What, path) })
				}
			}
		}
	}
}

func closedPath(t *testing.T, os string, what linux.Unknown, path string) {
	t.Helper()
	m := pendingHost(t, os)
	truth := m.detect()
	if err := m.FS.MkdirAll(memfs.Root, filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := m.FS.Stat(memfs.Root, path, false); err != nil {
		if err := m.FS.WriteFile(memfs.Root, path, 0o644, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.FS.Chmod(memfs.Root, path, 0); err != nil {
		t.Fatal(err)
	}
	seen := m.asUser(platform.Query{Nonce: "0f"})
	if !linux.HasProblem(seen, string(what), path) {
		t.Errorf("%s is closed, and it does not say that %s is not known: %+v", path, what, seen.Problems)
	}
	wantSaid(t, truth, seen)
}

// TestMarkerThatCannotBeSeen: a folder of root's alone may hold a marker, and is not "no marker".
func TestMarkerThatCannotBeSeen(t *testing.T) {
	m := pendingHost(t, "debian-12")
	if r := m.run(remote.Command{Argv: []string{"mkdir", "-m", "700", filepath.Dir(linux.MarkerFolder), linux.MarkerFolder}}); !r.OK() {
		t.Fatal(string(r.Err))
	}
	if f := m.asUser(platform.Query{Nonce: "0f"}); !linux.HasProblem(f, "marker", "not known") {
		t.Errorf("%+v", f.Problems)
	}
	f := m.asUser(platform.Query{Nonce: "0f", Packages: []string{"pr-plain"}, Offers: true})
	if !linux.HasProblem(f, "kept", "not known") {
		t.Errorf("which files are kept there is taken for none: %+v", f.Problems)
	}
}

// TestWithoutRootHere looks at this machine as root and as nobody, with the real tools.
func TestWithoutRootHere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to look as another user too")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (Debian package util-linux)")
	}
	probe := managers().Probe(platform.Query{Nonce: "0123456789abcdef"})[0]
	own := []string{"env", "-u", "APT_CONFIG"} // the lists that this machine really has
	truth := readHere(t, linux.RunIn(t, append(own, "sh"), probe))
	seen := readHere(t, linux.RunIn(t, append(own, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"), probe))
	if !linux.HasProblem(seen, "privilege", "") || linux.HasProblem(seen, "hidden", "") {
		t.Errorf("%+v", seen.Problems)
	}
	if truth.Platform != apt.Debian && truth.Platform != apt.Ubuntu {
		t.Skipf("needs Debian or Ubuntu to compare, this is %q", truth.Platform)
	}
	wantSaid(t, truth, seen)
}

func readHere(t *testing.T, r remote.Result) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{r})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHiddenInShells holds the walk over closed paths to real shells and a real kernel.
func TestHiddenInShells(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to look as another user")
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	modes := map[string]os.FileMode{
		"open/a": 0o644, "open/b c": 0o600, "shut/deep/x": 0o644, "open/lock": 0o600, "alone": 0o600, "priv/f": 0o644, "priv/d/f": 0o644,
		"nested/a/b/c": 0o600, "nested/gnupg/c": 0o600, "nested/a/shut/c": 0o644, "well/a/b/c": 0o644, "unlisted/f": 0o644,
	}
	for path, mode := range modes {
		writeMode(t, filepath.Join(dir, path), "", mode)
	}
	for _, shut := range []string{"shut", "priv", "nested/a/shut"} {
		if err := os.Chmod(filepath.Join(dir, shut), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "unlisted"), 0o711); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link": "priv/f", "linked": "priv/d", "through": "well", "well/x": dir + "/open", "to": "open"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"updates /open/b c", "manager /shut", "holds /alone", "updates /link", "updates /linked", "updates /linked", "updates /nested/a/b/c", "updates /nested/a/shut",
		"updates /well/x", "updates /through/x", "updates /to/b c", "updates /unlisted",
	}
	asked := []string{
		"updates /open", "manager /shut/deep/x", "holds /alone", "lock /none", "updates /link", "updates /linked", "updates /linked/f", "updates /nested",
		"updates /well", "updates /through", "updates /to", "updates /unlisted",
	}
	linux.Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		wantClosed(t, shell, dir, asked, want)
	})
}

func writeMode(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// wantClosed asks for "WHAT PATH" below dir, as a user without root.
func wantClosed(t *testing.T, shell []string, dir string, asked, want []string) {
	t.Helper()
	text := linux.HiddenScript() + `dir=$1; shift; for w; do closed "${w%% *}" "$dir${w#* }"; done`
	user := append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, shell...)
	r := linux.RunIn(t, user, remote.Command{Argv: append([]string{"sh", "-s", "--", dir}, asked...), Stdin: []byte(text)})
	got := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(r.Out), dir, "")), "\n")
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q\n%s", got, want, r.Err)
	}
}

// TestHiddenAmongMany: what is not looked at is not taken for open.
func TestHiddenAmongMany(t *testing.T) {
	linux.Shells(t, func(t *testing.T, shell []string) {
		t.Helper()
		text := linux.HiddenScript() + `{ i=0; while [ $i -lt 2100 ]; do i=$((i + 1)); echo /; done; echo /none; } | inside updates /x deep; i=0; while [ $i -lt 50001 ]; do i=$((i + 1)); echo /; done | inside updates / deep`
		r := linux.RunIn(t, shell, remote.Command{Argv: []string{"sh", "-s"}, Stdin: []byte(text)})
		if got := strings.Fields(strings.ReplaceAll(string(r.Out), "updates /\n", "")); len(got) < 2 || !strings.Contains(string(r.Out), "updates /none\n") || !strings.HasSuffix(string(r.Out), "updates /\n") {
			t.Errorf("%.200q %s", r.Out, r.Err)
		}
	})
}

// FuzzHidden: whatever a host says of paths, problems stay few and clean.
func FuzzHidden(f *testing.F) {
	f.Add("updates /etc/apt/sources.list\nlock /proc\n")
	f.Add("updates \x1b]52;c;eA==\x07\nupdates /a\u202e\nnothing /x\nkept\nmanager  \n")
	f.Fuzz(func(t *testing.T, said string) {
		out := "patchring-report 1 n\n\n@n begin identity\nuid=1000\n\n@n status 0\n\n@n end identity\n\n@n begin hidden\n" + said + "\n\n@n status 0\n\n@n end hidden\n\n@n whole\n"
		facts, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: []byte(out)}})
		if err != nil || len(facts.Problems) > 30 {
			t.Fatalf("%v, %d problems", err, len(facts.Problems))
		}
		for _, p := range facts.Problems {
			if remote.Clean(p.Detail, 2000) != p.Detail {
				t.Errorf("not clean: %q", p.Detail)
			}
		}
	})
}
