package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/schedule"
)

// DefaultTakes is how long the work on one host is taken to last before there is any
// history of hosts like it.
const DefaultTakes = 30 * time.Minute

// Took is how long the work on one host of a past rollout lasted, from its begin to its
// end.
type Took struct {
	Domain string // see fact.Facts.Domain
	For    time.Duration
}

// History estimates from the past how long work on hosts of a domain takes: so long
// that nine in ten were done (of less than ten, the slowest was), rounded up to whole
// minutes, at least one. Times that can't be (a clock was set back) are passed by.
//
//	debian 12: 3m10s 4m 4m 5m 5m 5m 6m 6m 9m 40m → the 9th of 10, 9m
//	rocky 9.4: 7m20s 12m05s                      → the slowest, 13m
//	debian 13: 12s                               → 1m
func History(durations []Took) map[string]time.Duration {
	by := map[string][]time.Duration{}
	for _, t := range durations {
		if t.Domain != "" && t.For > 0 {
			by[t.Domain] = append(by[t.Domain], t.For)
		}
	}
	out := map[string]time.Duration{}
	for domain, all := range by {
		slices.Sort(all)
		slow := all[(len(all)*9+9)/10-1] // the nearest rank, rounded up
		out[domain] = (slow + time.Minute - 1).Truncate(time.Minute)
	}
	return out
}

// Need is the time that a host's window must stay open for it to start: twice what its
// work takes, for the way there, and the way back should it go wrong at the very end.
func Need(takes time.Duration) time.Duration { return 2 * takes }

// guess is what is taken of hosts without history.
type guess struct {
	domain string
	hooks  time.Duration
}

// takes fills in how long each host with work takes, and notes where that is only the
// default and something depends on it. History has what hooks and drains took in it; the
// default gets their bounds on top, since nothing else is known of them:
//
//	no hooks                                               → 30m
//	drain within 2m and its wait 5m, backup before in 30m  → 30m + 2m + 5m + 30m = 67m
func (d *Draft) takes(p *Plan) []string {
	guessed, hooks := map[guess]int{}, d.hookTime()
	for i := range p.Hosts {
		h := &p.Hosts[i]
		if h.Problem != nil || h.Idle() {
			continue
		}
		if h.Takes = d.in.Takes[h.Domain]; h.Takes <= 0 {
			h.Takes = DefaultTakes + hooks[h.ID]
			guessed[guess{cmp.Or(h.Domain, "unknown systems"), hooks[h.ID]}]++
		}
	}
	if !d.scheduled() {
		return nil
	}
	var notes []string
	for _, g := range slices.SortedFunc(maps.Keys(guessed), func(a, b guess) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.hooks, b.hooks))
	}) {
		notes = append(notes, fmt.Sprintf("there is no history of %s yet: each of its %d hosts is taken to need %s, and as much for the way back", g.domain, guessed[g], g))
	}
	return notes
}

// String is how long such a host takes, and why.
func (g guess) String() string {
	if g.hooks == 0 {
		return span(DefaultTakes)
	}
	return fmt.Sprintf("%s (%s, and %s that its hooks and drain may take)", span(DefaultTakes+g.hooks), span(DefaultTakes), span(g.hooks))
}

// hookTime is how long the hooks on the way of each host may take in all.
func (d *Draft) hookTime() map[fact.HostID]time.Duration {
	out := map[fact.HostID]time.Duration{}
	for _, h := range d.hooks {
		long := h.Within
		if h.Wait != nil {
			long += h.Wait.Within
		}
		for _, id := range h.Hosts {
			out[id] += long
		}
	}
	return out
}

// scheduled: a window or a freeze decides when hosts start.
func (d *Draft) scheduled() bool {
	return len(d.calendar.Freezes) > 0 || slices.ContainsFunc(d.rings, func(r draftRing) bool { return r.fixed.Window != "" })
}

// neverFits finds the hosts whose window is never open long enough. They would wait for
// ever, and nobody would know why.
func (p *Plan) neverFits() error {
	if len(p.Calendar.Windows) == 0 && len(p.Calendar.Freezes) == 0 {
		return nil
	}
	clock, err := schedule.Compile(p.Calendar)
	if err != nil {
		return &fault.Error{Kind: fault.GiveUp, Code: fault.Usage, What: "the windows and freezes of site " + p.Site + " can't be used", Err: err,
			Hint: "correct them in the inventory, or the freezes in the playbook"}
	}
	for _, r := range p.Rings {
		if err := p.tooLong(r, clock.Longest(cmp.Or(r.Window, schedule.Any), p.Made)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) tooLong(r Ring, longest time.Duration) error {
	var hosts []string
	var need time.Duration
	for _, h := range p.working() {
		if h.Ring == r.Name && longest < schedule.Horizon && Need(h.Takes) > longest {
			hosts, need = append(hosts, h.ID.String()), max(need, Need(h.Takes))
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	return fault.Usagef("make the window longer, or give these hosts a ring with another window",
		"ring %s: its window (%s) is never open for longer than %s without a break, and there and back %s needed: %s would never be started",
		r.Name, cmp.Or(r.Window, schedule.Any), span(longest), span(need)+" are", few(hosts))
}
