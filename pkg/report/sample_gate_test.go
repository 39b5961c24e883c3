package report

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
	"github.com/patchring/patchring/pkg/schedule"
)

// The gated samples are a plan that asks for everything a gate can ask for, and a
// rollout of it that waits: every kind of condition stands in it once.

func sampleCalendar() schedule.Calendar {
	saturday, patchday := schedule.Day{Weekday: time.Saturday}, schedule.Day{Weekday: time.Tuesday, Nth: 2}
	return schedule.Calendar{
		Zone: "Europe/London",
		Windows: map[string]schedule.Window{
			"weekend": {Rules: []schedule.Rule{{Days: []schedule.Day{saturday, patchday}, Start: "22:00", Length: 6 * time.Hour}}},
			"unused":  {},
		},
		Freezes: []schedule.Freeze{
			{From: "2025-12-18", Through: "2026-01-04", Reason: "long over"},
			{From: "2026-12-18", Through: "2027-01-04", Reason: "year-end"},
			{Reason: "change freeze", Spans: []schedule.Span{{From: at(0).AddDate(0, 1, 0), To: at(0).AddDate(0, 1, 1), What: "audit"}}},
		},
	}
}

func sampleGate() plan.Gate {
	most := 0.01
	five := playbook.Pace{Interval: 5 * time.Minute, FailureLimit: 1}
	return plan.Gate{
		Soak:     &playbook.Soak{For: 48 * time.Hour, MaxGap: 26 * time.Hour, Pace: playbook.Pace{Interval: time.Hour, InitialDelay: 10 * time.Minute, Successes: 2}},
		Approval: &plan.Approval{Approvers: "board", People: []string{"jane@hq.example", "omar@hq.example", "li@hq.example"}, Count: 1, Expires: 7 * 24 * time.Hour},
		Checks: []playbook.Inquiry{
			{Name: "errors", When: playbook.WhenBoth, Prometheus: &playbook.Prometheus{URL: "http://user:hunter2@prom:9090/x", Query: "sum(rate(errors[5m]))", Max: &most}, Within: 30 * time.Second, Pace: five},
			{Name: "change", When: playbook.WhenBefore, Command: &health.Command{Argv: []string{"/usr/local/bin/change-open", "CHG 17"}}, Within: 30 * time.Second, Pace: five},
			{Name: "shop", When: playbook.WhenAfter, HTTP: &health.HTTP{URL: "https://shop.example/healthz?token=hunter2", Status: 200}, Within: 10 * time.Second, Pace: five},
		},
		MinParticipation: 90, Coverage: 80,
	}
}

func gatedPlan() *plan.Plan {
	p, limit := samplePlan(), 3
	p.Calendar, p.Urgent, p.FailureLimit = sampleCalendar(), true, &limit
	ring := &p.Rings[1]
	ring.Window, ring.Gate, ring.Stages = "weekend", sampleGate(), []int{2, 5}
	for i := range p.Hosts {
		p.Hosts[i].Takes = plan.DefaultTakes
		switch p.Hosts[i].ID.Name {
		case "web1", "web2":
			p.Hosts[i].Unit = "front"
		case "db1":
			p.Hosts[i].Takes = 75 * time.Minute
		}
	}
	web := []fact.HostID{id("web1"), id("web2"), id("web3"), id("web4")}
	p.Budgets = []plan.Budget{{Name: "group web", Most: 1, Hosts: web}, {Name: "unit front", Most: 1, Hosts: web[:2], Members: true}}
	p.Hooks = []plan.Hook{
		{Hosts: web, Action: playbook.Action{Name: "lb", At: playbook.HookDrain, On: "lb1", Argv: []string{"/usr/local/bin/lbctl", "drain"}, Undo: []string{"/usr/local/bin/lbctl", "enable"}, Within: 2 * time.Minute, Wait: &playbook.Wait{Idle: true, Within: 5 * time.Minute}}},
		{Hosts: []fact.HostID{id("db1")}, Action: playbook.Action{Name: "backup", At: playbook.HookBefore, On: playbook.OnHost, Argv: []string{"/usr/local/bin/backup-now", ""}, Within: 30 * time.Minute, Become: true}},
	}
	p.Silences = []plan.Silence{
		{Hosts: web, Mute: playbook.Mute{Name: "am", Alertmanager: "http://am:9093", TTL: 30 * time.Minute}},
		{Hosts: web[:1], Mute: playbook.Mute{Name: "pager", Webhook: "https://hooks.example/services/hunter2", TTL: 30 * time.Minute}},
	}
	p.Quarantined = []plan.Quarantined{{ID: id("old1"), Ring: "production", Owner: "omar@hq.example", Until: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Reason: "disk on order"}}
	return p
}

func sampleProgress() *rollout.GateProgress {
	return &rollout.GateProgress{
		Soak:     &rollout.SoakProgress{For: 48 * time.Hour, Soaked: 31 * time.Hour, Samples: 32, Failed: 1, Pass: 1, Fail: 1, Last: at(1900), Sick: map[string]string{"hq/canary2": "http 503"}},
		Approval: &rollout.ApprovalProgress{Approvers: "board", Count: 2, Given: []rollout.Approved{sampleApproved()}},
		Inquiries: []rollout.InquiryProgress{
			{Name: "errors", When: playbook.WhenBefore, Asked: 3, Failed: 1, Successes: 2, Last: at(1890), LastVerdict: health.Pass, Seen: "0.002", Passed: true},
			{Name: "change", When: playbook.WhenBefore, Asked: 1, Last: at(1890), LastVerdict: health.Unknown, Seen: "exit status 127"},
			{Name: "shop", When: playbook.WhenAfter},
		},
		Waived: []rollout.Waived{sampleWaived()},
	}
}

