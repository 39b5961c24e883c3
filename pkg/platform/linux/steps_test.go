package linux

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

var web = fact.HostID{Site: "hq", Name: "web-01"}

func debian() fact.Facts {
	return fact.Facts{Host: web, Platform: Debian, Arch: "amd64", BootID: "boot-1", Init: "systemd", Manager: fact.Manager{Name: "apt", State: fact.ManagerOK}}
}

func rocky() fact.Facts {
	return fact.Facts{Host: web, Platform: RHEL, Arch: "x86_64", BootID: "boot-1", Init: "systemd", Manager: fact.Manager{Name: "dnf", State: fact.ManagerOK}}
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
	apt := aptWork()
	apt.Install = append(apt.Install,
		patch.Update{Name: "pr-new", Arch: "all", To: "2.0", Dependency: true},
		patch.Update{Name: "libc6", Arch: "i386", From: "2.36-9", To: "2.36-10"})
	golden(t, "steps-apt.json", pin(show(t, Apt{Debian}, debian(), apt)))
	golden(t, "steps-dnf.json", pin(show(t, Dnf{}, rocky(), dnfWork())))
}

// TestStepsAreTheSame: a step is looked at again after a crash, so it must be the
// same step; and only looking is what looks.
func TestStepsAreTheSame(t *testing.T) {
	for _, d := range []platform.Driver{Apt{Debian}, Dnf{}} {
		f, w := debian(), aptWork()
		if (d == Dnf{}) {
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
			if s.Deadline <= 0 || s.On != web || s.Title == "" {
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
			_, err := Apt{Debian}.Steps(with(tt.change))
			if err == nil || !strings.Contains(err.Error(), tt.say) || fault.CodeOf(err) != fault.HostFailed {
				t.Errorf("%v, want a refusal with %q", err, tt.say)
			}
		})
	}
	f := rocky()
	f.Problems = []fact.Problem{{What: "platform", Detail: "image-based"}}
	if _, err := (Detected{}).Steps(f, dnfWork()); err == nil || !strings.Contains(err.Error(), "image-based") {
		t.Errorf("%v, want the reason", err)
	}
}

func TestNothingToInstall(t *testing.T) {
	for rule, want := range map[patch.RebootRule]int{patch.RebootNever: 0, patch.RebootIfNeeded: 1, patch.RebootAlways: 1} {
		steps, err := Apt{Debian}.Steps(debian(), patch.Work{ID: "w", Reboot: rule})
		if err != nil || len(steps) != want {
			t.Errorf("%s: %d steps, %v; want %d", rule, len(steps), err, want)
		}
	}
}

