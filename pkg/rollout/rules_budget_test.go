package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
)

// Rule 2, measured twice: where a host is begun, against what the rollouts of the state
// folder have out by their own work; and where its begin step acts, against everything.

// countedAs is what a host is in a budget.
func (o *operator) countedAs(b plan.Budget, id fact.HostID) string {
	if b.Members {
		return id.String()
	}
	return o.w.unitName(o, id)
}

// holds tells whether this rollout keeps a host out: what is over keeps only what it
// still works on or has drained, and the rest is for others to see by looking. Nobody
// works on hosts in quarantine, and they are out.
func (o *operator) holds(id fact.HostID) bool {
	tr := o.truth[id]
	if tr == nil {
		return slices.ContainsFunc(o.Plan.Quarantined, func(q plan.Quarantined) bool { return q.ID == id })
	}
	working := tr.begun && tr.final == ""
	if o.phase == PhaseFinished || o.phase == PhaseAborted {
		return working || o.w.bodies[id].drained
	}
	return working || tr.broken() || o.w.bodies[id].drained
}

// checkReserved is asked when a host is about to be begun.
func (o *operator) checkReserved(id fact.HostID) {
	held := func(other fact.HostID) bool {
		for _, of := range o.w.ops {
			if of.Folder == o.Folder && of.holds(other) {
				return true
			}
		}
		return false
	}
	o.checkBudgets(id, "begun", held)
}

// checkActs is asked when a begin step is about to act. What fell out by itself behind
// the lock may not have been seen.
func (o *operator) checkActs(id fact.HostID, since time.Time) {
	o.checkBudgets(id, "worked on", func(other fact.HostID) bool { return o.w.out(other, since) })
}

func (o *operator) checkBudgets(id fact.HostID, what string, out func(fact.HostID) bool) {
	for _, b := range o.budgetsOf(id) {
		units := map[string]bool{}
		for _, other := range b.Hosts {
			if out(other) {
				units[o.countedAs(b, other)] = true
			}
		}
		if !units[o.countedAs(b, id)] && len(units) >= b.Most {
			o.w.fail("rule 2: %s is %s with %d of %d out of %s: %v", id, what, len(units), b.Most, b.Name, units)
		}
	}
}
