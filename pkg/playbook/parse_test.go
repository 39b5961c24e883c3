package playbook

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
)

// checkBook holds for whatever was accepted: every default is filled in.
func checkBook(t *testing.T, b *Playbook) {
	t.Helper()
	if b.Name == "" || b.Reboot == "" || b.OnFailure != "halt" || len(b.Patches) == 0 || len(b.Rings) == 0 || len(b.Checks) == 0 {
		t.Errorf("playbook %+v", b)
	}
	if len(b.Rings) == 1 && b.Rings[0].Name != "test" {
		t.Errorf("no test ring: %+v", b.Rings)
	}
	for _, r := range b.Rings {
		if r.Name == "" || r.Hosts == "" || r.MaxInFlight < 1 || len(r.Batches) == 0 || r.FailureLimit.N < 0 {
			t.Errorf("ring %+v", r)
		}
		for _, s := range append(r.Batches, r.FailureLimit) {
			if s.Percent && s.N > 100 || s.N < 0 {
				t.Errorf("size %+v", s)
			}
		}
	}
	for _, c := range b.Checks {
		if c.Hosts == "" || c.Name == "" || c.Within <= 0 || kinds(c.Check) != 1 {
			t.Errorf("check %+v", c)
		}
	}
}

func kinds(c health.Check) int {
	n := 0
	for _, set := range []bool{c.Service != "", c.TCP != nil, c.HTTP != nil, c.Command != nil, c.Disk != nil, c.Load != nil, c.DefaultDiff} {
		if set {
			n++
		}
	}
	return n
}

const minimal = "version: 1\nname: x\npatches: [{hosts: \"*\", packages: {}}]\nrings: [{name: test, hosts: test}]\n"

func parse(t *testing.T, src string) *Playbook {
	t.Helper()
	b, err := Parse("x.yaml", []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkBook(t, b)
	return b
}

// TestDefaultsAreTrue holds the table against what an almost empty file really gives.
func TestDefaultsAreTrue(t *testing.T) {
	b := parse(t, minimal)
	asks := parse(t, minimal+"checks: [{hosts: a, tcp: {port: 1}}, {hosts: a, http: {url: \"http://x/\"}}, {hosts: a, command: {argv: [x]}}]\n").Checks
	p, r, c := b.Patches[0].Packages, b.Rings[0], b.Checks[0]
	got := map[string]string{
		"patches.packages.kind": string(p.Kind), "patches.packages.min_severity": string(p.MinSeverity),
		"patches.packages.exclude": "", "patches.packages.exclude.owner": "", "patches.packages.exclude.until": "",
		"rings.window": "any", "rings.gate": "",
		"rings.batches": fmt.Sprint(r.Batches), "rings.max_in_flight": strconv.Itoa(r.MaxInFlight), "rings.failure_limit": r.FailureLimit.String(),
		"reboot": string(b.Reboot), "on_failure": b.OnFailure,
		"checks":      fmt.Sprintf("[{hosts: %q, default_diff: %v}]", c.Hosts, c.DefaultDiff),
		"checks.name": "", "checks.within": fmt.Sprintf("%.0fs", c.Within.Seconds()),
		"checks.tcp.from": string(asks[0].TCP.From), "checks.http.from": string(asks[1].HTTP.From),
		"checks.http.status": strconv.Itoa(asks[1].HTTP.Status), "checks.http.contains": asks[1].HTTP.Contains,
		"checks.command.become": strconv.FormatBool(asks[2].Command.Become),
	}
	for _, d := range Defaults() {
		if value, ok := got[d.Key]; !ok || value != d.Value || d.Meaning == "" {
			t.Errorf("%+v, but %q holds", d, value)
		}
		delete(got, d.Key)
	}
	if len(got) > 0 {
		t.Errorf("no row for %v", got)
	}
}

func TestEverythingIsTakenOver(t *testing.T) {
	b := parse(t, string(read(t, "testdata/good/everything.yaml")))
	p := b.Patches[0].Packages
	if p.Kind != KindBugfix || p.MinSeverity != patch.SeverityLow || len(p.Exclude) != 2 || p.Exclude[0].Package != "lib*" {
		t.Errorf("packages %+v", p)
	}
	if got := fmt.Sprint(b.Rings); got != "[{test test [1 2] 1 0} {2 production [100%] 20 100%}]" {
		t.Errorf("rings %s", got)
	}
	var titles []string
	for _, c := range b.Checks {
		titles = append(titles, c.Name)
	}
	want := "[default_diff service getty@tty1.service tcp :22 tcp db.example:5432 tcp [::1]:53 " +
		"http https://{{ .address }}:8443/{{.site}}/{{ .name }}?x=1 smoke disk /boot load]"
	if got := fmt.Sprint(titles); got != want {
		t.Errorf("checks %s", got)
	}
	if b.Checks[0].Within != 90*time.Minute || b.Checks[5].Within != 5*time.Second || b.Checks[1].Within != health.DefaultWithin {
		t.Error("within is lost")
	}
	if argv := b.Checks[6].Command.Argv; len(argv) != 5 || argv[1] != "5" || argv[3] != "" || argv[4] != "a\nb" {
		t.Errorf("argv %q", argv)
	}
}

func TestExcludeHoldsToTheDaysEnd(t *testing.T) {
	b := parse(t, string(read(t, "testdata/good/everything.yaml")))
	open, ended := b.Patches[0].Packages.Exclude[0], b.Patches[0].Packages.Exclude[1]
	for _, tt := range []struct {
		e    Exclude
		at   string
		want bool
	}{
		{open, "2100-01-01T00:00:00Z", true},
		{ended, "2020-01-31T23:59:59Z", true},
		{ended, "2020-02-01T00:00:00Z", false},
		{ended, "2019-01-01T00:00:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.e.Holds(at); got != tt.want {
			t.Errorf("%s at %s: %v", tt.e.Package, tt.at, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]string{"1": "1", "10%": "10%", "100%": "100%", "0": "0", "0%": "0%", "100000": "100000"} {
		if got, err := parseSize(text); err != nil || got.String() != want {
			t.Errorf("%s = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "%", "-1", "101%", "1.5", "1 %", "1%%", "+1", "100001", "x"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q = %s", text, got)
		}
	}
}