func TestJobID(t *testing.T) {
	long := strings.Repeat("a", 63)
	a, b := jobID(patch.Work{ID: long + "b"}, "install"), jobID(patch.Work{ID: long + "c"}, "install")
	if a == b || len(a) > 64 || !strings.HasSuffix(a, "-install") {
		t.Errorf("%q and %q", a, b)
	}
	if got := jobID(patch.Work{ID: "r1"}, "stage"); got != "r1-stage" {
		t.Error(got)
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
			var resolver platform.Resolver = Apt{Debian}
			f := debian()
			if strings.Contains(tt.record, "dnf") {
				resolver, f = Dnf{}, rocky()
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
	if _, err := (Apt{}).Resolved(debian(), nil, remote.Result{Ending: remote.Exited, Code: 1}); err == nil {
		t.Error("no answer is taken for one")
	}
}

func standing(t *testing.T, got platform.Standing, state platform.State, say string) {
	t.Helper()
	text := strings.Join(got.Reasons, "\n") + got.Progress + strings.Join(got.Notes, "\n")
	if got.State != state || !strings.Contains(text, say) {
		t.Errorf("%v, %q; want %v with %q", got.State, text, state, say)
	}
	if (got.State == platform.Failed || got.State == platform.Unknown) && len(got.Reasons) == 0 {
		t.Errorf("%v, and no reason", got.State)
	}
	clean(t, strings.Join(got.Reasons, " ")+got.Progress+strings.Join(got.Notes, " "))
}

func TestPreflight(t *testing.T) {
	judge := func(d platform.Driver, f fact.Facts, w patch.Work, r remote.Result) platform.Standing {
		return stepNamed(t, d, f, w, "preflight").Look.Judge([]remote.Result{r})
	}
	ok := recorded(t, "preflight-apt")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), ok), platform.Done, "")
	standing(t, judge(Dnf{}, rocky(), dnfWork(), recorded(t, "preflight-dnf")), platform.Done, "")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), recorded(t, "preflight-apt-locked")), platform.NotDone, "python3")

	more, less, other := aptWork(), aptWork(), aptWork()
	more.Install = append(more.Install, patch.Update{Name: "pr-more", Arch: "all", From: "1", To: "2"})
	less.Install = less.Install[:1]
	other.Install[0].To = "1.1"
	standing(t, judge(Apt{Debian}, debian(), more, ok), platform.Failed, "would not install pr-more:all 2")
	standing(t, judge(Apt{Debian}, debian(), less, ok), platform.Failed, "would install pr-arch:amd64 1.0+b1, which is not in the plan")
	standing(t, judge(Apt{Debian}, debian(), other, ok), platform.Failed, "would not install pr-both:all 1.1")

	replace := func(old, new string) remote.Result {
		r := ok
		r.Out = []byte(strings.Replace(string(ok.Out), old, new, 1))
		return r
	}
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replace("12361216", "1024")), platform.Failed, "MiB free")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replace("overlay rw,", "overlay ro,")), platform.Failed, "read-only")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replace("Inst pr-both", "Remv pr-x [1]\nInst pr-both")), platform.Failed, "would remove pr-x")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), remote.Result{Ending: remote.Exited, Out: ok.Out[:len(ok.Out)-40]}), platform.Unknown, "cut off")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), remote.Result{Ending: remote.Exited, Out: []byte("hello")}), platform.Unknown, "hello")
	truncated := ok
	truncated.Truncated = true
	standing(t, judge(Apt{Debian}, debian(), aptWork(), truncated), platform.Unknown, "cut off")
	standing(t, stepNamed(t, Apt{Debian}, debian(), aptWork(), "preflight").Look.Judge(nil), platform.Unknown, "")
	journal := replace("begin journal\n", "begin journal\n0001\n")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), journal), platform.Failed, "sudo dpkg --configure -a")
}

func TestBootNeed(t *testing.T) {
	kernel := patch.Work{Install: []patch.Update{{Name: "linux-image-6.1.0-56-amd64", To: "1", Size: 1 << 20}}}
	list := needs(kernel, []string{"60000000 initrd.img-6.1.0-50-amd64", "70000000 initrd.img-6.1.0-49-amd64", "8000000 vmlinuz-6.1.0-50-amd64", "x y", "-1 vmlinuz-x"})
	if len(list) != 3 || list[2].path != "/boot" || list[2].bytes != 148000000 {
		t.Errorf("%+v", list)
	}
	if n := bootNeed(nil); n != bootLeast {
		t.Error(n)
	}
	if list := needs(aptWork(), nil); len(list) != 2 {
		t.Errorf("%+v: /boot is not written to", list)
	}
}

// jobSays is what the look at a job prints.
func jobSays(state, code, why, log string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(fmt.Sprintf("patchring-job 1\nstate %s\ncode %s\nboot b\nwhy %s\nlog\n%s", state, code, why, log))}
}

// afterSays is what the look at the versions prints.
func afterSays(versions, remarks string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(opening + "n\n@n begin versions\n" + versions + "\n@n status 0\n@n end versions\n@n begin remarks\n" + remarks + "\n@n status 0\n@n end remarks\n@n whole\n")}
}

