package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/playbook"
)

const hosts = `version: 1
sites:
  hq:
    hosts:
      web-t1: {groups: [web, test]}
      web-01: {groups: [web, production]}
      web-02: {groups: [web, production]}
      db-01: {groups: [production]}
      spare: {}
  acme:
    hosts:
      web-01: {groups: [web, test]}
`

func id(name string) fact.HostID { return fact.HostID{Site: "hq", Name: name} }

func now() time.Time { return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC) }

// input is a fleet in which every host has the same pending updates.
func input(t *testing.T) Input {
	t.Helper()
	inv, err := inventory.Parse("inventory.yaml", []byte(hosts))
	if err != nil {
		t.Fatal(err)
	}
	in := Input{
		Playbook: &playbook.Playbook{
			Name: "monthly", Reboot: patch.RebootIfNeeded, OnFailure: "halt",
			Patches: []playbook.Patch{{Hosts: "*", Packages: playbook.Packages{Kind: playbook.KindSecurity}}},
			Rings: []playbook.Ring{
				{Name: "test", Hosts: "test"},
				{Name: "production", Hosts: "production", Batches: []playbook.Size{{N: 1}, {N: 50, Percent: true}}, MaxInFlight: 5, FailureLimit: playbook.Size{N: 34, Percent: true}},
			},
			Checks: []playbook.Check{{Hosts: "*", Check: health.Check{Name: "diff", DefaultDiff: true}}, {Hosts: "web", Check: health.Check{Name: "nginx", Service: "nginx"}}},
		},
		Source: "sha256:00", Inventory: inv, Site: "hq", Facts: map[fact.HostID]Found{}, Now: now(),
	}
	for _, h := range inv.Hosts {
		in.Facts[h.ID] = Found{Facts: debian(h.ID, pending()...)}
	}
	return in
}

func pending() []patch.Update {
	return []patch.Update{
		{Name: "nginx", Arch: "amd64", From: "1.22-9", To: "1.22-10", Security: patch.Yes},
		{Name: "bash", Arch: "amd64", From: "5.2-1", To: "5.2-2", Security: patch.No},
	}
}

func debian(id fact.HostID, updates ...patch.Update) fact.Facts {
	f := fact.Facts{
		Host: id, Platform: "debian", Arch: "amd64", OS: fact.OS{ID: "debian", VersionID: "12"}, Updates: updates,
		Reboot: fact.Reboot{Needed: patch.No}, Manager: fact.Manager{Name: "apt", State: fact.ManagerOK},
	}
	for _, u := range updates {
		if u.From != "" {
			f.Packages = append(f.Packages, fact.Package{Name: u.Name, Arch: u.Arch, Version: u.From, Status: "installed"})
		}
	}
	return f
}

func build(t *testing.T, in Input) *Plan {
	t.Helper()
	p, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func at(t *testing.T, p *Plan, name string) Host {
	t.Helper()
	h, ok := p.Host(id(name))
	if !ok {
		t.Fatalf("%s is not in the plan", name)
	}
	return h
}

// line writes what a host gets and what not, e.g. "+nginx -bash(excluded)".
func line(h Host) string {
	var out []string
	for _, u := range h.Install {
		out = append(out, "+"+u.Name)
	}
	for _, l := range h.Left {
		out = append(out, fmt.Sprintf("-%s(%s)", l.Update.Name, l.Reason))
	}
	return strings.Join(out, " ")
}

func numbers(r Ring) string {
	return fmt.Sprint(r.Name, " ", r.Hosts, " ", r.Batches, " ", r.MaxInFlight, " ", r.FailureLimit, " ", r.Stages)
}

func noted(p *Plan, text string) bool {
	return slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, text) })
}

// refused is a mistake of the user's: it says what, and what to do instead.
func refused(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) || fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q), want %q", err, fault.HintOf(err), says)
	}
}

