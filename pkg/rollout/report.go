package rollout

import (
	"fmt"
	"maps"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
)

// Open is the entry that begins a rollout of a plan. digest names the plan in the store.
func Open(id string, p *plan.Plan, digest patch.Digest) Opened {
	o := Opened{Rollout: id, Playbook: p.Playbook, Site: p.Site, Plan: digest, Rings: p.Rings}
	for _, h := range p.Hosts {
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

// Status is a copy of where the rollout stands, for people and for exit codes.
func (s *State) Status() Status {
	out := Status{
		Rollout: s.opened.Rollout, Playbook: s.opened.Playbook, Site: s.opened.Site, Plan: s.opened.Plan,
		Phase: s.phase, Opened: s.began, Changed: s.changed, Seq: s.seq,
		Reasons: append([]string(nil), s.reasons...),
	}
	for _, r := range s.rings {
		out.Rings = append(out.Rings, s.ringStatus(r))
	}
	for _, h := range s.hosts {
		out.Hosts = append(out.Hosts, h.HostStatus)
	}
	return out
}

func (s *State) ringStatus(r *ring) RingStatus {
	out := RingStatus{
		Name: r.Name, Gate: GateOpen, GateReasons: r.gate.Reasons, Set: r.gate.Set,
		Hosts: len(r.all), ByState: maps.Clone(r.by), FailureLimit: r.FailureLimit,
		Began: r.began, Ended: r.closed,
	}
	maps.DeleteFunc(out.ByState, func(_ HostState, n int) bool { return n == 0 })
	if !r.opened {
		v := s.judge(r)
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
