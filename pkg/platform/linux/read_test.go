package linux_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apt"
	"github.com/patchring/patchring/pkg/platform/linux/dnf"
	"github.com/patchring/patchring/pkg/remote"
)

func facts(t *testing.T, name string) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{recorded(t, name)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadRecorded(t *testing.T) {
	for _, name := range []string{"probe-debian", "probe-debian-broken", "probe-rocky", "probe-rocky-nolists"} {
		t.Run(name, func(t *testing.T) { golden(t, name+".json", facts(t, name)) })
	}
}

// TestReadDebian says in words what the golden file must hold.
func TestReadDebian(t *testing.T) {
	f := facts(t, "probe-debian")
	if f.Platform != apt.Debian || f.Arch != "amd64" || f.Version != "12.11" || f.Domain() != "debian 12 amd64" || f.Manager.State != fact.ManagerOK {
		t.Errorf("platform %q, arch %q, version %q, domain %q, manager %+v", f.Platform, f.Arch, f.Version, f.Domain(), f.Manager)
	}
	if f.Refreshed != f.Clock {
		t.Errorf("refreshed %s, want the host's now, %s: the lists have just been fetched", f.Refreshed, f.Clock)
	}
	security := map[string]patch.Tri{"pr-arch": patch.No, "pr-both": patch.Yes, "pr-third": patch.Unknown}
	for _, u := range f.Updates {
		if want, ok := security[u.Name]; !ok || u.Security != want {
			t.Errorf("%s: security %v, want %v", u.Key(), u.Security, want)
		}
		if u.Size != 20672 {
			t.Errorf("%s: %d bytes, want 20672", u.Key(), u.Size)
		}
	}
	if len(f.Updates) != len(security) {
		t.Errorf("%d updates, want %d", len(f.Updates), len(security))
	}
	reasons := map[string]patch.Reason{"pr-held": patch.ReasonHeld, "pr-kept": patch.ReasonKeptBack}
	for _, k := range f.KeptBack {
		if k.Reason != reasons[k.Update.Name] {
			t.Errorf("%s is left for %q, want %q", k.Update.Name, k.Reason, reasons[k.Update.Name])
		}
	}
	if _, ok := f.Installed("nope", ""); ok || len(f.Packages) != 2 {
		t.Errorf("packages %v, want the two that are installed", f.Packages)
	}
}

func TestReadRocky(t *testing.T) {
	f := facts(t, "probe-rocky")
	if f.Platform != dnf.RHEL || f.Arch != "x86_64" || f.Domain() != "rocky 9.4 x86_64" {
		t.Errorf("platform %q, arch %q, domain %q", f.Platform, f.Arch, f.Domain())
	}
	want := map[string]struct {
		security patch.Tri
		severity patch.Severity
	}{
		"pr-plain":       {patch.Yes, patch.SeverityImportant}, // fixed in 1.5, offered in 2.0
		"pr-lib":         {patch.Yes, patch.SeverityImportant},
		"linux-firmware": {patch.Yes, patch.SeverityModerate},
		"pr-arch":        {patch.No, patch.SeverityUnknown},
		"pr-new":         {patch.Unknown, patch.SeverityUnknown}, // no advisory
	}
	seen := 0
	for _, u := range f.Updates {
		w, ok := want[u.Name]
		if !ok {
			continue
		}
		seen++
		if u.Security != w.security || u.Severity != w.severity || u.From == "" || u.Size == 0 {
			t.Errorf("%+v, want security %v, severity %q, a version before and a size", u, w.security, w.severity)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d updates", seen, len(want))
	}
}

// TestNoListsIsNotNoUpdates: dnf itself exits with 0 here and says nothing.
func TestNoListsIsNotNoUpdates(t *testing.T) {
	f := facts(t, "probe-rocky-nolists")
	if !linux.HasProblem(f, "updates", "new, old") {
		t.Errorf("problems %+v, want one that names the repositories without lists", f.Problems)
	}
}

func TestBroken(t *testing.T) {
	f := facts(t, "probe-debian-broken")
	if f.Manager.State != fact.ManagerInterrupted || !strings.Contains(f.Manager.Detail, "pr-fail") {
		t.Errorf("manager %+v, want interrupted, naming pr-fail", f.Manager)
	}
	if p, ok := f.Installed("pr-fail", "all"); !ok || p.Status != "half-configured" {
		t.Errorf("pr-fail is %+v", p)
	}
}

// TestTruncatedAnywhere: whatever is missing of the answer, it is said.
func TestTruncatedAnywhere(t *testing.T) {
	whole := recorded(t, "probe-debian")
	full := facts(t, "probe-debian")
	for cut := 0; cut < len(whole.Out); cut += 37 {
		f, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: whole.Out[:cut], Err: whole.Err}})
		if errors.Is(err, linux.ErrNotLinux) {
			continue
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if !linux.HasProblem(f, "output", "cut off") {
			t.Fatalf("cut at %d: %+v says nothing of it", cut, f.Problems)
		}
		if len(f.Updates) < len(full.Updates) && !linux.HasProblem(f, "updates", "") && !linux.HasProblem(f, "output", "") {
			t.Fatalf("cut at %d: %d updates, and no problem", cut, len(f.Updates))
		}
	}
}

