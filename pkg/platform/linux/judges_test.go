package linux

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

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

	replace := func(from, to string) remote.Result {
		r := ok
		r.Out = []byte(strings.Replace(string(ok.Out), from, to, 1))
		return r
	}
	replaceAll := func(from, to string) remote.Result {
		return remote.Result{Ending: remote.Exited, Out: []byte(strings.ReplaceAll(string(ok.Out), from, to)), Err: ok.Err}
	}
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replace("12361216", "1024")), platform.Failed, "MiB free")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replaceAll("3091463   197 3091266", "3091463 3091463 0")), platform.Failed, "0 inodes free")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replaceAll("3091463   197 3091266", "0 0 0")), platform.Done, "")
	standing(t, judge(Apt{Debian}, debian(), aptWork(), replaceAll("3091463   197 3091266    1%", "- - - -")), platform.Done, "")
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
		"called off":           {jobSays("revoked", "", "it had not begun in time and was called off", ""), afterSays(before, ""), platform.Failed, "called off"},
		"called off, there":    {jobSays("revoked", "", "it had not begun in time and was called off", ""), afterSays(after, ""), platform.Done, "already"},
		"dnf would go down":    {jobSays("exited", "79", "", "Downgrading:"), afterSays(beyond, ""), platform.Failed, "something newer than planned was installed meanwhile"},
		"dnf went down":        {jobSays("exited", "0", "", ""), afterSays(after, "  Downgrading      : pr-both-1.2-1.noarch   1/2"), platform.Failed, "taken back: Downgrading"},
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
		"absent": platform.NotDone, "claimed": platform.NotDone, "running": platform.Running, "interrupted": platform.Failed, "revoked": platform.Failed, "odd": platform.Unknown,
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
