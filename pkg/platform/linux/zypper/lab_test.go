package zypper_test

import (
	"bytes"
	"os/exec"
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
	"github.com/patchring/patchring/pkg/platform/linux/zypper"
	"github.com/patchring/patchring/pkg/remote"
)

// machine is a simulated host without its SSH server, in the test's own time.
type machine struct {
	t *testing.T
	*lab.Machine
}

func newMachine(t *testing.T, conf lab.Config) *machine {
	t.Helper()
	m := &machine{t: t}
	conf.Name, conf.OS = "x", "sles-15.6"
	inner, err := lab.New(conf, m)
	if err != nil {
		t.Fatal(err)
	}
	m.Machine = inner
	m.Boot(t.Context())
	t.Cleanup(m.Halt)
	return m
}

// Reboot of lab.Power: the machine asks from within one of its own programs.
func (m *machine) Reboot(bool) {
	go func() {
		m.Halt()
		m.Boot(m.t.Context())
	}()
}

// Event of lab.Power.
func (*machine) Event(string) {}

func (m *machine) run(c remote.Command) remote.Result {
	p := m.Console()
	var out, errs bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(m.t.Context(), c.Argv)
	return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}
}

func (m *machine) detect(packages ...string) fact.Facts {
	m.t.Helper()
	f := facts(m.t, m.run(managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Packages: packages, Offers: true})[0]))
	for _, what := range m.Complaints() {
		m.t.Errorf("not simulated: %s", what)
	}
	return f
}

// perform is the interpreter in small: look → do → look, until it stands.
func (m *machine) perform(s platform.Step) platform.Standing {
	m.t.Helper()
	did := false
	for range 90 {
		var results []remote.Result
		for _, op := range s.Look.Do {
			results = append(results, m.run(*op.Command))
		}
		got := s.Look.Judge(results)
		if got.State != platform.NotDone && got.State != platform.Running {
			return got
		}
		if got.State == platform.NotDone && !did {
			did = true
			for _, op := range s.Do {
				if r := m.run(*op.Command); !r.OK() {
					m.t.Errorf("%s: %d %s%s", s.ID, r.Code, r.Out, r.Err)
				}
			}
		}
		<-time.After(time.Second) // the test's own time
	}
	m.t.Fatalf("%s does not end", s.ID)
	return platform.Standing{}
}

// all performs all steps, up to the first that is not done.
func (m *machine) all(f fact.Facts, w patch.Work) (platform.StepID, platform.Standing) {
	m.t.Helper()
	steps, err := suse().Steps(f, w)
	if err != nil {
		m.t.Fatal(err)
	}
	var got platform.Standing
	for _, s := range steps {
		if got = m.perform(s); got.State != platform.Done {
			return s.ID, got
		}
	}
	return "", got
}

// plain is a host with one security update that wants a reboot, and another update.
func plain(conf lab.Config) lab.Config {
	conf.Installed = []lab.Package{{Name: "pr-plain", Version: "1.0-150600.1.1"}, {Name: "pr-other", Version: "1.0-150600.1.1"}}
	conf.Repository = []lab.Package{
		{Name: "pr-plain", Version: "1.1-150600.1.1", Suite: "security", Severity: "Important", Advisory: "SUSE-1", CVEs: []string{"CVE-2026-1001"}, Reboot: true},
		{Name: "pr-other", Version: "1.1-150600.1.1", Advisory: "SUSE-2"},
	}
	return conf
}

// TestLabUpgrades carries a simulated host through a whole upgrade.
func TestLabUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{}))
		f := m.detect("pr-plain")
		u := update1(t, f, "pr-plain")
		if f.Platform != zypper.SUSE || u.To != "1.1-150600.1.1" || u.Security != patch.Yes || u.CVEs != "CVE-2026-1001" || len(f.Offers) != 2 {
			t.Fatalf("platform %q, %+v, offers %+v, problems %+v", f.Platform, u, f.Offers, f.Problems)
		}
		if other := update1(t, f, "pr-other"); other.Security != patch.No {
			t.Errorf("%+v", other)
		}
		want := []patch.Update{u}
		res, err := suse().Resolved(f, want, m.run(suse().Resolve(f, want)))
		if err != nil || res.Refused != "" || len(res.Changes) != 1 || res.Changes[0].Security != patch.Yes {
			t.Fatalf("%v %+v", err, res)
		}
		boot := m.BootID()
		w := patch.Work{ID: "r1-x", Install: res.Changes, Reboot: patch.RebootIfNeeded}
		for range 2 { // begun again: nothing is done twice
			if at, got := m.all(f, w); got.State != platform.Done {
				t.Fatalf("%s: %+v", at, got)
			}
		}
		e := m.Effects()
		if len(e.Transactions) != 1 || e.Transactions[0].Package != "pr-plain" || e.Reboots != 1 || m.BootID() == boot {
			t.Errorf("effects %+v", e)
		}
		if p, ok := m.detect("pr-plain").Installed("pr-plain", ""); !ok || p.Version != u.To {
			t.Errorf("%+v", p)
		}
	})
}

