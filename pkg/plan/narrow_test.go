package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
)

// onePlan is a plan for one host.
func onePlan(updates ...patch.Update) *Plan {
	return &Plan{Version: Version, Reboot: patch.RebootIfNeeded, Hosts: []Host{{ID: id("a"), Platform: "debian", Domain: "debian 12 amd64", Install: updates}}}
}

func with(f fact.Facts, packages ...string) fact.Facts {
	f.Packages = nil
	for _, p := range packages {
		name, rest, _ := strings.Cut(p, "=")
		version, status, ok := strings.Cut(rest, " ")
		if !ok {
			status = "installed"
		}
		f.Packages = append(f.Packages, fact.Package{Name: name, Arch: "amd64", Version: version, Status: status})
	}
	return f
}

func set(proven ...string) *patch.PatchSet {
	var all []patch.Proven
	for _, p := range proven {
		name, version, _ := strings.Cut(p, "=")
		all = append(all, patch.Proven{Domain: "debian 12 amd64", Name: name, Arch: "amd64", Version: version})
	}
	s := Freeze(all)
	return &s
}

func TestNarrow(t *testing.T) {
	up := func(name, from, to string) patch.Update {
		return patch.Update{Name: name, Arch: "amd64", From: from, To: to, Security: patch.Yes}
	}
	nginx, ssl := up("nginx", "1.22-9", "1.22-10"), up("libssl3", "3.0", "3.1")
	base := debian(id("a"))
	tests := []struct {
		name    string
		updates []patch.Update
		set     *patch.PatchSet
		facts   fact.Facts
		want    string
		refused string
	}{
		{"the first ring needs no proof", []patch.Update{nginx}, nil, with(base, "nginx=1.22-9"), "+nginx", ""},
		{"proven", []patch.Update{nginx}, set("nginx=1.22-10"), with(base, "nginx=1.22-9"), "+nginx", ""},
		{"proven in another version", []patch.Update{nginx}, set("nginx=1.22-11", "nginx=1.22-9"), with(base, "nginx=1.22-9"), "-nginx(untested)", ""},
		{"an empty set proves nothing", []patch.Update{nginx}, set(), with(base, "nginx=1.22-9"), "-nginx(untested)", ""},
		{"proven in part", []patch.Update{nginx, ssl}, set("libssl3=3.1"), with(base, "nginx=1.22-9", "libssl3=3.0"), "+libssl3 -nginx(untested)", ""},
		{"there already", []patch.Update{nginx}, set(), with(base, "nginx=1.22-10"), "-nginx(installed)", ""},
		{"newer, by dpkg's order and not by text", []patch.Update{up("nginx", "1.22-9", "1.22-10")}, nil, with(base, "nginx=1.22-11"), "-nginx(installed)", ""},
		{"older, though text says newer", []patch.Update{nginx}, nil, with(base, "nginx=1.22-8"), "+nginx", "nginx:amd64 was 1.22-9 when the plan was made, and is 1.22-8 now"},
		{"moved, but untested: not touched", []patch.Update{nginx, ssl}, set("libssl3=3.1"), with(base, "nginx=1.22-8", "libssl3=3.0"), "+libssl3 -nginx(untested)", ""},
		{"moved beneath the work", []patch.Update{nginx, ssl}, nil, with(base, "nginx=1.22-9", "libssl3=2.9"), "+nginx +libssl3", "libssl3"},
		{"removed", []patch.Update{nginx}, nil, with(base), "-nginx(moved)", ""},
		{"new on this host", []patch.Update{up("dep", "", "1")}, nil, with(base), "+dep", ""},
		{"was to be new, and is there in another version", []patch.Update{up("dep", "", "2")}, nil, with(base, "dep=1"), "+dep", "was not installed"},
		{"several kernels", []patch.Update{up("kernel", "5", "6")}, nil, with(base, "kernel=4", "kernel=5"), "+kernel", ""},
		{"several kernels, done", []patch.Update{up("kernel", "5", "6")}, nil, with(base, "kernel=5", "kernel=6"), "-kernel(installed)", ""},
		{"half-configured", []patch.Update{nginx}, nil, with(base, "nginx=1.22-10 half-configured"), "+nginx", "half-configured on the host: repair"},
		{"only its conffiles are left", []patch.Update{up("dep", "", "2")}, nil, with(base, "dep=1 config-files"), "+dep", ""},
		{"held meanwhile", []patch.Update{nginx}, nil, func() fact.Facts { f := with(base, "nginx=1.22-9"); f.Holds = []string{"nginx"}; return f }(), "-nginx(held)", ""},
		{"another release", []patch.Update{nginx}, nil, func() fact.Facts { f := with(base, "nginx=1.22-9"); f.OS.VersionID = "13"; return f }(), "", "the plan is for debian 12 amd64, and the host runs debian 13 amd64"},
		{"another platform", []patch.Update{nginx}, nil, func() fact.Facts { f := with(base, "nginx=1.22-9"); f.Platform = "rhel"; return f }(), "", "platform debian, and the host runs rhel"},
		{"packages unread", []patch.Update{nginx}, nil, func() fact.Facts {
			f := with(base)
			f.Problems = []fact.Problem{{What: "packages", Detail: "dpkg-query said 2"}}
			return f
		}(), "", "dpkg-query said 2"},
		{"answer cut off", []patch.Update{nginx}, nil, func() fact.Facts {
			f := with(base)
			f.Problems = []fact.Problem{{What: "output", Detail: "cut"}}
			return f
		}(), "", "cut"},
		{"from native to all", []patch.Update{{Name: "nginx", Arch: "all", From: "1", To: "2"}}, nil, with(base, "nginx=1"), "+nginx", ""},
		{"a foreign architecture is another package", []patch.Update{{Name: "nginx", Arch: "i386", From: "1", To: "2"}}, nil, with(base, "nginx=1"), "-nginx(moved)", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			work, err := Narrow(onePlan(tt.updates...), id("a"), tt.set, tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			if got := line(Host{Install: work.Install, Left: work.Left}); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if (work.Refused == "") != (tt.refused == "") || !strings.Contains(work.Refused, tt.refused) {
				t.Errorf("refused %q, want %q", work.Refused, tt.refused)
			}
		})
	}
}

