package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
)

func TestResolve(t *testing.T) {
	nginx := pending()[0]
	dep := patch.Update{Name: "libssl3", Arch: "amd64", To: "3.1"}
	newer := nginx
	newer.To = "1.22-11"
	tests := []struct {
		name    string
		res     *platform.Resolution
		problem *Problem
		want    string
		why     string
	}{
		{"nothing was asked", nil, nil, "+nginx", ""},
		{"just that", &platform.Resolution{Changes: []patch.Update{nginx}}, nil, "+nginx", ""},
		{"a dependency", &platform.Resolution{Changes: []patch.Update{nginx, dep}}, nil, "+libssl3 +nginx", ""},
		{"not to be had", &platform.Resolution{Changes: []patch.Update{}}, nil, "-nginx(kept_back)", ""},
		{"another version", &platform.Resolution{Changes: []patch.Update{newer}}, nil, "+nginx", "would become 1.22-11"},
		{"a removal", &platform.Resolution{Changes: []patch.Update{nginx}, Removes: []string{"php", "apache2"}}, nil, "+nginx", "would remove apache2, php"},
		{"refused", &platform.Resolution{Refused: "unmet dependencies"}, nil, "+nginx", "unmet dependencies"},
		{"could not be asked", nil, &Problem{Code: "lost", What: "gone"}, "+nginx", "gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := New(input(t))
			if err != nil {
				t.Fatal(err)
			}
			if want := d.Wanted(id("web-01")); len(want) != 1 || want[0] != nginx {
				t.Fatalf("wanted %v", want)
			}
			d.Resolve(id("web-01"), tt.res, tt.problem)
			d.Resolve(id("nosuch"), tt.res, tt.problem)
			p, err := d.Plan()
			if err != nil {
				t.Fatal(err)
			}
			h := at(t, p, "web-01")
			if line(h) != tt.want || (h.Problem == nil) != (tt.why == "") || h.Problem != nil && !strings.Contains(h.Problem.What, tt.why) {
				t.Errorf("%q, problem %+v; want %q, %q", line(h), h.Problem, tt.want, tt.why)
			}
			for _, u := range h.Install {
				if u.Dependency != (u.Name == "libssl3") {
					t.Errorf("%s: dependency %v", u.Name, u.Dependency)
				}
			}
		})
	}
}

// What was left alone must not come in again as a dependency.
func TestResolvePullsInExcluded(t *testing.T) {
	in := input(t)
	in.Playbook.Patches[0].Packages = playbook.Packages{Kind: playbook.KindAll, Exclude: []playbook.Exclude{{Package: "bash", Reason: "frozen"}}}
	d, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	d.Resolve(id("web-01"), &platform.Resolution{Changes: pending()}, nil)
	p, err := d.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if h := at(t, p, "web-01"); h.Problem == nil || !strings.Contains(h.Problem.What, "bash:amd64, which is left alone: excluded frozen") {
		t.Errorf("problem %+v", h.Problem)
	}
}

// Batches and limits are of the hosts with work: idle ones would prove nothing.
func TestSizesCountHostsWithWork(t *testing.T) {
	in := input(t)
	in.Facts[id("db-01")] = Found{Facts: debian(id("db-01"))}
	in.Facts[id("web-02")] = Found{Problem: &Problem{Code: "auth", What: "no"}}
	if got := numbers(build(t, in).Rings[1]); got != "production [hq/db-01 hq/web-01 hq/web-02] [1] 5 0 []" {
		t.Errorf("production is %s", got)
	}
}

func TestExpectReboot(t *testing.T) {
	u := func(names ...string) (out []patch.Update) {
		for _, n := range names {
			out = append(out, patch.Update{Name: n})
		}
		return out
	}
	for _, tt := range []struct {
		install []patch.Update
		needed  patch.Tri
		rule    patch.RebootRule
		want    patch.Tri
	}{
		{u("bash"), patch.No, patch.RebootIfNeeded, patch.No},
		{u("bash"), patch.Unknown, patch.RebootIfNeeded, patch.Unknown},
		{u("bash"), patch.Yes, patch.RebootIfNeeded, patch.Yes},
		{u("linux-image-6.1.0-30-amd64"), patch.No, patch.RebootIfNeeded, patch.Yes},
		{u("kernel-core"), patch.No, patch.RebootIfNeeded, patch.Yes},
		{u("linux-image-amd64"), patch.No, patch.RebootNever, patch.No},
		{u("bash"), patch.No, patch.RebootAlways, patch.Yes},
		{nil, patch.Yes, patch.RebootAlways, patch.No},
	} {
		got := expectReboot(Host{Install: tt.install}, fact.Facts{Reboot: fact.Reboot{Needed: tt.needed}}, tt.rule)
		if got != tt.want {
			t.Errorf("%v, needed %s, rule %s: %s, want %s", tt.install, tt.needed, tt.rule, got, tt.want)
		}
	}
}

func TestChecksFor(t *testing.T) {
	in := input(t)
	for name, want := range map[string]string{"web-01": "[diff nginx]", "db-01": "[diff]"} {
		checks, err := ChecksFor(in.Playbook, in.Inventory, inventory.Host{ID: id(name)})
		var got []string
		for _, c := range checks {
			got = append(got, c.Name)
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", name, got, err, want)
		}
	}
}
