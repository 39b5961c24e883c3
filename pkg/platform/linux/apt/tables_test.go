package apt

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform/linux"
)

func ran(out string, status int) linux.Section { return linux.Section{Out: out, Status: status} }

func TestSecurity(t *testing.T) {
	for origins, want := range map[string]patch.Tri{
		"Debian-Security:12/oldstable-security":                         patch.Yes,
		"Debian:12.15/oldstable, Debian-Security:12/oldstable-security": patch.Yes,
		"Debian-Security:12/oldstable-security, local-deb":              patch.Yes,
		"Debian:12.15/oldstable":                                        patch.No,
		"Debian Backports:bookworm-backports/stable-backports":          patch.No,
		"Debian:unstable":             patch.Unknown,
		"Debian:testing":              patch.Unknown,
		"Ubuntu:22.04/jammy-security": patch.Yes,
		"Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security": patch.Yes,
		"Ubuntu:22.04/jammy-updates":                              patch.No,
		"UbuntuESMApps:22.04/jammy-apps-security":                 patch.Yes,
		"UbuntuESM:22.04/jammy-infra-updates":                     patch.No,
		"Docker CE:bookworm":                                      patch.Unknown,
		"Docker CE:bookworm, Debian:12.15/oldstable":              patch.No,
		"Third, Party [x]:stable":                                 patch.Unknown,
		"Evil:1/stable-security":                                  patch.Unknown, // a suite's name proves nothing
		"local-deb":                                               patch.Unknown,
		"":                                                        patch.Unknown,
		"Raspbian:12/stable, Raspberry Pi Foundation:12/oldstable-security": patch.Unknown,
	} {
		if got := aptSecurity(origins); got != want {
			t.Errorf("%q: %v, want %v", origins, got, want)
		}
	}
}

func TestReadPlan(t *testing.T) {
	text := strings.Join([]string{
		"The following packages have been kept back:",
		"   linux-image-amd64 (6.1.1-1 => 6.1.2-1)",
		"The following upgrades have been deferred due to phasing:",
		"   tzdata (1 => 2)",
		"The following packages will be upgraded:",
		"   libc6 (2.36-9 => 2.36-10)",
		"Inst libc6 [2.36-9] (2.36-10 Debian:12.15/oldstable [amd64]) [libc6:i386 ]",
		"Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.15/oldstable [i386]) []",
		"Inst local [1] (2 [all])",
		"Inst sent [2] (1 local-deb [all])",
		"Inst new (3 Debian:12.15/oldstable [all])",
		"Remv gone [1.0]",
		"Purg purged:i386 [1.0] [x ]",
		"Inst odd;rm [1] (2 X:y [all])",
		"Inst -o [1] (2 X:y [all])",
		"Conf libc6 (2.36-10 Debian:12.15/oldstable [amd64])",
	}, "\n")
	p := readPlan(text)
	var got []string
	for _, u := range p.changes {
		got = append(got, u.Key()+" "+u.From+" > "+u.To+" "+u.Origin)
	}
	want := []string{
		"libc6:amd64 2.36-9 > 2.36-10 Debian:12.15/oldstable", "libc6:i386 2.36-9 > 2.36-10 Debian:12.15/oldstable",
		"local:all 1 > 2 ", "sent:all 2 > 1 local-deb", "new:all  > 3 Debian:12.15/oldstable",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changes\n%q\nwant\n%q", got, want)
	}
	if !p.changes[4].Dependency || p.changes[0].Dependency {
		t.Error("what is new here is a dependency, what is upgraded is not")
	}
	if want := []string{"gone", "purged:i386"}; !slices.Equal(p.removes, want) {
		t.Errorf("removes %q, want %q", p.removes, want)
	}
	if len(p.kept) != 2 || p.kept[0].Update.Name != "linux-image-amd64" || !strings.Contains(p.kept[1].Detail, "phased") {
		t.Errorf("kept %+v", p.kept)
	}
	if len(p.odd) != 2 {
		t.Errorf("odd lines %q, want the two with names that are none", p.odd)
	}
}

