package linux_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

// inOrder adds what dnf is asked of its health since this was recorded.
func inOrder(r remote.Result) remote.Result {
	nonce, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(string(r.Out), "\n"), linux.Opening), "\n")
	check := fmt.Sprintf("\n@%[1]s begin check\n\n@%[1]s status 0\n\n@%[1]s end check\n", nonce)
	r.Out = []byte(strings.Replace(string(r.Out), "\n@"+nonce+" whole", check+"\n@"+nonce+" whole", 1))
	return r
}

func TestPreflight(t *testing.T) {
	judge := func(d platform.Driver, f fact.Facts, w patch.Work, r remote.Result) platform.Standing {
		return stepNamed(t, d, f, w, "preflight").Look.Judge([]remote.Result{r})
	}
	ok := recorded(t, "preflight-apt")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), ok), platform.Done, "")
	linux.Standing(t, judge(driverOf(dnf.RHEL), rocky(), dnfWork(), inOrder(recorded(t, "preflight-dnf"))), platform.Done, "")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), recorded(t, "preflight-apt-locked")), platform.NotDone, "python3")

	more, less, other := aptWork(), aptWork(), aptWork()
	more.Install = append(more.Install, patch.Update{Name: "pr-more", Arch: "all", From: "1", To: "2"})
	less.Install = less.Install[:1]
	other.Install[0].To = "1.1"
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), more, ok), platform.Failed, "would not install pr-more:all 2")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), less, ok), platform.Failed, "would install pr-arch:amd64 1.0+b1, which is not in the plan")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), other, ok), platform.Failed, "would not install pr-both:all 1.1")

	replace := func(from, to string) remote.Result {
		r := ok
		r.Out = []byte(strings.Replace(string(ok.Out), from, to, 1))
		return r
	}
	replaceAll := func(from, to string) remote.Result {
		return remote.Result{Ending: remote.Exited, Out: []byte(strings.ReplaceAll(string(ok.Out), from, to)), Err: ok.Err}
	}
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replace("12361216", "1024")), platform.Failed, "MiB free")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replaceAll("3091463   197 3091266", "3091463 3091463 0")), platform.Failed, "0 inodes free")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replaceAll("3091463   197 3091266", "0 0 0")), platform.Done, "")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replaceAll("3091463   197 3091266    1%", "- - - -")), platform.Done, "")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replace("overlay rw,", "overlay ro,")), platform.Failed, "read-only")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), replace("Inst pr-both", "Remv pr-x [1]\nInst pr-both")), platform.Failed, "would remove pr-x")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), remote.Result{Ending: remote.Exited, Out: ok.Out[:len(ok.Out)-40]}), platform.Unknown, "cut off")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), remote.Result{Ending: remote.Exited, Out: []byte("hello")}), platform.Unknown, "hello")
	truncated := ok
	truncated.Truncated = true
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), truncated), platform.Unknown, "cut off")
	linux.Standing(t, stepNamed(t, driverOf(apt.Debian), debian(), aptWork(), "preflight").Look.Judge(nil), platform.Unknown, "")
	journal := replace("begin journal\n", "begin journal\n0001\n")
	linux.Standing(t, judge(driverOf(apt.Debian), debian(), aptWork(), journal), platform.Failed, "sudo dpkg --configure -a")
	cut := debian()
	cut.Manager.State = fact.ManagerInterrupted
	linux.Standing(t, judge(driverOf(apt.Debian), cut, aptWork(), journal), platform.Failed, "set repair: true in the playbook")
}

// jobSays is what the look at a job prints.
func jobSays(state, code, why, log string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(fmt.Sprintf("patchring-job 1\nstate %s\ncode %s\nboot b\nwhy %s\nlog\n%s", state, code, why, log))}
}

// afterSays is what the look at the versions prints.
func afterSays(versions, remarks string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(linux.Opening + "n\n@n begin versions\n" + versions + "\n@n status 0\n@n end versions\n@n begin remarks\n" + remarks + "\n@n status 0\n@n end remarks\n@n whole\n")}
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
	step := stepNamed(t, driverOf(apt.Debian), debian(), aptWork(), "install")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			linux.Standing(t, step.Look.Judge([]remote.Result{tt.job, tt.versions}), tt.want, tt.say)
		})
	}
	linux.Standing(t, step.Look.Judge(nil), platform.Unknown, "")
}

// TestDnfLies: dnf exits with 0 though a package's script failed; as recorded.
func TestDnfLies(t *testing.T) {
	w := patch.Work{ID: "w", Reboot: patch.RebootNever, Install: []patch.Update{
		{Name: "pr-post", Arch: "noarch", From: "1.0-1", To: "2.0-1"}, {Name: "pr-arch", Arch: "x86_64", From: "1.0-1.el9", To: "2.0-1.el9"},
	}}
	look := stepNamed(t, driverOf(dnf.RHEL), rocky(), w, "install").Look
	got := look.Judge([]remote.Result{jobSays("exited", "0", "", ""), recorded(t, "after-dnf-scriptlet")})
	linux.Standing(t, got, platform.Failed, "%post(pr-post-2.0-1.noarch) scriptlet failed")
	linux.Standing(t, got, platform.Failed, "/etc/lab/pr-arch.conf.rpmnew")
}

