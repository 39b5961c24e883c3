package inventory

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
)

func parse(tb testing.TB, src string) *Inventory {
	tb.Helper()
	inv, err := Parse("inv.yaml", []byte(src))
	if err != nil {
		tb.Fatalf("%v\n%s", err, src)
	}
	return inv
}

func find(tb testing.TB, inv *Inventory, name string) Host {
	tb.Helper()
	h, err := inv.Find(name)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// TestLaterSettingsAreKnown: each is told as not supported, and nothing as unknown.
func TestLaterSettingsAreKnown(t *testing.T) {
	_, err := Parse("later.yaml", read(t, "testdata/later.yaml"))
	if code := fault.CodeOf(err); code != fault.Unsupported {
		t.Fatalf("%s: %v", code, err)
	}
	p, _ := errors.AsType[*document.Problems](err)
	var lines []int
	for _, one := range p.List {
		lines = append(lines, one.Line)
	}
	if want := []int{7, 9}; !slices.Equal(lines, want) {
		t.Errorf("problems on lines %v, want %v:\n%s", lines, want, p.Render())
	}
}

// TestOrderOfSettings puts a setting on each level, and takes the nearest away one by one.
func TestOrderOfSettings(t *testing.T) {
	levels := []struct{ key, text, winner string }{
		{"HOST", ", user: host", "host"},
		{"CHILD", "user: child", "child"},
		{"PARENT", ", user: parent", "parent"},
		{"SITE", "    user: site\n", "site"},
		{"DEFAULTS", "defaults: {user: defaults}\n", "defaults"},
	}
	for skip := range len(levels) + 1 {
		src := "version: 1\nDEFAULTSsites:\n  hq:\nSITE    hosts:\n      a: {groups: [child]HOST}\ngroups:\n  child: {CHILD}\n  parent: {children: [child]PARENT}\n"
		want := ""
		for i, l := range levels {
			text := l.text
			if i < skip {
				text = ""
			} else if want == "" {
				want = l.winner
			}
			src = strings.Replace(src, l.key, text, 1)
		}
		h := find(t, parse(t, src), "a")
		if h.User != want {
			t.Errorf("without the nearest %d: %q, want %q\n%s", skip, h.User, want, src)
		}
		if lost := len(h.Lost["user"]); lost != max(0, len(levels)-skip-1) {
			t.Errorf("without the nearest %d: %d lost: %q", skip, lost, h.Lost["user"])
		}
		if (h.Where["user"] == "") != (want == "") {
			t.Errorf("where = %q", h.Where["user"])
		}
	}
}

func TestUnrelatedGroupsMustAgree(t *testing.T) {
	const head = "version: 1\nhosts:\n  a: {groups: [x, y]%s}\ngroups:\n  x: {user: one}\n  y: {user: %s}\n%s"
	tests := []struct {
		name, host, second, more, want string
	}{
		{"they agree", "", "one", "", "one"},
		{"they disagree", "", "two", "", "error"},
		{"the host decides", ", user: host", "two", "", "host"},
		{"a parent doesn't decide", "", "two", "  z: {children: [x, y], user: three}\n", "error"},
		{"a child of both does", "", "two", "  w: {user: three}\n", "error"},
		{"nobody is asked", "", "two", "", "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := Parse("inv.yaml", fmt.Appendf(nil, head, tt.host, tt.second, tt.more))
			if tt.want == "error" {
				if err == nil || !strings.Contains(err.Error(), "line 5") || !strings.Contains(err.Error(), "line 6") {
					t.Fatalf("err = %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := find(t, inv, "a").User; got != tt.want {
				t.Errorf("user = %q", got)
			}
		})
	}
}

// TestChildOfBothDecides: a group below two that disagree settles it for its hosts.
func TestChildOfBothDecides(t *testing.T) {
	inv := parse(t, `version: 1
hosts:
  a: {groups: [child]}
  b: {groups: [child, left, right]}
groups:
  left: {children: [child], criticality: low}
  right: {children: [child], criticality: high}
  child: {criticality: critical}
`)
	for _, name := range []string{"a", "b"} {
		h := find(t, inv, name)
		if h.Criticality != "critical" || !slices.Equal(h.Groups, []string{"child", "left", "right"}) {
			t.Errorf("%s: %s in %v", name, h.Criticality, h.Groups)
		}
	}
}

func TestSettingsAreTakenOver(t *testing.T) {
	inv := parse(t, string(read(t, "testdata/good/everything.yaml")))
	a := find(t, inv, "hq/a.example")
	if a.User != "root" || a.Become != BecomeNone || a.Jump == nil || len(a.Jump) != 0 {
		t.Errorf("a.example: %+v", a.Settings)
	}
	rack := find(t, inv, "rack-b-3")
	if !slices.Equal(rack.Jump, []string{"a.example", "joe@b.example:2222", "[::1]:22"}) || rack.Labels["n"] != "5" {
		t.Errorf("rack: %+v %v", rack.Settings, rack.Labels)
	}
	if _, err := inv.Find("rack-a-2"); err == nil {
		t.Error("the step of the range is ignored")
	}
	version := find(t, inv, "9.10")
	if version.Credentials.Key != "" || !slices.Equal(version.Groups, []string{"x"}) {
		t.Errorf("9.10: %+v", version)
	}
	if x := find(t, inv, "_x"); len(x.HostKeys) != 2 || x.Platform != "debian" || x.Class != "server" {
		t.Errorf("_x: %+v", x.Settings)
	}
	if s := inv.Sites["empty"]; s.Timezone.String() != "UTC" || s.Name != "empty" {
		t.Errorf("empty: %+v", s)
	}
}

func TestCredentialsMergeOneByOne(t *testing.T) {
	inv := parse(t, `version: 1
defaults: {credentials: {key: ~/.ssh/a, become: prompt}}
hosts:
  a: {credentials: {become: "env:PW"}, groups: [g]}
groups:
  g: {credentials: {password: "file:/x"}}
`)
	c := find(t, inv, "a").Credentials
	if c.Key != "~/.ssh/a" || c.Become.String() != "env:PW" || c.Password.String() != "file:/x" || !c.Enable.IsZero() {
		t.Errorf("%+v", c)
	}
}

func TestExplain(t *testing.T) {
	inv := parse(t, "version: 1\ndefaults: {user: joe}\nhosts:\n  a:\n    groups: [g]\n    user: ann\n    labels: {env: prod}\ngroups:\n  g: {user: bob, jump: []}\n")
	got := map[string]Setting{}
	for _, s := range inv.Explain(find(t, inv, "a")) {
		got[s.Name] = s
	}
	want := map[string]Setting{
		"user":       {"user", "ann", "inv.yaml:6", []string{"inv.yaml:9 (group g: bob)", "inv.yaml:2 (defaults: joe)"}},
		"become":     {"become", "none", "default", nil},
		"address":    {"address", "a", "default", nil},
		"jump":       {"jump", "[]", "inv.yaml:9", nil},
		"labels.env": {"labels.env", "prod", "inv.yaml:7", nil},
	}
	for name, w := range want {
		if !reflect.DeepEqual(got[name], w) {
			t.Errorf("%s = %+v, want %+v", name, got[name], w)
		}
	}
}

// TestDefaultsAreTrue holds the table against what an empty file really gives.
func TestDefaultsAreTrue(t *testing.T) {
	inv := parse(t, "version: 1\nhosts: {a: }\n")
	table := map[string]string{}
	for _, d := range Defaults() {
		if d.Meaning == "" || table[d.Key] != "" {
			t.Errorf("the row %+v", d)
		}
		table[d.Key] = d.Value
	}
	for _, s := range inv.Explain(find(t, inv, "a")) {
		want, ok := table[s.Name]
		if !ok {
			t.Errorf("%s has no row", s.Name)
		}
		// The name as address and ssh_config's port are filled in where they are used.
		if s.Name != "address" && s.Name != "port" && s.Value != want {
			t.Errorf("%s = %q, the table says %q", s.Name, s.Value, want)
		}
	}
	site := inv.Sites["default"]
	if len(site.Windows)+len(site.Freezes)+len(site.Approvers)+len(inv.Budgets) > 0 {
		t.Errorf("site: %+v", site)
	}
	for _, key := range []string{"site.windows", "site.freezes", "site.approvers", "site.budget", "groups.budget", "budgets"} {
		if value, ok := table[key]; !ok || value != "" {
			t.Errorf("%s = %q", key, value)
		}
	}
	if site.Timezone.String() != table["site.timezone"] || strconv.Itoa(site.MaxConnections) != table["site.max_connections"] || site.Owner != table["site.owner"] {
		t.Errorf("site: %+v", site)
	}
}

func TestNotes(t *testing.T) {
	inv := parse(t, "version: 1\nhosts:\n  a: {groups: [web]}\n  b: {groups: [web]}\n  c: {groups: [wbe]}\ngroups:\n  web: {user: x}\n  databse: {user: y}\n")
	want := []string{
		"inv.yaml:8: the group `databse` has no hosts",
		"inv.yaml:5: only one line names the group `wbe`; did you mean `web`?",
	}
	if !slices.Equal(inv.Notes, want) {
		t.Errorf("notes: %q", inv.Notes)
	}
}

func TestFind(t *testing.T) {
	inv := parse(t, "version: 1\nsites:\n  a: {hosts: {web-01: , db-01: {groups: [g]}}}\n  b: {hosts: {web-01: }}\n")
	if h := find(t, inv, "db-01"); h.ID.String() != "a/db-01" {
		t.Error(h.ID)
	}
	if h := find(t, inv, "b/web-01"); h.ID.String() != "b/web-01" {
		t.Error(h.ID)
	}
	for name, hint := range map[string]string{"web-01": "a/web-01, b/web-01", "db-1": "db-01", "b/db-01": "a/db-01", "g": "hosts", "": ""} {
		_, err := inv.Find(name)
		if err == nil || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q: %v, hint %q", name, err, fault.HintOf(err))
		}
	}
}

func TestGraph(t *testing.T) {
	inv := parse(t, "version: 1\nsites:\n  hq: {hosts: {a: {groups: [left, right]}, b: {groups: [top]}, c: }}\n  x: {hosts: {}}\ngroups:\n  top: {children: [left, right]}\n  right: {children: [left]}\n")
	want := `all
  hq/
    @top
      @left
        a
      @right
        @left (see above)
      b
    c
  x/
`
	if got := inv.Graph().String(); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestDeviceSettings(t *testing.T) {
	inv := parse(t, string(read(t, "testdata/good/devices.yaml")))
	for name, want := range map[string][2]string{
		"core-sw1": {"diffie-hellman-group14-sha1, ssh-rsa", "[2001:db8::5]:8080"},
		"old-sw1":  {"diffie-hellman-group14-sha1, ssh-rsa", "2001:db8::6"},
		"new-sw1":  {"[]", "10.0.0.7:69"},
	} {
		h := find(t, inv, name)
		got := map[string]string{}
		for _, s := range inv.Explain(h) {
			got[s.Name] = s.Value
		}
		if got["ssh_legacy"] != want[0] || got["serve"] != want[1] || h.Become != BecomeEnable || !h.Serve.IsValid() {
			t.Errorf("%s: %+v, explained as %q", name, h.Settings, got)
		}
	}
}
