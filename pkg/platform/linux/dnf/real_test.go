package dnf

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/remote"
)

const updateinfo = `<updates>
<update type="security"><id>X-1</id><severity>Important</severity><issued date="2026-01-01 00:00:00"/><references>
<reference href="x" id="X-1" type="self"/><reference href="x" id="77" type="bugzilla"/><reference href="x" id="a b" type="other"/>
<reference href="x" id="CVE-2026-1234" type="cve"/><reference href="x" id="CVE-2025-99999" type="cve"/></references>
<pkglist><collection><package name="pr-plain" epoch="1" version="1.5" release="1" arch="noarch"/></collection></pkglist></update>
<update type="bugfix"><id>X-2</id><issued date="2026-01-01 00:00:00"/><references><reference href="x" id="CVE-2026-1234" type="cve"/></references>
<pkglist><collection><package name="pr-plain" epoch="1" version="2.0" release="1" arch="noarch"/></collection></pkglist></update>
<update type="security"><id>X-3</id><issued date="2026-01-01 00:00:00"/><references><reference href="x" id="X-3" type="self"/></references>
<pkglist><collection><package name="pr-other" epoch="1" version="2.0" release="1" arch="noarch"/></collection></pkglist></update>
</updates>`

// fill installs old versions and offers newer ones, with advisories.
func (d *realDnf) fill() {
	d.t.Helper()
	for _, name := range []string{"pr-plain", "pr-other"} {
		d.build("old", name, "1.0")
		d.build("new", name, "2.0")
	}
	d.do("createrepo_c", "-q", "new")
	d.write("updateinfo.xml", updateinfo, 0o600)
	d.do("modifyrepo_c", "updateinfo.xml", "new/repodata")
	d.installOld()
}

// installOld installs all of the folder old, as nobody's transaction.
func (d *realDnf) installOld() {
	d.t.Helper()
	packages, err := filepath.Glob(d.dir + "/old/noarch/*.rpm")
	if err != nil {
		d.t.Fatal(err)
	}
	d.do("rpm", append([]string{"--root", d.dir + "/root", "-i", "--nodeps"}, packages...)...)
}

// TestRealDnfTellsCVEs: the oracle is a real dnf, where there is one.
func TestRealDnfTellsCVEs(t *testing.T) {
	d := newRealDnf(t)
	d.fill()
	res := d.probe()
	rep, _ := linux.ReadReport(res)
	r := linux.Reader{Report: rep}
	r.Facts.Clock = time.Now()
	read(&r)
	if len(r.Facts.Updates) != 2 || hasProblem(r.Facts, "cves", "") {
		t.Fatalf("%+v\n%s%s", r.Facts, res.Out, res.Err)
	}
	for name, want := range map[string]string{"pr-plain": "CVE-2025-99999 CVE-2026-1234", "pr-other": ""} {
		if got := updateNamed(t, r.Facts, name); got.CVEs != want || got.From != "1:1.0-1" {
			t.Errorf("%+v, want %q\n%s", got, want, rep.Get("cves").Out)
		}
	}
}

// word is the word of a made-up package.
func word(name, version string) string { return name + "-1:" + version + "-1.noarch" }

func up(name, from, to string) patch.Update {
	one := func(v string) string {
		if v == "" {
			return ""
		}
		return "1:" + v + "-1"
	}
	return patch.Update{Name: name, Arch: "noarch", From: one(from), To: one(to)}
}

// stageHost has pr-plain, whose version 2.0 needs the new pr-dep, pr-fail whose newer
// version has a script that fails, and pr-x in three versions.
func stageHost(t *testing.T) *realDnf {
	t.Helper()
	d := newRealDnf(t)
	for _, name := range []string{"pr-plain", "pr-fail"} {
		d.build("old", name, "1.0")
		d.build("new", name, "1.0")
	}
	d.build("old", "pr-x", "2.0")
	d.build("new", "pr-plain", "2.0", "Requires: pr-dep")
	d.build("new", "pr-dep", "2.0")
	d.build("new", "pr-fail", "2.0", "%post -p <lua>\nerror(1)")
	for _, v := range []string{"1.0", "2.0", "3.0"} {
		d.build("new", "pr-x", v)
	}
	d.do("createrepo_c", "-q", "new")
	d.installOld()
	d.probe()
	return d
}

func (d *realDnf) ends(got remote.Result, code int, installed string) {
	d.t.Helper()
	if here := d.installed(); got.Code != code || here != installed {
		d.t.Fatalf("ended with %d, want %d; installed %s, want %s\n%s%s", got.Code, code, here, installed, got.Out, got.Err)
	}
}

