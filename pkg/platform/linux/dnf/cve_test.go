package dnf

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

// TestReadCVEs: rows in the forms of dnf 4.14, as recorded, and of dnf 5.
func TestReadCVEs(t *testing.T) {
	plain := cveFix{nevra{"pr-plain", "1:1.5-1.el9", "noarch"}, "CVE-2026-1234"}
	for name, tt := range map[string]struct {
		text string
		want []cveFix
		odd  int
	}{
		"dnf 4":                 {"CVE-2026-1234  Important/Sec. pr-plain-1:1.5-1.el9.noarch\n", []cveFix{plain}, 0},
		"dnf 4, no fix of it":   {"CVE-2026-1234 bugfix pr-plain-1:1.5-1.el9.noarch\n", []cveFix{plain}, 0},
		"dnf 4, other links":    {"RLSA-2026:0001 Important/Sec. pr-plain-1:1.5-1.el9.noarch\nclassification Important/Sec. pr-plain-1:1.5-1.el9.noarch\na b c unknown pr-plain-1-1.noarch\n", nil, 0},
		"dnf 5":                 {"CVE           Type     Severity  Package                     Issued\nCVE-2026-1234 security Important pr-plain-1:1.5-1.el9.noarch 2019-01-17 00:00:00\n", []cveFix{plain}, 0},
		"dnf 5, first":          {"Name          Type   Severity Package                     Issued\n2999          bugfix none     pr-plain-1:1.5-1.el9.noarch 2019-01-17 00:00:00\nCVE-2026-1234 custom none     pr-plain-1:1.5-1.el9.noarch 2019-01-17 00:00:00\n", []cveFix{plain}, 0},
		"dnf 5, no severity":    {"CVE-2026-1234 bugfix   pr-plain-1:1.5-1.el9.noarch 2019-01-17 00:00:00\n", []cveFix{plain}, 0},
		"epoch 0":               {"CVE-2026-1234 Low/Sec. a-0:1-1.noarch\n", []cveFix{{nevra{"a", "1-1", "noarch"}, "CVE-2026-1234"}}, 0},
		"empty":                 {"\n \n", nil, 0},
		"two before one":        {"FEDORA-2026-ab CVE-2026-1234 Moderate/Sec. vim-9.0-1.fc38.x86_64\ni CVE-2026-1234 Low/Sec. a-1-1.noarch\n", nil, 2},
		"too short a number":    {"CVE-2999 bugfix pr-plain-1-1.noarch\n", nil, 1},
		"not quite a CVE":       {"CVE-2026-1234x bugfix a-1-1.noarch\ncve-2026-1234 bugfix a-1-1.noarch\nCVE-2026-" + strings.Repeat("1", 20) + " bugfix a-1-1.noarch\n", nil, 3},
		"no package":            {"CVE-2026-1234 Important/Sec. pr-plain\n", nil, 1},
		"cut off":               {"CVE-2026-1234 Important/Sec.\nCVE-2026-1234\n", nil, 2},
		"unknown label":         {"CVE-2026-1234 Sec./Important a-1-1.noarch\nCVE-2026-1234 a-1-1.noarch\n", nil, 2},
		"a column more":         {"CVE-2026-1234 security Important new a-1-1.noarch 2019-01-17 00:00:00\nCVE-2026-1234 Important/Sec. a-1-1.noarch 2019-01-17\n", nil, 2},
		"a warning":             {"Updating Subscription Management repositories.\nTraceback (most recent call last):\n", nil, 2},
		"JSON":                  {"[\n  {\"name\":\"CVE-2026-1234\"}\n]\n", nil, 3},
		"heading of other kind": {"CVE Type Package\n", nil, 1},
	} {
		list, odd := readCVEs(tt.text)
		if !slices.Equal(list, tt.want) || len(odd) != tt.odd {
			t.Errorf("%s: %+v, odd %q", name, list, odd)
		}
	}
}

