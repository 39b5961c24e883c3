package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// gate draws what a ring waits for.
func (d *draw) gate(p *part, r *plan.Ring, at int) {
	r.Window = pick(d, "window", "", "", schedule.Any, "night", "weekend")
	if at > 0 && d.one(2, "soak") {
		r.Gate.Soak = d.soak()
	}
	if d.one(4, "approval") {
		r.Gate.Approval = &plan.Approval{
			Approvers: "board", People: people, Count: d.num(1, 2, "count"),
			Expires: time.Duration(pick(d, "expires", 1, 30, 24*7)) * time.Hour,
		}
	}
	for i := range d.num(0, 4, "checks") / 2 {
		r.Gate.Checks = append(r.Gate.Checks, d.inquiry(p, fmt.Sprintf("q%d", i)))
	}
	r.Gate.MinParticipation = pick(d, "participation", 0, 0, 1, 50, 100)
	r.Gate.Coverage = pick(d, "coverage", 0, 0, 0, 50, 100)
}

func (d *draw) pace() playbook.Pace {
	return playbook.Pace{
		InitialDelay: time.Duration(pick(d, "initial delay", 0, 0, 30, 300)) * time.Minute,
		Interval:     time.Duration(pick(d, "interval", 20, 60, 240)) * time.Minute,
		FailureLimit: d.num(0, 1, "failures"), Successes: d.num(0, 3, "successes"),
	}
}

func (d *draw) soak() *playbook.Soak {
	return &playbook.Soak{
		For:    time.Duration(pick(d, "soak", 0, 1, 4, 24)) * time.Hour,
		Pace:   d.pace(),
		MaxGap: time.Duration(pick(d, "max gap", 26*60, 26*60, 70, 250)) * time.Minute,
	}
}

func (d *draw) inquiry(p *part, name string) playbook.Inquiry {
	q := playbook.Inquiry{Name: name, When: pick(d, "when", before, after, playbook.WhenBoth), Pace: d.pace()}
	if d.one(3, "answers") {
		if p.Answers == nil {
			p.Answers = map[string][]health.Verdict{}
		}
		for _, when := range []playbook.When{before, after} {
			var all []health.Verdict
			for range d.num(0, 4, "answers") {
				all = append(all, pick(d, "answer", health.Pass, health.Pass, health.Fail, health.Unknown))
			}
			p.Answers[string(when)+" "+name] = all
		}
	}
	return q
}

// calendar draws windows that are open tonight, over the change of the clocks, and
// later; and sometimes a freeze.
func (d *draw) calendar() schedule.Calendar {
	all := []schedule.Day{}
	for day := range 7 {
		all = append(all, schedule.Day{Weekday: time.Weekday(day)})
	}
	night := schedule.Rule{Days: all, Start: pick(d, "night", "22:00", "00:30", "03:00"), Length: time.Duration(pick(d, "hours", 2, 3, 6)) * time.Hour}
	weekend := schedule.Rule{Days: []schedule.Day{{Weekday: time.Saturday}, {Weekday: time.Sunday}}, Start: "18:00", Length: 8 * time.Hour}
	c := schedule.Calendar{
		Zone:    pick(d, "zone", "", "Europe/London", "America/New_York"),
		Windows: map[string]schedule.Window{"night": {Rules: []schedule.Rule{night}}, "weekend": {Rules: []schedule.Rule{weekend}}},
	}
	if d.one(4, "freeze") {
		from := d.num(24, 28, "freeze from")
		c.Freezes = []schedule.Freeze{{From: day(from), Through: day(from + d.num(0, 2, "freeze days")), Reason: "year-end"}}
	}
	return c
}

func day(n int) string { return fmt.Sprintf("2026-10-%02d", n) }

func (d *draw) word() word {
	return word{
		What: pick(d, "word", sayPause, sayResume, sayAbort, sayApprove, sayApprove, sayWaive, sayWaive, sayRetry, sayRetry, sayOverride, sayCalendar, sayRollback, sayRollback),
		Ring: d.num(0, 2, "ring"), Who: d.num(0, 2, "who"), Host: d.num(-1, 9, "host"),
		For: time.Duration(d.num(0, 600, "minutes")) * time.Minute, Another: d.calendar(),
	}
}

// budgets draws some over any of the hosts, and one for each unit.
func (d *draw) budgets(all []fact.HostID) {
	var budgets []plan.Budget
	for i := range d.num(0, 3, "budgets") {
		b := plan.Budget{Name: fmt.Sprintf("group g%d", i), Most: d.num(1, 3, "most")}
		for _, host := range all {
			if d.one(2, "in it") {
				b.Hosts = append(b.Hosts, host)
			}
		}
		budgets = append(budgets, b)
	}
	members := map[string][]fact.HostID{}
	for _, host := range all {
		if unit := d.units[host]; unit != "" {
			members[unit] = append(members[unit], host)
		}
	}
	for _, host := range all {
		if unit := d.units[host]; unit != "" && members[unit][0] == host {
			budgets = append(budgets, plan.Budget{Name: "unit " + unit, Most: 1, Hosts: members[unit], Members: true})
		}
	}
	for i := range d.s.Parts {
		d.share(d.s.Parts[i].Plan, budgets)
	}
}

// share gives a plan the budgets that count any of its hosts, and their peers.
func (d *draw) share(p *plan.Plan, budgets []plan.Budget) {
	mine := map[fact.HostID]bool{}
	for _, h := range p.Hosts {
		mine[h.ID] = true
	}
	peers := map[fact.HostID]bool{}
	for _, b := range budgets {
		if !slices.ContainsFunc(b.Hosts, func(id fact.HostID) bool { return mine[id] }) {
			continue
		}
		p.Budgets = append(p.Budgets, b)
		for _, host := range b.Hosts {
			if !peers[host] {
				p.Peers = append(p.Peers, plan.Peer{ID: host, Unit: d.units[host]})
			}
			peers[host] = true
		}
	}
	slices.SortFunc(p.Peers, func(a, b plan.Peer) int { return a.ID.Compare(b.ID) })
}
