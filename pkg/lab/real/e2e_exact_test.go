//go:build linux

package real_test

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/lab/real"
)

// fourSystems is the playbook of a rollout over four systems at once. Production waits for
// somebody's word, so that the repositories can move on between the rings.
const fourSystems = `version: 1
name: four
patches: [{hosts: "*", packages: {kind: security}}]
rings:
  - {name: test, hosts: test, failure_limit: 100%}
  - {name: production, hosts: prod, failure_limit: 3, gate: {approval: {approvers: board}}}
reboot: if_needed
on_failure: halt
checks:
  - {hosts: "*", default_diff: true, within: 10s}
`

const board = "approvers: {board: [jane@hq.example]}\n"

// TestExactlyWhatWasTested carries three rollouts over four real distributions at once,
// and lets their repositories move on between the rings.
func TestExactlyWhatWasTested(t *testing.T) {
	lab := real.New(t)
	f := &exact{
		lab:  lab,
		test: perSystem(lab, "test", real.Install(real.Plain, real.Daemon)),
		prod: perSystem(lab, "prod", real.Install(real.Plain, real.Daemon, real.Conffile)),
	}
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"NewestIgnoredAndVanishedServed", f.movedOn},
		{"ReplacedFileRefusedThenArchives", f.replaced},
		{"EmptyStore", f.emptyStore},
	} {
		if !t.Run(part.name, part.run) {
			t.Fatal("the parts build on each other")
		}
	}
}

// exact is the fleet of that test.
type exact struct {
	lab        *real.Lab
	test, prod []*real.Host
}

// desk is one rollout: its test ring is patched, and production waits.
func (f *exact) desk(t *testing.T, extra settings) *desk {
	t.Helper()
	d := newDesk(t, f.lab, fourSystems, extra)
	d.add("inventory.yaml", board)
	d.trusting()
	wantText(t, d.run(7), "approval: board 0 of 1")
	return d
}

// The test ring gets 2.0. Then 3.0 comes out, and 2.0 of one package vanishes: production
// gets 2.0 all the same. On Arch that is so for every package: a repository of pacman has
// one version of each.
func (f *exact) movedOn(t *testing.T) {
	t.Helper()
	d := f.desk(t, nil)
	wantAll(t, f.test, "2.0", real.Plain, real.Daemon)
	wantAll(t, f.prod, "1.0", real.Plain, real.Daemon, real.Conffile)
	publish(t, f.lab, real.NewPackage(real.Plain, "3.0"), real.NewPackage(real.Daemon, "3.0"))
	withdraw(t, f.lab, real.Plain, "2.0")
	refresh(f.prod[1:]) // the first one still believes that it can have 2.0
	since := len(f.lab.Repo.Requests())

	d.must(0, "stage", d.rollout()) // ahead of its window: nothing is downloaded after that
	wantAll(t, f.prod, "1.0", real.Plain, real.Daemon)
	staged := len(f.lab.Repo.Requests())
	d.opened("production")
	d.run(12)
	wantText(t, d.must(0, "report", d.rollout()), real.Conffile) // which no test host has proven
	for _, h := range f.prod {
		wantOnce(t, h, real.Plain, real.Daemon)
		wantUntouched(t, h, real.Conffile)
		wantUnlocked(t, h)
		plain, daemon := served(t, h, f.lab, real.Plain, "2.0"), served(t, h, f.lab, real.Daemon, "2.0")
		if got := asked(h, f.lab, since, plain); len(got) > 0 {
			t.Errorf("%s asked its repository for what is not there: %v", h.Name, got)
		}
		if got := asked(h, f.lab, since, daemon); (len(got) > 0) != (h.OS != real.Arch) {
			t.Errorf("%s asked its repository for %v", h.Name, got)
		}
		if got := asked(h, f.lab, staged, daemon); len(got) > 0 {
			t.Errorf("%s was not staged: it asked for %v", h.Name, got)
		}
	}
	wantProven(t, d, "2.0", real.Plain, real.Daemon)
}

