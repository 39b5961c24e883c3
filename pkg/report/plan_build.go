package report

import (
	"fmt"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// NewPlan builds the document of a plan. detailed asks for exit code 3 where there
// is something to change (--detailed-exitcode).
func NewPlan(p *plan.Plan, digest patch.Digest, detailed bool) Plan {
	doc := Plan{
		Header: header("plan"), Plan: string(digest), Playbook: clean(p.Playbook), Site: clean(p.Site), Made: p.Made.UTC(),
		Reboot: string(p.Reboot), Rings: []PlanRing{}, Hosts: []PlanHost{}, Notes: cleanAll(p.Notes),
	}
	doc = doc.withRules(p)
	for _, h := range p.Hosts {
		host := newPlanHost(h)
		doc.Hosts = append(doc.Hosts, host)
		doc.Totals.add(host)
	}
	doc.Exit = doc.exit(detailed)
	return doc
}

// withRules takes over what holds for rings and sets of hosts.
func (d Plan) withRules(p *plan.Plan) Plan {
	d.Urgent, d.FailureLimit, d.Calendar = p.Urgent, p.FailureLimit, newPlanCalendar(p)
	d.Budgets, d.Hooks, d.Silences = []PlanBudget{}, []PlanHook{}, []PlanSilence{}
	d.Quarantined, d.Uncovered, d.Trust = newQuarantined(p.Quarantined), newUncovered(p), newPlanTrust(p.Trust)
	d.Restart, d.Repair, d.OneShot = orElse(string(p.Restart), "never"), p.Repair, p.OneShot
	d.OnFailure = PlanFailure{Action: string(playbook.OnFailureHalt)}
	if p.OnFailure.Rollback {
		d.OnFailure = PlanFailure{Action: string(playbook.OnFailureRollback), Window: windowName(p.OnFailure.Window)}
	}
	units := map[fact.HostID]string{}
	for _, h := range p.Hosts {
		units[h.ID] = h.Unit
	}
	for _, r := range p.Rings {
		d.Rings = append(d.Rings, newPlanRing(r, units, p.Trust.Approvals))
	}
	for _, b := range p.Budgets {
		d.Budgets = append(d.Budgets, newPlanBudget(b))
	}
	for _, h := range p.Hooks {
		d.Hooks = append(d.Hooks, newPlanHook(h))
	}
	for _, m := range p.Silences {
		d.Silences = append(d.Silences, newPlanSilence(m))
	}
	return d
}

func newPlanHost(h plan.Host) PlanHost {
	doc := PlanHost{
		Host: clean(h.ID.String()), Ring: clean(h.Ring), Platform: clean(string(h.Platform)), Domain: clean(h.Domain),
		Updates: []PlanUpdate{}, Left: []PlanLeft{}, Reboot: h.Reboot.String(), Checks: []string{},
		Unit: clean(h.Unit), Takes: whole(h.Takes), Assumed: h.Takes == plan.DefaultTakes,
		Back: newWayBack(h.Return, len(h.Install) > 0 && h.Problem == nil), Image: newPlanImage(h),
	}
	s := tidy(share{h.Install, h.Left})
	for _, u := range s.install {
		doc.Updates = append(doc.Updates, newPlanUpdate(u))
	}
	for _, l := range s.left {
		doc.Left = append(doc.Left, PlanLeft{newPlanUpdate(l.Update), clean(string(l.Reason)), clean(l.Detail)})
	}
	for _, c := range h.Checks {
		doc.Checks = append(doc.Checks, clean(c.Name))
	}
	if h.Problem != nil {
		doc.Problem = &Trouble{clean(h.Problem.Code), clean(h.Problem.What), clean(h.Problem.Hint)}
	}
	return doc
}

func newPlanUpdate(u patch.Update) PlanUpdate {
	c := newChange(u)
	return PlanUpdate{
		Package: c.Package, Arch: c.Arch, From: c.From, To: c.To, Origin: c.Origin,
		Security: c.Security, Severity: c.Severity, Bytes: max(u.Size, 0), Dependency: c.Dependency,
	}
}

func (t *PlanTotals) add(h PlanHost) {
	t.Hosts++
	t.Left += len(h.Left)
	if h.Problem != nil {
		t.Problems++
		return
	}
	if len(h.Updates) == 0 {
		return
	}
	t.ToPatch++
	t.Updates += len(h.Updates)
	t.WaysBack.add(h.Back.Light)
	for _, u := range h.Updates {
		t.Bytes += u.Bytes
		if u.Security == "yes" {
			t.Security++
		}
	}
	switch h.Reboot {
	case "yes":
		t.Reboots++
	case "no":
	default:
		t.RebootsMaybe++
	}
}

// exit: a host that can't be worked on asks for the exit code of its problem.
func (d Plan) exit(detailed bool) Ending {
	var claims []claim
	for _, h := range d.Hosts {
		if h.Problem != nil {
			claims = append(claims, claim{ofFault(fault.Code(h.Problem.Code)), h.Host})
		}
	}
	claims = gather(claims, "can't be patched now")
	if detailed && d.Totals.ToPatch > 0 {
		claims = append(claims, claim{ExitPending, count(d.Totals.Updates, "update") + " to install"})
	}
	return ending(claims, d.summary())
}

// gather makes one claim of all hosts that ask for the same code.
func gather(claims []claim, what string) []claim {
	byCode := map[int][]string{}
	for _, c := range claims {
		byCode[c.code] = append(byCode[c.code], c.why)
	}
	var out []claim
	for _, row := range ExitCodes() { // in the order of rank, so that output is stable
		if hosts := byCode[row.Code]; len(hosts) > 0 && row.Code != ExitDone {
			out = append(out, claim{row.Code, fmt.Sprintf("%s %s (%s): %s", count(len(hosts), "host"), what, row.Word, some(hosts))})
		}
	}
	return out
}
