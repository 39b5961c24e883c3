package bsd

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

func lines(text string) []string { return linux.Section{Out: text}.Lines() }

func TestPlan(t *testing.T) {
	p := readPlan(lines(upgradeSaid))
	want := []patch.Update{
		{Name: "libnghttp2", To: "1.21.1", Severity: patch.SeverityUnknown},
		{Name: "curl", From: "7.48.0_1", To: "7.53.1_1", Origin: "FreeBSD", Severity: patch.SeverityUnknown},
		{Name: "perl5", From: "5.20.3_8,1", To: "5.24.1_1,1", Origin: "FreeBSD", Severity: patch.SeverityUnknown},
	}
	if !slices.Equal(p.changes, want) || len(p.odd)+len(p.removes)+len(p.downgrades) > 0 {
		t.Errorf("%+v", p)
	}
	if p := readPlan(lines(reinstallSaid)); len(p.odd) != 1 || len(p.changes) > 0 {
		t.Errorf("what is only installed again is not in any plan: %+v", p)
	}
	if p := readPlan(lines(deleteSaid)); !slices.Equal(p.removes, []string{"libnghttp2"}) {
		t.Errorf("%+v", p)
	}
	if p := readPlan(lines("Packages selected for CHANGE:\nThings to be MANGLED:\n\tcurl: 1 -> 2\n")); len(p.odd) != 1 {
		t.Errorf("a kind that is not known must be told: %+v", p)
	}
}

func TestSimulatedRefuses(t *testing.T) {
	curl := patch.Work{Install: []patch.Update{{Name: "curl", To: "2"}}}
	back := curl
	back.Back = true
	down := "Installed packages to be DOWNGRADED:\n\tcurl: 3 -> 2 [FreeBSD]\n"
	for name, tt := range map[string]struct {
		work patch.Work
		s    linux.Section
		want string
	}{
		"fine":            {curl, linux.Section{Out: "Installed packages to be UPGRADED:\n\tcurl: 1 -> 2\n"}, ""},
		"downgrade":       {curl, linux.Section{Out: down}, "downgrade"},
		"on the way back": {back, linux.Section{Out: down}, ""},
		"a file":          {curl, linux.Section{Out: "patchring-file curl 2 3\n"}, "downgrade"},
		"locked":          {curl, linux.Section{Out: "patchring-hold curl-1\n"}, "pkg lock"},
		"reinstalled":     {curl, linux.Section{Out: reinstallSaid}, "not understood"},
		"failed":          {curl, linux.Section{Status: 3, Err: "pkg: No packages available to install matching 'curl-2'"}, "No packages available"},
		"cut off":         {curl, linux.Section{Status: -1}, "cut off"},
		"injected":        {curl, linux.Section{Out: "Installed packages to be UPGRADED:\n\tcurl: 1 -> $(reboot)\n"}, "not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			got := simulated(fact.Facts{}, tt.work, tt.s)
			if tt.want == "" && got.Refused != "" || !strings.Contains(got.Refused, tt.want) {
				t.Errorf("refused %q, want %q", got.Refused, tt.want)
			}
		})
	}
}

func TestAudit(t *testing.T) {
	holes, known := readAudit(linux.Section{Out: auditSaid, Status: 1})
	if !known || len(holes) != 1 || holes["curl-7.48.0_1"] != "CVE-2016-5419 CVE-2016-9586" {
		t.Errorf("%v %v", holes, known)
	}
	if _, known := readAudit(linux.Section{Out: "0 problem(s) in 0 installed package(s) found.\n"}); !known {
		t.Error("nothing vulnerable is an answer")
	}
	for name, s := range map[string]linux.Section{
		"no list": {Err: "pkg: vulnxml file /var/db/pkg/vuln.xml does not exist", Status: 1}, "cut": {Out: auditSaid, Status: -1},
	} {
		if _, known := readAudit(s); known {
			t.Errorf("%s: could not tell is never no", name)
		}
	}
}

func TestOrderOfReleases(t *testing.T) {
	for _, pair := range [][2]string{
		{"14.1-RELEASE", "14.1-RELEASE-p1"}, {"14.1-RELEASE-p5", "14.1-RELEASE-p10"}, {"13.4-RELEASE-p9", "14.0-RELEASE"},
		{"9.3-RELEASE-p1", "14.0-RELEASE"}, {"1.2_3", "1.2_3,1"},
	} {
		if order(pair[0], pair[1]) >= 0 || order(pair[1], pair[0]) <= 0 || order(pair[0], pair[0]) != 0 {
			t.Errorf("%s must come before %s", pair[0], pair[1])
		}
	}
}

func TestOpenBSD(t *testing.T) {
	u, pending := basePatches("7.0", []string{"001_nsd"}, []string{"002_bpf", "006_x509", "rm -rf"})
	if !pending || u.From != "7.0-001_nsd" || u.To != "7.0-006_x509" || u.Security != patch.Unknown {
		t.Errorf("%+v", u)
	}
	if u, pending = basePatches("7.0", nil, []string{"001_nsd"}); !pending || u.From != "7.0" {
		t.Errorf("%+v", u)
	}
	if _, pending = basePatches("7.0", []string{"001_nsd"}, nil); pending {
		t.Error("nothing is pending")
	}
	got := candidates([]string{"Update candidates: curl-8.5.0 -> curl-8.6.0p0", "Update candidates: quirks-7.14 -> quirks-7.14", "Update candidates: py3-a-1.0-x -> py3-a-1.1-x", "other"})
	if len(got) != 2 || got[0].Name != "curl" || got[0].To != "8.6.0p0" || got[1].Name != "py3-a" {
		t.Errorf("%+v", got)
	}
	if m := openbsd(); m.Refused == "" {
		t.Error("it is looked at only")
	}
}

// Whatever a host says, what comes out of it is well-formed or said to be odd.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{upgradeSaid, reinstallSaid, deleteSaid, "patchring-base 14.1-RELEASE 14.1-RELEASE-p1\npatchring-file a 1 2\npatchring-hold a-1\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := readPlan(lines(text))
		for _, c := range p.changes {
			if !linux.WellFormed(c) {
				t.Errorf("%+v", c)
			}
		}
		for _, name := range p.removes {
			if !linux.IsName(name) {
				t.Errorf("%q", name)
			}
		}
	})
}

func FuzzAudit(f *testing.F) {
	f.Add(auditSaid)
	f.Fuzz(func(t *testing.T, text string) {
		holes, _ := readAudit(linux.Section{Out: text})
		for _, cves := range holes {
			for cve := range strings.FieldsSeq(cves) {
				if !linux.IsCVE(cve) {
					t.Errorf("%q", cve)
				}
			}
		}
	})
}

func FuzzOpenBSD(f *testing.F) {
	f.Add("Update candidates: curl-8.5.0 -> curl-8.6.0", "7.0", "001_nsd")
	f.Fuzz(func(t *testing.T, text, release, number string) {
		for _, u := range candidates(lines(text)) {
			if !linux.WellFormed(u) || u.From == "" {
				t.Errorf("%+v", u)
			}
		}
		if u, pending := basePatches(release, nil, lines(number)); pending && !linux.WellFormed(u) {
			t.Errorf("%+v", u)
		}
	})
}

func FuzzOrder(f *testing.F) {
	f.Add("14.1-RELEASE-p5", "1.2_3,1")
	f.Fuzz(func(t *testing.T, a, b string) {
		if order(a, b) != -order(b, a) || order(a, a) != 0 {
			t.Errorf("%q and %q have no order", a, b)
		}
	})
}
