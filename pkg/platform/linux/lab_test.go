package linux_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/lab/posix"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
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

func (m *machine) run(c remote.Command) remote.Result { return m.runAs(m.Console(), c) }

func (m *machine) runAs(p *posix.Proc, c remote.Command) remote.Result {
	var out, errs bytes.Buffer
	p.In, p.Out, p.Err = bytes.NewReader(c.Stdin), &out, &errs
	code := p.Exec(m.t.Context(), c.Argv)
	return remote.Result{Ending: remote.Exited, Code: code, Out: out.Bytes(), Err: errs.Bytes()}
}

func (m *machine) detect(packages ...string) fact.Facts {
	m.t.Helper()
	f, err := managers().Read([]remote.Result{m.run(managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Packages: packages})[0])})
	if err != nil {
		m.t.Fatal(err)
	}
	f.Host = linux.Web
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

// labDriver is what a host that can be patched has.
type labDriver interface {
	platform.Driver
	platform.Resolver
	platform.Locker
}

// TestLabUpgrades carries a simulated host of each kind through a whole upgrade.
func TestLabUpgrades(t *testing.T) {
	tests := map[string]struct {
		os       string
		driver   labDriver
		old, new string
	}{
		"Debian": {"debian-12", driverOf(apt.Debian), "1.0-1", "1.1-1"},
		"Ubuntu": {"ubuntu-24.04", driverOf(apt.Ubuntu), "1.0-1", "1.1-1"},
		"Rocky":  {"rocky-9", driverOf(dnf.RHEL), "1.0-1.el9", "1.1-1.el9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t, lab.Config{
					Name: "x", OS: tt.os,
					Installed:  []lab.Package{{Name: "pr-plain", Version: tt.old}, {Name: "pr-other", Version: tt.old}},
					Repository: []lab.Package{{Name: "pr-plain", Version: tt.new, Suite: "security", Severity: "Important", Advisory: "X-1", Reboot: true}, {Name: "pr-other", Version: tt.new}},
				})
				m.upgrade(tt.driver, tt.new)
			})
		})
	}
}

func (m *machine) upgrade(d labDriver, version string) {
	m.t.Helper()
	t := m.t
	f := m.detect("pr-plain")
	i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == "pr-plain" })
	if i < 0 || f.Updates[i].To != version || f.Updates[i].Security != patch.Yes || f.Platform != d.Capabilities().Platform {
		t.Fatalf("platform %q, updates %+v, problems %+v", f.Platform, f.Updates, f.Problems)
	}
	want := f.Updates[i : i+1]
	res, err := d.Resolved(f, want, m.run(d.Resolve(f, want)))
	if err != nil || res.Refused != "" || len(res.Changes) != 1 || res.Changes[0].Security != patch.Yes {
		t.Fatalf("%v %+v", err, res)
	}
	steps, err := d.Steps(f, patch.Work{ID: "r1-x", Install: res.Changes, Reboot: patch.RebootIfNeeded})
	if err != nil {
		t.Fatal(err)
	}
	boot := m.BootID()
	all := slices.Concat([]platform.Step{d.Lock(linux.Web, linux.OwnerOf("r1"))}, steps, []platform.Step{d.Unlock(linux.Web, linux.OwnerOf("r1"))})
	for _, s := range all {
		if got := m.perform(s); got.State != platform.Done {
			t.Fatalf("%s: %+v", s.ID, got)
		}
	}
	for _, s := range steps[1:] { // begun again: nothing is done twice
		if got := m.perform(s); got.State != platform.Done {
			t.Errorf("%s again: %+v", s.ID, got)
		}
	}
	e := m.Effects()
	if len(e.Transactions) != 1 || e.Transactions[0].Package != "pr-plain" || e.Reboots != 1 || m.BootID() == boot {
		t.Errorf("effects %+v", e)
	}
	if p, ok := m.detect("pr-plain").Installed("pr-plain", ""); !ok || p.Version != version {
		t.Errorf("%+v", p)
	}
}

// TestLabTrouble: what is wrong with a host is found before it is touched.
func TestLabTrouble(t *testing.T) {
	tests := map[string]struct {
		conf  lab.Config
		state platform.State
		say   string
	}{
		"full disk":     {lab.Config{Faults: lab.Faults{FullDisk: "/"}}, platform.Failed, "MiB free"},
		"interrupted":   {lab.Config{Faults: lab.Faults{Interrupted: true}}, platform.Failed, "dpkg --configure -a"},
		"locked, a bit": {lab.Config{Faults: lab.Faults{Locked: 45 * time.Second}}, platform.Done, ""},
		"held":          {lab.Config{Held: []string{"pr-plain"}}, platform.Failed, "held"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.conf.Name, tt.conf.OS = "x", "debian-12"
				tt.conf.Installed = []lab.Package{{Name: "pr-plain", Version: "1.0-1"}}
				tt.conf.Repository = []lab.Package{{Name: "pr-plain", Version: "1.1-1", Suite: "security"}}
				m := newMachine(t, tt.conf)
				w := patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: []patch.Update{{Name: "pr-plain", Arch: "amd64", From: "1.0-1", To: "1.1-1"}}}
				got := m.perform(stepNamed(t, driverOf(apt.Debian), m.detect(), w, "preflight"))
				linux.Standing(t, got, tt.state, tt.say)
				if e := m.Effects(); len(e.Transactions) != 0 {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

// TestLabFailingScript: apt says so with its exit status, dnf does not.
func TestLabFailingScript(t *testing.T) {
	for os, d := range map[string]labDriver{"debian-12": driverOf(apt.Debian), "rocky-9": driverOf(dnf.RHEL)} {
		t.Run(os, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t, lab.Config{
					Name: "x", OS: os, Faults: lab.Faults{FailingPostinst: "pr-plain"},
					Installed:  []lab.Package{{Name: "pr-plain", Version: "1.0-1"}},
					Repository: []lab.Package{{Name: "pr-plain", Version: "1.1-1"}},
				})
				f := m.detect()
				i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == "pr-plain" })
				if i < 0 {
					t.Fatalf("%+v", f)
				}
				step := stepNamed(t, d, f, patch.Work{ID: "r1-x", Reboot: patch.RebootNever, Install: f.Updates[i : i+1]}, "install")
				linux.Standing(t, m.perform(step), platform.Failed, "")
			})
		})
	}
}

// TestLabHostile: a host that prints what it likes brings nothing down, and nothing
// of it reaches the terminal.
func TestLabHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("needs some seconds: a hostile host prints without end")
	}
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{Name: "x", OS: "debian-12", Faults: lab.Faults{Hostile: true}})
		f, err := managers().Read([]remote.Result{m.run(managers().Probe(platform.Query{Nonce: "0f"})[0])})
		if err == nil && len(f.Problems) == 0 {
			t.Error("nothing was noticed")
		}
		linux.CleanText(t, fmt.Sprintf("%q", fmt.Sprint(err, f.Problems)))
		for _, p := range f.Problems {
			linux.CleanText(t, p.Detail)
		}
	})
}