func TestNarrowKeepsThePlansReasons(t *testing.T) {
	p := onePlan()
	p.Hosts[0].Left = []patch.Left{{Update: patch.Update{Name: "mysql"}, Reason: patch.ReasonExcluded}}
	work, err := Narrow(p, id("a"), nil, debian(id("a")))
	if err != nil || line(Host{Left: work.Left}) != "-mysql(excluded)" || work.Reboot != patch.RebootIfNeeded {
		t.Errorf("work %+v, %v", work, err)
	}
	if _, err := Narrow(p, id("nosuch"), nil, fact.Facts{}); err == nil {
		t.Error("a host that the plan does not have was narrowed")
	}
	p.Hosts[0].Problem = &Problem{What: "would remove php"}
	if work, _ := Narrow(p, id("a"), nil, debian(id("a"))); !strings.Contains(work.Refused, "would remove php") {
		t.Errorf("work %+v", work)
	}
}

// Rule 5 over random plans, sets and hosts: what is installed is the plan's exact
// version and in the set for this very kind of host; nothing is lost on the way; a
// host where something that would be replaced has moved is refused.
func TestNarrowIsExact(t *testing.T) {
	versions := []string{"", "1", "2", "3", "10"}
	rapid.Check(t, func(t *rapid.T) {
		p, f := onePlan(), debian(id("a"))
		var proven []patch.Proven
		for _, name := range []string{"bash", "nginx", "libssl3"} {
			from, to := rapid.SampledFrom(versions).Draw(t, "from"), rapid.SampledFrom(versions[1:]).Draw(t, "to")
			p.Hosts[0].Install = append(p.Hosts[0].Install, patch.Update{Name: name, Arch: "amd64", From: from, To: to})
			if here := rapid.SampledFrom(versions).Draw(t, "here"); here != "" {
				f.Packages = append(f.Packages, fact.Package{Name: name, Arch: "amd64", Version: here, Status: "installed"})
			}
			domain := rapid.SampledFrom([]string{"debian 12 amd64", "debian 12 amd64", "debian 13 amd64"}).Draw(t, "domain")
			proven = append(proven, patch.Proven{Domain: domain, Name: name, Arch: "amd64", Version: rapid.SampledFrom(versions[1:]).Draw(t, "proven")})
		}
		frozen := Freeze(proven)
		work, err := Narrow(p, id("a"), &frozen, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range work.Install {
			if !slices.Contains(p.Hosts[0].Install, u) || !slices.Contains(proven, patch.Proven{Domain: "debian 12 amd64", Name: u.Name, Arch: u.Arch, Version: u.To}) {
				t.Errorf("%v is installed, with %v proven", u, proven)
			}
			here, ok := f.Installed(u.Name, u.Arch)
			if work.Refused == "" && (ok != (u.From != "") || here.Version != u.From) {
				t.Errorf("%v replaces %q, and the host is not refused", u, here.Version)
			}
		}
		if len(work.Install)+len(work.Left) != len(p.Hosts[0].Install) {
			t.Errorf("an update was lost: %+v", work)
		}
	})
}

func TestProven(t *testing.T) {
	updates := []patch.Update{{Name: "nginx", Arch: "amd64", To: "2"}, {Name: "bash", Arch: "amd64", To: "5"}, {Name: "gone", To: "1"}}
	f := with(debian(id("a")), "nginx=2", "bash=6", "gone=1 half-configured")
	if got := fmt.Sprint(Proven("debian 12 amd64", updates, f)); got != "[{debian 12 amd64 nginx amd64 2  0    }]" {
		t.Errorf("proven: %s", got)
	}
	if got := Proven("", updates, f); got != nil {
		t.Errorf("a host of no known kind proves %v", got)
	}
}

func TestFreeze(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"})).Draw(t, "names")
		var one []patch.Proven
		for _, n := range names {
			one = append(one, patch.Proven{Domain: n, Name: n, Version: "1"})
		}
		two := rapid.Permutation(append(slices.Clone(one), one...)).Draw(t, "shuffled, twice")
		a, b := Freeze(one), Freeze(two)
		if SetDigest(a) != SetDigest(b) || !slices.IsSortedFunc(a.Proven, compareProven) {
			t.Errorf("%v and %v", a, b)
		}
	})
	if SetDigest(patch.PatchSet{}) != SetDigest(Freeze(nil)) || SetDigest(Freeze(nil)) == "" {
		t.Error("nil and empty sets must have one digest")
	}
}