func TestBuild(t *testing.T) {
	p := build(t, input(t))
	if got := numbers(p.Rings[1]); got != "production [hq/db-01 hq/web-01 hq/web-02] [1 1 1] 5 1 []" {
		t.Errorf("production is %s", got)
	}
	if got := numbers(p.Rings[0]); got != "test [hq/web-t1] [1] 20 0 []" {
		t.Errorf("test is %s", got)
	}
	web, db := at(t, p, "web-01"), at(t, p, "db-01")
	if line(web) != "+nginx" || web.Ring != "production" || web.Domain != "debian 12 amd64" || len(web.Checks) != 2 || len(db.Checks) != 1 {
		t.Errorf("web-01 is %+v, db-01 has checks %v", web, db.Checks)
	}
	if !noted(p, "1 hosts of site hq are in no ring") {
		t.Errorf("notes %q", p.Notes)
	}
}

func TestLimit2Hosts(t *testing.T) {
	in := input(t)
	in.Limit = []fact.HostID{id("web-02")}
	p := build(t, in)
	if len(p.Hosts) != 1 || len(p.Rings[0].Hosts) != 0 || len(p.Rings[1].Hosts) != 1 {
		t.Errorf("limited to one host, the rings are %v", p.Rings)
	}
}

func TestRingMistakes(t *testing.T) {
	tests := map[string]struct {
		change func(*Input)
		want   string
	}{
		"in two rings":  {func(in *Input) { in.Playbook.Rings[1].Hosts = "web" }, "host hq/web-t1 is in ring test and in ring production"},
		"no test host":  {func(in *Input) { in.Playbook.Rings[0].Hosts = "acme/*" }, "names no host of site hq"},
		"unknown host":  {func(in *Input) { in.Playbook.Rings[1].Hosts = "nosuch" }, "nosuch"},
		"unknown rule":  {func(in *Input) { in.Playbook.Patches[0].Hosts = "nosuch" }, "nosuch"},
		"unknown check": {func(in *Input) { in.Playbook.Checks[0].Hosts = "nosuch" }, "nosuch"},
		"a file unread": {func(in *Input) { in.Playbook.Rings[1].Hosts = "@list" }, "@list"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			tt.change(&in)
			_, err := Build(in)
			refused(t, err, tt.want)
		})
	}
}

