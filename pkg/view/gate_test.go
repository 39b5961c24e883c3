package view

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// still is a state that stands still: what gates say is shown as it was recorded.
type still struct{ status rollout.Status }

func (s still) Status(time.Time) rollout.Status { return s.status }

func (s still) Host(id fact.HostID) (rollout.HostStatus, bool) {
	for _, h := range s.status.Hosts {
		if h.ID == id {
			return h, true
		}
	}
	return rollout.HostStatus{}, false
}

func waiting() still {
	given := []rollout.Approved{{As: "jane@hq.example"}}
	return still{rollout.Status{
		Rollout: "monthly-hq-7f3a", Phase: rollout.PhaseOpen,
		Rings: []rollout.RingStatus{{Name: "production", Progress: &rollout.GateProgress{Approval: &rollout.ApprovalProgress{Approvers: "board", Count: 1, Given: given}}}},
		Hosts: []rollout.HostStatus{{ID: id("web1"), Ring: "production", State: rollout.HostWaiting}, {ID: id("web2"), Ring: "production", State: rollout.HostWorking, Began: &rollout.Began{}}},
	}}
}

// gateEntries has every kind of event that gates, windows, budgets, hooks and retries
// write; text is what a host, a server or a person had a hand in.
func gateEntries(text string) []rollout.Entry {
	entries := []rollout.Entry{
		rollout.CalendarSet{},
		rollout.Sampled{Ring: "production", Pass: 6},
		rollout.Sampled{Ring: "production", Pass: 5, Fail: 1, Changed: map[string]string{"hq/web1": text}},
		rollout.Asked{Ring: "production", Check: "errors", When: playbook.WhenBefore, Verdict: health.Pass, Seen: text},
		rollout.Asked{Ring: "production", Check: "change"},
		rollout.Approved{Ring: "production", As: "jane@hq.example", By: "jane@laptop", Reason: text},
		rollout.Waived{Ring: "production", What: rollout.WaiveSoak, Reason: text},
		rollout.WindowOverridden{Reason: text, Until: time.Date(2026, 3, 8, 4, 0, 0, 0, time.UTC)},
		rollout.StepEnded{Host: id("web1"), Step: rollout.FlowBegin, Outcome: rollout.OutcomeBack, Reasons: []string{"group web: 1 of 1 out (" + text + ")"}},
		rollout.Retried{Hosts: []fact.HostID{id("web1")}, Reason: text},
		rollout.StepStarted{Host: id("web2"), Step: rollout.FlowBegin, Mode: rollout.Start, Try: 2},
	}
	for _, step := range []platform.StepID{rollout.FlowHooks, rollout.FlowDrain, rollout.FlowUndrain, rollout.FlowHooksEnd} {
		entries = append(entries, rollout.StepStarted{Host: id("web2"), Step: step, Mode: rollout.Start})
	}
	return append(entries, rollout.StepEnded{Host: id("web2"), Step: rollout.FlowDrain, Outcome: rollout.OutcomeFailed, Reasons: []string{text}})
}

// showGates plays them and closes the views.
func showGates(t *testing.T, text string, views ...View) int {
	t.Helper()
	entries := gateEntries(text)
	for i, e := range entries {
		for _, v := range views {
			v.Event(rollout.Event{Seq: uint64(i + 1), Time: time.Date(2026, 3, 7, 22, 0, i, 0, time.UTC), Actor: "jane@laptop", Entry: e}, waiting())
		}
	}
	for _, v := range views {
		if err := v.Close(nil); err != nil {
			t.Fatal(err)
		}
	}
	return len(entries)
}

func TestGateLinesGolden(t *testing.T) {
	var out bytes.Buffer
	n := showGates(t, "http 503", NewLines(&out, nil))
	golden(t, "gate.lines.txt", out.Bytes())
	if got := strings.Count(out.String(), "\n"); got != n {
		t.Errorf("%d lines for %d events", got, n)
	}
	noControls(t, strings.ReplaceAll(out.String(), "\n", ""))
}

// TestGateMessages: each event is one message under the name that the journal has for it.
func TestGateMessages(t *testing.T) {
	var out bytes.Buffer
	showGates(t, "http 503", NewJSON(&out))
	golden(t, "gate.ndjson", out.Bytes())
	for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		var m Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if e := gateEntries("")[i]; m.Event != e.Kind() || m.Step == "" || m.Outcome == "" || m.Text == "" {
			t.Errorf("%T is %s", e, line)
		}
		if strings.Contains(line, "jane@hq.example") && !strings.Contains(line, "unauthenticated") {
			t.Errorf("an approval that looks proven: %s", line)
		}
	}
}

func TestGateLiveGolden(t *testing.T) {
	for _, width := range []int{80, 40} {
		screen := newScreen(t, width)
		ticks := make(chan time.Time)
		v := NewLive(LiveOptions{Out: screen, Clock: func() time.Time { return time.Date(2026, 3, 7, 22, 1, 0, 0, time.UTC) }, Ticks: ticks, Size: func() (int, int) { return width, 24 }})
		showGates(t, "http 503", v)
		golden(t, "gate.live."+strconv.Itoa(width)+".txt", []byte(screen.String()))
		if !strings.Contains(strings.Join(strings.Fields(screen.String()), " "), "(unauthenticated), 1 of 1") {
			t.Errorf("at %d the approval is not counted, or looks proven", width)
		}
	}
}

// FuzzGateText: whatever hosts, servers and people say, each event stays one line of
// the pipe and one JSON object.
func FuzzGateText(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J\x1b]0;t\a", "a\r\n22:00:00 x", "\u202eabc\u0085", strings.Repeat("x", 2000), "", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var lines, objects bytes.Buffer
		n := showGates(t, text, NewLines(&lines, nil), NewJSON(&objects))
		if got := strings.Count(lines.String(), "\n"); got != n {
			t.Errorf("%d lines for %d events:\n%s", got, n, lines.String())
		}
		for line := range strings.Lines(lines.String()) {
			noControls(t, strings.TrimSuffix(line, "\n"))
		}
		for line := range strings.Lines(objects.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %q", line)
			}
		}
	})
}

// TestBoardFollowsRetries: hosts that are put back to waiting have not ended any more.
func TestBoardFollowsRetries(t *testing.T) {
	failed, again := waiting(), waiting()
	failed.status.Hosts[0].State = rollout.HostFailed
	var b board
	b.learn(failed.status)
	b.follow(rollout.Event{Entry: rollout.Retried{Hosts: []fact.HostID{id("web1")}}}, again)
	if got := b.rings[0].by; got[rollout.HostFailed] != 0 || got[rollout.HostWaiting] != 1 {
		t.Errorf("the board counts %v", got)
	}
}
