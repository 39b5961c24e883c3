package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
)

const fleet = `version: 1
hosts:
  "web-[01:04]": {groups: [web, production], labels: {env: prod}}
  web-t1: {groups: [web, test], labels: {env: test}}
  db-01: {groups: [db, production], labels: {env: prod, tier: back}}
  db-t1: {groups: [db, test]}
  lb1: {groups: [production]}
  alone:
groups:
  servers: {children: [web, db]}
  none: {}
`

// likeAnsible are patterns that Ansible documents, with what they mean by its rules:
// first what is added, then &, then !, wherever they stand; all where nothing is added.
func likeAnsible() map[string]string {
	const all = "alone db-01 db-t1 lb1 web-01 web-02 web-03 web-04 web-t1"
	return map[string]string{
		"all":                     all,
		"*":                       all,
		"web":                     "web-01 web-02 web-03 web-04 web-t1",
		"servers":                 "db-01 db-t1 web-01 web-02 web-03 web-04 web-t1",
		"web-01":                  "web-01",
		"web-01:db-01":            "db-01 web-01",
		"web-01,db-01":            "db-01 web-01",
		"web-01, db-01":           "db-01 web-01",
		"web:db":                  "db-01 db-t1 web-01 web-02 web-03 web-04 web-t1",
		"web:&production":         "web-01 web-02 web-03 web-04",
		"&production:web":         "web-01 web-02 web-03 web-04",
		"web:!production":         "web-t1",
		"!production:web":         "web-t1",
		"web:&production:!web-03": "web-01 web-02 web-04",
		"web,&production,!web-03": "web-01 web-02 web-04",
		"!web-03:&production:web": "web-01 web-02 web-04",
		"web:db:&test:!db-t1":     "web-t1",
		"!web":                    "alone db-01 db-t1 lb1",
		"&web":                    "web-01 web-02 web-03 web-04 web-t1",
		"&web:&test":              "web-t1",
		"web-*":                   "web-01 web-02 web-03 web-04 web-t1",
		"*-t1":                    "db-t1 web-t1",
		"web-0?":                  "web-01 web-02 web-03 web-04",
		"d*":                      "db-01 db-t1",
		"p*":                      "db-01 lb1 web-01 web-02 web-03 web-04",
		"web-*:!*-t1":             "web-01 web-02 web-03 web-04",
		"ungrouped":               "alone",
		"all:!ungrouped:!web":     "db-01 db-t1 lb1",
		"web:web:web-01":          "web-01 web-02 web-03 web-04 web-t1",
		"web:&db":                 "",
		"none":                    "",
		"production:&test":        "",
		"[wd]*-t1":                "db-t1 web-t1",
		"web-t1:&all":             "web-t1",
		"all:!all":                "",
	}
}

func names(hosts []Host) string {
	var list []string
	for _, h := range hosts {
		list = append(list, h.ID.Name)
	}
	return strings.Join(list, " ")
}

func TestSelectLikeAnsible(t *testing.T) {
	inv := parse(t, fleet)
	for pattern, want := range likeAnsible() {
		got, err := inv.Select(pattern, nil)
		if err != nil || names(got) != want {
			t.Errorf("%s = %q, %v; want %q", pattern, names(got), err, want)
		}
	}
}

// oracle asks Ansible's own inventory for the same hosts and groups.
const oracle = `
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.inventory.manager import InventoryManager
ask = json.load(sys.stdin)
inv = InventoryManager(loader=DataLoader(), sources=None)
for name in ask["groups"]: inv.add_group(name)
for name in ask["hosts"]: inv.add_host(name, "all")
for g, hosts in ask["members"].items():
    for h in hosts: inv.add_host(h, g)
for g, children in ask["children"].items():
    for c in children: inv._inventory.add_child(g, c)
inv.reconcile_inventory()
print(json.dumps({p: sorted(h.name for h in inv.get_hosts(p)) for p in ask["patterns"]}))
`

// withAnsible gives a Python that has Ansible: that of the PATH, or the distribution's.
func withAnsible(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import ansible.inventory.manager").Run() == nil {
			return python
		}
	}
	t.Skip("needs python3 with ansible-core (package ansible-core)")
	return ""
}

