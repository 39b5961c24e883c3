package rollout

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
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

// The golden file holds each kind as it stands in journals for ever.
func TestGoldenEntries(t *testing.T) {
	var got bytes.Buffer
	for _, e := range every() {
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
	for _, e := range every() {
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
		s := &State{}
		for i, e := range []Entry{twoRings(), GateOpened{Ring: "test"}, e} {
			if err := s.Fold(Event{Seq: uint64(i) + 1, Entry: e}); err != nil {
				return
			}
		}
		s.Decide(Moment{})
		s.Status(time.Time{})
	})
}