// forward is the work of most tests, and its words.
func forward() (w patch.Work, words []string) {
	w = patch.Work{ID: "w", Keep: true, Install: []patch.Update{up("pr-plain", "1.0", "2.0"), up("pr-dep", "", "2.0")}}
	return w, []string{word("pr-plain", "2.0"), word("pr-dep", "2.0")}
}

const (
	before = "pr-fail-1.0 pr-plain-1.0 pr-x-2.0"
	after  = "pr-dep-2.0 pr-fail-1.0 pr-plain-2.0 pr-x-2.0"
)

// TestRealStageThenVanish: what was staged is installed though the repository lost it, and
// though somebody's transaction came between, which empties dnf's cache. The outgoing
// version is kept; what came as a dependency is marked as one. Then all is taken back, from
// the kept file, in one transaction.
func TestRealStageThenVanish(t *testing.T) {
	d := stageHost(t)
	w, words := forward()
	d.ends(d.job("stage", w, words...), 0, before)
	d.do("rm", "-r", "new/noarch")
	d.do(d.dir+"/bin/dnf", "-y", "-q", "remove", "pr-x")
	staged := d.run(strings.TrimSuffix(strings.TrimSpace(texts()["staged dnf"]), `main "$@"`)+"way n dnf '' '' ''\nopen_report\nsection staged 9 dnf_staged \"$@\"\nsection kept 9 dnf_files "+d.dir+"/kept\nclose_report\n", words...)
	rep, _ := linux.ReadReport(staged)
	if lines := rep.Get("staged").Lines(); len(lines) != 2 || !strings.HasPrefix(lines[0], "pr-plain\tnoarch\t1:2.0-1\t/") {
		t.Errorf("staged %q %s", lines, staged.Err)
	}
	kept := rep.Get("kept").Lines()
	if len(kept) != 1 || !strings.HasPrefix(kept[0], "pr-plain\tnoarch\t1:1.0-1\t/") {
		t.Fatalf("kept %q", kept)
	}
	const without = "pr-dep-2.0 pr-fail-1.0 pr-plain-2.0"
	d.ends(d.job("install", w, words...), 0, without)
	d.ends(d.job("install", w, words...), 0, without) // begun again, nothing is done twice
	if out := d.run(`dnf -q -C repoquery --installed --qf '%{name} %{reason}'`); !strings.Contains(string(out.Out), "pr-dep dependency") {
		t.Errorf("%s", out.Out)
	}
	d.takesBack(kept[0][strings.LastIndexByte(kept[0], '\t')+1:])
}

func (d *realDnf) takesBack(path string) {
	d.t.Helper()
	back := patch.Work{ID: "w", Back: true, Install: []patch.Update{up("pr-plain", "2.0", "1.0")}, Remove: []string{"pr-dep:noarch"}}
	tr := d.simulated(back, path)
	if tr.Refused != "" || len(tr.Changes) != 1 || tr.Changes[0].To != "1:1.0-1" || !slices.Equal(tr.Removes, back.Remove) {
		d.t.Errorf("%+v", tr)
	}
	d.ends(d.job("stage", back, path), 0, "pr-dep-2.0 pr-fail-1.0 pr-plain-2.0")
	got := d.job("install", back, path)
	d.ends(got, 0, "pr-fail-1.0 pr-plain-1.0")
	if n := strings.Count(string(got.Out), "Running transaction test"); n != 1 {
		d.t.Errorf("%d transactions", n)
	}
}

// TestRealVanishedUnstaged: what was not staged and is gone changes nothing.
func TestRealVanishedUnstaged(t *testing.T) {
	d := stageHost(t)
	w, words := forward()
	d.ends(d.job("install", w, words...), 1, before) // the act fetches nothing
	d.do("rm", "-r", "new/noarch")
	d.ends(d.job("stage", w, words...), 1, before)
	d.ends(d.job("install", w, words...), 1, before)
}

// TestRealTampered: a downloaded file that somebody changed is not installed, and not
// fetched in the act either, whatever the repository has by then: only staging does that.
func TestRealTampered(t *testing.T) {
	d := stageHost(t)
	w, words := forward()
	d.ends(d.job("stage", w, words...), 0, before)
	d.do("sh", "-c", "for f in cache/*/packages/pr-dep*; do echo x >>$f; done")
	d.ends(d.job("install", w, words...), 1, before)
	d.ends(d.job("stage", w, words...), 0, before)
	d.ends(d.job("install", w, words...), 0, after)
}

// TestRealSilentDowngrade: dnf goes down without a word, and exits with 0.
func TestRealSilentDowngrade(t *testing.T) {
	d := stageHost(t)
	for _, w := range []string{word("pr-x", "1.0"), d.dir + "/new/noarch/pr-x-1.0-1.noarch.rpm"} {
		if tr := d.simulated(patch.Work{}, w); !strings.Contains(tr.Refused, "would downgrade pr-x") {
			t.Errorf("%s: %+v", w, tr)
		}
		d.ends(d.job("install", patch.Work{ID: "w"}, w), 79, before)
	}
}

