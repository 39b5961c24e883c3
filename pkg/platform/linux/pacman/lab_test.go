package pacman_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux/pacman"
	"github.com/patchring/patchring/pkg/remote"
)

// plain is a host with a new kernel, a package that needs a new one, and another update.
func plain(conf lab.Config) lab.Config {
	conf.Installed = []lab.Package{{Name: "pr-plain", Version: "1.0-1"}, {Name: "pr-other", Version: "1.0-1"}, {Name: "pr-needs", Version: "1:1.0-1"}}
	conf.Repository = []lab.Package{
		{Name: "pr-plain", Version: "1.1-1"}, {Name: "pr-other", Version: "1.1-1"},
		{Name: "pr-needs", Version: "1:1.1-1", Depends: []string{"pr-new"}}, {Name: "pr-new", Version: "1.0-1"},
		{Name: "linux", Version: "6.11.6.arch1-1", Kernel: "6.11.6-arch1-1"},
	}
	return conf
}

func mustUpdate(t *testing.T, f fact.Facts, name string) patch.Update {
	t.Helper()
	u, ok := update(f, name)
	if !ok {
		t.Fatalf("no update of %s: %+v, problems %+v", name, f.Updates, f.Problems)
	}
	return u
}

// TestLabSubset: the scripts stay inside what simulated hosts understand.
func TestLabSubset(t *testing.T) {
	for name, text := range managers().Texts() {
		for _, what := range posix.Check(name, []byte(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
}

// TestLabUpgrades carries a simulated host through a whole upgrade, a reboot and back.
func TestLabUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{}))
		f := m.detect("pr-plain", "pr-new")
		if f.Platform != pacman.Arch || f.Manager.State != fact.ManagerOK || f.Reboot.Needed != patch.No || len(f.Offers) != 2 {
			t.Fatalf("%q %+v %+v, offers %+v, problems %+v", f.Platform, f.Manager, f.Reboot, f.Offers, f.Problems)
		}
		want := []patch.Update{mustUpdate(t, f, "linux"), mustUpdate(t, f, "pr-needs")}
		res, err := arch().Resolved(f, want, m.run(arch().Resolve(f, want)))
		if err != nil || res.Refused != "" || len(res.Changes) != 3 || len(res.Removes) != 0 {
			t.Fatalf("%v %+v", err, res)
		}
		boot := m.BootID()
		w := patch.Work{ID: "r1-x", Install: res.Changes, Reboot: patch.RebootIfNeeded}
		at, got, notes := m.all(f, w)
		if got.State != platform.Done || !strings.Contains(notes, "other updates were left, 2 of them") {
			t.Fatalf("%s: %+v, notes %q", at, got, notes)
		}
		if at, got, _ := m.all(f, w); got.State != platform.Done { // begun again: nothing is done twice
			t.Fatalf("%s: %+v", at, got)
		}
		e := m.Effects()
		if len(e.Transactions) != 3 || e.Reboots != 1 || m.BootID() == boot || m.Version("pr-new") != "1.0-1" || m.Kernel() != "6.11.6-arch1-1" {
			t.Errorf("effects %+v, kernel %s", e, m.Kernel())
		}
		for _, what := range m.Complaints() {
			t.Errorf("not simulated: %s", what)
		}
	})
}