func TestInstallLook(t *testing.T) {
	const (
		before  = "pr-both\tall\t1.0\tinstalled\npr-arch\tamd64\t1.0\tinstalled\n"
		after   = "pr-both\tall\t1.2\tinstalled\npr-arch\tamd64\t1.0+b1\tinstalled\n"
		half    = "pr-both\tall\t1.2\thalf-configured\npr-arch\tamd64\t1.0\tinstalled\n"
		beyond  = "pr-both\tall\t1.3\tinstalled\npr-arch\tamd64\t1.0+b1\tinstalled\n"
		foreign = "pr-both\tall\t1.2\tinstalled\npr-arch\tarm64\t1.0+b1\tinstalled\n"
	)
	tests := map[string]struct {
		job, versions remote.Result
		want          platform.State
		say           string
	}{
		"not begun":            {jobSays("absent", "", "", ""), afterSays(before, ""), platform.NotDone, ""},
		"claimed":              {jobSays("claimed", "", "", ""), afterSays(before, ""), platform.NotDone, ""},
		"there already":        {jobSays("absent", "", "", ""), afterSays(after, ""), platform.Done, "already"},
		"newer, not begun":     {jobSays("absent", "", "", ""), afterSays(beyond, ""), platform.Failed, "newer"},
		"half, not begun":      {jobSays("absent", "", "", ""), afterSays(half, ""), platform.NotDone, ""},
		"not installed":        {jobSays("absent", "", "", ""), afterSays("", ""), platform.NotDone, ""},
		"running":              {jobSays("running", "", "", "Unpacking pr-both"), afterSays(before, ""), platform.Running, "Unpacking"},
		"done":                 {jobSays("exited", "0", "", ""), afterSays(after, ""), platform.Done, ""},
		"done, conffile":       {jobSays("exited", "0", "", ""), afterSays(after, "Configuration file '/etc/x.conf'"), platform.Done, "/etc/x.conf.dpkg-dist"},
		"failed":               {jobSays("exited", "100", "", "x\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n"), afterSays(half, ""), platform.Failed, "half-configured"},
		"failed, versions ok":  {jobSays("exited", "100", "", "E: hook failed"), afterSays(after, ""), platform.Failed, "hook failed"},
		"0, versions not":      {jobSays("exited", "0", "", ""), afterSays(before, ""), platform.Failed, "is 1.0, not 1.2"},
		"0, other arch":        {jobSays("exited", "0", "", ""), afterSays(foreign, ""), platform.Failed, "not installed"},
		"0, scriptlet":         {jobSays("exited", "0", "", ""), afterSays(after, "Error in POSTIN scriptlet in rpm package pr-post"), platform.Failed, "POSTIN"},
		"cut by a power loss":  {jobSays("interrupted", "", "the host restarted while it ran", ""), afterSays(half, ""), platform.Unknown, "restarted"},
		"job unreadable":       {remote.Result{Ending: remote.Exited, Out: []byte("?")}, afterSays(after, ""), platform.Unknown, "job"},
		"versions unreadable":  {jobSays("exited", "0", "", ""), remote.Result{Ending: remote.Exited}, platform.Unknown, "not understood"},
		"versions odd":         {jobSays("exited", "0", "", ""), afterSays("pr-both all 1.2 installed", ""), platform.Unknown, "could not be read"},
		"lost in the middle":   {remote.Result{}, remote.Result{}, platform.Unknown, ""},
		"hostile log":          {jobSays("exited", "1", "", "E: \x1b]52;c;x\x07"), afterSays(before, ""), platform.Failed, `\x1b`},
		"hostile conffile":     {jobSays("exited", "0", "", ""), afterSays(after, "Configuration file '/etc/\x1b[2J'"), platform.Done, `\x1b`},
		"unknown to the judge": {jobSays("dancing", "", "", ""), afterSays(after, ""), platform.Unknown, "dancing"},
	}
	step := stepNamed(t, Apt{Debian}, debian(), aptWork(), "install")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			standing(t, step.Look.Judge([]remote.Result{tt.job, tt.versions}), tt.want, tt.say)
		})
	}
	standing(t, step.Look.Judge(nil), platform.Unknown, "")
}