// TestLabTrouble: what is wrong with a host is found before it is touched.
func TestLabTrouble(t *testing.T) {
	for name, tt := range map[string]struct {
		conf  lab.Config
		state platform.State
		say   string
	}{
		"full disk":     {lab.Config{Faults: lab.Faults{FullDisk: "/"}}, platform.Failed, "MiB free"},
		"locked, a bit": {lab.Config{Faults: lab.Faults{Locked: 45 * time.Second}}, platform.Done, ""},
		"held":          {lab.Config{Held: []string{"pr-plain"}}, platform.Failed, "remove lock"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t, plain(tt.conf))
				f := m.detect()
				w := patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: []patch.Update{up("pr-plain", "1.0-150600.1.1", "1.1-150600.1.1")}}
				steps, err := suse().Steps(f, w)
				if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(steps, func(s platform.Step) bool { return s.ID == "preflight" })
				got := m.perform(steps[i])
				if got.State != tt.state || !strings.Contains(strings.Join(got.Reasons, " "), tt.say) {
					t.Errorf("%+v", got)
				}
				if e := m.Effects(); len(e.Transactions) != 0 {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

// TestLabBack takes an update back, and away what it brought.
func TestLabBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := plain(lab.Config{})
		conf.Repository[1].Depends = []string{"pr-new"}
		conf.Repository = append(conf.Repository, lab.Package{Name: "pr-new", Version: "1-1"})
		m := newMachine(t, conf)
		f := m.detect()
		brought := patch.Update{Name: "pr-new", Arch: "x86_64", To: "1-1", Dependency: true}
		w := patch.Work{ID: "r1-x", Keep: true, Reboot: patch.RebootNever, Install: []patch.Update{update1(t, f, "pr-other"), brought}}
		if at, got := m.all(f, w); got.State != platform.Done || m.Version("pr-new") != "1-1" {
			t.Fatalf("%s: %+v", at, got)
		}
		back := patch.Work{ID: "r1-x-back", Back: true, Reboot: patch.RebootNever, Remove: []string{"pr-new:x86_64"}, Install: []patch.Update{up("pr-other", "1.1-150600.1.1", "1.0-150600.1.1")}}
		at, got := m.all(f, back)
		if got.State != platform.Done || m.Version("pr-new") != "" || m.Version("pr-other") != "1.0-150600.1.1" {
			t.Errorf("%s: %+v", at, got)
		}
	})
}

// TestLabHeld: a locked package is no update, and its fix is held back.
func TestLabHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newMachine(t, plain(lab.Config{Held: []string{"pr-plain"}})).detect()
		if l := left(t, f, "pr-plain"); l.Reason != patch.ReasonHeld || l.Update.Security != patch.Yes || len(f.Updates) != 1 {
			t.Errorf("%+v %+v", l, f.Updates)
		}
	})
}

// TestLabFailingScript: zypper says 107, and the step has failed.
func TestLabFailingScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, plain(lab.Config{Faults: lab.Faults{FailingPostinst: "pr-plain"}}))
		f := m.detect()
		at, got := m.all(f, patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: []patch.Update{update1(t, f, "pr-plain")}})
		if at != "install" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), "107") {
			t.Errorf("%s: %+v", at, got)
		}
	})
}

// TestLabKernel: a kernel comes beside the old one, and its reboot is proven.
func TestLabKernel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{Repository: []lab.Package{
			{Name: "kernel-default", Version: "6.4.0-150600.23.17.1", Suite: "security", Severity: "Critical", Advisory: "SUSE-3", Kernel: "6.4.0-150600.23.17-default"},
		}})
		f := m.detect()
		at, got := m.all(f, patch.Work{ID: "r1-x", Reboot: patch.RebootIfNeeded, Install: []patch.Update{update1(t, f, "kernel-default")}})
		if got.State != platform.Done || m.Kernel() != "6.4.0-150600.23.17-default" || m.Effects().Reboots != 1 {
			t.Errorf("%s: %+v, kernel %s", at, got, m.Kernel())
		}
	})
}

// TestScripts: every script stays inside what simulated hosts understand, parses in the
// shells that are here, and has nothing that shellcheck finds.
func TestScripts(t *testing.T) {
	looks, acts := zypper.Scripts()
	for name, text := range map[string]string{"looks": looks, "acts": acts} {
		for _, what := range posix.Check(name, []byte(text)) {
			t.Errorf("%s: %s", name, what)
		}
	}
	for _, argv := range [][]string{{"dash", "-n"}, {"bash", "-n"}, {"busybox", "ash", "-n"}, {"shellcheck", "-s", "sh", "-e", "SC2154", "-"}} {
		if _, err := exec.LookPath(argv[0]); err != nil {
			t.Logf("%s is not installed here", argv[0])
			continue
		}
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Stdin = strings.NewReader(looks + acts)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", argv[0], err, out)
		}
	}
}