// TestLabBack takes an upgrade back with the versions that were kept.
func TestLabBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{}))
		m.cache("pr-needs 1:1.0-1")
		f := m.detect()
		u := mustUpdate(t, f, "pr-needs")
		fresh := patch.Update{Name: "pr-new", To: "1.0-1", Dependency: true}
		w := patch.Work{ID: "r1-x", Install: []patch.Update{u, fresh}, Reboot: patch.RebootNever, Keep: true}
		if at, got, _ := m.all(f, w); got.State != platform.Done {
			t.Fatalf("%s: %+v", at, got)
		}
		staged, err := arch().ReadStaged(f, w, m.run(arch().Staged(f, w)))
		i := slices.IndexFunc(staged, func(p fact.PackageFile) bool { return p.Version == "1:1.0-1" })
		if err != nil || len(staged) != 3 || i < 0 {
			t.Fatalf("%v %+v", err, staged)
		}
		back := patch.Work{ID: "r1-x-back", Back: true, Remove: []string{"pr-new"}, Reboot: patch.RebootNever, Install: []patch.Update{{
			Name: "pr-needs", From: u.To, To: u.From, Source: patch.SourceHost, File: staged[i].Path, Digest: staged[i].Digest,
		}}}
		if at, got, _ := m.all(m.detect(), back); got.State != platform.Done || m.Version("pr-needs") != "1:1.0-1" || m.Version("pr-new") != "" {
			t.Errorf("%s: %+v, %s", at, got, m.Version("pr-new"))
		}
		if e := m.Effects(); len(e.Transactions) != 4 {
			t.Errorf("%+v", e.Transactions)
		}
	})
}

// cache puts a package's file into pacman's cache, where the version before lies on a real host.
func (m *machine) cache(what string) {
	name, version, _ := strings.Cut(what, " ")
	file := "/var/cache/pacman/pkg/" + name + "-" + version + "-x86_64.pkg.tar.zst"
	m.run(remote.Command{Argv: []string{"sh", "-s"}, Stdin: []byte("echo 'lab package " + what + " x86_64' >" + file + "\n")})
}

// TestLabTrouble: what is wrong with a host is found before it is touched.
func TestLabTrouble(t *testing.T) {
	tests := map[string]struct {
		conf  lab.Config
		state platform.State
		say   string
	}{
		"full disk":     {lab.Config{Faults: lab.Faults{FullDisk: "/"}}, platform.Failed, "MiB free"},
		"stale lock":    {lab.Config{Faults: lab.Faults{Interrupted: true}}, platform.Failed, "sudo rm /var/lib/pacman/db.lck"},
		"locked, a bit": {lab.Config{Faults: lab.Faults{Locked: 45 * time.Second}}, platform.Done, ""},
		"ignored":       {lab.Config{Held: []string{"pr-plain"}}, platform.Failed, "held on the host"},
		"in order":      {lab.Config{}, platform.Done, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t, plain(tt.conf))
				w := patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: []patch.Update{{Name: "pr-plain", From: "1.0-1", To: "1.1-1"}}}
				steps, err := arch().Steps(m.detect(), w)
				if err != nil {
					t.Fatal(err)
				}
				got := m.perform(steps[0])
				if said := strings.Join(got.Reasons, "\n"); got.State != tt.state || !strings.Contains(said, tt.say) {
					t.Errorf("%v %q", got.State, said)
				}
				if e := m.Effects(); len(e.Transactions) != 0 {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

// TestLabFailingScript: pacman ends with 0, and it counts.
func TestLabFailingScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{Faults: lab.Faults{FailingPostinst: "pr-plain"}}))
		f := m.detect()
		w := patch.Work{ID: "r1-x", Install: []patch.Update{mustUpdate(t, f, "pr-plain")}, Reboot: patch.RebootNever}
		at, got, _ := m.all(f, w)
		if at != "install" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, "\n"), "command failed to execute correctly") {
			t.Errorf("%s: %+v", at, got)
		}
	})
}

// TestLabVanished: a version that the mirror no longer has fails the download, and nothing is changed.
func TestLabVanished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{Faults: lab.Faults{Vanished: "pr-plain"}}))
		f := m.detect()
		w := patch.Work{ID: "r1-x", Install: []patch.Update{mustUpdate(t, f, "pr-plain")}, Reboot: patch.RebootNever}
		if at, got, _ := m.all(f, w); at != "stage" || got.State != platform.Failed || len(m.Effects().Transactions) != 0 {
			t.Errorf("%s: %+v", at, got)
		}
	})
}
