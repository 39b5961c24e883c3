package image_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	lab "github.com/patchring/patchring/pkg/lab/linux"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux/image"
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
	conf.Name, conf.OS = "x", "fedora-iot-41"
	conf.Repository = []lab.Package{{
		Name: image.Name, Version: "41.20241110.0", Suite: "security", Severity: "Important", Advisory: "FEDORA-1", CVEs: []string{"CVE-2026-1001"},
	}}
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

func (m *machine) detect() fact.Facts {
	m.t.Helper()
	result := m.run(image.Managers().Probe(platform.Query{Nonce: "0f", Refresh: true, Packages: []string{image.Name}, Offers: true})[0])
	f, err := image.Managers().Read([]remote.Result{result})
	if err != nil {
		m.t.Fatal(err)
	}
	f.Host = fact.HostID{Site: "hq", Name: "x"}
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
	steps, err := image.Managers().Drivers()[0].Steps(f, w)
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

func TestDetect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newMachine(t, lab.Config{}).detect()
		if f.Platform != image.OSTree || f.Manager.State != fact.ManagerOK || f.Reboot.Needed != patch.No || len(f.Problems) > 0 {
			t.Errorf("%q, manager %+v, reboot %+v, problems %+v", f.Platform, f.Manager, f.Reboot, f.Problems)
		}
		if want := "fedora fedora-iot:fedora/stable/x86_64/iot x86_64"; f.Domain() != want {
			t.Errorf("domain %q, want %q", f.Domain(), want)
		}
		if len(f.Updates) != 1 || f.Updates[0].Severity != patch.SeverityImportant || f.Updates[0].CVEs != "CVE-2026-1001" {
			t.Fatalf("%+v", f.Updates)
		}
		u := f.Updates[0]
		if !strings.HasSuffix(u.From, "_"+lab.Commit("41.20241027.0")) || !strings.HasSuffix(u.To, "_"+lab.Commit("41.20241110.0")) {
			t.Errorf("%s → %s", u.From, u.To)
		}
		offered := func(o fact.Offer) bool { return o.Version == u.From }
		if p, ok := f.Installed(image.Name, ""); !ok || p.Version != u.From || !f.OffersKnown || !slices.ContainsFunc(f.Offers, offered) {
			t.Errorf("installed %+v, offers %+v", p, f.Offers)
		}
	})
}

// TestThereAndBack carries a host to the next image, over its reboot, and back again.
func TestThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{})
		before := m.detect()
		u := before.Updates[0]
		w := patch.Work{ID: "w-1", Install: []patch.Update{u}, Reboot: patch.RebootIfNeeded, Keep: true}
		if at, got := m.all(before, w); at != "" {
			t.Fatalf("%s: %+v", at, got)
		}
		after := m.detect()
		if p, _ := after.Installed(image.Name, ""); p.Version != u.To || after.BootID == before.BootID || after.Reboot.Needed != patch.No || len(after.Updates) > 0 {
			t.Fatalf("%+v, boot %s, reboot %+v, updates %+v", p, after.BootID, after.Reboot, after.Updates)
		}
		back := patch.Work{ID: "w-1-back", Back: true, Install: []patch.Update{{Name: u.Name, Arch: u.Arch, From: u.To, To: u.From}}, Reboot: patch.RebootIfNeeded}
		if at, got := m.all(after, back); at != "" {
			t.Fatalf("%s: %+v", at, got)
		}
		end := m.detect()
		if p, _ := end.Installed(image.Name, ""); p.Version != u.From || end.BootID == after.BootID || m.Effects().Reboots != 2 {
			t.Errorf("%+v, %d reboots", p, m.Effects().Reboots)
		}
	})
}

// TestBackBeforeTheReboot: what only waits for the next boot is dropped, and nothing restarts.
func TestBackBeforeTheReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{})
		before := m.detect()
		u := before.Updates[0]
		if at, got := m.all(before, patch.Work{ID: "w-1", Install: []patch.Update{u}, Reboot: patch.RebootNever}); at != "" {
			t.Fatalf("%s: %+v", at, got)
		}
		waiting := m.detect()
		if waiting.Reboot.Needed != patch.Yes || !strings.Contains(waiting.Reboot.Reasons[0], "41.20241110.0") {
			t.Errorf("%+v", waiting.Reboot)
		}
		back := patch.Work{ID: "w-1-back", Back: true, Install: []patch.Update{{Name: u.Name, Arch: u.Arch, From: u.To, To: u.From}}, Reboot: patch.RebootIfNeeded}
		if at, got := m.all(waiting, back); at != "" {
			t.Fatalf("%s: %+v", at, got)
		}
		if f := m.detect(); f.Reboot.Needed != patch.No || m.Effects().Reboots != 0 {
			t.Errorf("%+v, %d reboots", f.Reboot, m.Effects().Reboots)
		}
	})
}

// TestVanished: an image that the repository no longer has is refused before anything changed.
func TestVanished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{})
		f := m.detect()
		u := f.Updates[0]
		u.To = strings.Replace(u.To, lab.Commit("41.20241110.0"), lab.Commit("gone"), 1)
		at, got := m.all(f, patch.Work{ID: "w-1", Install: []patch.Update{u}, Reboot: patch.RebootIfNeeded})
		if at != "preflight" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), "not found") || len(m.Effects().Transactions) > 0 {
			t.Errorf("%s: %+v", at, got)
		}
	})
}

// TestFallsBack: a boot that came up with the former image must not pass for a proof.
func TestFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, lab.Config{Faults: lab.Faults{BootsOldKernel: true}})
		f := m.detect()
		at, got := m.all(f, patch.Work{ID: "w-1", Install: f.Updates, Reboot: patch.RebootIfNeeded})
		if at != "reboot" || got.State != platform.Failed || !strings.Contains(strings.Join(got.Reasons, " "), "fall back") {
			t.Errorf("%s: %+v", at, got)
		}
	})
}