func TestCVEsOf(t *testing.T) {
	fix := func(evr, cve string) cveFix { return cveFix{nevra{"p", evr, "noarch"}, cve} }
	u := patch.Update{Name: "p", Arch: "noarch", From: "1-1", To: "3-1"}
	list := []cveFix{
		fix("3-1", "CVE-2026-1234"), fix("2-1", "CVE-2026-1234"), fix("2-1", "CVE-2025-99999"),
		fix("1-1", "CVE-2024-0001"), fix("0.9-1", "CVE-2024-0002"), fix("3-2", "CVE-2026-7777"),
		{nevra{"p", "2-1", "x86_64"}, "CVE-2026-8888"}, {nevra{"q", "2-1", "noarch"}, "CVE-2026-9999"},
	}
	if got, cut := cvesOf(u, list); got != "CVE-2025-99999 CVE-2026-1234" || cut != 0 {
		t.Errorf("%q, %d cut", got, cut)
	}
	u.From = "3-0"
	if got, _ := cvesOf(u, list[1:]); got != "" {
		t.Errorf("%q is fixed already", got)
	}
	u.From = ""
	if got, _ := cvesOf(u, list[3:5]); got != "CVE-2024-0001 CVE-2024-0002" {
		t.Errorf("of a new package: %q", got)
	}
}

// TestCVEsAreCapped: the newest stay, and that some are missing is said.
func TestCVEsAreCapped(t *testing.T) {
	var list []cveFix
	for i := range maxCVEs {
		list = append(list, cveFix{nevra{"p", "2-1", "noarch"}, fmt.Sprintf("CVE-2025-%04d", i)})
	}
	for _, cve := range []string{"CVE-2025-12345", "CVE-2026-0001", "CVE-2026-0001"} {
		list = append(list, cveFix{nevra{"p", "2-1", "noarch"}, cve})
	}
	got, cut := cvesOf(patch.Update{Name: "p", Arch: "noarch", From: "1-1", To: "2-1"}, list)
	all := strings.Fields(got)
	if cut != 2 || len(all) != maxCVEs || !slices.IsSorted(all) || !slices.Contains(all, "CVE-2025-12345") || !slices.Contains(all, "CVE-2026-0001") ||
		slices.Contains(all, "CVE-2025-0001") || !slices.Contains(all, "CVE-2025-0002") {
		t.Errorf("%d cut, %d left: %s", cut, len(all), got)
	}
	f := detectDnf(t, func(out string) string {
		var text strings.Builder
		for i := range 3 * maxCVEs {
			fmt.Fprintf(&text, "CVE-2026-%d Low/Sec. pr-plain-2.0-1.el9.noarch\n", 10000+i)
		}
		return bend(out, "cves", text.String(), "status 0")
	})
	if n := len(strings.Fields(updateNamed(t, f, "pr-plain").CVEs)); n != maxCVEs || !hasProblem(f, "cves", "pr-plain:noarch fixes 768 CVEs") {
		t.Errorf("%d CVEs, %+v", n, f.Problems)
	}
}

