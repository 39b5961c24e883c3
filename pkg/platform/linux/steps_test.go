package linux_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

func debian() fact.Facts {
	return fact.Facts{Host: linux.Web, Platform: apt.Debian, Arch: "amd64", BootID: "boot-1", Init: "systemd", Manager: fact.Manager{Name: "apt", State: fact.ManagerOK}}
}

func rocky() fact.Facts {
	return fact.Facts{Host: linux.Web, Platform: dnf.RHEL, Arch: "x86_64", BootID: "boot-1", Init: "systemd", Manager: fact.Manager{Name: "dnf", State: fact.ManagerOK}}
}

// aptWork is what the recorded preflight of apt was asked.
func aptWork() patch.Work {
	return patch.Work{ID: "r1-web-01-1", Reboot: patch.RebootIfNeeded, Install: []patch.Update{
		{Name: "pr-both", Arch: "all", From: "1.0", To: "1.2", Size: 20672},
		{Name: "pr-arch", Arch: "amd64", From: "1.0", To: "1.0+b1", Size: 20672},
	}}
}

func dnfWork() patch.Work {
	return patch.Work{ID: "r1-web-01-1", Reboot: patch.RebootIfNeeded, Install: []patch.Update{
		{Name: "pr-arch", Arch: "x86_64", From: "1.0-1.el9", To: "2.0-1.el9", Size: 6415},
	}}
}

func stepNamed(t *testing.T, d platform.Driver, f fact.Facts, w patch.Work, id platform.StepID) platform.Step {
	t.Helper()
	steps, err := d.Steps(f, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("there is no step %s", id)
	return platform.Step{}
}

// show prints steps as a person sees them.
func show(t *testing.T, d platform.Driver, f fact.Facts, w patch.Work) []string {
	t.Helper()
	steps, err := d.Steps(f, w)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range steps {
		lines = append(lines, platform.Show(s)...)
	}
	return lines
}

// scripts are named by digests, which change with every comment in them.
var scripts = regexp.MustCompile("<[0-9a-f]{12}>")

// TestStepsGolden pins what is sent to a host.
func TestStepsGolden(t *testing.T) {
	pin := func(lines []string) []string {
		for i, line := range lines {
			lines[i] = scripts.ReplaceAllString(line, "SCRIPT")
		}
		return lines
	}
	work := aptWork()
	work.Install = append(work.Install,
		patch.Update{Name: "pr-new", Arch: "all", To: "2.0", Dependency: true},
		patch.Update{Name: "libc6", Arch: "i386", From: "2.36-9", To: "2.36-10"})
	golden(t, "steps-apt.json", pin(show(t, driverOf(apt.Debian), debian(), work)))
	golden(t, "steps-dnf.json", pin(show(t, driverOf(dnf.RHEL), rocky(), dnfWork())))
}

// TestStepsAreTheSame: a step is looked at again after a crash, so it must be the
// same step; and only looking is what looks.
func TestStepsAreTheSame(t *testing.T) {
	for _, d := range []platform.Driver{driverOf(apt.Debian), driverOf(dnf.RHEL)} {
		f, w := debian(), aptWork()
		if d.Capabilities().Platform == dnf.RHEL {
			f, w = rocky(), dnfWork()
		}
		if a, b := show(t, d, f, w), show(t, d, f, w); !slices.Equal(a, b) {
			t.Errorf("%T: %q and %q", d, a, b)
		}
		steps, _ := d.Steps(f, w)
		for _, s := range steps {
			for _, op := range s.Look.Do {
				if op.Command.Effect != remote.Reads {
					t.Errorf("%T: the look of %s may change the host", d, s.ID)
				}
			}
			if s.Deadline <= 0 || s.On != linux.Web || s.Title == "" {
				t.Errorf("%T: %s: %+v", d, s.ID, s)
			}
		}
	}
}

func TestStepsRefuse(t *testing.T) {
	with := func(change func(*fact.Facts, *patch.Work)) (fact.Facts, patch.Work) {
		f, w := debian(), aptWork()
		change(&f, &w)
		return f, w
	}
	tests := map[string]struct {
		change func(*fact.Facts, *patch.Work)
		say    string
	}{
		"refused":         {func(_ *fact.Facts, w *patch.Work) { w.Refused = "libc6 moved" }, "libc6 moved"},
		"no ID":           {func(_ *fact.Facts, w *patch.Work) { w.ID = "" }, "no ID"},
		"bad ID":          {func(_ *fact.Facts, w *patch.Work) { w.ID = "../x" }, "ID"},
		"other manager":   {func(f *fact.Facts, _ *patch.Work) { f.Manager.Name = "dnf" }, "dnf"},
		"bad name":        {func(_ *fact.Facts, w *patch.Work) { w.Install[0].Name = "-o" }, "not a package"},
		"bad version":     {func(_ *fact.Facts, w *patch.Work) { w.Install[0].To = "1 2" }, "not a package"},
		"no version":      {func(_ *fact.Facts, w *patch.Work) { w.Install[0].To = "" }, "not a package"},
		"downgrade":       {func(_ *fact.Facts, w *patch.Work) { w.Install[0].To = "0.9" }, "does not downgrade"},
		"same version":    {func(_ *fact.Facts, w *patch.Work) { w.Install[0].To = "1.0" }, "does not downgrade"},
		"twice":           {func(_ *fact.Facts, w *patch.Work) { w.Install[1] = w.Install[0] }, "twice"},
		"odd reboot rule": {func(_ *fact.Facts, w *patch.Work) { w.Reboot = "perhaps" }, "reboot rule"},
		"always, but a container": {func(f *fact.Facts, w *patch.Work) {
			f.Container, w.Reboot = "docker", patch.RebootAlways
		}, "container"},
		"always, no boot id": {func(f *fact.Facts, w *patch.Work) {
			f.BootID, w.Reboot = "", patch.RebootAlways
		}, "boot id"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := driverOf(apt.Debian).Steps(with(tt.change))
			if err == nil || !strings.Contains(err.Error(), tt.say) || fault.CodeOf(err) != fault.HostFailed {
				t.Errorf("%v, want a refusal with %q", err, tt.say)
			}
		})
	}
	f := rocky()
	f.Problems = []fact.Problem{{What: "platform", Detail: "image-based"}}
	if _, err := (linux.Detected{}).Steps(f, dnfWork()); err == nil || !strings.Contains(err.Error(), "image-based") {
		t.Errorf("%v, want the reason", err)
	}
}

