package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFieldNames holds every document to the names that users' scripts know. A
// name that goes missing here breaks them: that needs a new Version.
func TestFieldNames(t *testing.T) {
	want := map[string]string{
		"rollout": `changed exit exit.code exit.why exit.word hosts hosts[].checks hosts[].checks[].check hosts[].checks[].seen hosts[].checks[].tries
			hosts[].checks[].verdict hosts[].code hosts[].drained hosts[].ended hosts[].host hosts[].image hosts[].kernel hosts[].kernel.newest
			hosts[].kernel.running hosts[].notes hosts[].reasons hosts[].reboot hosts[].reboot.done hosts[].reboot.expected hosts[].ring
			hosts[].seconds hosts[].silenced hosts[].started hosts[].state hosts[].step hosts[].touched hosts[].try hosts[].unit
			hosts[].updates hosts[].updates[].arch hosts[].updates[].dependency hosts[].updates[].detail hosts[].updates[].from
			hosts[].updates[].origin hosts[].updates[].outcome hosts[].updates[].package hosts[].updates[].reason hosts[].updates[].security
			hosts[].updates[].severity hosts[].updates[].to kind next opened out phase plan playbook quarantined reasons rings rings[].batches
			rings[].began rings[].by_state rings[].ended rings[].failure_limit rings[].gate rings[].gate.approval rings[].gate.checks
			rings[].gate.reasons rings[].gate.soak rings[].gate.state rings[].gate.waived rings[].hosts rings[].name rings[].set rings[].window
			rollout seconds site skipped skipped[].detail skipped[].host skipped[].package skipped[].reason skipped[].ring skipped[].to starter
			timeline timeline[].actor timeline[].event timeline[].host timeline[].ring timeline[].seq timeline[].step timeline[].text
			timeline[].time hosts[].way_back hosts[].way_back.light hosts[].way_back.reasons hosts[].taken_back rings[].set_digests late uncovered
			totals totals.by_state totals.hosts totals.rebooted totals.security_installed totals.security_left
			totals.security_left_maybe totals.touched totals.updates_installed totals.updates_left totals.updates_unconfirmed urgent version
			waits waits[].for waits[].person waits[].ring waits[].text window_override window_override.reason`,
		"plan": `budgets calendar calendar.freezes calendar.windows calendar.zone exit exit.code exit.why exit.word failure_limit hooks hosts
			hosts[].checks hosts[].domain hosts[].host hosts[].image hosts[].left hosts[].left[].arch hosts[].left[].bytes hosts[].left[].dependency
			hosts[].left[].detail hosts[].left[].from hosts[].left[].origin hosts[].left[].package hosts[].left[].reason
			hosts[].left[].security hosts[].left[].severity hosts[].left[].to hosts[].platform hosts[].problem hosts[].problem.code
			hosts[].problem.hint hosts[].problem.what hosts[].reboot_expected hosts[].ring hosts[].takes_assumed hosts[].takes_seconds
			hosts[].unit hosts[].updates hosts[].updates[].arch hosts[].updates[].bytes hosts[].updates[].dependency hosts[].updates[].from
			hosts[].updates[].origin hosts[].updates[].package hosts[].updates[].security hosts[].updates[].severity hosts[].updates[].to kind
			made notes plan playbook quarantined reboot rings rings[].batches rings[].failure_limit rings[].gate rings[].gate.approval
			rings[].gate.checks rings[].gate.coverage rings[].gate.min_participation rings[].gate.soak rings[].hosts rings[].max_in_flight
			rings[].name rings[].stages rings[].units rings[].window silences site totals totals.bytes totals.hosts totals.hosts_to_patch
			totals.hosts_with_problems totals.left totals.reboots_expected totals.reboots_unknown totals.security totals.updates urgent version
			hosts[].way_back hosts[].way_back.light hosts[].way_back.reasons on_failure on_failure.action on_failure.window one_shot repair restart
			totals.ways_back totals.ways_back.green totals.ways_back.amber totals.ways_back.red trust uncovered`,
		"patchset": `domains domains[].domain domains[].versions domains[].versions[].arch domains[].versions[].assurance
			domains[].versions[].bytes domains[].versions[].digest domains[].versions[].file domains[].versions[].package
			domains[].versions[].repository domains[].versions[].signer domains[].versions[].stored domains[].versions[].version
			frozen kind playbook ring rollout set site state totals totals.host totals.none totals.playbook totals.signed_index totals.stored
			totals.versions version`,
		"setdiff": `changes changes[].arch changes[].change changes[].domain changes[].from changes[].package changes[].to from kind same to version`,
		"staging": `exit exit.code exit.why exit.word hosts hosts[].bytes hosts[].code hosts[].host hosts[].notes hosts[].packages
			hosts[].reasons hosts[].ring hosts[].state hosts[].stored kind plan set totals totals.brought totals.bytes totals.failed
			totals.hosts totals.nothing totals.packages version`,
		"platforms": `devices devices[].class devices[].detects devices[].detects[].on devices[].detects[].what devices[].platform
			devices[].proof devices[].state devices[].state[].on devices[].state[].what devices[].title devices[].upgrades
			devices[].vendor devices[].ways devices[].ways[].fallback devices[].ways[].fallback_proof devices[].ways[].net
			devices[].ways[].net_proof devices[].ways[].outage devices[].ways[].outage_proof devices[].ways[].proof
			devices[].ways[].when devices[].ways[].workflow devices[].why ` + systemFields,
		"system": `devices ` + systemFields,
		"typed": `class detects detects[].on detects[].what digest kind parts parts[].lines parts[].lines[].answers parts[].lines[].ends parts[].lines[].step parts[].lines[].types
			parts[].lines[].within parts[].name platform proof session session.lines session.lines[].answers session.lines[].ends
			session.lines[].step session.lines[].types session.lines[].within session.name state state[].on state[].what title
			upgrades vendor version ways ways[].fallback ways[].fallback_proof ways[].net ways[].net_proof ways[].outage
			ways[].outage_proof ways[].proof ways[].when ways[].workflow why`,
		"samples": `kind samples samples[].platform samples[].right samples[].sample samples[].wrong version`,
		"imageplan": `budgets calendar calendar.freezes calendar.windows calendar.zone exit exit.code exit.why exit.word failure_limit hooks
			hosts hosts[].checks hosts[].domain hosts[].host hosts[].image hosts[].image.bytes hosts[].image.digest
			hosts[].image.file hosts[].image.net hosts[].image.outage hosts[].image.serve hosts[].image.sha512 hosts[].left
			hosts[].platform hosts[].problem hosts[].reboot_expected hosts[].ring hosts[].takes_assumed hosts[].takes_seconds
			hosts[].unit hosts[].updates hosts[].updates[].arch hosts[].updates[].bytes hosts[].updates[].dependency
			hosts[].updates[].from hosts[].updates[].origin hosts[].updates[].package hosts[].updates[].security
			hosts[].updates[].severity hosts[].updates[].to hosts[].way_back hosts[].way_back.light hosts[].way_back.reasons kind
			made notes on_failure on_failure.action on_failure.window one_shot plan playbook quarantined reboot repair restart rings
			rings[].batches rings[].failure_limit rings[].gate rings[].gate.approval rings[].gate.checks rings[].gate.coverage
			rings[].gate.min_participation rings[].gate.soak rings[].hosts rings[].max_in_flight rings[].name rings[].stages
			rings[].units rings[].window silences site totals totals.bytes totals.hosts totals.hosts_to_patch
			totals.hosts_with_problems totals.left totals.reboots_expected totals.reboots_unknown totals.security totals.updates
			totals.ways_back totals.ways_back.amber totals.ways_back.green totals.ways_back.red trust uncovered urgent version`,
		"detect": `exit exit.code exit.why exit.word hosts hosts[].arch hosts[].boot_id hosts[].class hosts[].container hosts[].error
			hosts[].device hosts[].device.booted hosts[].device.build hosts[].device.family hosts[].device.members hosts[].device.members[].id
			hosts[].device.members[].model hosts[].device.members[].role hosts[].device.members[].serial hosts[].device.members[].state
			hosts[].device.members[].version hosts[].device.mode hosts[].device.refused hosts[].device.role hosts[].device.serials
			hosts[].device.synced hosts[].serial hosts[].error.code hosts[].error.hint hosts[].error.what hosts[].holds hosts[].host hosts[].hostname hosts[].kept_back
			hosts[].kept_back[].arch hosts[].kept_back[].bytes hosts[].kept_back[].dependency hosts[].kept_back[].detail
			hosts[].kept_back[].from hosts[].kept_back[].origin hosts[].kept_back[].package hosts[].kept_back[].reason
			hosts[].kept_back[].security hosts[].kept_back[].severity hosts[].kept_back[].to hosts[].kernel hosts[].kernel.newest
			hosts[].kernel.running hosts[].model hosts[].package_manager hosts[].package_manager.detail hosts[].package_manager.name
			hosts[].package_manager.state hosts[].pending hosts[].pending.known hosts[].pending.security hosts[].pending.security_unknown
			hosts[].pending.total hosts[].platform hosts[].problems hosts[].problems[].detail hosts[].problems[].what hosts[].reboot
			hosts[].reboot.needed hosts[].reboot.reasons hosts[].refreshed hosts[].seen hosts[].updates hosts[].updates[].arch
			hosts[].updates[].bytes hosts[].updates[].dependency hosts[].updates[].from hosts[].updates[].origin hosts[].updates[].package
			hosts[].updates[].security hosts[].updates[].severity hosts[].updates[].to hosts[].vendor hosts[].version kind totals
			totals.detected totals.errors totals.hosts totals.reboots_needed totals.security totals.updates version`,
		"doctor": `exit exit.code exit.why exit.word hosts hosts[].host hosts[].tests hosts[].tests[].hint hosts[].tests[].result
			hosts[].tests[].seen hosts[].tests[].test kind totals totals.fail totals.hosts totals.ok totals.skipped totals.unknown version`,
		"checks": `exit exit.code exit.why exit.word hosts hosts[].checks hosts[].checks[].check hosts[].checks[].seen hosts[].checks[].tries
			hosts[].checks[].verdict hosts[].error hosts[].error.code hosts[].error.hint hosts[].error.what hosts[].host hosts[].verdict kind
			totals totals.fail totals.hosts totals.ok totals.skipped totals.unknown version`,
		"inventory": `hosts hosts[].address hosts[].become hosts[].class hosts[].criticality hosts[].exposure hosts[].groups hosts[].host
			hosts[].jump hosts[].labels hosts[].platform hosts[].port hosts[].user kind path version`,
		"rollouts": `kind rollouts rollouts[].by_state rollouts[].changed rollouts[].exit rollouts[].exit.code rollouts[].exit.why rollouts[].exit.word
			rollouts[].next rollouts[].opened rollouts[].phase rollouts[].playbook rollouts[].reasons rollouts[].rollout rollouts[].site
			rollouts[].waits rollouts[].waits[].for rollouts[].waits[].person rollouts[].waits[].ring rollouts[].waits[].text
			rollouts[].waits[].until version`,
		"evidence": `bundle bundle.changed bundle.demanded bundle.finished bundle.inventory_digest bundle.line bundle.opened bundle.phase bundle.plan
			bundle.playbook bundle.playbook_digest bundle.records bundle.rollout bundle.signer bundle.site bundle.tool exit exit.code exit.why
			exit.word kind limits parts parts[].demanded parts[].part parts[].standing parts[].why standing version`,
		"hostkeys": `action exit exit.code exit.why exit.word hosts hosts[].backup hosts[].file hosts[].hint hosts[].host hosts[].keys
			hosts[].keys[].fingerprint hosts[].keys[].state hosts[].keys[].type hosts[].keys[].where hosts[].name hosts[].notes hosts[].state hosts[].why
			kind totals totals.by_state totals.hosts totals.recorded totals.removed version`,
		"rights": `exit exit.code exit.why exit.word files files[].hosts files[].means files[].narrower files[].needs files[].password files[].path
			files[].root files[].rules files[].user kind none none[].host none[].stop none[].why version`,
		"explain": `connection connection[].from connection[].name connection[].value host kind settings settings[].lost settings[].name settings[].value settings[].where version`,
		"graph": `kind path root root.children root.children[].again root.children[].children root.children[].children[].again
			root.children[].children[].children root.children[].children[].children[].again root.children[].children[].children[].children
			root.children[].children[].children[].kind root.children[].children[].children[].name root.children[].children[].kind
			root.children[].children[].name root.children[].kind root.children[].name root.again root.kind root.name version`,
		"lint":    `exit exit.code exit.why exit.word hosts inventory kind playbooks version`,
		"failure": `error error.code error.hint error.what exit exit.code exit.why exit.word host kind step version`,
	}
	want["gated"] = want["plan"] + ` budgets[].hosts budgets[].members budgets[].most budgets[].name calendar.freezes[].from calendar.freezes[].reason
		calendar.freezes[].through calendar.windows[].name calendar.windows[].opens hooks[].argv hooks[].at hooks[].become hooks[].hosts
		hooks[].name hooks[].on hooks[].undo hooks[].wait hooks[].within_seconds quarantined[].host quarantined[].owner
		quarantined[].reason quarantined[].ring quarantined[].until rings[].gate.approval.approvers rings[].gate.approval.authenticated
		rings[].gate.approval.count rings[].gate.approval.expires_seconds rings[].gate.approval.people
		rings[].gate.checks[].consecutive_success_limit rings[].gate.checks[].failure_limit rings[].gate.checks[].initial_delay_seconds
		rings[].gate.checks[].interval_seconds rings[].gate.checks[].kind rings[].gate.checks[].name rings[].gate.checks[].what
		rings[].gate.checks[].when rings[].gate.checks[].within_seconds rings[].gate.soak.consecutive_success_limit
		rings[].gate.soak.failure_limit rings[].gate.soak.for_seconds rings[].gate.soak.initial_delay_seconds
		rings[].gate.soak.interval_seconds rings[].gate.soak.max_gap_seconds silences[].hosts silences[].kind silences[].name silences[].to
		silences[].ttl_seconds`
	want["waiting"] = want["rollout"] + ` hosts[].not_before out[].host out[].why quarantined[].host quarantined[].owner quarantined[].reason quarantined[].ring
		quarantined[].until rings[].gate.approval.approvers rings[].gate.approval.count rings[].gate.approval.given
		rings[].gate.approval.given[].as rings[].gate.approval.given[].authenticated rings[].gate.approval.given[].by
		rings[].gate.approval.given[].expires rings[].gate.approval.given[].reason rings[].gate.approval.state rings[].gate.checks[].asked
		rings[].gate.checks[].failed rings[].gate.checks[].last rings[].gate.checks[].name rings[].gate.checks[].seen
		rings[].gate.checks[].state rings[].gate.checks[].successes rings[].gate.checks[].verdict rings[].gate.checks[].when
		rings[].gate.soak.fail rings[].gate.soak.for_seconds rings[].gate.soak.last rings[].gate.soak.pass rings[].gate.soak.samples
		rings[].gate.soak.samples_failed rings[].gate.soak.sick rings[].gate.soak.sick[].host rings[].gate.soak.sick[].why
		rings[].gate.soak.soaked_seconds rings[].gate.soak.state rings[].gate.soak.unknown rings[].gate.waived[].by
		rings[].gate.waived[].reason rings[].gate.waived[].what waits[].until window_override.until`
	want["backplan"] = want["plan"] + ` uncovered[].domain uncovered[].hosts uncovered[].ring`
	want["rolledback"] = want["rollout"] + ` hosts[].taken_back.done hosts[].taken_back.from_state hosts[].taken_back.packages
		hosts[].taken_back.packages[].arch hosts[].taken_back.packages[].from hosts[].taken_back.packages[].package
		hosts[].taken_back.packages[].source hosts[].taken_back.packages[].to late[].arch late[].hosts late[].package late[].security
		late[].severity late[].version rings[].set_digests.host rings[].set_digests.none rings[].set_digests.playbook rings[].set_digests.signed_index
		rings[].set_digests.stored rings[].set_digests.versions uncovered[].domain uncovered[].hosts uncovered[].ring`
	all := samples()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var got any
		if err := json.Unmarshal(render(t, all[name], FormatJSON, Options{}), &got); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		collect(names, "", got)
		if want := slices.Sorted(slices.Values(strings.Fields(want[name]))); !slices.Equal(slices.Sorted(maps.Keys(names)), want) {
			t.Errorf("%s has other fields than it promises:\n got %s\nwant %s", name, strings.Join(slices.Sorted(maps.Keys(names)), " "), strings.Join(want, " "))
		}
	}
}

