package playbook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
)

// asJSON is what a plan would say of a part.
func asJSON(tb testing.TB, part any) string {
	tb.Helper()
	text, err := json.Marshal(part)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func TestGatesAreTakenOver(t *testing.T) {
	b := parse(t, string(read(t, "testdata/good/gates.yaml")))
	first, g, third := b.Rings[0], b.Rings[1].Gate, b.Rings[3].Gate
	for name, pair := range map[string][2]any{
		"limit":   {b.FailureLimit.String(), "5%"},
		"window":  {first.Window + " " + b.Rings[1].Window + " " + b.Rings[2].Window, "any weekend any"},
		"order":   {b.Rings[1].Order, []string{"core", "web:!web-03"}},
		"command": {fmt.Sprintf("%q %s", first.Gate.Checks[0].Command.Argv, first.Gate.Checks[0].When), `["/usr/local/bin/change-open" "" "5"] before`},
		"soak":    {g.Soak, Soak{For: 48 * time.Hour, MaxGap: 26 * time.Hour, Pace: Pace{Interval: time.Hour, Successes: 1}}},
		"short":   {b.Rings[2].Gate.Soak.Interval, time.Minute},
		"third":   {third.Soak, Soak{For: 3 * time.Hour, MaxGap: time.Hour, Pace: Pace{Interval: 10 * time.Minute, FailureLimit: 2, Successes: 4}}},
		"people":  {g.Approval, Approval{Approvers: "board", Count: 2, Expires: 12 * time.Hour}},
		"parts":   {[]int{g.MinParticipation, g.Coverage}, []int{90, 80}},
		"pace":    {g.Checks[0].Pace, Pace{InitialDelay: 2 * time.Minute, Interval: time.Minute, FailureLimit: 1, Successes: 3}},
		"server":  {g.Checks[0].Prometheus.URL + " " + g.Checks[0].Prometheus.Token, "http://prom:9090 env:PROM"},
		"bounds":  {[]float64{*g.Checks[0].Prometheus.Max, *g.Checks[1].Prometheus.Min, *g.Checks[1].Prometheus.Max}, []float64{0.01, -1, 1000}},
		"page":    {g.Checks[2].HTTP.URL, "https://shop.example/healthz?x=1"},
		"urgent":  {fmt.Sprintf("%s %s %d", *b.Urgent.Soak, *b.Urgent.Window, b.Urgent.Approval.Count), "0s any 1"},
	} {
		if got, want := asJSON(t, pair[0]), asJSON(t, pair[1]); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestHooksAreTakenOver(t *testing.T) {
	b := parse(t, string(read(t, "testdata/good/gates.yaml")))
	want := []string{
		`{"Hosts":"db","name":"backup-now","at":"before","on":"host","argv":["/usr/local/bin/backup-now"],"within":1800000000000,"become":true}`,
		`{"Hosts":"db","name":"tell","at":"after","on":"controller","argv":["/usr/local/bin/tell","a\nb"],"within":600000000000}`,
		`{"Hosts":"web","name":"lbctl","at":"drain","on":"lb1","argv":["/usr/local/bin/lbctl","drain"],"undo":["/usr/local/bin/lbctl","enable"],` +
			`"within":120000000000,"wait":{"idle":true,"within":300000000000}}`,
		`{"Hosts":"db","name":"standby","at":"drain","on":"host","argv":["/usr/local/bin/standby"],"within":600000000000,"become":true,` +
			`"wait":{"argv":["/usr/local/bin/is-standby"],"within":60000000000}}`,
	}
	for i, w := range want {
		if got := asJSON(t, b.Hooks[i]); got != w {
			t.Errorf("%s, want %s", got, w)
		}
	}
	if got, want := asJSON(t, b.Silences[0]), `{"Hosts":"*","name":"alertmanager am:9093","alertmanager":"http://am:9093","matchers":`+
		`[{"name":"instance","value":"{{ .name }}"},{"name":"severity","value":"warning"},{"name":"n","value":"5"}],"ttl":3600000000000,"token":"env:AM_TOKEN"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if m := b.Silences[2].Matchers[0]; !m.Regex || m.Value != "{{ .address }}(:[0-9]{1,5})?" || b.Silences[2].Alertmanager != "https://am.example/prefix" {
		t.Errorf("%+v", b.Silences[2])
	}
	if s := b.Silences[1]; s.Name != "hook" || s.Token != "prompt" || s.TTL != 30*time.Minute {
		t.Errorf("%+v", s)
	}
}

// TestTheInventoryKnows: names of the site are found, and its numbers are enough.
func TestTheInventoryKnows(t *testing.T) {
	const src = `version: 1
name: x
patches: [{hosts: "*", packages: {}}]
rings:
  - {name: test, hosts: test, gate: {approval: {approvers: duty}}}
  - {name: production, hosts: production, window: weekend, order: [core], gate: {approval: {approvers: board, count: 2}}}
  - {name: edges, hosts: edges}
urgent: {window: weekend, approval: {approvers: board}}
drain: [{hosts: web, run_on: core-sw1, argv: [/bin/x]}]
hooks: [{hosts: web, when: before, run_on: web-01, argv: [/bin/x]}]
freezes: [{from: 2026-12-18, through: 2027-01-04, reason: year-end}]
`
	b, err := Parse("x.yaml", []byte(src), inv(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Freezes) != 1 || len(b.FreezesIn("hq")) != 1 || len((&Playbook{Freezes: b.Freezes}).FreezesIn("hq")) != 1 {
		t.Errorf("freezes %+v", b.Freezes)
	}
}

const holiday = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n" +
	"DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261226\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// TestFreezesFromFiles: a day of a calendar is another stretch of time in each zone.
func TestFreezesFromFiles(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	src := "version: 1\nname: x\npatches: [{hosts: \"*\", packages: {}}]\nrings: [{name: test, hosts: test}, {name: rest, hosts: branch}]\n" +
		"freezes:\n  - {ical: freezes.ics, reason: change freeze}\n  - {from: 2026-12-18, through: 2027-01-04, reason: year-end}\n"
	read := func(name string) ([]byte, error) {
		if name != "freezes.ics" {
			return nil, fault.Usagef("write another", "no such file")
		}
		return []byte(holiday), nil
	}
	b, err := ParseFiles("x.yaml", []byte(src), inv(t), read, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Freezes) != 3 || len(b.FreezesIn("hq")) != 2 || len(b.FreezesIn("acme")) != 2 {
		t.Fatalf("freezes %+v", b.Freezes)
	}
	for site, want := range map[string]string{"hq": "2026-12-25T00:00:00Z", "acme": "2026-12-25T05:00:00Z"} {
		span := b.FreezesIn(site)[0].Spans[0]
		if got := span.From.UTC().Format(time.RFC3339); got != want || span.What != "Christmas" {
			t.Errorf("%s: from %s %q, want %s", site, got, span.What, want)
		}
	}
	_, err = ParseFiles("x.yaml", []byte(strings.Replace(src, "freezes.ics", "other.ics", 1)), inv(t), read, now)
	if err == nil || !strings.Contains(err.Error(), "x.yaml:6:12: `other.ics` can't be read: no such file") || fault.HintOf(err) != "write another" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	_, err = ParseFiles("x.yaml", []byte(src), nil, func(string) ([]byte, error) { return []byte("hello"), nil }, now)
	if err == nil || !strings.Contains(err.Error(), "x.yaml:6:12: `freezes.ics` is not a calendar") {
		t.Error(err)
	}
}

// TestBastionBesideItsHosts: the plan puts it last and alone.
func TestBastionBesideItsHosts(t *testing.T) {
	src := "version: 1\nname: x\npatches: [{hosts: \"*\", packages: {}}]\nrings: [{name: test, hosts: edges}]\n"
	if _, err := Parse("x.yaml", []byte(src), inv(t)); err != nil {
		t.Error(err)
	}
}