// Which updates a rule takes. Could-not-tell is in, and said.
func TestPick(t *testing.T) {
	yes, no, unknown := patch.Yes, patch.No, patch.Unknown
	until := func(d time.Duration) time.Time { return now().Add(d) }
	tests := []struct {
		name   string
		rules  []playbook.Packages
		update patch.Update
		holds  []string
		globs  []string
		want   string
		note   string
	}{
		{name: "security takes a fix", rules: []playbook.Packages{{Kind: "security"}}, update: patch.Update{Security: yes}, want: "+p"},
		{name: "security passes by the rest", rules: []playbook.Packages{{Kind: "security"}}, update: patch.Update{Security: no}},
		{name: "security takes the unknown", rules: []playbook.Packages{{Kind: "security"}}, update: patch.Update{Security: unknown}, want: "+p", note: "not known whether"},
		{name: "bugfix leaves a security fix", rules: []playbook.Packages{{Kind: "bugfix"}}, update: patch.Update{Security: yes}, want: "-p(excluded)"},
		{name: "bugfix takes the rest", rules: []playbook.Packages{{Kind: "bugfix"}}, update: patch.Update{Security: no}, want: "+p"},
		{name: "all", rules: []playbook.Packages{{Kind: "all"}}, update: patch.Update{Security: no}, want: "+p"},
		{name: "any rule takes it", rules: []playbook.Packages{{Kind: "security"}, {Kind: "all"}}, update: patch.Update{Security: no}, want: "+p"},
		{name: "below the severity", rules: []playbook.Packages{{Kind: "security", MinSeverity: "important"}}, update: patch.Update{Security: yes, Severity: "low"}, want: "-p(excluded)"},
		{name: "at the severity", rules: []playbook.Packages{{Kind: "security", MinSeverity: "important"}}, update: patch.Update{Security: yes, Severity: "important"}, want: "+p"},
		{name: "unknown severity is in", rules: []playbook.Packages{{Kind: "security", MinSeverity: "critical"}}, update: patch.Update{Security: yes, Severity: "unknown"}, want: "+p", note: "unknown severity"},
		{name: "no severity is in", rules: []playbook.Packages{{Kind: "security", MinSeverity: "critical"}}, update: patch.Update{Security: yes}, want: "+p", note: "unknown severity"},
		{name: "severity is for security", rules: []playbook.Packages{{Kind: "all", MinSeverity: "critical"}}, update: patch.Update{Security: no}, want: "+p"},
		{name: "excluded", rules: []playbook.Packages{{Kind: "all", Exclude: []playbook.Exclude{{Package: "p*", Reason: "vendor"}}}}, update: patch.Update{}, want: "-p(excluded)"},
		{name: "excluded until tomorrow", rules: []playbook.Packages{{Kind: "all", Exclude: []playbook.Exclude{{Package: "p", Until: until(time.Hour)}}}}, update: patch.Update{}, want: "-p(excluded)"},
		{name: "an exclude that has ended", rules: []playbook.Packages{{Kind: "all", Exclude: []playbook.Exclude{{Package: "p", Until: until(-time.Second)}}}}, update: patch.Update{}, want: "+p"},
		{name: "another rule's exclude wins", rules: []playbook.Packages{{Kind: "all"}, {Kind: "security", Exclude: []playbook.Exclude{{Package: "p"}}}}, update: patch.Update{}, want: "-p(excluded)"},
		{name: "held", rules: []playbook.Packages{{Kind: "all"}}, update: patch.Update{}, holds: []string{"p"}, want: "-p(held)"},
		{name: "narrowed away", rules: []playbook.Packages{{Kind: "all"}}, update: patch.Update{}, globs: []string{"q*"}, want: "-p(narrowed)"},
		{name: "narrowed to", rules: []playbook.Packages{{Kind: "all"}}, update: patch.Update{}, globs: []string{"q*", "?"}, want: "+p"},
		{name: "narrowing widens nothing", rules: []playbook.Packages{{Kind: "security"}}, update: patch.Update{Security: no}, globs: []string{"p"}},
		{name: "no rule", update: patch.Update{Security: yes}, note: "no patches entry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.update.Name = "p"
			p := picker{globs: tt.globs, now: now(), holds: tt.holds}
			for _, r := range tt.rules {
				p.rules = append(p.rules, rule{Packages: r})
			}
			var h Host
			h.Install, h.Left = p.pick(fact.Facts{Updates: []patch.Update{tt.update}})
			if got := line(h); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if notes := strings.Join(p.notes(id("web-01")), "\n"); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// A host that could not be looked into has a problem, never "nothing to do".
func TestProblems(t *testing.T) {
	tests := map[string]struct {
		change func(in *Input, f *fact.Facts)
		want   string
	}{
		"no platform":         {func(_ *Input, f *fact.Facts) { f.Platform = "" }, "could not be told"},
		"unheard-of platform": {func(_ *Input, f *fact.Facts) { f.Platform = "beos" }, "no driver"},
		"detected only":       {func(_ *Input, f *fact.Facts) { f.Platform = "linux" }, "can't be patched"},
		"updates unread": {func(_ *Input, f *fact.Facts) {
			f.Updates, f.Problems = nil, []fact.Problem{{What: "updates", Detail: "dnf said 1"}}
		}, "dnf said 1"},
		"answer cut off": {func(_ *Input, f *fact.Facts) { f.Problems = []fact.Problem{{What: "output", Detail: "cut"}} }, "cut"},
		"nobody looked":  {func(in *Input, _ *fact.Facts) { delete(in.Facts, id("web-01")) }, "nobody has looked"},
		"unreachable": {func(in *Input, _ *fact.Facts) {
			in.Facts[id("web-01")] = Found{Problem: &Problem{Code: "unreachable", What: "no route"}}
		}, "no route"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t)
			f := in.Facts[id("web-01")].Facts
			tt.change(&in, &f)
			if found, ok := in.Facts[id("web-01")]; ok && found.Problem == nil {
				in.Facts[id("web-01")] = Found{Facts: f}
			}
			h := at(t, build(t, in), "web-01")
			if h.Problem == nil || !strings.Contains(h.Problem.What, tt.want) || h.Problem.Code == "" || len(h.Install) != 0 {
				t.Errorf("problem %+v, install %v", h.Problem, h.Install)
			}
		})
	}
}