func TestNothingToInstall(t *testing.T) {
	for rule, want := range map[patch.RebootRule]int{patch.RebootNever: 0, patch.RebootIfNeeded: 1, patch.RebootAlways: 1} {
		steps, err := driverOf(apt.Debian).Steps(debian(), patch.Work{ID: "w", Reboot: rule})
		if err != nil || len(steps) != want {
			t.Errorf("%s: %d steps, %v; want %d", rule, len(steps), err, want)
		}
	}
}

func TestResolved(t *testing.T) {
	up := func(name, arch, from, to string) patch.Update {
		return patch.Update{Name: name, Arch: arch, From: from, To: to}
	}
	tests := []struct {
		record  string
		want    []patch.Update
		changes string
		removes string
		refused string
	}{
		{"resolve-apt-exact", []patch.Update{up("pr-both", "all", "1.0", "1.2"), up("pr-arch", "amd64", "1.0", "1.0+b1")}, "pr-arch:amd64=1.0+b1 pr-both:all=1.2", "", ""},
		{"resolve-apt-exact", []patch.Update{up("pr-both", "all", "1.0", "1.2")}, "pr-arch:amd64=1.0+b1+dep pr-both:all=1.2", "", ""},
		{"resolve-apt-exact", []patch.Update{up("pr-both", "all", "1.0", "1.1")}, "pr-arch:amd64=1.0+b1+dep pr-both:all=1.2+dep", "", "would not install pr-both:all 1.1"},
		{"resolve-apt-held", []patch.Update{up("pr-held", "all", "1.0", "2.0")}, "", "", "held on the host: pr-held"},
		{"resolve-apt-downgrade", []patch.Update{up("pr-lib", "all", "", "1.1-1")}, "", "", "downgraded"},
		{"resolve-apt-vanished", []patch.Update{up("pr-both", "all", "1.0", "1.9")}, "", "", "Version '1.9' for 'pr-both' was not found"},
		{"resolve-apt-unmet", []patch.Update{up("pr-kept", "all", "1.0", "2.0")}, "", "", "pr-gone-not-there"},
		{"resolve-apt-remove", []patch.Update{up("pr-confl2", "all", "", "2.0")}, "pr-confl2:all=2.0", "pr-confl", ""},
		{"resolve-dnf-exact", []patch.Update{up("pr-plain", "noarch", "1.0-1.el9", "2.0-1.el9"), up("pr-lib", "noarch", "1:1.0-1.el9", "1:2.0-1.el9")}, "pr-lib:noarch=1:2.0-1.el9 pr-plain:noarch=2.0-1.el9", "", ""},
		{"resolve-dnf-newdep", []patch.Update{up("pr-new", "noarch", "1.0-1", "2.0-1")}, "pr-dep:noarch=2.0-1+dep pr-new:noarch=2.0-1", "", ""},
		{"resolve-dnf-vanished", []patch.Update{up("pr-plain", "noarch", "1.0-1.el9", "3.0-1")}, "", "", "Unable to find a match: pr-plain-3.0-1"},
		{"resolve-dnf-downgrade", []patch.Update{up("pr-plain", "noarch", "", "1.5-1.el9")}, "", "", "dnf would downgrade pr-plain"},
		{"resolve-dnf-nothing", []patch.Update{up("pr-plain", "noarch", "", "2.0-1.el9")}, "", "", "would not install"},
	}
	for _, tt := range tests {
		t.Run(tt.record, func(t *testing.T) {
			var resolver platform.Resolver = driverOf(apt.Debian)
			f := debian()
			if strings.Contains(tt.record, "dnf") {
				resolver, f = driverOf(dnf.RHEL), rocky()
			}
			res, err := resolver.Resolved(f, tt.want, recorded(t, tt.record))
			if err != nil {
				t.Fatal(err)
			}
			var changes []string
			for _, c := range res.Changes {
				text := c.Key() + "=" + c.To
				if c.Dependency {
					text += "+dep"
				}
				changes = append(changes, text)
			}
			slices.Sort(changes)
			if got := strings.Join(changes, " "); got != tt.changes {
				t.Errorf("changes %q, want %q", got, tt.changes)
			}
			if got := strings.Join(res.Removes, " "); got != tt.removes {
				t.Errorf("removes %q, want %q", got, tt.removes)
			}
			if (tt.refused == "") != (res.Refused == "") || !strings.Contains(res.Refused, tt.refused) {
				t.Errorf("refused %q, want %q", res.Refused, tt.refused)
			}
		})
	}
	if _, err := (driverOf(apt.Debian)).Resolved(debian(), nil, remote.Result{Ending: remote.Exited, Code: 1}); err == nil {
		t.Error("no answer is taken for one")
	}
}