func sampleApproved() rollout.Approved {
	return rollout.Approved{Ring: "production", Plan: planDigest, Set: planDigest, By: "jane@laptop", As: "jane@hq.example", Expires: at(9000), Reason: "CHG 17"}
}

func sampleWaived() rollout.Waived {
	return rollout.Waived{Ring: "production", Set: planDigest, What: "check:stock", By: "jane@laptop", Reason: "the shop is closed"}
}

// waitingSource is the gated plan on its way: one ring done, one waiting.
func waitingSource() Source {
	s := sampleSource()
	s.Plan, s.Now, s.Events = gatedPlan(), at(1910), gatedEvents()
	st := &s.Status
	st.Phase, st.Reasons, st.Urgent, st.Starter, st.Changed = rollout.PhaseOpen, nil, true, "omar@laptop", at(1900)
	st.Override = rollout.WindowOverridden{Reason: "the fix can't wait", Until: at(2000)}
	st.Out = map[string]string{"hq/lb1": "locked by rollout weekly-hq-1"}
	st.Rings[1].Gate, st.Rings[1].GateReasons, st.Rings[1].Began = rollout.GateClosed, []string{"it soaks"}, time.Time{}
	st.Rings[1].Window, st.Rings[1].Progress, st.Rings[1].Set = "weekend", sampleProgress(), ""
	for i := range st.Hosts {
		h := &st.Hosts[i]
		if h.Ring == "production" && h.State != rollout.HostNothing {
			*h = rollout.HostStatus{ID: h.ID, Ring: h.Ring, State: rollout.HostWaiting}
		}
		switch h.ID.Name {
		case "web1":
			h.NotBefore, h.Reasons = at(1920), []string{"group web: 1 of 1 out (hq/web3 failing: http 503)"}
		case "web2":
			h.Try = 2
		case "canary2":
			*h = rollout.HostStatus{ID: h.ID, Ring: h.Ring, State: rollout.HostFailed, Touched: true, Code: fault.HostFailed, Reasons: []string{"check service nginx: fail"}, Drained: true, Silenced: true}
		}
	}
	for i := range st.Rings {
		st.Rings[i].ByState = map[rollout.HostState]int{}
		for _, h := range st.Hosts {
			if h.Ring == st.Rings[i].Name {
				st.Rings[i].ByState[h.State]++
			}
		}
	}
	s.Waits = []rollout.Wait{
		{Ring: "production", Person: true, Until: opening(),
			For: "opens not before Sat 22:00 Europe/London: window weekend; soak 31h of 48h, 1 of 2 healthy; approval: board 1 of 2"},
		{For: "hq/web1 stepped back", Until: at(1920)},
	}
	return s
}

// opening is the Saturday after the samples' first one.
func opening() time.Time { return time.Date(2026, 3, 14, 22, 0, 0, 0, time.UTC) }

func gatedEvents() []rollout.Event {
	opened := rollout.Opened{Rollout: "monthly-hq-20260307-7f3a", Playbook: "monthly", Site: "hq", Rings: gatedPlan().Rings, Calendar: sampleCalendar()}
	opened.Rings[1].Gate.Approval.Count = 2
	entries := append([]rollout.Entry{opened}, gatedEntries()...)
	var out []rollout.Event
	for i, e := range entries {
		out = append(out, rollout.Event{Seq: uint64(i + 1), Time: at(i), Actor: "jane@laptop", Entry: e})
	}
	return out
}

// gatedEntries are those that only gates, windows, budgets and retries write.
func gatedEntries() []rollout.Entry {
	return []rollout.Entry{
		rollout.CalendarSet{Calendar: sampleCalendar()},
		rollout.Sampled{Ring: "production", Pass: 6},
		rollout.Sampled{Ring: "production", Pass: 4, Fail: 1, Unknown: 1, Changed: map[string]string{"hq/canary1": "", "hq/canary2": "http 503"}},
		rollout.Sampled{Ring: "production"},
		rollout.Asked{Ring: "production", Check: "errors", When: playbook.WhenBefore, Verdict: health.Pass, Seen: "0.002"},
		rollout.Asked{Ring: "production", Check: "shop", When: playbook.WhenAfter, Verdict: health.Fail, Seen: "503"},
		rollout.Asked{Ring: "production", Check: "change"},
		sampleApproved(),
		sampleWaived(),
		rollout.WindowOverridden{Reason: "the fix can't wait", Until: at(2000)},
		rollout.StepEnded{Host: id("web3"), Step: rollout.FlowBegin, Outcome: rollout.OutcomeBack, Reasons: []string{"group web: 1 of 1 out (hq/web1 failing: http 503)"}, Out: map[string]string{"hq/web1": "failing: http 503"}},
		rollout.StepEnded{Host: id("web4"), Step: rollout.FlowBegin, Outcome: rollout.OutcomeBack, Out: map[string]string{"hq/web1": "failing: http 503"}},
		rollout.Retried{Hosts: []fact.HostID{id("web1"), id("web2")}, Reason: "disk replaced"},
		rollout.StepStarted{Host: id("web1"), Step: rollout.FlowBegin, Mode: rollout.Start, Try: 2},
	}
}
