package pacman_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/remote"
)

var record = flag.Bool("update", false, "write down anew what the real pacman says")

func managers() linux.Managers { return linux.Managers{pacman.Manager()} }

// arch is the driver under test.
func arch() linux.Driver { return managers().Drivers()[0].(linux.Driver) }

// place is a folder with a root that the real pacman rules, in place of this machine's.
type place struct {
	t   *testing.T
	top string
}

func newPlace(t *testing.T) place {
	t.Helper()
	if testing.Short() {
		t.Skip("needs some seconds: the real pacman")
	}
	for _, tool := range []string{"pacman", "pacman-conf", "vercmp", "tar", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool + ": the real pacman (Debian: pacman-package-manager)")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("needs root: pacman installs into a folder")
	}
	p := place{t, t.TempDir()}
	if out, err := exec.CommandContext(t.Context(), "sh", "testdata/root.sh", p.top).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// text has the folders of the place for those of a host.
func (p place) text(script string) string {
	root := p.top + "/root"
	return strings.NewReplacer("=/var/lib/pacman", "="+root+"/var/lib/pacman", "/var/cache/", root+"/var/cache/").Replace(script)
}

// run runs a command's script as on the host, in a shell of this machine.
func (p place) run(c remote.Command) remote.Result {
	return p.exec(p.text(string(c.Stdin)), c.Argv[1:]...)
}

func (p place) exec(stdin string, args ...string) remote.Result {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "sh", args...)
	cmd.Env = []string{"PATH=" + p.top + "/bin:" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

func (p place) detect() fact.Facts {
	p.t.Helper()
	return facts(p.t, p.probe())
}

func (p place) probe() remote.Result {
	p.t.Helper()
	probe := managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Offers: true, Packages: []string{"pr-plain", "pr-epoch", "nope"}})[0]
	// This machine is ruled by something else.
	probe.Stdin = bytes.ReplaceAll(probe.Stdin, []byte("manager=$(manager)"), []byte("manager=pacman"))
	return p.run(probe)
}

func facts(t *testing.T, r remote.Result) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{r})
	if err != nil {
		t.Fatal(err)
	}
	f.Host = fact.HostID{Site: "hq", Name: "web"}
	f.Manager.Name = "pacman"
	return f
}

// work is what a job is told beside its words.
type work struct {
	back, fresh, remove, keep string
	outgoing                  []string
}

func (p place) job(verb string, w work, words ...string) remote.Result {
	text := p.text(managers().Texts()["jobs pacman"])
	args := []string{"-c", text, "patchring", "pacman", verb, w.back, w.fresh, w.remove, "", w.keep, strconv.Itoa(len(w.outgoing))}
	return p.exec("", slices.Concat(args, w.outgoing, words)...)
}

// bare leaves out what is of this machine, and not of pacman.
func bare(text []byte) []byte {
	_, rest, whole := strings.Cut(string(text), "@0f begin arch\n")
	if !whole {
		return text
	}
	rest, _, _ = strings.Cut(rest, "@0f begin kernels\n")
	return []byte("patchring-report 1 0f\n\n@0f begin identity\nuid=0\nmanager=pacman\n\n@0f status 0\n\n@0f end identity\n\n@0f begin arch\n" + rest + "@0f whole\n")
}

// record writes down what the real tool said, for where there is none.
func (p place) record(name string, r remote.Result) {
	if !*record {
		return
	}
	for ending, text := range map[string][]byte{".out": r.Out, ".err": r.Err} {
		text = bytes.ReplaceAll(bare(text), []byte(p.top), []byte("/lab"))
		if err := os.WriteFile(filepath.Join("testdata", name+ending), text, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p place) version(name string) string {
	p.t.Helper()
	_, version, _ := strings.Cut(strings.TrimSpace(string(p.exec("pacman -Q -- "+name+"\n").Out)), " ")
	return version
}

func update(f fact.Facts, name string) (patch.Update, bool) {
	i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == name })
	if i < 0 {
		return patch.Update{}, false
	}
	return f.Updates[i], true
}

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
