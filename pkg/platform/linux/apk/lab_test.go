package apk_test

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
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apk"
	"github.com/patchring/patchring/pkg/remote"
)

// plain is a host with a new kernel, a package that needs a new one, and another update.
func plain(conf lab.Config) lab.Config {
	conf.Installed = []lab.Package{{Name: "pr-plain", Version: "1.0-r0"}, {Name: "pr-other", Version: "1.0-r0"}, {Name: "pr-needs", Version: "1.0_rc1-r2"}}
	conf.Repository = []lab.Package{
		{Name: "pr-plain", Version: "1.1-r0", Conffile: "/etc/pr-plain.conf"}, {Name: "pr-other", Version: "1.1-r0"},
		{Name: "pr-needs", Version: "1.1-r0", Depends: []string{"pr-new"}}, {Name: "pr-new", Version: "1.0-r0"},
		{Name: "linux-lts", Version: "6.6.60-r0", Kernel: "6.6.60-0-lts"},
	}
	return conf
}

func managers() linux.Managers { return linux.Managers{apk.Manager()} }

// alpine is the driver under test.
func alpine() linux.Driver { return managers().Drivers()[0].(linux.Driver) }

func mustUpdate(t *testing.T, f fact.Facts, name string) patch.Update {
	t.Helper()
	i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == name })
	if i < 0 {
		t.Fatalf("no update of %s: %+v, problems %+v", name, f.Updates, f.Problems)
	}
	return f.Updates[i]
}

// says is what a command on the host prints.
func (m *machine) says(line string) string {
	return string(m.run(remote.Command{Argv: []string{"sh", "-s"}, Stdin: []byte(line + "\n")}).Out)
}

// TestLabSubset: the scripts stay inside what simulated hosts understand.
func TestLabSubset(t *testing.T) {
	for name, text := range managers().Texts() {
		for _, what := range posix.Check(name, []byte(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
}

// TestLabUpgrades carries a simulated host through a whole upgrade and a reboot; apk's world
// is as it was afterwards.
func TestLabUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{}))
		world := m.says("cat /etc/apk/world")
		f := m.detect("pr-plain", "pr-new")
		if f.Platform != apk.Alpine || f.Manager.State != fact.ManagerOK || f.Reboot.Needed != patch.No || len(f.Offers) != 3 || f.Domain() != "alpine 3.20 x86_64" {
			t.Fatalf("%q %q %+v %+v, offers %+v, problems %+v", f.Domain(), f.Platform, f.Manager, f.Reboot, f.Offers, f.Problems)
		}
		want := []patch.Update{mustUpdate(t, f, "linux-lts"), mustUpdate(t, f, "pr-needs"), mustUpdate(t, f, "pr-plain")}
		res, err := alpine().Resolved(f, want, m.run(alpine().Resolve(f, want)))
		if err != nil || res.Refused != "" || len(res.Changes) != 4 || len(res.Removes) != 0 {
			t.Fatalf("%v %+v", err, res)
		}
		boot := m.BootID()
		w := patch.Work{ID: "r1-x", Install: res.Changes, Reboot: patch.RebootIfNeeded}
		at, got, notes := m.all(f, w)
		if got.State != platform.Done || !strings.Contains(notes, "/etc/pr-plain.conf.apk-new was left beside") {
			t.Fatalf("%s: %+v, notes %q", at, got, notes)
		}
		if at, got, _ := m.all(f, w); got.State != platform.Done { // begun again: nothing is done twice
			t.Fatalf("%s: %+v", at, got)
		}
		e := m.Effects()
		if len(e.Transactions) != 4 || e.Reboots != 1 || m.BootID() == boot || m.Version("pr-new") != "1.0-r0" || m.Kernel() != "6.6.60-0-lts" {
			t.Errorf("effects %+v, kernel %s", e, m.Kernel())
		}
		if now := m.says("cat /etc/apk/world"); now != world {
			t.Errorf("apk's world was %q, and is %q", world, now)
		}
		for _, what := range m.Complaints() {
			t.Errorf("not simulated: %s", what)
		}
	})
}