// collect walks a document. The keys of a map by state or label are data, not names.
func collect(names map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if strings.HasSuffix(path, "by_state") || strings.HasSuffix(path, "labels") {
			return
		}
		for k, sub := range v {
			names[strings.TrimPrefix(path+"."+k, ".")] = true
			collect(names, path+"."+k, sub)
		}
	case []any:
		for _, sub := range v {
			collect(names, path+"[]", sub)
		}
	}
}

// TestOwnTypes: a document that held an internal type would change its JSON when
// that type does.
func TestOwnTypes(t *testing.T) {
	for name, d := range samples() {
		walk(t, name, reflect.TypeOf(d), map[reflect.Type]bool{})
	}
}

func walk(t *testing.T, path string, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	if seen[typ] {
		return
	}
	seen[typ] = true
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		walk(t, path, typ.Elem(), seen)
	case reflect.Struct:
		if typ.PkgPath() == "time" {
			return
		}
		if !strings.HasSuffix(typ.PkgPath(), "/report") {
			t.Errorf("%s is a %s", path, typ)
		}
		for f := range typ.Fields() {
			if f.Tag.Get("json") == "" && !f.Anonymous {
				t.Errorf("%s.%s has no name of its own in JSON", path, f.Name)
			}
			walk(t, path+"."+f.Name, f.Type, seen)
		}
	}
}

