package pacman_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/remote"
)

// TestRealDetect: the real tool, with what it ignores kept apart, and the host's own lists
// as they were.
func TestRealDetect(t *testing.T) {
	p := newPlace(t)
	own := filepath.Join(p.top, "root/var/lib/pacman/sync/lab.db")
	before, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	r := p.probe()
	p.record("probe", r)
	wantDetected(t, facts(t, r))
	if after, err := os.ReadFile(own); err != nil || !bytes.Equal(before, after) {
		t.Error("the host's own lists were refreshed: a later pacman -S would be a partial upgrade")
	}
}

// wantDetected is what a root of testdata/root.sh comes to.
func wantDetected(t *testing.T, f fact.Facts) {
	t.Helper()
	u, ok := update(f, "pr-epoch")
	if !ok || u.From != "1:1.0-1" || u.To != "1:1.1-1" || u.Arch != "any" || u.Size == 0 || u.Origin != "lab" || u.Security != patch.Unknown {
		t.Errorf("%+v in %+v", u, f.Updates)
	}
	if len(f.Updates) != 6 || f.Manager.State != fact.ManagerOK {
		t.Errorf("%d updates %+v, manager %+v, problems %+v", len(f.Updates), f.Updates, f.Manager, f.Problems)
	}
	if len(f.KeptBack) != 2 || f.KeptBack[0].Update.Name != "pr-grouped" || f.KeptBack[1].Reason != patch.ReasonHeld {
		t.Errorf("kept back: %+v", f.KeptBack)
	}
	if !slices.Equal(f.Holds, []string{"@heldgroup", "pr-held"}) {
		t.Errorf("holds: %q", f.Holds)
	}
	if installed, ok := f.Installed("pr-epoch", "any"); !ok || installed.Version != "1:1.0-1" {
		t.Errorf("installed: %+v", f.Packages)
	}
	if !f.OffersKnown || len(f.Offers) != 2 || f.Offers[0].Version == "" || f.Offers[0].Repository != "lab" {
		t.Errorf("offers %+v", f.Offers)
	}
}

// TestRealNothingPending: -Qu ends with 1 where nothing is pending, and that is no failure.
func TestRealNothingPending(t *testing.T) {
	p := newPlace(t)
	p.exec("cp " + p.top + "/root/var/lib/pacman/sync/lab.db " + p.top + "/repo/lab.db\n")
	f := p.detect()
	for _, problem := range f.Problems {
		if problem.What == "updates" {
			t.Errorf("%+v", problem)
		}
	}
	if len(f.Updates)+len(f.KeptBack) != 0 {
		t.Errorf("%+v", f.Updates)
	}
}

// TestRealNoLists: the same exit status, but nothing is known.
func TestRealNoLists(t *testing.T) {
	p := newPlace(t)
	p.exec("rm -r " + p.top + "/root/var/lib/pacman/sync " + p.top + "/repo/lab.db\n")
	f := p.detect()
	told := map[string]bool{}
	for _, problem := range f.Problems {
		told[problem.What] = true
	}
	if !told["updates"] || !told["refresh"] {
		t.Errorf("%+v", f.Problems)
	}
}

// resolution is what one wish comes to.
type resolution struct {
	name, to string
	changes  []string
	refused  string
}

func resolutions() map[string]resolution {
	return map[string]resolution{
		"exact":          {"pr-plain", "1.1-1", []string{"pr-plain 1.1-1"}, ""},
		"epoch":          {"pr-epoch", "1:1.1-1", []string{"pr-epoch 1:1.1-1"}, ""},
		"new dependency": {"pr-needs", "1.1-1", []string{"pr-needs 1.1-1", "pr-new 1.0-1"}, ""},
		"vanished":       {"pr-plain", "1.0.9-1", nil, "target not found: pr-plain=1.0.9-1"},
		"breaks another": {"pr-lib", "2.0-1", nil, "breaks dependency"},
		"held":           {"pr-held", "1.1-1", []string{"pr-held 1.1-1"}, "held on the host"},
		"group held":     {"pr-grouped", "1.1-1", []string{"pr-grouped 1.1-1"}, "held on the host"},
	}
}

func (tt resolution) want() []patch.Update { return []patch.Update{{Name: tt.name, To: tt.to}} }

func (tt resolution) check(t *testing.T, f fact.Facts, r remote.Result) {
	t.Helper()
	got, err := arch().Resolved(f, tt.want(), r)
	if err != nil || !strings.Contains(got.Refused, tt.refused) || tt.refused == "" && got.Refused != "" {
		t.Errorf("%v, refused %q", err, got.Refused)
	}
	var changes []string
	for _, c := range got.Changes {
		changes = append(changes, c.Name+" "+c.To)
	}
	slices.Sort(changes)
	if !slices.Equal(changes, tt.changes) {
		t.Errorf("changes %q, want %q", changes, tt.changes)
	}
}

// TestRealResolve asks the real tool what it would do.
func TestRealResolve(t *testing.T) {
	p := newPlace(t)
	f := p.detect()
	for name, tt := range resolutions() {
		t.Run(name, func(t *testing.T) {
			r := p.run(arch().Resolve(f, tt.want()))
			p.record("resolve-"+strings.ReplaceAll(name, " ", "-"), r)
			tt.check(t, f, r)
		})
	}
}