// After the test ring another file lies in the repositories under the same version: then
// production is refused before anything is installed. Once it vanishes, archives serve what
// was tested; one whose file was tampered with does not, and the store does.
func (f *exact) replaced(t *testing.T) {
	t.Helper()
	good, bad := time.Now().Add(-time.Hour), time.Now().Add(-2*time.Hour)
	url := snapshots(t, f.lab, good, bad)
	if err := f.lab.Repo.TamperSnapshot(bad, real.Plain, "3.0"); err != nil {
		t.Fatal(err)
	}
	d := f.desk(t, settings{
		"prod-debian": archive("{time}/"), "prod-rocky": archive("{time}/rpm/"),
		"prod-arch": "snapshots: [" + url + "arch/]",
	})
	wantAll(t, f.test, "3.0", real.Plain, real.Daemon)
	publish(t, f.lab, real.NewPackage(real.Plain, "3.0").WithFile("/usr/share/pr-plain/replaced", 0o644, "\n"))
	refresh(f.prod)
	d.opened("production")
	got := d.run(4)
	for _, h := range f.prod {
		wantFailed(t, got, h, real.Plain, h.OS.Version("3.0")+" has another digest than the one that was tested")
	}
	wantAll(t, f.prod, "2.0", real.Plain, real.Daemon)

	withdraw(t, f.lab, real.Plain, "3.0")
	refresh(f.prod)
	since := len(f.lab.Repo.Requests())
	d.retry()
	d.run(12)
	wantAll(t, f.prod, "3.0", real.Plain, real.Daemon)
	for _, h := range f.prod {
		h.Must("test", "!", "-e", "/usr/share/pr-plain/replaced")
		got := asked(h, f.lab, since, served(t, h, f.lab, real.Plain, "3.0"))
		for _, p := range got {
			if !strings.HasPrefix(p, "/snapshot/") {
				t.Errorf("%s asked its repository for what is not there: %s", h.Name, p)
			}
		}
		if (len(got) > 0) != (h.OS != real.SUSE) {
			t.Errorf("%s asked the archives for %v", h.Name, got)
		}
	}
}

// The store has lost what it had. An archive that has it is enough; a host with neither
// fails closed, and no other with it.
func (f *exact) emptyStore(t *testing.T) {
	t.Helper()
	publish(t, f.lab, real.NewPackage(real.Plain, "4.0"))
	snapshots(t, f.lab, time.Now().Add(-30*time.Minute))
	d := f.desk(t, settings{
		"prod-rocky": archive("{time}/nothing/here/"), "prod-sles": archive("{time}/rpm/"), "prod-arch": archive("{time}/arch/"),
	})
	withdraw(t, f.lab, real.Plain, "4.0")
	refresh(f.prod)
	d.emptyStore(real.Plain, "4.0")
	d.opened("production")
	got := d.run(4)
	for _, h := range f.prod {
		switch h.OS {
		case real.Debian, real.Rocky:
			wantVersion(t, h, real.Plain, "3.0")
			wantFailed(t, got, h, real.Plain, h.OS.Version("4.0"))
		default:
			wantVersion(t, h, real.Plain, "4.0")
		}
	}
}

// archive is the setting of a host whose archive of old versions has its tree there.
func archive(below string) string {
	return "snapshots: [\"http://" + path.Join("repo.lab/snapshot", below) + "/\"]"
}

// snapshots makes the archive keep what is there now as it was at these times. It gives
// the last one's address.
func snapshots(t *testing.T, lab *real.Lab, at ...time.Time) (url string) {
	t.Helper()
	for _, at := range at {
		var err error
		if url, err = lab.Repo.Snapshot(at); err != nil {
			t.Fatal(fmt.Errorf("snapshot: %w", err))
		}
	}
	return url
}

func withdraw(t *testing.T, lab *real.Lab, pkg, version string) {
	t.Helper()
	if err := lab.Repo.Withdraw(t.Context(), real.Security, pkg, version); err != nil {
		t.Fatal(err)
	}
}
