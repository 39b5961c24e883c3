package rollout

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

var update = flag.Bool("update", false, "write the golden files anew")

// every is one entry of each kind with every field set.
func every() []Entry {
	u := patch.Update{Name: "bash", Arch: "amd64", From: "1", To: "2", Origin: "Debian-Security:12/stable", Security: patch.Yes, Severity: patch.SeverityImportant, Size: 9, Dependency: true}
	proven := patch.Proven{Domain: "debian 12", Name: "bash", Arch: "amd64", Version: "2"}
	set := plan.Freeze([]patch.Proven{proven})
	return []Entry{
		Opened{
			Rollout: "2026-11-21-monthly-7f3a", Playbook: "monthly", Site: "hq", Plan: "sha256:00",
			Rings:    []plan.Ring{{Name: "test", Hosts: []fact.HostID{id("a"), id("b"), id("c")}, Batches: []int{1, 2}, MaxInFlight: 20, FailureLimit: 1}},
			Problems: map[string]plan.Problem{"hq/b": {Code: "auth", What: "no <key>", Hint: "ssh-add"}}, Idle: []fact.HostID{id("c")},
		},
		GateOpened{Ring: "test", Set: plan.SetDigest(set), Frozen: set, Reasons: []string{"all healthy"}},
		StepStarted{Host: id("a"), Step: "install", Mode: Reconcile},
		StepEnded{
			Host: id("a"), Step: FlowBegin, Outcome: OutcomeFailed, Code: fault.Locked, Reasons: []string{"why"}, Notes: []string{"note"},
			Began: &Began{
				Facts: "sha256:01", Steps: []platform.StepID{FlowBefore, "install"}, Changing: []platform.StepID{"install"},
				Work: patch.Work{ID: "w", Install: []patch.Update{u}, Left: []patch.Left{{Update: u, Reason: patch.ReasonHeld, Detail: "d"}}, Refused: "r", Reboot: patch.RebootIfNeeded},
			},
			Before: "sha256:02",
			Checks: []health.Result{{Check: "nginx", Verdict: health.Fail, Seen: "inactive", Tries: 3}}, Proven: []patch.Proven{proven}, Reboots: true,
		},
		Halted{Ring: "test", Gate: true, Reasons: []string{"one failed"}},
		Paused{Reason: "lunch"},
		Resumed{Reason: "coffee"},
		Aborted{Reason: "wrong month"},
		Finished{Reasons: []string{"done"}},
	}
}

// everyNew are the kinds and fields that came with gates, budgets and retries.
func everyNew() []Entry {
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	proven := patch.Proven{Domain: "debian 12", Name: "bash", Arch: "amd64", Version: "2"}
	return []Entry{
		fullOpened(at, proven),
		CalendarSet{Calendar: fullCalendar(at)},
		WindowOverridden{Reason: "the board <said> so", Until: at},
		Approved{Ring: "production", Plan: "sha256:00", Set: "sha256:01", By: "jane@desk", As: "jane@hq.example", Expires: at, Reason: "fine", Authenticated: true},
		Waived{Ring: "production", Set: "sha256:01", What: "check:q", When: before, By: "jane@desk", Reason: "TICKET-1"},
		Sampled{Ring: "production", Pass: 4, Fail: 1, Unknown: 1, Changed: map[string]string{"hq/a": "", "hq/b": "check nginx: fail"}, Samples: "sha256:02"},
		Asked{Ring: "test", Check: "q", When: after, Verdict: health.Pass, Seen: "0.2"},
		Retried{Hosts: []fact.HostID{id("a"), id("b")}, Reason: "looked at them"},
		StepStarted{Host: id("a"), Step: FlowBegin, Mode: Start, Try: 2},
		StepEnded{Host: id("a"), Step: FlowBegin, Outcome: OutcomeBack, Reasons: []string{"budget of group web"}, Out: map[string]string{"hq/b": "unreachable"}},
	}
}