// TestRealThereAndBack carries a root to new versions and back, with the real tool.
func TestRealThereAndBack(t *testing.T) {
	p := newPlace(t)
	p.detect()
	kept := filepath.Join(p.top, "kept", "w")
	words := []string{"pr-epoch=1:1.1-1", "pr-needs=1.1-1", "pr-new=1.0-1"}
	there := work{fresh: "pr-new", keep: kept, outgoing: []string{"pr-epoch=1:1.0-1", "pr-needs=1.0-1"}}
	if r := p.job("stage", there, words...); r.Code != 0 || p.version("pr-epoch") != "1:1.0-1" {
		t.Fatalf("%d %s%s", r.Code, r.Out, r.Err)
	}
	r := p.job("install", there, words...)
	if r.Code != 0 || p.version("pr-epoch") != "1:1.1-1" || p.version("pr-new") != "1.0-1" || p.version("pr-plain") != "1.0-1" {
		t.Fatalf("%d %s%s", r.Code, r.Out, r.Err)
	}
	if !strings.Contains(string(r.Out), "patchring: Arch Linux supports only whole upgrades") {
		t.Errorf("nothing is said of what was left: %s", r.Out)
	}
	if deps := string(p.exec("pacman -Qdq\n").Out); deps != "pr-new\n" {
		t.Errorf("installed for others: %q", deps)
	}
	former := []string{kept + "/pr-epoch-1:1.0-1-any.pkg.tar.zst", kept + "/pr-needs-1.0-1-any.pkg.tar.zst"}
	if r := p.job("install", work{}, former...); r.Code != 79 || p.version("pr-epoch") != "1:1.1-1" {
		t.Errorf("nothing newer may be taken back unasked: %d %s%s", r.Code, r.Out, r.Err)
	}
	r = p.job("install", work{back: "yes", remove: "pr-new"}, former...)
	if r.Code != 0 || p.version("pr-epoch") != "1:1.0-1" || p.version("pr-needs") != "1.0-1" || p.version("pr-new") != "" {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

// TestRealFailingScript: pacman ends with 0 though the script of a package failed.
func TestRealFailingScript(t *testing.T) {
	p := newPlace(t)
	p.detect()
	p.job("stage", work{}, "pr-bad=1.1-1")
	r := p.job("install", work{}, "pr-bad=1.1-1")
	if r.Code != 81 || p.version("pr-bad") != "1.1-1" || !strings.Contains(string(r.Out), "\nerror: command failed to execute correctly\n") {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

// TestRealConflict: what pacman sees only when it begins stops it before anything changed.
func TestRealConflict(t *testing.T) {
	p := newPlace(t)
	p.detect()
	p.job("stage", work{}, "pr-clash=1.0-1")
	r := p.job("install", work{}, "pr-clash=1.0-1")
	if r.Code == 0 || p.version("pr-clash") != "" || p.version("pr-plain") != "1.0-1" || !strings.Contains(string(r.Out), "in conflict") {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

// TestRealMore: a file that needs another is not installed without it, and brings nothing along.
func TestRealMore(t *testing.T) {
	p := newPlace(t)
	p.detect()
	p.exec("pacman -Syy\n") // the host's own lists could serve it now
	p.job("stage", work{}, "pr-needs=1.1-1")
	r := p.job("install", work{}, "pr-needs=1.1-1")
	if r.Code == 0 || p.version("pr-new") != "" || !strings.Contains(string(r.Out), "more than was planned: pr-new-1.0-1") {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
}

// TestRealLock: a lock file that nobody holds is told, waited for by nobody, and stays.
func TestRealLock(t *testing.T) {
	p := newPlace(t)
	p.detect()
	p.job("stage", work{}, "pr-plain=1.1-1")
	lock := filepath.Join(p.top, "root/var/lib/pacman/db.lck")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := p.detect(); f.Manager.State != fact.ManagerInterrupted || !strings.Contains(f.Manager.Detail, "no program holds it") {
		t.Errorf("%+v", f.Manager)
	}
	if r := p.job("install", work{}, "pr-plain=1.1-1"); r.Code != 200 || p.version("pr-plain") != "1.0-1" {
		t.Errorf("%d %s%s", r.Code, r.Out, r.Err)
	}
	p.job("repair", work{})
	held, err := os.Open(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if f := p.detect(); f.Manager.State != fact.ManagerLocked || !strings.Contains(f.Manager.Detail, strconv.Itoa(os.Getpid())) {
		t.Errorf("%+v", f.Manager)
	}
}

// TestRealBroken: what -Dk finds.
func TestRealBroken(t *testing.T) {
	p := newPlace(t)
	p.exec("pacman -Rdd --noconfirm pr-lib\n")
	if f := p.detect(); f.Manager.State != fact.ManagerBroken || !strings.Contains(f.Manager.Detail, "missing 'pr-lib=1.0' dependency for 'pr-user'") {
		t.Errorf("%+v", f.Manager)
	}
}

// TestRealIndexes: the lists that lie here, for those who verify them.
func TestRealIndexes(t *testing.T) {
	p := newPlace(t)
	p.detect()
	out := string(p.exec(p.text(pacman.Manager().Script) + "\npacman_indexes\n").Out)
	f := strings.Split(strings.TrimSpace(out), "\t")
	if len(f) != 5 || f[0] != "lab" || f[1] != "pacman.db" || f[2] != "lab.db" || !strings.HasSuffix(f[4], "/sync/lab.db") {
		t.Errorf("%q", out)
	}
}
