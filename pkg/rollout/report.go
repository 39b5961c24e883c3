package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Open is the entry that begins a rollout of a plan. digest names the plan in the store.
func Open(id string, p *plan.Plan, digest patch.Digest) Opened {
	o := Opened{
		Rollout: id, Playbook: p.Playbook, Site: p.Site, Plan: digest, Rings: p.Rings,
		Calendar: p.Calendar, FailureLimit: p.FailureLimit, Budgets: p.Budgets, Urgent: p.Urgent, Wants: wants(p),
		OnFailure: p.OnFailure, Trust: p.Trust,
	}
	addPeerUnits(&o, p)
	for _, q := range p.Quarantined {
		o.Quarantined = append(o.Quarantined, q.ID)
	}
	for _, h := range p.Hosts {
		o.Units = note(o.Units, h.ID, h.Unit)
		o.Takes = note(o.Takes, h.ID, h.Takes)
		switch {
		case h.Problem != nil:
			if o.Problems == nil {
				o.Problems = map[string]plan.Problem{}
			}
			o.Problems[h.ID.String()] = *h.Problem
		case h.Idle():
			o.Idle = append(o.Idle, h.ID)
		}
	}
	return o
}

// addPeerUnits: hosts outside the rings count as units too.
func addPeerUnits(o *Opened, p *plan.Plan) {
	for _, peer := range p.Peers {
		o.Units = note(o.Units, peer.ID, peer.Unit)
	}
}

// note books what a host has, where it has any.
func note[T comparable](in map[string]T, id fact.HostID, what T) map[string]T {
	var none T
	if what == none {
		return in
	}
	if in == nil {
		in = map[string]T{}
	}
	in[id.String()] = what
	return in
}

// wants counts the updates of the rings whose gate asks for coverage.
func wants(p *plan.Plan) map[string][]Want {
	var all map[string][]Want
	for _, r := range p.Rings {
		if r.Gate.Coverage == 0 {
			continue
		}
		if all == nil {
			all = map[string][]Want{}
		}
		counted := p.Wants(r.Name)
		for _, proven := range plan.Freeze(slices.Collect(maps.Keys(counted))).Proven {
			all[r.Name] = append(all[r.Name], Want{Proven: proven, Hosts: counted[proven]})
		}
	}
	return all
}

// Status is a copy of where the rollout stands, for people and for exit codes.
// gates and budgets are judged as of now.
func (s *State) Status(now time.Time) Status {
	out := Status{
		Starter: s.starter, Urgent: s.opened.Urgent, Override: s.override, Out: named(s.seen.out),
		Rollout: s.opened.Rollout, Playbook: s.opened.Playbook, Site: s.opened.Site, Plan: s.opened.Plan,
		Phase: s.phase, Opened: s.began, Changed: s.changed, Seq: s.seq,
		Reasons: append([]string(nil), s.reasons...),
	}
	for _, r := range s.rings {
		out.Rings = append(out.Rings, s.ringStatus(r, now))
	}
	for _, h := range s.hosts {
		out.Hosts = append(out.Hosts, h.HostStatus)
	}
	return out
}

func named(out map[fact.HostID]string) map[string]string {
	all := map[string]string{}
	for id, why := range out {
		all[id.String()] = why
	}
	return all
}

func (s *State) ringStatus(r *ring, now time.Time) RingStatus {
	out := RingStatus{
		Name: r.Name, Gate: GateOpen, GateReasons: r.gate.Reasons, Set: r.gate.Set,
		Hosts: len(r.all), ByState: maps.Clone(r.by), FailureLimit: r.FailureLimit,
		Began: r.began, Ended: r.closed, Window: r.Window, Progress: s.progress(r, now),
	}
	maps.DeleteFunc(out.ByState, func(_ HostState, n int) bool { return n == 0 })
	if !r.opened {
		v := s.judge(r, now)
		out.Gate, out.GateReasons = v.state, v.reasons
		if v.state == GateOpen { // it could be, but opening it is an event that has not happened
			out.Gate, out.GateReasons = GateClosed, append([]string{"not opened yet"}, v.reasons...)
		}
	}
	return out
}

// SecurityLeft counts the security fixes that the rollout left out: by the work of
// the hosts that were begun, and by the plan for the others. A run with any of them
// does not call itself done.
func (s Status) SecurityLeft(p *plan.Plan) int {
	planned := map[fact.HostID][]patch.Left{}
	for _, h := range p.Hosts {
		planned[h.ID] = h.Left
	}
	n := 0
	for _, h := range s.Hosts {
		if h.Began != nil {
			n += plan.SecurityLeft(h.Began.Work.Left)
		} else {
			n += plan.SecurityLeft(planned[h.ID])
		}
	}
	return n
}

// AtWork names the hosts with work under way and the step each is in, e.g.
// "hq/web-1 (install)".
func (s *State) AtWork() []string {
	out := make([]string, 0, len(s.working))
	for _, at := range s.working {
		h := s.hosts[at]
		out = append(out, fmt.Sprintf("%s (%s)", h.ID, h.Step))
	}
	return out
}