const tables = "p:\n  Installed: 1.0\n  Candidate: 1.0\n  Version table:\n     1.3 500 (phased 10%)\n        500 http://m x/main amd64 Packages\n" +
	"     1.2 -1\n        500 http://s x-security/main amd64 Packages\n *** 1.0 990\n        500 http://m x/main amd64 Packages\n        100 /var/lib/dpkg/status\n" +
	"absent:\n  Installed: (none)\n  Candidate: 2\n  Version table:\n     2 500\n        500 http://m x/main amd64 Packages\n"

func TestPolicy(t *testing.T) {
	indexes := readIndexes("Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n" +
		" 500 http://s x-security/main amd64 Packages\n     release v=12,o=Debian,a=oldstable-security,n=x,l=Debian-Security,c=main,b=amd64\n" +
		" 500 http://m x/main amd64 Packages\n     release v=12.15,o=Debian,a=oldstable,n=x,l=Debian,c=main,b=amd64\n     origin m\nPinned packages:\n")
	if indexes["http://s x-security/main amd64 Packages"] != patch.Yes || indexes["http://m x/main amd64 Packages"] != patch.No {
		t.Errorf("indexes %v", indexes)
	}
	p := readPolicy(tables)["p"]
	if len(p.versions) != 3 || p.installed != "1.0" || p.candidate != "1.0" || p.versions[1].priority != -1 {
		t.Fatalf("%+v", p)
	}
	for _, tt := range []struct {
		from, to string
		want     bool
	}{{"1.0", "1.3", true}, {"1.0", "1.2", true}, {"1.2", "1.3", false}, {"1.0", "1.1", false}} {
		if got := fixesUnderway(patch.Update{From: tt.from, To: tt.to}, p.versions, indexes); got != tt.want {
			t.Errorf("%s > %s: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestPinned: what a pin keeps back is told; what is not installed, or is the newest, is not.
func TestPinned(t *testing.T) {
	got := pinned([]string{"p", "absent", "unknown"}, readPolicy(tables))
	if len(got) != 1 || got[0].Update.Name != "p" || got[0].Update.From != "1.0" || got[0].Update.To != "1.3" || got[0].Reason != patch.ReasonHeld {
		t.Fatalf("%+v", got)
	}
	if want := "pinned in /etc/apt/preferences: 1.0 has priority 990, 1.3 has 500"; got[0].Detail != want {
		t.Errorf("%q, want %q", got[0].Detail, want)
	}
	newest := readPolicy(strings.ReplaceAll(tables, "Candidate: 1.0", "Candidate: 1.3"))
	if got := pinned([]string{"p"}, newest); len(got) != 0 {
		t.Errorf("%+v, though apt would take the newest", got)
	}
}

func TestExplain(t *testing.T) {
	kept := func() []patch.Left {
		return []patch.Left{
			{Update: patch.Update{Name: "a", To: "2"}, Reason: patch.ReasonKeptBack, Detail: "?"},
			{Update: patch.Update{Name: "h", To: "2"}, Reason: patch.ReasonHeld, Detail: "held"},
		}
	}
	for name, tt := range map[string]struct {
		full linux.Section
		want string
	}{
		"removes":   {ran("Remv z [1]\nInst a [1] (2 X:1/y [all])\n", 0), "dist-upgrade would remove z"},
		"only full": {ran("Inst a [1] (2 X:1/y [all])\n", 0), "only dist-upgrade"},
		"not even":  {ran("Inst b [1] (2 X:1/y [all])\n", 0), "can't be installed"},
		"failed":    {linux.Section{Status: 100}, "?"},
		"cut off":   {linux.Section{Status: -1}, "?"},
	} {
		got := explain(kept(), tt.full)
		if !strings.Contains(got[0].Detail, tt.want) || got[1].Detail != "held" {
			t.Errorf("%s: %q and %q, want %q and what was said of the hold", name, got[0].Detail, got[1].Detail, tt.want)
		}
	}
	if got := shorten([]string{"a", "b", "c"}, 2); got != "a, b and 1 more" {
		t.Error(got)
	}
}

func TestListTroubles(t *testing.T) {
	files := []string{
		"deb.debian.org_debian_dists_bookworm_InRelease", "deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages.lz4",
		"old.example_x_Release", "old.example_x_Release.gpg", "old.example_x_main_binary-amd64_Packages",
		"bare.example_a%5fb_._Packages", "half.example_x_Release", "half.example_x_main_binary-amd64_Packages.gz", "lock", "partial",
	}
	valid := []string{
		"deb.debian.org_debian_dists_bookworm_InRelease:Valid-Until: Sat, 21 Nov 2026 20:00:00 UTC",
		"old.example_x_Release:Valid-Until: Mon, 23 Nov 2026 04:49:08 +0000", "odd:Valid-Until: tomorrow", "nonsense",
	}
	now := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	want := []string{
		"the package lists of deb.debian.org/debian/dists/bookworm have expired: they were valid until 21 Nov 2026 20:00 UTC",
		"the package lists of bare.example/a_b/. are not signed", "the package lists of half.example/x/main are not signed",
	}
	if got := listTroubles(files, valid, now); !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	if got := listTroubles(files[:2], valid, time.Time{}); len(got) != 0 {
		t.Errorf("%q, though nobody knows what time it is there", got)
	}
}

func TestDpkgState(t *testing.T) {
	for name, tt := range map[string]struct {
		audit, journal linux.Section
		want           fact.ManagerState
	}{
		"ok":                {ran("", 0), ran("", 0), fact.ManagerOK},
		"journal":           {ran("", 0), ran("0001\ntmp.i\n", 0), fact.ManagerInterrupted},
		"half configured":   {ran("The following packages are only half configured\n pr-fail  made up\n", 0), ran("", 0), fact.ManagerInterrupted},
		"audit exits 1":     {ran("The following packages have been unpacked\n x y\n", 1), ran("", 0), fact.ManagerInterrupted},
		"audit failed":      {linux.Section{Err: "dpkg: error", Status: 2}, ran("", 0), fact.ManagerUnknown},
		"audit cut off":     {linux.Section{Status: -1}, ran("", 0), fact.ManagerUnknown},
		"journal not there": {ran("", 0), linux.Section{Status: -1}, fact.ManagerUnknown},
	} {
		if got, detail := dpkgState(tt.audit, tt.journal); got != tt.want {
			t.Errorf("%s: %q (%s), want %q", name, got, detail, tt.want)
		}
	}
}

func TestSpec(t *testing.T) {
	m := Manager()
	for want, u := range map[string]patch.Update{
		"a=1":          {Name: "a", To: "1"},
		"a=1:2-3":      {Name: "a", Arch: "amd64", To: "1:2-3"},
		"a=2":          {Name: "a", Arch: "all", To: "2"},
		"a:i386=1:2~3": {Name: "a", Arch: "i386", To: "1:2~3"},
	} {
		if got := m.Spec(u, "amd64"); got != want {
			t.Errorf("%+v: %q, want %q", u, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	got := readSizes("'http://user:word@m/pool/pr-epoch_1.1-1_amd64.deb' pr-epoch_1%3a1.1-1_amd64.deb 20672 MD5Sum:52f0\n'http://m/x.deb' odd 5 x\nx y 7\n" +
		"'http://m/a_2_all.deb' a_2_all.deb 9\n")
	if len(got) != 2 || got[fileKey{"pr-epoch", "1:1.1-1", "amd64"}] != 20672 || got[fileKey{"a", "2", "all"}] != 9 {
		t.Errorf("%v", got)
	}
}