// TestDnfLies: dnf exits with 0 though a package's script failed; as recorded.
func TestDnfLies(t *testing.T) {
	w := patch.Work{ID: "w", Reboot: patch.RebootNever, Install: []patch.Update{
		{Name: "pr-post", Arch: "noarch", From: "1.0-1", To: "2.0-1"}, {Name: "pr-arch", Arch: "x86_64", From: "1.0-1.el9", To: "2.0-1.el9"},
	}}
	look := stepNamed(t, Dnf{}, rocky(), w, "install").Look
	got := look.Judge([]remote.Result{jobSays("exited", "0", "", ""), recorded(t, "after-dnf-scriptlet")})
	standing(t, got, platform.Failed, "%post(pr-post-2.0-1.noarch) scriptlet failed")
	standing(t, got, platform.Failed, "/etc/lab/pr-arch.conf.rpmnew")
}

func TestStageLook(t *testing.T) {
	look := stepNamed(t, Apt{Debian}, debian(), aptWork(), "stage").Look
	for state, want := range map[string]platform.State{
		"absent": platform.NotDone, "claimed": platform.NotDone, "running": platform.Running, "interrupted": platform.Failed, "odd": platform.Unknown,
	} {
		standing(t, look.Judge([]remote.Result{jobSays(state, "", "why", "line")}), want, "")
	}
	standing(t, look.Judge([]remote.Result{jobSays("exited", "0", "", "")}), platform.Done, "")
	standing(t, look.Judge([]remote.Result{jobSays("exited", "100", "", "E: No space left on device")}), platform.Failed, "No space left")
	standing(t, look.Judge(nil), platform.Unknown, "")
}

// rebootSays is what the look at the boot prints.
func rebootSays(boot, running, flag string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(opening + "n\n@n begin signs\nboot_id=" + boot + "\nkernel=6.1.0-50-amd64\nboot=readable\nrunning=" + running +
		"\n\n@n status 0\n@n end signs\n@n begin kernels\n\n@n status 0\n@n end kernels\n@n begin reboot_flag\n" + flag + "\n@n status 0\n@n end reboot_flag\n@n whole\n")}
}

func TestRebootLook(t *testing.T) {
	always := aptWork()
	always.Reboot = patch.RebootAlways
	box := debian()
	box.Container = "docker"
	tests := map[string]struct {
		d    platform.Driver
		f    fact.Facts
		w    patch.Work
		r    remote.Result
		want platform.State
		say  string
	}{
		"not needed":          {Apt{Debian}, debian(), aptWork(), rebootSays("boot-1", "running", ""), platform.Done, "no reboot was needed"},
		"needed":              {Apt{Debian}, debian(), aptWork(), rebootSays("boot-1", "running", "/run/reboot-required\nlibc6"), platform.NotDone, "libc6"},
		"always":              {Apt{Debian}, debian(), always, rebootSays("boot-1", "running", ""), platform.NotDone, ""},
		"back":                {Apt{Debian}, debian(), always, rebootSays("boot-2", "running", ""), platform.Done, "rebooted"},
		"back, degraded":      {Apt{Debian}, debian(), always, rebootSays("boot-2", "degraded", ""), platform.Done, "rebooted"},
		"back, starting":      {Apt{Debian}, debian(), always, rebootSays("boot-2", "starting", ""), platform.Running, "starting"},
		"no boot id":          {Apt{Debian}, debian(), aptWork(), rebootSays("", "", ""), platform.Unknown, "boot id"},
		"no answer":           {Apt{Debian}, debian(), aptWork(), remote.Result{}, platform.Unknown, ""},
		"container, needed":   {Apt{Debian}, box, aptWork(), rebootSays("boot-1", "", "/run/reboot-required"), platform.Failed, "container"},
		"container, not":      {Apt{Debian}, box, aptWork(), rebootSays("boot-7", "", ""), platform.Done, "no reboot"},
		"dnf can't tell":      {Dnf{}, rocky(), dnfWork(), rebootSays("boot-1", "running", ""), platform.Done, "nothing of the system's core"},
		"dnf, core":           {Dnf{}, rocky(), coreWork(), rebootSays("boot-1", "running", ""), platform.NotDone, "glibc"},
		"dnf, core, rebooted": {Dnf{}, rocky(), coreWork(), rebootSays("boot-2", "running", ""), platform.Done, "rebooted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			step := stepNamed(t, tt.d, tt.f, tt.w, "reboot")
			standing(t, step.Look.Judge([]remote.Result{tt.r}), tt.want, tt.say)
			if !step.Look.Reconnects || (len(step.Do) > 0 && !step.Do[0].MayDrop) {
				t.Error("a reboot ends the connection, and is looked at after it")
			}
		})
	}
	if step := stepNamed(t, Apt{Debian}, box, aptWork(), "reboot"); len(step.Do) != 0 {
		t.Error("a container is not restarted from inside")
	}
	nspawn := debian()
	nspawn.Container = "systemd-nspawn"
	if step := stepNamed(t, Apt{Debian}, nspawn, always, "reboot"); len(step.Do) != 1 {
		t.Error("systemd-nspawn has a boot id of its own: it may be restarted")
	}
}

