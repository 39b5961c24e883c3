package apt

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

// realHost is a system with this machine's apt and dpkg, in a folder and a mount namespace
// of its own: nothing that is done to it is done to the machine. It has no systemd.
func realHost(t *testing.T) host {
	t.Helper()
	needs(t)
	folder := t.TempDir()
	space := exec.CommandContext(t.Context(), "unshare", "-m", "--propagation", "private", "sleep", "3600")
	if err := space.Start(); err != nil {
		t.Skip("needs mount namespaces: " + err.Error())
	}
	t.Cleanup(func() {
		_ = space.Process.Kill() // what is mounted goes with it
		_ = space.Wait()
	})
	enter := []string{"-t", strconv.Itoa(space.Process.Pid), "-m"}
	if !separate(t, space.Process.Pid) {
		t.Skip("needs mount namespaces: unshare made none")
	}
	script, err := filepath.Abs("testdata/real.sh")
	if err != nil {
		t.Fatal(err)
	}
	setup := exec.CommandContext(t.Context(), "nsenter", append(enter, "sh", script, folder)...)
	if out, err := setup.CombinedOutput(); err != nil {
		t.Skipf("needs overlay file systems and a working apt: %v\n%s", err, out)
	}
	run := func(c remote.Command) remote.Result {
		argv := slices.Concat(enter, []string{"chroot", filepath.Join(folder, "root"), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}, c.Argv)
		return runHere(t, argv, c.Stdin)
	}
	return host{t, run}
}

func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a minute: real package transactions")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: a real system in a folder")
	}
	for _, tool := range []string{"apt-get", "apt-ftparchive", "dpkg-deb", "unshare", "nsenter", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool + ": a Debian with apt-utils")
		}
	}
}

// separate waits until the process has a mount namespace that is not this one's: what
// follows may not touch the machine's own mounts.
func separate(t *testing.T, pid int) bool {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		theirs, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/mnt")
		if err == nil && theirs != own {
			return true
		}
		<-time.After(20 * time.Millisecond)
	}
	return false
}

func runHere(t *testing.T, argv []string, stdin []byte) remote.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", argv...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return remote.Result{Ending: remote.Exited, Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Err: errs.Bytes()}
}

// installed is what dpkg itself says of the lab's packages.
func (h host) installed() []string {
	h.t.Helper()
	return strings.Split(h.shell(`dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\n' 'pr-*' | grep -v ' un '`), "\n")
}

func (h host) has(want ...string) {
	h.t.Helper()
	var got []string
	for _, line := range h.installed() {
		got = append(got, strings.TrimSpace(line))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("dpkg has\n%q\nwant\n%q", got, want)
	}
}

func (h host) ends(w patch.Work, state platform.State, say string) platform.Standing {
	h.t.Helper()
	got := h.carry(w)
	if got.State != state || !strings.Contains(strings.Join(append(got.Reasons, got.Notes...), "\n"), say) {
		h.t.Fatalf("%s: %v, %q, %q; want %v with %q", w.ID, got.State, got.Reasons, got.Notes, state, say)
	}
	return got
}

const (
	oldVersion = "1:1.0-1"
	newVersion = "1:1.1-1" // not the newest
)

func realWork() patch.Work {
	return patch.Work{ID: "r1-real", Keep: true, Install: []patch.Update{
		{Name: "pr-plain", Arch: "all", From: oldVersion, To: newVersion},
		{Name: "pr-foreign", Arch: "i386", From: oldVersion, To: newVersion},
		{Name: "pr-conf", Arch: "all", From: oldVersion, To: newVersion},
		{Name: "pr-new", Arch: "all", To: "2.0", Dependency: true},
	}}
}

// taken is the way back by what was kept on the host.
func taken(w patch.Work, files []fact.PackageFile) patch.Work {
	back := patch.Work{ID: w.ID + "-back", Back: true}
	for _, u := range w.Install {
		if u.From == "" {
			back.Remove = append(back.Remove, u.Name)
		}
		for _, f := range files {
			if f.Name == u.Name && f.Version == u.From {
				back.Install = append(back.Install, patch.Update{Name: u.Name, Arch: f.Arch, From: u.To, To: f.Version, Source: patch.SourceHost, File: f.Path, Digest: f.Digest})
			}
		}
	}
	return back
}

