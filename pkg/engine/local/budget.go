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
	peers := w.p.peersOf(w.task.Host, budgets, out)
	if _, may := w.exceeds(budgets, allOut(out, peers)); !may {
		return nil // not even if all of them were out
	}
	seen := map[fact.HostID]string{}
	if _, is := w.exceeds(budgets, out); !is {
		w.progress(fmt.Sprintf("looking at %d hosts of its budgets", len(peers)))
		seen = w.p.lookAtAll(ctx, peers, mark)
		maps.Copy(out, seen)
	}
	why, is := w.exceeds(budgets, out)
	if !is {
		return nil
	}
	back := &rollout.StepEnded{Outcome: rollout.OutcomeBack, Reasons: []string{why}, Out: map[string]string{}}
	for id, reason := range seen {
		back.Out[id.String()] = reason
	}
	return back
}

func (w *work) exceeds(budgets []plan.Budget, out map[fact.HostID]string) (string, bool) {
	return rollout.Exceeds(budgets, w.p.units, w.task.Host, out)
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

// peersOf are the other hosts of the budgets, but those known to be out.
func (p *Performer) peersOf(host fact.HostID, budgets []plan.Budget, out map[fact.HostID]string) []plan.Peer {
	var peers []plan.Peer
	for _, b := range budgets {
		for _, id := range b.Hosts {
			if _, known := out[id]; !known && id != host {
				peers = append(peers, p.peer(id))
			}
		}
	}
	slices.SortFunc(peers, comparePeers)
	return slices.CompactFunc(peers, func(a, b plan.Peer) bool { return a.ID == b.ID })
}

func comparePeers(a, b plan.Peer) int { return a.ID.Compare(b.ID) }

func (p *Performer) peer(id fact.HostID) plan.Peer {
	at, found := slices.BinarySearchFunc(p.Plan.Peers, plan.Peer{ID: id}, comparePeers)
	if !found {
		return plan.Peer{ID: id}
	}
	return p.Plan.Peers[at]
}

func allOut(out map[fact.HostID]string, peers []plan.Peer) map[fact.HostID]string {
	all := maps.Clone(out)
	for _, peer := range peers {
		all[peer.ID] = ""
	}
	return all
}

// lookAtAll gives those of the peers that are out, and why.
func (p *Performer) lookAtAll(ctx context.Context, peers []plan.Peer, mark uint64) map[fact.HostID]string {
	whys := make([]string, len(peers))
	var all sync.WaitGroup
	for i, peer := range peers {
		all.Go(func() {
			whys[i] = p.looks.after(ctx, mark, peer.ID, func() string { return p.lookAt(ctx, peer) })
		})
	}
	all.Wait()
	out := map[fact.HostID]string{}
	for i, peer := range peers {
		if whys[i] != "" {
			out[peer.ID] = whys[i]
		}
	}
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