// TestLabBack takes an upgrade back with the versions that were kept: those that a work
// before had downloaded.
func TestLabBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{}))
		m.says("mkdir -p /var/cache/patchring-apk; echo 'lab package pr-needs 1.0_rc1-r2 x86_64' >/var/cache/patchring-apk/pr-needs-1.0_rc1-r2.apk")
		world := m.says("cat /etc/apk/world")
		f := m.detect()
		u := mustUpdate(t, f, "pr-needs")
		fresh := patch.Update{Name: "pr-new", To: "1.0-r0", Dependency: true}
		w := patch.Work{ID: "r1-x", Install: []patch.Update{u, fresh}, Reboot: patch.RebootNever, Keep: true}
		if at, got, _ := m.all(f, w); got.State != platform.Done {
			t.Fatalf("%s: %+v", at, got)
		}
		staged, err := alpine().ReadStaged(f, w, m.run(alpine().Staged(f, w)))
		i := slices.IndexFunc(staged, func(p fact.PackageFile) bool { return p.Version == u.From })
		if err != nil || len(staged) != 3 || i < 0 {
			t.Fatalf("%v %+v", err, staged)
		}
		back := patch.Work{ID: "r1-x-back", Back: true, Remove: []string{"pr-new"}, Reboot: patch.RebootNever, Install: []patch.Update{{
			Name: "pr-needs", From: u.To, To: u.From, Source: patch.SourceHost, File: staged[i].Path, Digest: staged[i].Digest,
		}}}
		if at, got, _ := m.all(m.detect(), back); got.State != platform.Done || m.Version("pr-needs") != u.From || m.Version("pr-new") != "" {
			t.Errorf("%s: %+v, %s", at, got, m.Version("pr-new"))
		}
		if now := m.says("cat /etc/apk/world"); now != world {
			t.Errorf("apk's world was %q, and is %q", world, now)
		}
	})
}

// TestLabTrouble: what is wrong with a host is found before it is touched.
func TestLabTrouble(t *testing.T) {
	tests := map[string]struct {
		conf  lab.Config
		do    string
		state platform.State
		say   string
	}{
		"full disk":     {lab.Config{Faults: lab.Faults{FullDisk: "/"}}, "", platform.Failed, "MiB free"},
		"broken":        {lab.Config{Faults: lab.Faults{Interrupted: true}}, "", platform.Failed, "busybox; on the host, type: apk fix"},
		"cut by us":     {lab.Config{}, "mkdir -p /var/lib/patchring; echo pr-plain >/var/lib/patchring/apk-world", platform.Failed, "was cut"},
		"locked, a bit": {lab.Config{Faults: lab.Faults{Locked: 45 * time.Second}}, "", platform.Done, ""},
		"pinned":        {lab.Config{Held: []string{"pr-plain"}}, "", platform.Failed, "pinned on the host in /etc/apk/world: pr-plain=1.0-r0"},
		"in order":      {lab.Config{}, "", platform.Done, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t, plain(tt.conf))
				m.says(tt.do)
				w := patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: []patch.Update{{Name: "pr-plain", From: "1.0-r0", To: "1.1-r0"}}}
				steps, err := alpine().Steps(m.detect(), w)
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

// TestLabRepair puts right what a crash has cut, and the pins that it left.
func TestLabRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{Faults: lab.Faults{Interrupted: true}}))
		world := m.says("cat /etc/apk/world")
		m.says("mkdir -p /var/lib/patchring; cp /etc/apk/world /var/lib/patchring/apk-world; echo pr-plain=1.1-r0 >>/etc/apk/world")
		f := m.detect()
		w := patch.Work{ID: "r1-x", Repair: true, Reboot: patch.RebootNever, Install: []patch.Update{mustUpdate(t, f, "pr-other")}}
		if at, got, _ := m.all(f, w); got.State != platform.Done {
			t.Errorf("%s: %+v", at, got)
		}
		if now := m.says("cat /etc/apk/world"); now != world {
			t.Errorf("apk's world was %q, and is %q", world, now)
		}
	})
}

// TestLabFailingScript: the package is there, and half done; the pins are gone all the same.
func TestLabFailingScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{Faults: lab.Faults{FailingPostinst: "pr-plain"}}))
		world := m.says("cat /etc/apk/world")
		f := m.detect()
		w := patch.Work{ID: "r1-x", Install: []patch.Update{mustUpdate(t, f, "pr-plain")}, Reboot: patch.RebootNever}
		at, got, _ := m.all(f, w)
		if at != "install" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, "\n"), "1.1-r0 (broken)") {
			t.Errorf("%s: %+v", at, got)
		}
		if now := m.says("cat /etc/apk/world"); now != world {
			t.Errorf("apk's world was %q, and is %q", world, now)
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