// TestRealThereAndBack: exactly these versions though newer ones are there, and exactly the
// former ones though the repository no longer has them. The admin's file, the holds, and
// what was automatic stay.
func TestRealThereAndBack(t *testing.T) {
	h := realHost(t)
	before := h.installed()
	h.shell("echo changed >/etc/pr-conf.conf; apt-mark hold pr-held; apt-mark auto pr-plain")
	w := realWork()
	h.ends(w, platform.Done, "/etc/pr-conf.conf.dpkg-dist")
	h.has("pr-conf:all 1:1.1-1 ii", "pr-fail:all 1.0 ii", "pr-foreign:i386 1:1.1-1 ii", "pr-held:all 1:1.0-1 hi", "pr-new:all 2.0 ii", "pr-plain:all 1:1.1-1 ii")
	marks := "cat /etc/pr-conf.conf; apt-mark showhold; apt-mark showauto | grep pr-"
	if got := h.shell(marks); got != "changed\npr-held\npr-new\npr-plain" {
		t.Errorf("%q", got)
	}
	if again := h.carry(w); again.State != platform.Done {
		t.Errorf("a second time: %+v", again)
	}
	h.shell("rm /srv/lab/*_1.0-1_*; lab-index")
	h.ends(taken(w, h.detect("pr-plain").Files), platform.Done, "")
	h.shell("apt-mark unhold pr-held")
	if got := h.installed(); !slices.Equal(got, before) {
		t.Errorf("%q, want what was there before, %q", got, before)
	}
	h.shell("apt-mark hold pr-held")
	if got := h.shell(marks); got != "changed\npr-held\npr-plain" {
		t.Errorf("%q", got)
	}
}

// TestRealFailingScript: a post-installation script fails, and the former set comes back.
func TestRealFailingScript(t *testing.T) {
	h := realHost(t)
	before := h.installed()
	w := patch.Work{ID: "r1-fail", Keep: true, Install: []patch.Update{
		{Name: "pr-fail", Arch: "all", From: "1.0", To: "1.1"}, {Name: "pr-conf", Arch: "all", From: oldVersion, To: newVersion},
	}}
	h.ends(w, platform.Failed, "pr-fail")
	if f := h.detect(); f.Manager.State != fact.ManagerInterrupted {
		t.Errorf("%+v", f.Manager)
	}
	h.ends(taken(w, h.detect("pr-plain").Files), platform.Done, "")
	if got := h.installed(); !slices.Equal(got, before) {
		t.Errorf("%q, want what was there before, %q", got, before)
	}
}

// TestRealRefusals: what is in the way is found before anything was changed.
func TestRealRefusals(t *testing.T) {
	h := realHost(t)
	before := h.installed()
	held := patch.Work{ID: "r1-held", Install: []patch.Update{{Name: "pr-held", Arch: "all", From: oldVersion, To: newVersion}}}
	h.shell("apt-mark hold pr-held")
	h.ends(held, platform.Failed, "held on the host")
	h.shell("apt-mark unhold pr-held")
	less := patch.Work{ID: "r1-less", Install: realWork().Install[:1]}
	h.ends(less, platform.Failed, "would install pr-new:all 2.0, which is not in the plan")
	gone := patch.Work{ID: "r1-gone", Install: []patch.Update{{Name: "pr-held", Arch: "all", From: oldVersion, To: "1:1.9-1"}}}
	h.ends(gone, platform.Failed, "was not found")
	h.shell("rm /srv/lab/pr-held_1.1-1_all.deb") // the lists still promise it
	h.ends(patch.Work{ID: "r1-404", Install: held.Install}, platform.Failed, "Failed to fetch")
	if got := h.installed(); !slices.Equal(got, before) {
		t.Errorf("%q, want what was there before, %q", got, before)
	}
}

// TestRealRepair: dpkg asked about a changed file though nobody was there, and left the
// package half-way. Repair puts it right, and the admin's file stays.
func TestRealRepair(t *testing.T) {
	h := realHost(t)
	h.shell("echo changed >/etc/pr-conf.conf; DEBIAN_FRONTEND=noninteractive apt-get -y install pr-conf=" + newVersion + " </dev/null >/dev/null 2>&1")
	w := patch.Work{ID: "r1-repair", Install: []patch.Update{{Name: "pr-held", Arch: "all", From: oldVersion, To: newVersion}}}
	h.ends(w, platform.Failed, "dpkg --configure -a")
	w.Repair, w.ID = true, "r2-repair"
	h.ends(w, platform.Done, "")
	h.has("pr-conf:all 1:1.1-1 ii", "pr-fail:all 1.0 ii", "pr-foreign:i386 1:1.0-1 ii", "pr-held:all 1:1.1-1 ii", "pr-plain:all 1:1.0-1 ii")
	if got := h.shell("cat /etc/pr-conf.conf"); got != "changed" {
		t.Errorf("the admin's file is now %q", got)
	}
}