// TestRealFailingScript: dnf exits with 0 though a package's script failed; the remark that
// the look after the installation finds in the log is there.
func TestRealFailingScript(t *testing.T) {
	d := stageHost(t)
	d.ends(d.job("stage", patch.Work{ID: "w"}, word("pr-fail", "2.0")), 0, before)
	got := d.job("install", patch.Work{ID: "w"}, word("pr-fail", "2.0"))
	d.ends(got, 0, "pr-fail-2.0 pr-plain-1.0 pr-x-2.0")
	if !strings.Contains(string(got.Out)+"\n"+string(got.Err), "\nError in POSTIN scriptlet in rpm package pr-fail") {
		t.Errorf("%s", got.Out)
	}
}

// TestRealByFile: files and words of the repository in one transaction.
func TestRealByFile(t *testing.T) {
	d := stageHost(t)
	path := d.dir + "/new/noarch/pr-plain-2.0-1.noarch.rpm"
	w, words := forward()
	tr := d.simulated(w, path, words[1])
	if tr.Refused != "" || len(tr.Changes) != 2 || len(tr.Removes) != 0 {
		t.Errorf("%+v", tr)
	}
	d.ends(d.job("stage", patch.Work{ID: "w"}, path, words[1]), 0, before)
	d.ends(d.job("install", patch.Work{ID: "w"}, path, words[1]), 0, after)
}

// TestRealMoreThanPlanned: a dependency that nobody planned is refused, and nothing is done.
func TestRealMoreThanPlanned(t *testing.T) {
	d := stageHost(t)
	d.ends(d.job("install", patch.Work{ID: "w"}, word("pr-plain", "2.0")), 78, before)
}

// TestRealHalfWay: dnf's shell goes on with what it has understood. Nothing of a way back
// that is not possible as a whole is done.
func TestRealHalfWay(t *testing.T) {
	d := stageHost(t)
	w := patch.Work{ID: "w", Back: true, Remove: []string{"pr-x:noarch"}, Install: []patch.Update{up("pr-plain", "1.0", "0.9")}}
	if tr := d.simulated(w, word("pr-plain", "0.9")); !strings.Contains(tr.Refused, "Unable to find a match") {
		t.Errorf("%+v", tr)
	}
	d.ends(d.job("install", w, word("pr-plain", "0.9")), 78, before)
}

// TestRealCutTransaction: what a killed transaction leaves is found, and put right.
func TestRealCutTransaction(t *testing.T) {
	d := stageHost(t)
	d.do("rpm", "--root", d.dir+"/root", "-i", "--nodeps", "--force", d.dir+"/new/noarch/pr-x-3.0-1.noarch.rpm")
	health := func() (fact.ManagerState, string) {
		rep, _ := linux.ReadReport(d.probe())
		return wholeness(rep)
	}
	if state, detail := health(); state != fact.ManagerInterrupted || !strings.Contains(detail, "pr-x-1:2.0-1.noarch is a duplicate with pr-x-1:3.0-1.noarch") {
		t.Errorf("%s %s", state, detail)
	}
	d.ends(d.job("repair", patch.Work{ID: "w"}), 0, "pr-fail-1.0 pr-plain-1.0 pr-x-3.0")
	if state, detail := health(); state != fact.ManagerOK {
		t.Errorf("%s %s", state, detail)
	}
	d.ends(d.job("repair", patch.Work{ID: "w"}), 0, "pr-fail-1.0 pr-plain-1.0 pr-x-3.0")
}

// TestRealIndexes: the index files of the repositories are named, and all versions offered.
func TestRealIndexes(t *testing.T) {
	d := stageHost(t)
	rep, _ := linux.ReadReport(d.probe())
	kinds := map[string]bool{}
	for _, line := range rep.Get("indexes").Lines() {
		f := strings.Split(line, "\t")
		if len(f) != 5 || f[0] != "new" || !strings.HasPrefix(f[2], "repodata/") || !strings.HasPrefix(f[4], "/") {
			t.Errorf("%q", line)
			continue
		}
		kinds[f[1]] = true
	}
	if !kinds["repomd"] || !kinds["primary"] {
		t.Errorf("%v", kinds)
	}
	if got := rep.Get("available").Lines(); !slices.Equal(got, []string{"pr-plain\tnoarch\t1:1.0-1\tnew", "pr-plain\tnoarch\t1:2.0-1\tnew"}) {
		t.Errorf("%q", got)
	}
}