func coreWork() patch.Work {
	w := dnfWork()
	w.Install = append(w.Install, patch.Update{Name: "glibc", Arch: "x86_64", From: "1-1", To: "2-1"})
	return w
}

func lockSays(state, owner string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(opening + "n\n@n begin state\n" + state + "\n\n@n status 0\n@n end state\n@n begin owner\n" + owner + "\n\n@n status 0\n@n end owner\n@n whole\n")}
}

func TestLockLook(t *testing.T) {
	ours := platform.Owner{Rollout: `r"1`, By: "jane@laptop", Since: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	theirs := platform.Owner{Rollout: "r2", By: "omar@ci\x1b[2J", Since: ours.Since}
	mine, _ := ownerJSON(ours)
	other, _ := ownerJSON(theirs)
	tests := []struct {
		state, owner string
		lock, unlock platform.State
		say          string
	}{
		{"free", "", platform.NotDone, platform.Done, ""},
		{"held", mine, platform.Done, platform.NotDone, ""},
		{"held", other, platform.Failed, platform.Done, "omar@ci"},
		{"held", "{}", platform.Failed, platform.Done, "locked by"},
		{"held", "not JSON", platform.Unknown, platform.Unknown, "not JSON"},
		{"nameless", "", platform.Unknown, platform.Unknown, "rmdir " + LockFolder},
		{"symlink", "", platform.Unknown, platform.Unknown, "symbolic link"},
		{"unreadable", "", platform.Unknown, platform.Unknown, "can't be read"},
		{"odd", "", platform.Unknown, platform.Unknown, "odd"},
	}
	for _, tt := range tests {
		t.Run(tt.state+" "+tt.owner, func(t *testing.T) {
			r := []remote.Result{lockSays(tt.state, tt.owner)}
			standing(t, Apt{}.Lock(web, ours).Look.Judge(r), tt.lock, tt.say)
			standing(t, Dnf{}.Unlock(web, ours).Look.Judge(r), tt.unlock, tt.say)
		})
	}
	if got := (Apt{}).Lock(web, platform.Owner{}).Look.Judge([]remote.Result{lockSays("held", "{}")}); got.State == platform.Done {
		t.Error("a lock without a rollout is nobody's, not ours")
	}
	if !reflect.DeepEqual(platform.Show(Apt{}.Lock(web, ours)), platform.Show(Dnf{}.Lock(web, ours))) {
		t.Error("the lock is the same on all Linux hosts")
	}
}
