package playbook

import (
	"fmt"
	"maps"
	"strconv"
	"testing"
)

// sparse says of each thing as little as it can.
const sparse = `version: 1
name: x
patches:
  - {hosts: "*", packages: {}}
  - {hosts: "*", image: {version: 1, file: a, models: ["*"], sha512: 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000}}
  - {hosts: "*", image: {version: 1, file: a, models: ["*"], sha256: 0000000000000000000000000000000000000000000000000000000000000000}}
rings:
  - {name: test, hosts: test}
  - name: production
    hosts: production
    gate:
      soak: 48h
      approval: {approvers: board}
      checks: [{name: a, http: {url: "http://x/"}}, {name: b, prometheus: {url: "http://x/", query: up, max: 1}}]
urgent: {}
checks: [{hosts: a, tcp: {port: 1}}, {hosts: a, http: {url: "http://x/"}}, {hosts: a, command: {argv: [x]}}]
drain: [{hosts: a, argv: [/bin/x], wait: {argv: [/bin/y]}}]
hooks: [{hosts: a, when: after, argv: [/bin/x]}]
silences: [{hosts: a, webhook: {url: "http://x/"}}, {hosts: a, alertmanager: {url: "http://x/", matchers: {i: "{{ .name }}"}}}]
`

// TestDefaultsAreTrue holds the table against what almost empty files really give.
func TestDefaultsAreTrue(t *testing.T) {
	got := emptyValues(parse(t, minimal))
	maps.Copy(got, sparseValues(parse(t, sparse)))
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

// emptyValues is what holds where a thing isn't said at all.
func emptyValues(b *Playbook) map[string]string {
	p, r, c := b.Patches[0].Packages, b.Rings[0], b.Checks[0]
	return map[string]string{
		"patches.packages.kind": string(p.Kind), "patches.packages.min_severity": string(p.MinSeverity),
		"patches.packages.exclude": none(len(p.Exclude) == 0), "patches.packages.exclude.owner": "", "patches.packages.exclude.until": "",
		"rings.window": r.Window, "rings.order": none(r.Order == nil),
		"rings.gate": none(r.Gate.Checks == nil), "rings.gate.soak": none(r.Gate.Soak == nil), "rings.gate.approval": none(r.Gate.Approval == nil),
		"rings.gate.checks": none(r.Gate.Checks == nil), "rings.gate.coverage": none(r.Gate.Coverage == 0),
		"rings.gate.min_participation": "95%", // rollout's, where 0 stands here
		"rings.batches":                fmt.Sprint(r.Batches), "rings.max_in_flight": strconv.Itoa(r.MaxInFlight), "rings.failure_limit": r.FailureLimit.String(),
		"failure_limit": none(b.FailureLimit == nil), "urgent": none(b.Urgent == nil),
		"drain": none(b.Hooks == nil), "hooks": none(b.Hooks == nil), "silences": none(b.Silences == nil), "freezes": none(b.Freezes == nil),
		"reboot": string(b.Reboot), "on_failure": b.OnFailure, "restart": string(b.Restart), "one_shot": strconv.FormatBool(b.OneShot),
		"repair": strconv.FormatBool(b.Repair), "rollback_window": b.RollbackWindow,
		"checks":      fmt.Sprintf("[{hosts: %q, default_diff: %v}]", c.Hosts, c.DefaultDiff),
		"checks.name": "", "checks.within": fmt.Sprintf("%.0fs", c.Within.Seconds()),
	}
}

func none(absent bool) string {
	if absent {
		return ""
	}
	return "something"
}

// sparseValues is what holds in things that are said as shortly as can be.
func sparseValues(b *Playbook) map[string]string {
	g := b.Rings[1].Gate
	got := map[string]string{
		"rings.gate.approval.count": strconv.Itoa(g.Approval.Count), "rings.gate.approval.expires": fmt.Sprintf("%.0fd", g.Approval.Expires.Hours()/24),
		"rings.gate.soak.max_gap": short(g.Soak.MaxGap),
		"patches.image.outage":    string(b.Patches[1].Image.Outage), "patches.image.sha256": b.Patches[1].Image.SHA256, "patches.image.sha512": b.Patches[2].Image.SHA512,
		"urgent.soak": none(b.Urgent.Soak == nil), "urgent.window": none(b.Urgent.Window == nil), "urgent.approval": none(b.Urgent.Approval == nil),
		"checks.tcp.from": string(b.Checks[0].TCP.From), "checks.http.from": string(b.Checks[1].HTTP.From),
		"checks.http.status": strconv.Itoa(b.Checks[1].HTTP.Status), "checks.http.contains": b.Checks[1].HTTP.Contains,
		"checks.command.become":  strconv.FormatBool(b.Checks[2].Command.Become),
		"rings.gate.checks.when": string(g.Checks[0].When), "rings.gate.checks.within": short(g.Checks[0].Within),
		"rings.gate.checks.http.status": strconv.Itoa(g.Checks[0].HTTP.Status), "rings.gate.checks.http.contains": g.Checks[0].HTTP.Contains,
		"rings.gate.checks.prometheus.min": none(g.Checks[1].Prometheus.Min == nil), "rings.gate.checks.prometheus.max": "",
		"rings.gate.checks.prometheus.token": g.Checks[1].Prometheus.Token,
		"drain.undrain":                      none(b.Hooks[0].Undo == nil), "drain.wait": none(b.Hooks[1].Wait == nil), "drain.wait.within": short(b.Hooks[0].Wait.Within),
		"silences.name": "", "silences.ttl": short(b.Silences[0].TTL),
		"silences.webhook.token": b.Silences[0].Token, "silences.alertmanager.token": b.Silences[1].Token,
	}
	for key, p := range map[string]Pace{"rings.gate.soak.": g.Soak.Pace, "rings.gate.checks.": g.Checks[0].Pace} {
		got[key+"interval"], got[key+"initial_delay"] = short(p.Interval), p.InitialDelay.String()
		got[key+"failure_limit"], got[key+"consecutive_success_limit"] = strconv.Itoa(p.FailureLimit), strconv.Itoa(p.Successes)
	}
	for i, key := range []string{"drain.", "hooks."} {
		h := b.Hooks[i]
		got[key+"run_on"], got[key+"within"], got[key+"become"], got[key+"name"] = h.On, short(h.Within), strconv.FormatBool(h.Become), ""
	}
	return got
}