// everyLater are the kinds and fields that came with patch sets and rollbacks.
func everyLater() []Entry {
	proven := patch.Proven{
		Domain: "debian 12 amd64", Name: "bash", Arch: "amd64", Version: "2", Digest: "sha256:03", Size: 9, File: "pool/b/bash.deb",
		Repository: "Debian", Signer: "ABCD <archive>", Assurance: patch.AssuranceSigned,
	}
	set := plan.Freeze([]patch.Proven{proven})
	u := patch.Update{Name: "bash", Arch: "amd64", From: "1", To: "2", Digest: "sha256:03", File: "pool/b/bash.deb", Source: patch.SourceStore}
	return []Entry{
		Opened{
			Rollout: "2026-11-22-monthly-7f3c", Playbook: "monthly", Site: "hq", Plan: "sha256:00",
			Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{id("a")}}}, OnFailure: plan.OnFailure{Rollback: true, Window: "night"},
		},
		GateOpened{Ring: "test", Set: plan.SetDigest(set), Frozen: set, Reasons: []string{"all healthy"}},
		StepEnded{Host: id("a"), Step: FlowCollect, Outcome: OutcomeOK, Collected: []patch.Proven{proven}},
		StepEnded{
			Host: id("a"), Step: FlowBegin, Outcome: OutcomeOK,
			Began: &Began{
				Facts: "sha256:01", Steps: []platform.StepID{FlowBefore}, Return: plan.Return{Light: plan.Amber, Reasons: []string{"linux-image: kernel"}},
				Work: patch.Work{
					ID: "w", Install: []patch.Update{u}, Reboot: patch.RebootIfNeeded, Back: true, Remove: []string{"new"}, Keep: true, Repair: true,
					Restart: patch.RestartIfNeeded, RebootWithin: time.Minute, OneShot: true, Snapshots: []string{"http://snapshot.example/"},
				},
			},
		},
		RollbackAsked{Hosts: []fact.HostID{id("a")}, Reason: "on_failure: rollback", Auto: true},
	}
}

// everySigned are the kinds and fields that came with signatures.
func everySigned() []Entry {
	at := time.Date(2026, 11, 22, 22, 0, 0, 0, time.UTC)
	return []Entry{
		Opened{
			Rollout: "2026-11-22-monthly-7f3d", Playbook: "monthly", Site: "hq", Plan: "sha256:00",
			Rings: []plan.Ring{{Name: "test", Hosts: []fact.HostID{id("a")}}}, Trust: plan.Trust{Approvals: true, Plans: true, Checkpoints: true, FourEyes: true},
		},
		Approved{
			Ring: "production", Plan: "sha256:00", By: "omar@desk", As: "jane@hq.example", Expires: at, Authenticated: true,
			Signature: "-----BEGIN SSH SIGNATURE-----\n", Key: "SHA256:abc",
		},
		StepEnded{Host: id("a"), Step: FlowVerify, Outcome: OutcomeOK, After: "sha256:04"},
		Sealed{Seq: 7, Line: "sha256:01", Why: "gate production", As: "omar@hq.example", Key: "SHA256:def", Signature: "-----BEGIN SSH SIGNATURE-----\n"},
	}
}

func everyOne() []Entry {
	return slices.Concat(every(), everyNew(), everyLater(), everySigned())
}

func fullOpened(at time.Time, proven patch.Proven) Opened {
	limit, most := 3, 0.5
	return Opened{
		Rollout: "2026-11-21-monthly-7f3b", Playbook: "monthly", Site: "hq", Plan: "sha256:00",
		Rings: []plan.Ring{{
			Name: "test", Hosts: []fact.HostID{id("a"), id("b")}, Batches: []int{1}, MaxInFlight: 2, FailureLimit: 1, Window: "night", Stages: []int{1, 1},
			Gate: plan.Gate{
				Soak:     &playbook.Soak{For: 48 * time.Hour, MaxGap: 26 * time.Hour, Pace: playbook.Pace{InitialDelay: time.Minute, Interval: time.Hour, FailureLimit: 1, Successes: 2}},
				Approval: &plan.Approval{Approvers: "board", People: []string{"jane@hq.example"}, Count: 1, Expires: 24 * time.Hour},
				Checks: []playbook.Inquiry{
					{Name: "q", When: playbook.WhenBoth, Command: &health.Command{Argv: []string{"/bin/true"}}, Within: time.Second},
					{Name: "p", When: before, Prometheus: &playbook.Prometheus{URL: "http://prom:9090", Query: "up", Min: &most, Max: &most, Token: "env:T"}},
				},
				MinParticipation: 90, Coverage: 80,
			},
		}},
		Calendar: fullCalendar(at), FailureLimit: &limit, Units: map[string]string{"hq/a": "core"}, Takes: map[string]time.Duration{"hq/a": time.Hour},
		Budgets:     []plan.Budget{{Name: "group web", Most: 1, Hosts: []fact.HostID{id("a"), id("b")}, Members: true}},
		Quarantined: []fact.HostID{id("q")}, Urgent: true, Wants: map[string][]Want{"test": {{Proven: proven, Hosts: 2}}},
	}
}

