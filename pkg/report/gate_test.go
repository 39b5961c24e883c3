package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// gated is an open rollout whose second ring waits for what p has.
func gated(p rollout.GateProgress, waits ...rollout.Wait) Source {
	s := source(rollout.PhaseOpen, 0, host(rollout.HostHealthy, "", true))
	s.Status.Rings[1].Progress, s.Waits, s.Now = &p, waits, at(0)
	s.Plan = &plan.Plan{Calendar: schedule.Calendar{Zone: "Europe/London"}}
	return s
}

func person() rollout.Wait { return rollout.Wait{Ring: "production", For: "a person", Person: true} }

func TestNextOfGates(t *testing.T) {
	asked := func(v health.Verdict) rollout.GateProgress {
		one := rollout.InquiryProgress{Name: "errors", When: playbook.WhenBefore, Asked: 1, LastVerdict: v}
		return rollout.GateProgress{Inquiries: []rollout.InquiryProgress{one, one}}
	}
	board := rollout.GateProgress{Approval: &rollout.ApprovalProgress{Approvers: "board", Count: 1}}
	soak := rollout.GateProgress{Soak: &rollout.SoakProgress{Doubtful: true}}
	waived := soak
	waived.Waived = []rollout.Waived{{What: rollout.WaiveSoak}}
	given := rollout.GateProgress{Approval: &rollout.ApprovalProgress{Count: 1, Given: []rollout.Approved{{As: "jane"}}}}
	twice := rollout.GateProgress{Approval: &rollout.ApprovalProgress{Count: 2, Given: []rollout.Approved{{As: "jane"}, {As: "jane"}}}}
	approve := "patchring approve r1 --ring production; then patchring run monthly"
	drained := gated(rollout.GateProgress{})
	drained.Status.Hosts[0].Drained = true
	atWork := gated(rollout.GateProgress{}, rollout.Wait{For: "the window", Until: at(60)})
	atWork.Status.Hosts[0].State = rollout.HostWorking
	cases := []struct {
		name string
		s    Source
		want string
	}{
		{"approval missing", gated(board, person()), approve},
		{"one person approved twice", gated(twice, person()), approve},
		{"approval given, somebody is asked for another ring", gated(given, person()), "patchring run monthly"},
		{"approval missing, and nobody is asked yet", gated(board), "patchring run monthly"},
		{"soak inconclusive", gated(soak, person()), "patchring promote r1 --ring production --waive soak --reason TEXT; then patchring run monthly"},
		{"soak waived", gated(waived, person()), "patchring run monthly"},
		{"inquiry inconclusive", gated(asked(health.Unknown), person()), "patchring promote r1 --ring production --waive check:errors --reason TEXT; then patchring run monthly"},
		{"inquiry of an earlier ring inconclusive after it", gated(asked(health.Unknown), rollout.Wait{Ring: "later", For: "x", Person: true}), "patchring promote r1 --ring production --waive check:errors --reason TEXT; then patchring run monthly"},
		{"inquiry failed: no waiver can help", gated(asked(health.Fail), person()), "patchring run monthly"},
		{"window", gated(board, rollout.Wait{Ring: "production", For: "w", Until: opening()}),
			"patchring run monthly, again after Sat 2026-03-14 22:00 Europe/London; or now, with --wait 7d"},
		{"within the week", gated(board, rollout.Wait{For: "w", Until: at(90)}, rollout.Wait{For: "later", Until: opening()}),
			"patchring run monthly, again after Sat 23:30 Europe/London; or now, with --wait 2h"},
		{"within the hour", gated(board, rollout.Wait{For: "w", Until: at(39).Add(time.Second)}), "patchring run monthly, again after Sat 22:39 Europe/London; or now, with --wait 40m"},
		{"that time is past", gated(board, rollout.Wait{For: "w", Until: at(-1)}), "patchring run monthly"},
		{"hosts at work", atWork, "patchring run monthly"},
		{"drained", drained, "patchring run monthly; still drained: hq/healthy1"},
	}
	for _, c := range cases {
		if got := Next(c.s); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestExitOfGates(t *testing.T) {
	limit := 0
	sick := host(rollout.HostFailed, fault.HostFailed, true)
	overall := source(rollout.PhaseHalted, 5, sick)
	overall.Plan = &plan.Plan{FailureLimit: &limit}
	drained := source(rollout.PhaseAborted, 0, host(rollout.HostHealthy, "", true))
	drained.Status.Hosts[0].Drained = true
	waiting := gated(rollout.GateProgress{}, rollout.Wait{For: "the window", Until: at(60)})
	detailed := waiting
	detailed.Detailed = true
	cases := []struct {
		name string
		s    Source
		code int
		why  string
	}{
		{"waits for an approval", gated(rollout.GateProgress{}, person()), ExitNeedsPerson, "waits for a person"},
		{"waits for a window", waiting, ExitDone, "until Sat 23:00 Europe/London"},
		{"waits for a window, detailed", detailed, ExitWaiting, "the window"},
		{"the soak failed", source(rollout.PhaseHalted, 0, host(rollout.HostHealthy, "", true)), ExitGateFailed, "said no"},
		{"drained, though aborted", drained, ExitNeedsPerson, "still drained"},
		{"past the limit of all", overall, ExitHostsFailed, "1 host failed"},
	}
	for _, c := range cases {
		got := Exit(c.s)
		if got.Code != c.code || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if why := Exit(overall).Why; strings.Contains(why, "gate") {
		t.Errorf("no gate said no: %s", why)
	}
}

// TestWaitText: one line has the ring, the words and the time, each once.
func TestWaitText(t *testing.T) {
	s := gated(rollout.GateProgress{})
	cases := []struct {
		w    rollout.Wait
		want string
	}{
		{rollout.Wait{Ring: "production", For: "opens not before Sat 23:00 Europe/London: window weekend; soak 31h of 48h", Until: at(60)}, "production opens not before Sat 23:00 Europe/London: window weekend; soak 31h of 48h"},
		{rollout.Wait{Ring: "production", For: "waits for approval: board 0 of 1"}, "production waits for approval: board 0 of 1"},
		{rollout.Wait{Ring: "production", For: "it soaks"}, "production: it soaks"},
		{rollout.Wait{Ring: "test", For: "testing goes on"}, "test: testing goes on"},
		{rollout.Wait{Ring: "production", For: "production opens not before Sat 23:00 Europe/London: window weekend", Until: at(60)}, "production opens not before Sat 23:00 Europe/London: window weekend"},
		{rollout.Wait{Ring: "production", For: "ring production: the window", Until: at(60)}, "ring production: the window; until Sat 23:00 Europe/London"},
		{rollout.Wait{For: "x\x1b[2J\ny"}, `x\x1b[2J y`},
	}
	for _, c := range cases {
		if got := s.waitText(c.w); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestWaitIsNotBroken: at 80 columns the sentence of a wait is two lines at most.
func TestWaitIsNotBroken(t *testing.T) {
	for line := range strings.SplitSeq(string(render(t, NewRollout(waitingSource()), FormatTable, Options{Width: 80})), "! a person  ") {
		if strings.HasPrefix(line, "production opens") {
			if first, rest, _ := strings.Cut(line, "\n"); len(first) < 60 || !strings.Contains(rest, "approval: board 1 of 2\n") {
				t.Errorf("badly broken: %q", line)
			}
			return
		}
	}
	t.Error("the wait is not shown")
}

// TestNoSecretOfURLs: users, queries, and the paths of webhooks stay out of every format.
func TestNoSecretOfURLs(t *testing.T) {
	for _, f := range []Format{FormatTable, FormatJSON, FormatMarkdown, FormatCSV} {
		for _, d := range []Document{NewPlan(gatedPlan(), planDigest, false), NewRollout(waitingSource())} {
			if got := render(t, d, f, Options{Width: 80}); bytes.Contains(got, []byte("hunter2")) {
				t.Errorf("%s of a %T has a secret", f, d)
			}
		}
	}
	for raw, want := range map[string]string{"http://am:9093": "http://am:9093", "https://u:p@h/x?y": "https://h", "::": "(a URL)", "": "(a URL)", "/path": "(a URL)"} {
		if got := place(raw); got != want {
			t.Errorf("place(%q) = %q", raw, got)
		}
	}
}

// TestApprovalsAreMarked: wherever an approval is shown, so is that nobody has proven it.
func TestApprovalsAreMarked(t *testing.T) {
	doc := NewRollout(waitingSource())
	for _, f := range []Format{FormatTable, FormatMarkdown} {
		for line := range strings.Lines(string(render(t, doc, f, Options{}))) {
			if strings.Contains(line, "jane") && strings.Contains(line, "hq.example") && !strings.Contains(line, "unauthenticated") {
				t.Errorf("%s: %q", f, line)
			}
		}
	}
	if !bytes.Contains(render(t, doc, FormatJSON, Options{}), []byte(`"authenticated": false`)) {
		t.Error("the JSON does not say whether the approval is authenticated")
	}
	if board := string(render(t, NewPlan(gatedPlan(), planDigest, false), FormatTable, Options{})); !strings.Contains(board, "board: 1 of 3 people") || !strings.Contains(board, "unauthenticated") {
		t.Error("the plan does not say who approves, and that it is unauthenticated")
	}
	signed := gatedPlan()
	signed.Trust = plan.Trust{Approvals: true, Checkpoints: true, FourEyes: true}
	board := string(render(t, NewPlan(signed, planDigest, false), FormatTable, Options{}))
	if strings.Contains(board, "unauthenticated") || !strings.Contains(board, "approvals, checkpoints must be; the starter can't approve") {
		t.Errorf("the plan does not say what must be signed:\n%s", board)
	}
}

// TestPlainPlanHasNoNoise: a plan without gates, windows and hooks shows none of them.
func TestPlainPlanHasNoNoise(t *testing.T) {
	p := samplePlan()
	for i := range p.Hosts {
		p.Hosts[i].Takes = plan.DefaultTakes
	}
	plainText := string(render(t, NewPlan(samplePlan(), planDigest, false), FormatTable, Options{Width: 80}))
	if got := string(render(t, NewPlan(p, planDigest, false), FormatTable, Options{Width: 80})); got != plainText {
		t.Errorf("a plan says how long hosts take though nothing depends on it:\n%s", got)
	}
	for _, word := range []string{"window", "UNIT", "Budgets", "around", "Quarantined", "Lane", "Freeze"} {
		if strings.Contains(plainText, word) {
			t.Errorf("%q stands in a plan that has none", word)
		}
	}
}

func TestQuarantinedOnce(t *testing.T) {
	doc := NewRollout(waitingSource())
	if n := parseJUnit(t, render(t, doc, FormatJUnit, Options{})).cases("hq/old1"); n != 1 {
		t.Errorf("%d testcases", n)
	}
	for name, d := range map[string]Document{"rollout": doc, "plan": NewPlan(gatedPlan(), planDigest, false)} {
		n := 0
		for _, row := range parseCSV(t, render(t, d, FormatCSV, Options{})) {
			if strings.Contains(strings.Join(row, " "), "hq/old1") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d rows of CSV", name, n)
		}
	}
	elsewhere := waitingSource()
	elsewhere.Plan.Quarantined[0].Ring = "gone"
	if n := parseJUnit(t, render(t, NewRollout(elsewhere), FormatJUnit, Options{})).cases("hq/old1"); n != 1 {
		t.Errorf("of no ring: %d testcases", n)
	}
}

// TestDrainedIsNoPass: a healthy host that nothing has put back is out of use.
func TestDrainedIsNoPass(t *testing.T) {
	s := source(rollout.PhaseFinished, 0, host(rollout.HostHealthy, "", true))
	s.Status.Hosts[0].Drained = true
	if c := NewRollout(s).suites()[0].cases[0]; c.kind != "error" || !strings.Contains(c.message, "still drained") {
		t.Errorf("%+v", c)
	}
	if table := string(render(t, NewRollout(s), FormatTable, Options{Brief: true})); !strings.Contains(table, "still drained") {
		t.Errorf("the brief table leaves it out:\n%s", table)
	}
}

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 30 * time.Minute: "30m", time.Hour: "1h", 48 * time.Hour: "48h", 72 * time.Hour: "3d",
		75 * time.Minute: "1h15m", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
