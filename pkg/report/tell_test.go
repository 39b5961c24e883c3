package report

import (
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/rollout"
)

// TestSentences: each event of gates, windows, budgets and retries is one stable line.
func TestSentences(t *testing.T) {
	want := []struct{ ring, step, outcome, sentence string }{
		{"", "calendar", "set", "windows and freezes are others now: windows unused, weekend, 3 freezes, Europe/London"},
		{"production", "soak", "pass", "ring production: soak sample: 6 of 6 healthy"},
		{"production", "soak", "fail", "ring production: soak sample: 4 of 6 healthy, 1 failing, 1 unknown; hq/canary2 (http 503); well again: hq/canary1"},
		{"production", "soak", "unknown", "ring production: soak sample: 0 of 0 healthy"},
		{"production", "inquiry", "pass", "ring production: check errors: pass (0.002)"},
		{"production", "inquiry", "fail", "ring production: check shop after the ring: fail (503)"},
		{"production", "inquiry", "unknown", "ring production: check change: unknown"},
		{"production", "approval", "approved", "ring production: approved by jane@hq.example (unauthenticated): CHG 17"},
		{"production", "waiver", "waived", "ring production: waived check:stock by jane@laptop: the shop is closed"},
		{"", "window", "overridden", "window overridden until 2026-03-09 07:20:00 UTC: the fix can't wait"},
		{"", "begin", "back", "hq/web3: stepped back: group web: 1 of 1 out (hq/web1 failing: http 503)"},
		{"", "begin", "back", "hq/web4: stepped back: out: hq/web1 failing: http 503"},
		{"", "retry", "retried", "retry: 2 hosts: disk replaced (hq/web1, hq/web2)"},
		{"", "begin", "started", "hq/web1: begin started: try 2"},
	}
	for i, e := range gatedEntries() {
		got := Tell(e)
		if got.Ring != want[i].ring || got.Step != want[i].step || got.Outcome != want[i].outcome || got.Sentence() != want[i].sentence {
			t.Errorf("%T is %+v\n got %s\nwant %s", e, got, got.Sentence(), want[i].sentence)
		}
	}
}

// standing is a state that only has a status.
type standing rollout.Status

func (s standing) Status(time.Time) rollout.Status { return rollout.Status(s) }

func TestApprovalsAreCounted(t *testing.T) {
	status := standing{Rings: []rollout.RingStatus{{Name: "production", Progress: sampleProgress()}}}
	const want = "ring production: approved by jane@hq.example (unauthenticated), 1 of 2: CHG 17"
	if got := TellIn(rollout.Event{Entry: sampleApproved()}, status).Sentence(); got != want {
		t.Errorf("told %q", got)
	}
	if got := TellIn(rollout.Event{Entry: sampleApproved()}, nil); got != Tell(sampleApproved()) {
		t.Errorf("without a state: %+v", got)
	}
	found := false
	for _, m := range NewRollout(waitingSource()).Timeline {
		found = found || m.Text == want
	}
	if !found {
		t.Error("the timeline does not count")
	}
}

// TestApprovalsThatEndedAreNotCounted: neither those of another set, nor the same person twice.
func TestApprovalsThatEndedAreNotCounted(t *testing.T) {
	one := sampleApproved()
	ended, again, other := one, one, one
	ended.As, ended.Expires = "omar@hq.example", at(2)
	again.Reason = "again"
	other.As, other.Set = "li@hq.example", "sha256:0"
	events := gatedEvents()[:1]
	for i, a := range []rollout.Approved{ended, other, one, again} {
		events = append(events, rollout.Event{Seq: uint64(i + 2), Time: at(i + 1), Entry: a})
	}
	told := timeline(events)
	if last := told[len(told)-1].Text; !strings.Contains(last, "1 of 2") {
		t.Errorf("told %q", last)
	}
}