func fullCalendar(at time.Time) schedule.Calendar {
	span := schedule.Span{From: at, To: at.Add(time.Hour), What: "change 7"}
	return schedule.Calendar{
		Zone: "Europe/London",
		Windows: map[string]schedule.Window{"night": {
			Rules: []schedule.Rule{{Days: []schedule.Day{{Weekday: time.Tuesday, Nth: 2}}, Start: "22:00", Length: 6 * time.Hour}}, Spans: []schedule.Span{span},
		}},
		Freezes: []schedule.Freeze{{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"}, {Reason: "change freeze", Spans: []schedule.Span{span}}},
	}
}

// oldEntries is how many lines of the golden file the first format has. They never change.
const (
	oldEntries = 9
	oldDigest  = patch.Digest("sha256:9f5d2e1a991562ab5a59346ee7fc9a61b79a395e2eaa68bdbb6337c5e5c18f99")
)

// Nothing that can be written is missing from the golden file.
func TestGoldenEntriesAreAll(t *testing.T) {
	all := everyOne()
	seen := map[string]reflect.Type{}
	empty := map[string]map[string]bool{}
	for _, e := range all {
		v := reflect.ValueOf(e)
		seen[e.Kind()] = v.Type()
		if empty[e.Kind()] == nil {
			empty[e.Kind()] = map[string]bool{}
			for i := range v.NumField() {
				empty[e.Kind()][v.Type().Field(i).Name] = true
			}
		}
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				delete(empty[e.Kind()], v.Type().Field(i).Name)
			}
		}
	}
	for kind, fields := range empty {
		if len(fields) > 0 {
			t.Errorf("%s: no entry has %v", kind, fields)
		}
	}
	if len(seen) != 18 || len(every()) != oldEntries {
		t.Errorf("%d kinds, and %d entries of the first format", len(seen), len(every()))
	}
}

// The golden file holds each kind as it stands in journals for ever.
func TestGoldenEntries(t *testing.T) {
	var got bytes.Buffer
	for _, e := range everyOne() {
		kind, payload, err := Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s %s\n", kind, payload)
		back, err := Unmarshal(kind, payload)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("%s came back as %+v, %v", kind, back, err)
		}
	}
	golden := filepath.Join("testdata", "entries.v1.txt")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.SplitAfterN(want, []byte("\n"), oldEntries+1); patch.DigestOf(bytes.Join(lines[:oldEntries], nil)) != oldDigest {
		t.Error("the lines of the first format were changed: journals that hold them would be read otherwise")
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("entries are written as\n%s\nand journals hold\n%s", got.Bytes(), want)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	tests := []struct {
		kind, payload, want string
		newer               bool
	}{
		{"teleported", `{}`, `kind "teleported"`, true},
		{"", `{}`, "kind", true},
		{"paused", `{"reason":"x","until":"y"}`, "until", false},
		{"paused", `{"reason":"x"}{}`, "behind", false},
		{"paused", `{"reason":`, "read paused", false},
		{"paused", ``, "read paused", false},
		{"step_started", `{"host":"hq/a","step":"x","mode":"guess"}`, `mode "guess"`, true},
		{"step_ended", `{"host":"hq/a","step":"x","outcome":"splendid"}`, `outcome "splendid"`, true},
		{"step_ended", `{"host":"nowhere","step":"x","outcome":"ok"}`, "SITE/NAME", false},
		{"step_started", `{"step":"x","step":"install","mode":"reconcile"}`, "no host is named", false},
		{"step_ended", `{"step":"install","outcome":"ok"}`, "no host is named", false},
		{"approved", `{"ring":"x","fingerprint":"y"}`, "fingerprint", false},
		{"sampled", `{"ring":"x","pass":"all"}`, "read sampled", false},
	}
	for _, tt := range tests {
		_, err := Unmarshal(tt.kind, []byte(tt.payload))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %q", tt.kind, tt.payload, err, tt.want)
		}
		if newer := fault.CodeOf(err) == fault.Unsupported; newer != tt.newer {
			t.Errorf("%s %s: said to be newer: %v", tt.kind, tt.payload, newer)
		}
	}
	if _, _, err := Marshal(nil); err == nil {
		t.Error("nothing was written without an error")
	}
}

// Whatever is read can be written, and reads the same again; Fold takes or refuses
// it, and never panics.
func FuzzUnmarshal(f *testing.F) {
	for _, e := range everyOne() {
		kind, payload, err := Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, []byte(payload))
	}
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		e, err := Unmarshal(kind, payload)
		if err != nil {
			return
		}
		_, again, err := Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(kind, again)
		if err != nil {
			t.Fatalf("%s was written as %s: %v", payload, again, err)
		}
		if _, third, _ := Marshal(back); !bytes.Equal(third, again) {
			t.Errorf("%s, then %s", again, third)
		}
		foldsOrRefuses(e)
		foldsOrRefuses(twoRings(), GateOpened{Ring: "test"}, e)
	})
}

// foldsOrRefuses is only to come back.
func foldsOrRefuses(entries ...Entry) {
	s := &State{}
	for i, e := range entries {
		if err := s.Fold(Event{Seq: uint64(i) + 1, Time: saturday, Entry: e}); err != nil {
			return
		}
	}
	s.Decide(Moment{Now: saturday.Add(time.Hour)})
	s.Status(saturday.Add(time.Hour))
}