func TestStageLook(t *testing.T) {
	look := stepNamed(t, driverOf(apt.Debian), debian(), aptWork(), "stage").Look
	for state, want := range map[string]platform.State{
		"absent": platform.NotDone, "claimed": platform.NotDone, "running": platform.Running, "interrupted": platform.Failed, "revoked": platform.Failed, "odd": platform.Unknown,
	} {
		linux.Standing(t, look.Judge([]remote.Result{jobSays(state, "", "why", "line")}), want, "")
	}
	linux.Standing(t, look.Judge([]remote.Result{jobSays("exited", "0", "", "")}), platform.Done, "")
	linux.Standing(t, look.Judge([]remote.Result{jobSays("exited", "100", "", "E: No space left on device")}), platform.Failed, "No space left")
	linux.Standing(t, look.Judge(nil), platform.Unknown, "")
}

// rebootSays is what the look at the boot prints.
func rebootSays(boot, running, flag string) remote.Result {
	return remote.Result{Ending: remote.Exited, Out: []byte(linux.Opening + "n\n@n begin signs\nboot_id=" + boot + "\nkernel=6.1.0-50-amd64\nboot=readable\nrunning=" + running +
		"\n\n@n status 0\n@n end signs\n@n begin kernels\n\n@n status 0\n@n end kernels\n@n begin reboot_flag\n" + flag + "\n@n status 0\n@n end reboot_flag\n@n begin failed\n\n@n status 0\n@n end failed\n@n whole\n")}
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
		"not needed":          {driverOf(apt.Debian), debian(), aptWork(), rebootSays("boot-1", "running", ""), platform.Done, "no reboot was needed"},
		"needed":              {driverOf(apt.Debian), debian(), aptWork(), rebootSays("boot-1", "running", "/run/reboot-required\nlibc6"), platform.NotDone, "libc6"},
		"always":              {driverOf(apt.Debian), debian(), always, rebootSays("boot-1", "running", ""), platform.NotDone, ""},
		"back":                {driverOf(apt.Debian), debian(), always, rebootSays("boot-2", "running", ""), platform.Done, "rebooted"},
		"back, degraded":      {driverOf(apt.Debian), debian(), always, rebootSays("boot-2", "degraded", ""), platform.Done, "rebooted"},
		"back, starting":      {driverOf(apt.Debian), debian(), always, rebootSays("boot-2", "starting", ""), platform.Running, "starting"},
		"no boot id":          {driverOf(apt.Debian), debian(), aptWork(), rebootSays("", "", ""), platform.Unknown, "boot id"},
		"no answer":           {driverOf(apt.Debian), debian(), aptWork(), remote.Result{}, platform.Unknown, ""},
		"container, needed":   {driverOf(apt.Debian), box, aptWork(), rebootSays("boot-1", "", "/run/reboot-required"), platform.Failed, "container"},
		"container, not":      {driverOf(apt.Debian), box, aptWork(), rebootSays("boot-7", "", ""), platform.Done, "no reboot"},
		"dnf can't tell":      {driverOf(dnf.RHEL), rocky(), dnfWork(), rebootSays("boot-1", "running", ""), platform.Done, "nothing of the system's core"},
		"dnf, core":           {driverOf(dnf.RHEL), rocky(), coreWork(), rebootSays("boot-1", "running", ""), platform.NotDone, "glibc"},
		"dnf, core, rebooted": {driverOf(dnf.RHEL), rocky(), coreWork(), rebootSays("boot-2", "running", ""), platform.Done, "rebooted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			step := stepNamed(t, tt.d, tt.f, tt.w, "reboot")
			linux.Standing(t, step.Look.Judge([]remote.Result{tt.r}), tt.want, tt.say)
			if !step.Look.Reconnects || (len(step.Do) > 0 && !step.Do[0].MayDrop) {
				t.Error("a reboot ends the connection, and is looked at after it")
			}
		})
	}
	if step := stepNamed(t, driverOf(apt.Debian), box, aptWork(), "reboot"); len(step.Do) != 0 {
		t.Error("a container is not restarted from inside")
	}
	nspawn := debian()
	nspawn.Container = "systemd-nspawn"
	if step := stepNamed(t, driverOf(apt.Debian), nspawn, always, "reboot"); len(step.Do) != 1 {
		t.Error("systemd-nspawn has a boot id of its own: it may be restarted")
	}
}

func coreWork() patch.Work {
	w := dnfWork()
	w.Install = append(w.Install, patch.Update{Name: "glibc", Arch: "x86_64", From: "1-1", To: "2-1"})
	return w
}