func TestAnsibleSaysTheSame(t *testing.T) {
	python := withAnsible(t)
	table := likeAnsible()
	patterns := make([]string, 0, len(table))
	for p := range table {
		patterns = append(patterns, p)
	}
	question, err := json.Marshal(map[string]any{
		"groups": []string{"web", "db", "test", "production", "servers", "none"},
		"hosts":  []string{"alone", "lb1"},
		"members": map[string][]string{
			"web": {"web-01", "web-02", "web-03", "web-04", "web-t1"}, "db": {"db-01", "db-t1"}, "test": {"web-t1", "db-t1"},
			"production": {"web-01", "web-02", "web-03", "web-04", "db-01", "lb1"},
		},
		"children": map[string][]string{"servers": {"web", "db"}},
		"patterns": patterns,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", oracle)
	cmd.Stdin = bytes.NewReader(question)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var answer map[string][]string
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	for p, want := range table {
		if got := strings.Join(answer[p], " "); got != want {
			t.Errorf("Ansible: %s = %q; we say %q", p, got, want)
		}
	}
}

const clients = `version: 1
sites:
  hq: {hosts: {web-01: {groups: [web]}, db-01: {groups: [db]}, lb: {labels: {rack: a1}}}}
  acme: {hosts: {web-01: {groups: [web]}, x: {labels: {rack: b1}}}}
  void: {hosts: }
`

func TestSelectOurOwn(t *testing.T) {
	inv := parse(t, clients)
	files := map[string]string{"list": "# chosen\nweb-01   # twice\n\nlb\n!acme/web-01\n", "empty": "# nobody\n", "nested": "@list\n"}
	readList := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, errors.New("no such file")
	}
	good := map[string]string{
		"web-01":        "acme/web-01 hq/web-01",
		"hq/web-01":     "hq/web-01",
		"hq/*":          "hq/db-01 hq/lb hq/web-01",
		"hq/all":        "hq/db-01 hq/lb hq/web-01",
		"*/web-01":      "acme/web-01 hq/web-01",
		"hq/web":        "hq/web-01",
		"acme/db":       "",
		"void/*":        "",
		"rack=a1":       "hq/lb",
		"rack=*":        "acme/x hq/lb",
		"all:!rack=b1":  "acme/web-01 hq/db-01 hq/lb hq/web-01",
		"@list":         "hq/lb hq/web-01",
		"hq/*:!@list":   "hq/db-01",
		"web:&@list":    "hq/web-01",
		"web-[01:01]":   "acme/web-01 hq/web-01",
		"hq/w[e]b-*":    "hq/web-01",
		"ac*/*:!acme/x": "acme/web-01",
	}
	for pattern, want := range good {
		got, err := inv.Select(pattern, readList)
		var ids []string
		for _, h := range got {
			ids = append(ids, h.ID.String())
		}
		if err != nil || strings.Join(ids, " ") != want {
			t.Errorf("%s = %v, %v; want %q", pattern, ids, err, want)
		}
	}
	bad := map[string]string{ // pattern: what the hint must hold
		"":            "all",
		",:,":         "all",
		"wbe":         "did you mean `web`?",
		"all:!web-02": "did you mean",
		"zzz*":        "inventory graph",
		"hq":          "hq/*",
		"hp/web-01":   "known sites",
		"acme/db-01":  "inventory list",
		"hq/":         "hq/*",
		"/web":        "known sites",
		"rakc=a1":     "did you mean `rack`?",
		"rack=a2":     "known values: a1, b1",
		"~web.*":      "*",
		"[":           "",
		"web-[1:x]":   "",
		"web-[01:03]": "",
		"@missing":    "folder",
		"@empty":      "one host",
		"@nested":     "themselves",
		"!":           "",
		"hq/a/b":      "hq/*",
		"web[0]":      "",
	}
	for pattern, hint := range bad {
		got, err := inv.Select(pattern, readList)
		if err == nil || fault.CodeOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%q = %v, %v, hint %q", pattern, names(got), err, fault.HintOf(err))
		}
	}
	if _, err := inv.Select("@list", nil); err == nil {
		t.Error("@ without a reader is accepted")
	}
}

// TestSelectByHand: an Inventory that was not parsed can be asked too.
func TestSelectByHand(t *testing.T) {
	parsed := parse(t, clients)
	inv := &Inventory{Hosts: slices.Clone(parsed.Hosts)}
	got, err := inv.Select("web:&hq/*", nil)
	if err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if len(inv.Graph().Children) != 0 {
		t.Error("a graph without sites")
	}
}

func TestCheckPattern(t *testing.T) {
	for pattern, good := range map[string]bool{"web:&production:!x": true, "": false, "web-[1:x]": false, "[": false, "web-[01:04]": true, "*": true} {
		if err := CheckPattern(pattern); (err == nil) != good {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func bigFleet(hosts, groups int) string {
	var b strings.Builder
	b.WriteString("version: 1\ndefaults: {user: patch, become: sudo}\nsites:\n")
	for s := range 10 {
		fmt.Fprintf(&b, "  site%d:\n    timezone: Europe/London\n    hosts:\n", s)
		for i := s; i < hosts; i += 10 {
			fmt.Fprintf(&b, "      host-%05d: {address: 10.%d.%d.%d, groups: [g%d, g%d, production], labels: {rack: r%d}}\n",
				i, i>>16, i>>8&255, i&255, i%groups, (i*7+1)%groups, i%100)
		}
	}
	b.WriteString("groups:\n")
	for g := range groups {
		fmt.Fprintf(&b, "  g%d: {exposure: internal}\n", g)
	}
	for g := range groups / 10 {
		fmt.Fprintf(&b, "  parent%d: {criticality: medium, children: [g%d, g%d]}\n", g, g*10, g*10+1)
	}
	return b.String()
}

// BenchmarkParse loads 10,000 hosts in 1,000 groups.
func BenchmarkParse(b *testing.B) {
	src := []byte(bigFleet(10_000, 1000))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("big.yaml", src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	inv := parse(b, bigFleet(10_000, 1000))
	for b.Loop() {
		if _, err := inv.Select("g1*:&site1/*:!rack=r5", nil); err != nil {
			b.Fatal(err)
		}
	}
}
