package apk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
	"github.com/patchring/patchring/pkg/platform/linux/apk"
	"github.com/patchring/patchring/pkg/remote"
)

func text(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section is one of a report that was made up.
type section struct{ name, out, err, status string }

func report(t testing.TB, sections ...section) linux.Report {
	t.Helper()
	var out, errs strings.Builder
	out.WriteString("\npatchring-report 1 0f\n")
	for _, s := range sections {
		if s.status == "" {
			s.status = "0"
		}
		fmt.Fprintf(&out, "\n@0f begin %s\n%s\n@0f status %s\n\n@0f end %s\n", s.name, s.out, s.status, s.name)
		fmt.Fprintf(&errs, "\n@0f begin %s\n%s\n@0f end %s\n", s.name, s.err, s.name)
	}
	rep, found := linux.ReadReport(remote.Result{Ending: remote.Exited, Out: []byte(out.String() + "\n@0f whole\n"), Err: []byte(errs.String())})
	if !found {
		t.Fatal("not a report")
	}
	return rep
}

func readFacts(t testing.TB, sections ...section) fact.Facts {
	t.Helper()
	r := &linux.Reader{Report: report(t, sections...)}
	r.Facts.OS.VersionID = "3.20.3"
	apk.Manager().Read(r)
	return r.Facts
}

func problem(f fact.Facts, what string) string {
	for _, p := range f.Problems {
		if p.What == what {
			return p.Detail
		}
	}
	return ""
}

func TestPlatform(t *testing.T) {
	for os, want := range map[string]fact.Platform{"alpine": apk.Alpine, "postmarketos": "", "chimera": "", "wolfi": "", "": ""} {
		if got := apk.Manager().Is(fact.OS{ID: os, Like: []string{"alpine"}}); got != want {
			t.Errorf("%s is %q", os, got)
		}
	}
}

// TestUpdates reads the list, with pins and sizes.
func TestUpdates(t *testing.T) {
	f := readFacts(t, section{name: "plan"}, section{name: "updates", out: text(t, "list-upgradable.txt")}, section{name: "updates_status", out: "0"},
		section{name: "world", out: "alpine-base\nlinux-lts<6.6.60\ncurl@edge\n!telnet\n"}, section{name: "sizes", out: "nginx 1.26.2-r2 500000\nnginx 1.26.2-r1 1\n"})
	var got []string
	for _, u := range f.Updates {
		got = append(got, u.Name+" "+u.From+" "+u.To)
	}
	want := []string{
		"busybox 1.36.1-r29 1.36.1-r31", "libcrypto3 3.3.2-r0 3.3.3-r0", "nginx 1.26.1-r0 1.26.2-r2", "openssh-server 9.7_p1-r4 9.7_p1-r5", "tzdata 2024b-r0 2024b-r1",
	}
	if !slices.Equal(got, want) || f.Updates[2].Size != 500000 || f.Updates[4].Arch != "noarch" || f.Updates[0].Security != patch.Unknown {
		t.Errorf("%+v", f.Updates)
	}
	if len(f.KeptBack) != 1 || f.KeptBack[0].Reason != patch.ReasonHeld || !strings.HasSuffix(f.KeptBack[0].Detail, "linux-lts<6.6.60") {
		t.Errorf("%+v", f.KeptBack)
	}
	if slices.Sort(f.Holds); !slices.Equal(f.Holds, []string{"curl@edge", "linux-lts<6.6.60"}) || problem(f, "updates") != "" {
		t.Errorf("%q %+v", f.Holds, f.Problems)
	}
	if f.OS.VersionID != "3.20" {
		t.Errorf("branch %q", f.OS.VersionID)
	}
}

// TestNoListsIsNotNothing: without lists apk lists nothing, and ends with 0.
func TestNoListsIsNotNothing(t *testing.T) {
	tests := map[string]struct{ out, err, status, problem string }{
		"nothing":  {"", "", "0", ""},
		"no lists": {"", "WARNING: opening from cache https://dl.example/main: No such file or directory\n", "0", "WARNING: opening from cache"},
		"failed":   {"", "ERROR: Unable to read database: v2 database format error\n", "99", "exit status 99"},
		"odd line": {"something else\n", "", "0", "not understood"},
	}
	for name, tt := range tests {
		f := readFacts(t, section{"plan", "", tt.err, ""}, section{name: "updates", out: tt.out}, section{name: "updates_status", out: tt.status})
		if got := problem(f, "updates"); !strings.Contains(got, tt.problem) || (got == "") != (tt.problem == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestFailedRefresh: older apk ends with 0 though repositories could not be fetched.
func TestFailedRefresh(t *testing.T) {
	for said, want := range map[string]string{
		"fetch https://x\nOK: 24181 distinct packages available\n":                  "",
		"WARNING: Ignoring https://x: temporary error (try again later)\nOK: 5 …\n": "temporary error",
		"1 unavailable, 0 stale; 14000 distinct packages available\n":               "1 unavailable",
	} {
		f := readFacts(t, section{name: "refresh", out: said})
		if got := problem(f, "refresh"); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: %q", said, got)
		}
	}
}

// TestSimulated: each kind of change that apk knows.
func TestSimulated(t *testing.T) {
	all := text(t, "add-simulate.txt")
	tests := map[string]struct {
		out, err         string
		status           int
		back             bool
		changes, removes int
		refused          string
	}{
		"there":          {all, "", 0, false, 5, 1, "apk would downgrade nginx 1.26.2-r0"},
		"back":           {all, "", 0, true, 5, 1, ""},
		"pinned":         {"world a=1-r0\n(1/1) Upgrading a (1-r0 -> 1-r1)\nOK: 1 MiB\n", "", 0, false, 1, 0, "pinned on the host in /etc/apk/world: a=1-r0"},
		"tagged":         {"(1/1) Upgrading a@edge (1-r0 -> 1-r1)\n", "", 0, false, 0, 0, "not understood"},
		"unavailable":    {"(1/1) [APK unavailable, skipped] Reinstalling a (1-r0)\n", "", 0, false, 0, 0, "not understood"},
		"pinning":        {"(1/1) Updating pinning a (1-r0)\n", "", 0, false, 0, 0, "not understood"},
		"no such":        {"  a-9 (no such package):\n    required by: world[a=9]\n", "ERROR: unable to select packages:\n", 1, false, 0, 0, "a-9 (no such package): | required by: world[a=9]"},
		"errors counted": {"(1/1) Upgrading a (1-r0 -> 1-r1)\n2 errors; 1 MiB in 9 packages\n", "", 2, false, 1, 0, "apk refuses"},
		"cut off":        {"", "", -1, false, 0, 0, "cut off"},
	}
	for name, tt := range tests {
		got := apk.Manager().Simulated(fact.Facts{}, patch.Work{Back: tt.back}, linux.Section{Out: tt.out, Err: tt.err, Status: tt.status})
		if len(got.Changes) != tt.changes || len(got.Removes) != tt.removes || !strings.Contains(got.Refused, tt.refused) || (got.Refused == "") != (tt.refused == "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestState: what is wrong with apk; what could not be looked at is not in order.
func TestState(t *testing.T) {
	tests := map[string]struct {
		sections []section
		state    fact.ManagerState
		say      string
	}{
		"in order":  {[]section{{name: "broken"}, {name: "cut"}}, fact.ManagerOK, ""},
		"broken":    {[]section{{name: "broken", out: "nginx\n"}, {name: "cut"}}, fact.ManagerBroken, "nginx; on the host, type: apk fix"},
		"cut":       {[]section{{name: "broken"}, {name: "cut", out: "/var/lib/patchring/apk-world\n"}}, fact.ManagerInterrupted, "stand in /etc/apk/world"},
		"not asked": {nil, fact.ManagerUnknown, "apk's database"},
	}
	for name, tt := range tests {
		said := strings.Join(apk.Manager().Health(report(t, tt.sections...)), " ")
		if f := readFacts(t, tt.sections...); f.Manager.State != tt.state || !strings.Contains(said, tt.say) || (said == "") != (tt.state == fact.ManagerOK) {
			t.Errorf("%s: %+v, %q", name, f.Manager, said)
		}
	}
}

// TestDue: apk takes the running kernel's modules away.
func TestDue(t *testing.T) {
	tests := map[string]struct{ container, modules, status, due, unclear string }{
		"runs":          {"", "6.6.58-0-lts\n", "0", "", ""},
		"replaced":      {"", "6.6.60-0-lts\n", "0", "6.6.60-0-lts is installed", ""},
		"gone":          {"", "6.6.58-0-virt\n", "0", "modules of the running kernel 6.6.58-0-lts are gone", ""},
		"two flavours":  {"", "6.6.58-0-lts\n6.6.60-0-virt\n", "0", "", ""},
		"can't be told": {"", "", "1", "", "can't be told"},
		"container":     {"lxc", "", "1", "", ""},
	}
	for name, tt := range tests {
		got := apk.Manager().Due(report(t, section{name: "identity", out: "kernel=6.6.58-0-lts\ncontainer=" + tt.container + "\n"}, section{"modules", tt.modules, "", tt.status}))
		reasons := strings.Join(got.Reasons, " ")
		if !strings.Contains(reasons, tt.due) || (reasons == "") != (tt.due == "") || !strings.Contains(got.Unclear, tt.unclear) || (got.Unclear == "") != (tt.unclear == "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