// TestNoNullLists: "for h in .hosts[]" must not break on an empty document.
func TestNoNullLists(t *testing.T) {
	empty := map[string]Document{
		"rollout": NewRollout(Source{}), "detect": NewDetect(nil), "doctor": NewDoctor(nil),
		"checks": NewChecks(nil), "inventory": NewInventory("", nil), "rollouts": NewRollouts(nil),
	}
	for name, d := range empty {
		if got := render(t, d, FormatJSON, Options{}); bytes.Contains(got, []byte("null")) {
			t.Errorf("%s has a null:\n%s", name, got)
		}
		render(t, d, FormatTable, Options{Width: 80})
		render(t, d, FormatMarkdown, Options{})
	}
}

// TestGoldenFilesAreUsed: a golden file that no test compares with proves nothing.
func TestGoldenFilesAreUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(filepath.Base(f), ".")
		if info, err := os.Stat(f); err != nil || info.IsDir() {
			continue
		}
		_, sample := samples()[name]
		_, foreseen := forecasts(t)[name]
		if !sample && !foreseen {
			t.Errorf("%s belongs to no sample", f)
		}
	}
}

const systemFields = `kind systems systems[].capabilities systems[].capabilities[].capability systems[].capabilities[].how
			systems[].capabilities[].means systems[].capabilities[].note systems[].capabilities[].test systems[].detects
			systems[].platforms systems[].system systems[].upgrades systems[].why version`
