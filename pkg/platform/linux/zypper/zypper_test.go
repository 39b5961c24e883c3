package zypper_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/zypper"
	"github.com/patchring/patchring/pkg/remote"
)

var web = fact.HostID{Site: "hq", Name: "web-1"}

func managers() linux.Managers { return linux.Managers{zypper.Manager()} }

// suse is the driver under test.
func suse() linux.Driver { return managers().Drivers()[0].(linux.Driver) }

func up(name, from, to string) patch.Update {
	return patch.Update{Name: name, Arch: "x86_64", From: from, To: to}
}

func content(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recorded is what a script printed where zypper and rpm were real; see testdata/README.md.
func recorded(t testing.TB, name string) remote.Result {
	t.Helper()
	return remote.Result{Ending: remote.Exited, Out: content(t, name+".out"), Err: content(t, name+".err")}
}

// altered is the recorded probe with one thing changed, which must be in it.
func altered(t testing.TB, old, now string) fact.Facts {
	t.Helper()
	r := recorded(t, "probe")
	if !bytes.Contains(r.Out, []byte(old)) {
		t.Fatalf("the recorded probe has no %q", old)
	}
	r.Out = bytes.Replace(r.Out, []byte(old), []byte(now), 1)
	return facts(t, r)
}

func facts(t testing.TB, r remote.Result) fact.Facts {
	t.Helper()
	f, err := managers().Read([]remote.Result{r})
	if err != nil {
		t.Fatal(err)
	}
	f.Host = web
	return f
}

func problem(f fact.Facts, what string) string {
	for _, p := range f.Problems {
		if p.What == what {
			return p.Detail
		}
	}
	return ""
}

func update1(t *testing.T, f fact.Facts, name string) patch.Update {
	t.Helper()
	i := slices.IndexFunc(f.Updates, func(u patch.Update) bool { return u.Name == name })
	if i < 0 {
		t.Fatalf("no update of %s: %+v", name, f.Updates)
	}
	return f.Updates[i]
}

func left(t *testing.T, f fact.Facts, name string) patch.Left {
	t.Helper()
	i := slices.IndexFunc(f.KeptBack, func(l patch.Left) bool { return l.Update.Name == name })
	if i < 0 {
		t.Fatalf("%s is not kept back: %+v", name, f.KeptBack)
	}
	return f.KeptBack[i]
}

func TestPlatforms(t *testing.T) {
	for _, tt := range []struct {
		os   fact.OS
		want fact.Platform
	}{
		{fact.OS{ID: "sles"}, zypper.SUSE},
		{fact.OS{ID: "sles_sap", Like: []string{"suse"}}, zypper.SUSE},
		{fact.OS{ID: "opensuse-leap"}, zypper.SUSE},
		{fact.OS{ID: "opensuse-tumbleweed", Like: []string{"opensuse", "suse"}}, zypper.SUSE},
		{fact.OS{ID: "fedora"}, ""},
		{fact.OS{}, ""},
	} {
		if got := zypper.Manager().Is(tt.os); got != tt.want {
			t.Errorf("%+v: %q", tt.os, got)
		}
	}
}

// TestProbeGolden: everything that one look at a real zypper tells.
func TestProbeGolden(t *testing.T) {
	f := facts(t, recorded(t, "probe"))
	if f.Platform != zypper.SUSE || f.Manager.State != fact.ManagerOK || f.Arch != "x86_64" {
		t.Errorf("%q %+v %q", f.Platform, f.Manager, f.Arch)
	}
	for _, what := range []string{"updates", "security", "holds", "refresh", "lists", "packages", "offers"} {
		if p := problem(f, what); p != "" {
			t.Errorf("%s: %s", what, p)
		}
	}
	got, err := json.MarshalIndent(map[string]any{
		"updates": f.Updates, "kept_back": f.KeptBack, "holds": f.Holds, "offers": f.Offers, "packages": f.Packages, "reboot": f.Reboot,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("testdata/probe.json", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := content(t, "probe.json"); !bytes.Equal(got, want) {
		t.Errorf("probe.json differs (go test -update writes it anew):\n%s", got)
	}
}

// TestSecurity: which updates are security fixes rests on the patches alone.
func TestSecurity(t *testing.T) {
	f := facts(t, recorded(t, "probe"))
	for _, tt := range []struct {
		name, why string
		security  patch.Tri
		severity  patch.Severity
		cves      string
	}{
		{"pr-plain", "two patches on the way to 1.2", patch.Yes, patch.SeverityImportant, "CVE-2026-1001 CVE-2026-1002 CVE-2026-1008"},
		{"pr-cfg", "noarch, named without an architecture", patch.Yes, patch.SeverityModerate, "CVE-2026-1006"},
		{"pr-epoch", "an epoch", patch.Yes, patch.SeverityModerate, "CVE-2026-1006"},
		{"kernel-default", "a patch that zypper calls interactive", patch.Yes, patch.SeverityCritical, "CVE-2026-1003"},
		{"zypper", "only a recommended patch", patch.No, patch.SeverityUnknown, ""},
		{"pr-fail", "no patch at all", patch.Unknown, patch.SeverityUnknown, ""},
	} {
		u := update1(t, f, tt.name)
		if u.Security != tt.security || u.Severity != tt.severity || u.CVEs != tt.cves {
			t.Errorf("%s (%s): %+v", tt.name, tt.why, u)
		}
	}
}

// TestLieHiddenByVendor: list-updates does not name pr-other, because another vendor has
// a newer one; a needed patch tells that its own vendor's fix is there.
func TestLieHiddenByVendor(t *testing.T) {
	u := update1(t, facts(t, recorded(t, "probe")), "pr-other")
	if u.To != "1.1-150600.1.1" || u.From != "1.0-150600.1.1" || u.Security != patch.No {
		t.Errorf("%+v", u)
	}
}

// TestLieLocked: list-updates does not name what is locked; it is held back, and known
// as a security fix.
func TestLieLocked(t *testing.T) {
	f := facts(t, recorded(t, "probe"))
	l := left(t, f, "pr-locked")
	if l.Reason != patch.ReasonHeld || l.Update.Security != patch.Yes || !slices.Contains(f.Holds, "pr-locked") {
		t.Errorf("%+v, holds %v", l, f.Holds)
	}
}

// TestOtherVendorKept: an update that would change the vendor is kept back, and what it
// fixes is not known.
func TestOtherVendorKept(t *testing.T) {
	l := left(t, facts(t, recorded(t, "probe")), "pr-vendored")
	if l.Reason != patch.ReasonKeptBack || l.Update.Security != patch.Unknown || !strings.Contains(l.Detail, "vendor") {
		t.Errorf("%+v", l)
	}
}

// TestLieBlockedPatches: while a patch of zypper itself is pending, all others stand in
// a list of their own.
func TestLieBlockedPatches(t *testing.T) {
	text := `<?xml version='1.0'?><stream><update-status version="0.6"><update-list>
<update kind="patch" name="one" status="needed" category="recommended" severity="important" pkgmanager="true"/></update-list>
<blocked-update-list><update kind="patch" name="two" status="needed" category="security" severity="important"/></blocked-update-list></update-status></stream>`
	names, err := zypper.PatchNames(text)
	if err != nil || !slices.Equal(names, []string{"one", "two"}) {
		t.Errorf("%v %v", names, err)
	}
}

// TestBlind: where it is not known what a patch is about, nothing is called harmless.
func TestBlind(t *testing.T) {
	f := altered(t, "Name        : SUSE-SLE-15-SP6-2026-1001\n", "Name        : something else\n")
	if u := update1(t, f, "zypper"); u.Security != patch.Unknown || problem(f, "security") == "" {
		t.Errorf("%+v, %q", u, problem(f, "security"))
	}
}

// TestTrouble: what can't be trusted is a problem, never "no updates".
func TestTrouble(t *testing.T) {
	for name, tt := range map[string]struct{ old, now, what, say string }{
		"repositories skipped": {"status 0\n\n@0f end updates", "status 106\n\n@0f end updates", "updates", "skipped a repository"},
		"locked":               {"status 0\n\n@0f end updates", "status 7\n\n@0f end updates", "updates", "lock"},
		"cut off":              {"</stream> \n\n@0f status 0\n\n@0f end updates", "\n@0f status 0\n\n@0f end updates", "updates", "cut off"},
		"patches cut off":      {"</stream> \n\n@0f status 0\n\n@0f end patches", "\n@0f status 0\n\n@0f end patches", "security", "cut off"},
		"patches failed":       {"begin patches_status\n0", "begin patches_status\n4", "security", "found a problem"},
		"locks failed":         {"status 0\n\n@0f end holds", "status 4\n\n@0f end holds", "holds", "found a problem"},
		"all failed":           {"status 0\n\n@0f end all", "status 106\n\n@0f end all", "kept_back", "skipped"},
		"no repositories left": {"status 0\n\n@0f end repos", "status 6\n\n@0f end repos", "updates", "SUSEConnect"},
	} {
		t.Run(name, func(t *testing.T) {
			f := altered(t, tt.old, tt.now)
			got := problem(f, tt.what)
			if got == "" || !strings.Contains(got, tt.say) {
				t.Errorf("%s: %q", tt.what, got)
			}
		})
	}
}

func TestRefresh(t *testing.T) {
	section := func(text, status string) string {
		return "@0f begin refresh\n" + text + "\n@0f status " + status + "\n\n@0f end refresh\n\n@0f begin stamp"
	}
	for name, tt := range map[string]struct{ text, status, say string }{
		"well":            {"All repositories have been refreshed.\n", "0", ""},
		"unreachable":     {"Repository 'SLE Updates' is invalid.\nSome of the repositories have not been refreshed because of an error.\n", "4", "is invalid"},
		"key unknown":     {"Warning: File 'repomd.xml' from repository 'x' is signed with an unknown key 'ABCD'.\n", "4", "unknown key"},
		"no registration": {"Warning: There are no enabled repositories defined.\n", "6", "SUSEConnect"},
		"401":             {"Download (curl) error for 'https://updates.suse.com/x': HTTP response: 401\n", "4", "401"},
	} {
		f := altered(t, "@0f begin stamp", section(tt.text, tt.status))
		got := problem(f, "refresh")
		if tt.say == "" && (got != "" || !f.Refreshed.Equal(f.Clock)) || !strings.Contains(got, tt.say) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestExitCodes: every number of zypper's manual says something, and which of them may
// be trusted.
func TestExitCodes(t *testing.T) {
	trusted := []zypper.Exit{zypper.Fine, zypper.PatchesPending, zypper.SecurityPending, zypper.RebootNeeded}
	seen := map[string]zypper.Exit{}
	for _, e := range []zypper.Exit{0, 4, 5, 6, 7, 8, 101, 102, 103, 104, 105, 106, 107, 42} {
		if e.Trusted() != slices.Contains(trusted, e) {
			t.Errorf("%d: trusted is %t", e, e.Trusted())
		}
		if old, twice := seen[e.String()]; twice || e.String() == "" {
			t.Errorf("%d and %d: %q", e, old, e)
		}
		seen[e.String()] = e
	}
}

// TestSpec: the words that reach zypper name exactly one version.
func TestSpec(t *testing.T) {
	m := zypper.Manager()
	if got := m.Spec(up("pr-epoch", "", "1:1.1-1"), "x86_64"); got != "pr-epoch.x86_64=1:1.1-1" {
		t.Error(got)
	}
	if m.Key("a", "noarch", "x86_64") == m.Key("a", "x86_64", "x86_64") || m.Order("1:1-1", "2-1") <= 0 {
		t.Error("keys or order")
	}
	if m.Kernels("6.4.0-150600.23.7-default", "6.4.0-150600.21.1-default") <= 0 || m.Kernels("6.4.0-150600.23.17-default", "6.4.0-150600.23.7-default") <= 0 {
		t.Error("kernels are in the wrong order")
	}
}

// TestReplaced: several packages stand below the key, a single one beside it (as zypper
// 1.14.42 prints them).
func TestReplaced(t *testing.T) {
	const info = "Name        : SUSE-1\nDescription : \n    forged < 9\nConflicts   : [2]\n    pr-a.x86_64 < 2.0-1\n    pr-b < 2.0-1\n\n" +
		"Name        : SUSE-2\nProvides    : patch:SUSE-2 = 1\nConflicts   : pr-c < 3.0-1\n"
	want := map[string][]string{"SUSE-1": {"pr-a < 2.0-1", "pr-b < 2.0-1"}, "SUSE-2": {"pr-c < 3.0-1"}}
	if got := zypper.Replaced(info); !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("%v", got)
	}
}