// TestFramesCanNotBeForged: text that looks like frame lines, but does not carry
// the nonce, changes nothing.
func TestFramesCanNotBeForged(t *testing.T) {
	res := recorded(t, "probe-debian")
	forged := "@0 begin identity\nuid=7\n@0 end identity\npatchring-report 1 0\n"
	res.Out = bytes.Replace(res.Out, []byte("Reading package lists...\n"), []byte(forged+"Reading package lists...\n"), 1)
	f, err := managers().Read([]remote.Result{res})
	if err != nil || linux.HasProblem(f, "privilege", "") || len(f.Updates) != 3 {
		t.Errorf("%v, %d updates, %+v", err, len(f.Updates), f.Problems)
	}
}

func TestOddHosts(t *testing.T) {
	head := "patchring-report 1 n\n"
	sec := func(name, text string, status string) string {
		return "@n begin " + name + "\n" + text + "\n@n status " + status + "\n@n end " + name + "\n"
	}
	identity := func(lines string) string {
		return sec("identity", "uid=0\nboot_id=b\nnow=1\nboot=readable\n"+lines, "0")
	}
	tests := map[string]struct {
		out      string
		platform fact.Platform
		problem  string
	}{
		"Alpine":       {identity("manager=apk") + sec("os_release", "ID=alpine\nVERSION_ID=3.20", "0"), linux.Other, "updates"},
		"no manager":   {identity("manager=") + sec("os_release", "ID=scratch", "0"), linux.Other, "updates"},
		"image":        {identity("manager=changes-whole") + sec("os_release", "ID=fedora", "0"), linux.Other, "platform"},
		"Debian, dnf":  {identity("manager=dnf") + sec("os_release", "ID=debian", "0"), linux.Other, "updates"},
		"Mint":         {identity("manager=apt") + sec("os_release", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "0"), apt.Ubuntu, "updates"},
		"Raspbian":     {identity("manager=apt") + sec("os_release", "ID=raspbian\nID_LIKE=debian", "0"), apt.Debian, "updates"},
		"Amazon":       {identity("manager=dnf") + sec("os_release", "ID=amzn\nID_LIKE=fedora", "0"), dnf.RHEL, "updates"},
		"no os":        {identity("manager=apt"), linux.Other, "os"},
		"absurd clock": {sec("identity", "uid=0\nnow=99999999999999999\nmanager=apt", "0"), linux.Other, "clock"},
		"not root":     {sec("identity", "uid=1000\nnow=5\nmanager=apt", "0"), linux.Other, "privilege"},
		"nothing":      {"", linux.Other, "output"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: []byte(head + tt.out)}})
			if err != nil || f.Platform != tt.platform || !linux.HasProblem(f, tt.problem, "") {
				t.Errorf("%v: platform %q, problems %+v; want %q and a problem with %q", err, f.Platform, f.Problems, tt.platform, tt.problem)
			}
		})
	}
}

func TestNotLinux(t *testing.T) {
	for _, out := range []string{"", "% Invalid input detected at '^' marker.\n", "'sh' is not recognized as an internal or external command\r\n"} {
		if _, err := managers().Read([]remote.Result{{Ending: remote.Exited, Code: 1, Out: []byte(out)}}); !errors.Is(err, linux.ErrNotLinux) {
			t.Errorf("%q: %v, want linux.ErrNotLinux", out, err)
		}
	}
	if _, err := managers().Read(nil); !errors.Is(err, linux.ErrNotLinux) {
		t.Error(err)
	}
}

// FuzzRead: whatever a host prints, the facts are well-formed and hold nothing that
// could harm a terminal, a journal or a command line.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"probe-debian", "probe-debian-broken", "probe-rocky", "probe-rocky-nolists"} {
		res := recorded(f, name)
		f.Add(res.Out, res.Err)
	}
	f.Fuzz(func(t *testing.T, out, errs []byte) {
		got, err := managers().Read([]remote.Result{{Ending: remote.Exited, Out: out, Err: errs}})
		if err != nil {
			linux.CleanText(t, err.Error())
			return
		}
		for _, u := range got.Updates {
			wellFormedUpdate(t, u)
		}
		for _, k := range got.KeptBack {
			wellFormedUpdate(t, k.Update)
		}
		for _, p := range got.Problems {
			linux.CleanText(t, p.Detail)
		}
		for _, p := range got.Packages {
			linux.CleanText(t, p.Name+p.Arch+p.Version+p.Status)
		}
		linux.CleanText(t, strings.Join(slices.Concat(got.Reboot.Reasons, got.Holds, got.OS.Like), " "))
		linux.CleanText(t, got.Hostname+got.BootID+got.Container+got.Kernel.Running+got.Kernel.Newest+got.OS.ID+got.OS.PrettyName+got.OS.VersionID)
		linux.CleanText(t, got.Manager.Name+got.Manager.Detail+got.Version+got.Arch+got.Init+got.OS.Codename)
	})
}

func wellFormedUpdate(t *testing.T, u patch.Update) {
	t.Helper()
	if !linux.WellFormed(u) || strings.HasPrefix(u.Name, "-") || u.Size < 0 {
		t.Errorf("not well-formed: %+v", u)
	}
	linux.CleanText(t, u.Name+u.Arch+u.From+u.To+u.Origin)
	if cves := strings.Fields(u.CVEs); u.CVEs != strings.Join(cves, " ") || !slices.IsSorted(cves) || len(cves) > 256 ||
		slices.ContainsFunc(cves, func(id string) bool { return !linux.IsCVE(id) }) {
		t.Errorf("not CVEs: %q", u.CVEs)
	}
}
