package plan

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/playbook"
)

// addGates works out what each ring waits for. A ring without hosts here guards
// nothing: nobody shall be asked to approve it.
func (d *Draft) addGates() error {
	if d.in.Urgent && d.in.Playbook.Urgent == nil {
		return fault.Usagef("write one, e.g. urgent: {soak: 4h, window: any}; or run without --urgent",
			"the playbook %s has no urgent lane", d.in.Playbook.Name)
	}
	for i := range d.rings {
		r := &d.rings[i]
		if len(r.hosts) == 0 {
			continue
		}
		var err error
		if r.fixed.Window, err = d.windowOf(r.Ring); err != nil {
			return err
		}
		if r.fixed.Gate, err = d.gateOf(r.Ring, i == 0); err != nil {
			return err
		}
	}
	return nil
}

func (d *Draft) gateOf(r playbook.Ring, first bool) (Gate, error) {
	written := r.Gate
	if d.in.Urgent {
		written = urgentGate(written, *d.in.Playbook.Urgent, first)
	}
	gate := Gate{Soak: written.Soak, Checks: written.Checks, MinParticipation: written.MinParticipation, Coverage: written.Coverage}
	if written.Approval == nil {
		return gate, nil
	}
	approval, err := d.in.approval(r.Name, *written.Approval)
	gate.Approval = &approval
	return gate, err
}

// urgentGate lets the lane's soak and approval stand for the ring's own. The test ring
// gets only what it has already: nothing comes before it that could soak, and nobody
// could say yet what an approval of it would be about.
func urgentGate(g playbook.Gate, lane playbook.Urgent, first bool) playbook.Gate {
	if lane.Soak != nil && (!first || g.Soak != nil) {
		g.Soak = urgentSoak(g.Soak, *lane.Soak)
	}
	if lane.Approval != nil && (!first || g.Approval != nil) {
		g.Approval = lane.Approval
	}
	return g
}

// soakGap is the longest time between two samples of a soak that the playbook says
// nothing nearer of.
const soakGap = 26 * time.Hour

// urgentSoak keeps the ring's pace, but samples a short soak often enough that the pace
// does not make it longer, and begins at once. No time is no soak.
func urgentSoak(ring *playbook.Soak, lasts time.Duration) *playbook.Soak {
	if lasts <= 0 {
		return nil
	}
	interval := min(max(lasts/24, time.Minute), time.Hour)
	if ring == nil {
		return &playbook.Soak{For: lasts, Pace: playbook.Pace{Interval: interval}, MaxGap: soakGap}
	}
	soak := *ring
	soak.For, soak.InitialDelay = lasts, min(soak.InitialDelay, interval)
	if soak.Interval <= 0 || soak.Interval > interval {
		soak.Interval = interval
	}
	return &soak
}

// approval takes the people from the site's list, so that a later edit of the inventory
// does not change who may approve this plan.
func (in Input) approval(ring string, a playbook.Approval) (Approval, error) {
	lists := in.Inventory.Sites[in.Site].Approvers
	people, known := lists[a.Approvers]
	if !known {
		return Approval{}, fault.Usagef("approvers stand at the site in the inventory; it has: "+namesOf(lists),
			"ring %s: site %s has no list of approvers named %s", ring, in.Site, a.Approvers)
	}
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	if count := max(1, a.Count); count > len(people) {
		return Approval{}, fault.Usagef("add people to the list, or ask for fewer",
			"ring %s asks for %d approvals, and the list %s of site %s has %d people", ring, count, a.Approvers, in.Site, len(people))
	}
	return Approval{Approvers: a.Approvers, People: people, Count: max(1, a.Count), Expires: a.Expires}, nil
}