// TestCVEsOfRocky: as a real dnf 4.14 told them.
func TestCVEsOfRocky(t *testing.T) {
	f := facts(t, "probe-rocky")
	for name, want := range map[string]string{
		"pr-plain":       "CVE-2025-99999 CVE-2026-1234", // fixed in 1.5, offered in 2.0
		"pr-lib":         "CVE-2025-99999 CVE-2026-1234",
		"linux-firmware": "CVE-2026-10001 CVE-2026-1234",
		"pr-arch":        "", // a bugfix
		"pr-new":         "", // no advisory
	} {
		if got := updateNamed(t, f, name).CVEs; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if hasProblem(f, "cves", "") {
		t.Errorf("%+v", f.Problems)
	}
}

// TestLostCVEs: what can't be read leaves the CVEs unknown, is said, and nothing else
// changes: the host can be patched as ever.
func TestLostCVEs(t *testing.T) {
	for name, tt := range map[string]struct{ text, status, want, problem string }{
		"told":       {"CVE-2026-1234 bugfix pr-plain-2.0-1.el9.noarch\n", "status 0", "CVE-2026-1234", ""},
		"none":       {"", "status 0", "", ""},
		"too old":    {"", "status 2", "", "dnf updateinfo --with-cve: "},
		"crashed":    {"Traceback (most recent call last):\n", "status 1", "", "Traceback"},
		"cut off":    {"CVE-2026-1234 bugfix pr-plain-2.0-1.el9.noarch\nCVE-2026-5 Low/S", "", "CVE-2026-1234", "cves"},
		"other form": {"CVE-2026-1234 | pr-plain-2.0-1.el9.noarch\n", "status 0", "", "1 lines about CVEs were not understood"},
		"half":       {"\x1b[31mCVE-2026-1234 Low/Sec. a-1-1.noarch\nCVE-2026-5555 bugfix pr-plain-2.0-1.el9.noarch\n", "status 0", "CVE-2026-5555", "not understood"},
	} {
		f := detectDnf(t, func(out string) string { return bend(out, "cves", tt.text, tt.status) })
		u := updateNamed(t, f, "pr-plain")
		lost := hasProblem(f, "cves", "")
		if u.CVEs != tt.want || lost != (tt.problem != "") || tt.problem != "cves" && lost && !hasProblem(f, "cves", tt.problem) {
			t.Errorf("%s: %q; %+v", name, u.CVEs, f.Problems)
		}
		if u.Security != patch.Yes || hasProblem(f, "updates", "") || hasProblem(f, "security", "") {
			t.Errorf("%s: more was lost: %+v, %+v", name, u, f.Problems)
		}
	}
}

// TestCVEsAreBounded: a host that names one package ten thousand times can't make
// more of each of its lines.
func TestCVEsAreBounded(t *testing.T) {
	r := reader{&linux.Reader{Report: report(t, "cves", strings.Repeat("CVE-2026-1234 bugfix p-2-1.noarch\n", 100))}}
	for range 10000 {
		r.Facts.Updates = append(r.Facts.Updates, patch.Update{Name: "p", Arch: "noarch", From: "1-1", To: "2-1"})
	}
	r.dnfCVEs()
	known := 0
	for _, u := range r.Facts.Updates {
		known += len(strings.Fields(u.CVEs))
	}
	if known != 8 || !hasProblem(r.Facts, "cves", "too often") {
		t.Errorf("%d, %+v", known, r.Facts.Problems)
	}
}

// FuzzCVEs: whatever dnf prints, each CVE that comes out stands in it as a word of a
// line that also names the package, and what was passed over is told.
func FuzzCVEs(f *testing.F) {
	rep, _ := linux.ReadReport(recorded(f, "probe-rocky"))
	f.Add(rep.Get("cves").Out)
	f.Add("CVE Type Severity Package Issued\nCVE-2026-1234 security Important p-1:2-1.noarch 2019-01-17 00:00:00\n2999 bugfix none p-2-1.noarch 2019-01-17 00:00:00\n")
	f.Add("CVE-2026-1234 CVE-2026-1235 bugfix p-2-1.noarch\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, odd := readCVEs(text)
		named := 0
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); slices.ContainsFunc(words, linux.IsCVE) {
				named++
			}
		}
		if len(list)+len(odd) < named {
			t.Errorf("%d lines name a CVE, %d were taken, %d are odd", named, len(list), len(odd))
		}
		clean(t, strings.Join(odd, " "))
		for _, fix := range list {
			u := patch.Update{Name: fix.name, Arch: fix.arch, To: fix.evr}
			wellFormedUpdate(t, u)
			if !linux.IsCVE(fix.cve) || !strings.Contains(text, fix.cve) || !strings.Contains(text, fix.name) {
				t.Errorf("%+v", fix)
			}
			if got, cut := cvesOf(u, list); !slices.IsSorted(strings.Fields(got)) || cut == 0 && !strings.Contains(got, fix.cve) {
				t.Errorf("%q of %+v, %d cut", got, u, cut)
			}
		}
	})
}
