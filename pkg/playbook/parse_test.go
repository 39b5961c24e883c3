package playbook

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
)

// checkBook holds for whatever was accepted: every default is filled in.
func checkBook(t *testing.T, b *Playbook) {
	t.Helper()
	if b.Name == "" || b.Reboot == "" || b.OnFailure != OnFailureHalt && b.OnFailure != OnFailureRollback || len(b.Patches) == 0 || len(b.Rings) == 0 || len(b.Checks) == 0 {
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
	checkGates(t, b)
	checkHooks(t, b)
	for _, c := range b.Checks {
		if c.Hosts == "" || c.Name == "" || c.Within <= 0 || kinds(c.Check) != 1 {
			t.Errorf("check %+v", c)
		}
	}
}

func checkGates(t *testing.T, b *Playbook) {
	t.Helper()
	for i, r := range b.Rings {
		g := r.Gate
		if r.Window == "" || g.MinParticipation < 0 || g.MinParticipation > 100 || g.Coverage < 0 || g.Coverage > 100 || i == 0 && g.Soak != nil {
			t.Errorf("gate %+v", g)
		}
		if s := g.Soak; s != nil && (s.For <= 0 || s.Interval <= 0 || s.MaxGap < s.Interval || s.Successes < 1) {
			t.Errorf("soak %+v", s)
		}
		if a := g.Approval; a != nil && (a.Approvers == "" || a.Count < 1 || a.Expires <= 0) {
			t.Errorf("approval %+v", a)
		}
		for _, q := range g.Checks {
			one := (q.Command != nil) != (q.HTTP != nil) != (q.Prometheus != nil)
			if q.Name == "" || q.When == "" || q.Within <= 0 || q.Interval <= 0 || q.Successes < 1 || !one {
				t.Errorf("check %+v", q)
			}
		}
	}
}

func checkHooks(t *testing.T, b *Playbook) {
	t.Helper()
	for _, h := range b.Hooks {
		bound := h.Wait == nil || h.Wait.Within > 0 && h.Wait.Idle != (len(h.Wait.Argv) > 0)
		if h.Hosts == "" || h.Name == "" || h.On == "" || len(h.Argv) == 0 || h.Within <= 0 || !bound {
			t.Errorf("hook %+v", h)
		}
		if h.At != HookDrain && (h.At != HookBefore && h.At != HookAfter || h.Undo != nil || h.Wait != nil) || h.On == OnController && h.Become {
			t.Errorf("hook %+v", h)
		}
		if h.On != OnController && h.Argv[0][0] != '/' {
			t.Errorf("argv %q", h.Argv)
		}
	}
	for _, s := range b.Silences {
		if s.Hosts == "" || s.Name == "" || s.TTL <= 0 || (s.Alertmanager == "") == (s.Webhook == "") || (s.Alertmanager == "") != (len(s.Matchers) == 0) {
			t.Errorf("silence %+v", s)
		}
	}
}

func kinds(c health.Check) int {
	n := 0
	for _, set := range []bool{c.Service != "", c.TCP != nil, c.HTTP != nil, c.Command != nil, c.Disk != nil, c.Load != nil, c.Conffiles != nil, c.DefaultDiff} {
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

func TestEverythingIsTakenOver(t *testing.T) {
	b := parse(t, string(read(t, "testdata/good/everything.yaml")))
	p := b.Patches[0].Packages
	if p.Kind != KindBugfix || p.MinSeverity != patch.SeverityLow || len(p.Exclude) != 2 || p.Exclude[0].Package != "lib*" {
		t.Errorf("packages %+v", p)
	}
	want := Image{
		Version: "17.12.4", File: "../images/cat9k_iosxe.17.12.04.SPA.bin", Models: []string{"C9300*", "C9[45]00-?X"}, Outage: patch.OutageWhole,
		SHA512: strings.Repeat("6f2c", 32), SHA256: strings.Repeat("ab12", 16),
	}
	if got := b.Patches[1].Image; got == nil || !reflect.DeepEqual(*got, want) || b.Patches[0].Image != nil {
		t.Errorf("image %+v", got)
	}
	if got := fmt.Sprint(b.Rings); got != "[{test test [1 2] 1 0 any {<nil> <nil> [] 0 0} []} {2 production [100%] 20 100% any {<nil> <nil> [] 0 0} []}]" {
		t.Errorf("rings %s", got)
	}
	var titles []string
	for _, c := range b.Checks {
		titles = append(titles, c.Name)
	}
	checks := "[default_diff service getty@tty1.service tcp :22 tcp db.example:5432 tcp [::1]:53 " +
		"http https://{{ .address }}:8443/{{.site}}/{{ .name }}?x=1 smoke disk /boot load conffiles /etc/nginx/ and 2 more]"
	if got := fmt.Sprint(titles); got != checks {
		t.Errorf("checks %s", got)
	}
	if last := b.Checks[len(b.Checks)-1].Conffiles; last == nil || !slices.Equal(last.Paths, []string{"/etc/nginx/", "/etc/a b", "/etc/ssh/sshd_config"}) {
		t.Errorf("conffiles %+v", last)
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
