package local

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/rollout"
)

// Budgets across state folders (rule 2): lock the own host, then look at the others,
// then act or step back. Of two who take the last place at the same time, each has its
// lock before it looks; so at least one sees the other's, and steps back.

// stepBack tells that starting the host would take more out than a budget allows; nil:
// it may start. Only looks that began after the mark count, which was made when the
// host's own lock was ours.
func (w *work) stepBack(ctx context.Context, mark uint64) *rollout.StepEnded {
	budgets := w.p.budgetsOf(w.task.Host)
	if len(budgets) == 0 {
		return nil
	}
	out := w.p.out()
	v := newVerdict(budgets, w.p.units, w.task.Host, out)
	seen := map[fact.HostID]string{}
	if !v.decided() {
		w.progress(fmt.Sprintf("looking at up to %d hosts of its budgets", len(v.open)))
		seen = w.p.lookUntil(ctx, v, mark)
		maps.Copy(out, seen)
	}
	if v.may() {
		return nil
	}
	why, _ := rollout.Exceeds(budgets, w.p.units, w.task.Host, out)
	back := &rollout.StepEnded{Outcome: rollout.OutcomeBack, Reasons: []string{why}, Out: map[string]string{}}
	for id, reason := range seen {
		back.Out[id.String()] = reason
	}
	return back
}

func (p *Performer) budgetsOf(host fact.HostID) []plan.Budget {
	return slices.DeleteFunc(slices.Clone(p.Plan.Budgets), func(b plan.Budget) bool { return !slices.Contains(b.Hosts, host) })
}

// out are the hosts known to be out, as a map of the caller's own.
func (p *Performer) out() map[fact.HostID]string {
	known := map[fact.HostID]string{}
	if p.Out != nil {
		maps.Copy(known, p.Out())
	}
	return known
}

func comparePeers(a, b plan.Peer) int { return a.ID.Compare(b.ID) }

func (p *Performer) peer(id fact.HostID) plan.Peer {
	at, found := slices.BinarySearchFunc(p.Plan.Peers, plan.Peer{ID: id}, comparePeers)
	if !found {
		return plan.Peer{ID: id}
	}
	return p.Plan.Peers[at]
}

// lookUntil looks at the open peers of a verdict, several side by side, until it is
// decided: to look at all of them from every begin would cost the square of the fleet. A
// look that goes on by then is waited for, since other begins may share it. It gives
// those that were seen out, and why.
func (p *Performer) lookUntil(ctx context.Context, v *verdict, mark uint64) map[fact.HostID]string {
	out := map[fact.HostID]string{}
	var mu sync.Mutex // of out and v
	next := func() (id fact.HostID, more bool) {
		mu.Lock()
		defer mu.Unlock()
		return v.next()
	}
	saw := func(id fact.HostID, why string) {
		mu.Lock()
		defer mu.Unlock()
		if v.saw(id, why != ""); why != "" {
			out[id] = why
		}
	}
	var all sync.WaitGroup
	for range min(cap(p.slots), len(v.open)) {
		all.Go(func() {
			for id, more := next(); more; id, more = next() {
				peer := p.peer(id)
				saw(id, p.looks.after(ctx, mark, id, func() string { return p.lookAt(ctx, peer) }))
			}
		})
	}
	all.Wait()
	return out
}

// unitsOf names the unit of each host that is a member of one: by the plan, and of the
// hosts outside its rings by the inventory.
func unitsOf(c Config) map[string]string {
	units := map[string]string{}
	for id, h := range c.Hosts {
		if h.Unit != "" {
			units[id.String()] = h.Unit
		}
	}
	if c.Plan == nil {
		return units
	}
	for _, h := range c.Plan.Hosts {
		if unit := cmp.Or(h.Unit, units[h.ID.String()]); unit != "" {
			units[h.ID.String()] = unit
		}
	}
	return units
}
