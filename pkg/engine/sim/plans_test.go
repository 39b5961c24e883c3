package sim

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// drawn is a random plan and what is assumed of it.
type drawn struct {
	plan    *plan.Plan
	assumed Assumptions
}

func plans() *rapid.Generator[drawn] {
	return rapid.Custom(func(t *rapid.T) drawn {
		p := &plan.Plan{Version: plan.Version, Playbook: "monthly", Site: "hq", Calendar: weekend()}
		if rapid.Bool().Draw(t, "frozen") {
			p.Calendar.Freezes = []schedule.Freeze{{From: "2026-11-28", Through: "2026-11-28", Reason: "fair"}}
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "rings") {
			drawRing(t, p, i)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "budgets") {
			p.Budgets = append(p.Budgets, drawBudget(t, p, i))
		}
		return drawn{p, Assumptions{
			Until:         monday().Add(30 * 24 * time.Hour),
			ApprovedAfter: time.Duration(rapid.IntRange(0, 100).Draw(t, "approved after")) * time.Hour,
			NotApproved:   rapid.IntRange(0, 9).Draw(t, "not approved") == 0,
		}}
	})
}

func drawRing(t *rapid.T, p *plan.Plan, i int) {
	r := plan.Ring{
		Name: fmt.Sprintf("ring%d", i), MaxInFlight: rapid.IntRange(1, 5).Draw(t, "in flight"), FailureLimit: rapid.IntRange(0, 5).Draw(t, "limit"),
		Batches: rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(t, "batches"), Window: rapid.SampledFrom([]string{"", "weekend"}).Draw(t, "window"),
	}
	if rapid.Bool().Draw(t, "soaks") {
		r.Gate.Soak = soakOf(time.Duration(rapid.IntRange(1, 60).Draw(t, "soak")) * time.Hour)
	}
	if rapid.Bool().Draw(t, "asks") {
		r.Gate.Approval = &plan.Approval{Approvers: "board", People: []string{"jane", "omar"}, Count: rapid.IntRange(1, 3).Draw(t, "count"), Expires: 48 * time.Hour}
	}
	if rapid.Bool().Draw(t, "checks") {
		when := rapid.SampledFrom([]playbook.When{playbook.WhenBefore, playbook.WhenAfter, playbook.WhenBoth}).Draw(t, "when")
		r.Gate.Checks = []playbook.Inquiry{{Name: "shop", When: when, Pace: playbook.Pace{Interval: 5 * time.Minute, Successes: rapid.IntRange(0, 3).Draw(t, "successes")}}}
	}
	n := rapid.IntRange(1, 9).Draw(t, "hosts")
	if n > 2 && rapid.Bool().Draw(t, "staged") {
		r.Stages = []int{1, n - 1}
	}
	for j := range n {
		h := plan.Host{
			ID: fact.HostID{Site: "hq", Name: fmt.Sprintf("h%d-%d", i, j)}, Ring: r.Name, Domain: "debian 12 amd64",
			Takes:   time.Duration(rapid.SampledFrom([]int{1, 20, 30, 100, 181}).Draw(t, "takes")) * time.Minute,
			Install: []patch.Update{{Name: "bash", From: "1", To: "2"}},
		}
		if j/2 == 1 && rapid.Bool().Draw(t, "unit") {
			h.Unit = fmt.Sprintf("u%d", i)
		}
		if rapid.IntRange(0, 19).Draw(t, "idle") == 0 {
			h.Install = nil
		}
		r.Hosts = append(r.Hosts, h.ID)
		p.Hosts = append(p.Hosts, h)
	}
	p.Rings = append(p.Rings, r)
}

func drawBudget(t *rapid.T, p *plan.Plan, i int) plan.Budget {
	b := plan.Budget{Name: fmt.Sprintf("b%d", i), Most: rapid.IntRange(1, 4).Draw(t, "most"), Members: true}
	for _, h := range p.Hosts { // in order already
		if rapid.Bool().Draw(t, "counted") {
			b.Hosts = append(b.Hosts, h.ID)
		}
	}
	return b
}
