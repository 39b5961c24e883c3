package sim

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/rollout"
)

// work is the one step in which a host of a forecast spends its time: what it does in
// between changes nothing about when it begins and ends.
const work platform.StepID = "install"

// foreseen is the fleet of a forecast: each host takes its time, and goes well.
//
// Of the hosts that prove the same update only the first has it: what is proven in the
// end is the same, and 100,000 hosts that each prove it again only cost time.
func foreseen(opened rollout.Opened, p *plan.Plan) Fleet {
	planned := make(map[fact.HostID]*plan.Host, len(p.Hosts))
	for i := range p.Hosts {
		planned[p.Hosts[i].ID] = &p.Hosts[i]
	}
	f := make(Fleet, len(p.Hosts))
	proven := map[patch.Proven]bool{}
	steps, lengths := []platform.Step{{ID: work, Changes: true}}, map[time.Duration]map[platform.StepID]time.Duration{}
	for _, r := range opened.Rings {
		for _, id := range r.Hosts {
			takes := opened.Takes[id.String()]
			if lengths[takes] == nil {
				lengths[takes] = lasting(takes)
			}
			h := Host{Steps: steps, Takes: lengths[takes]}
			if host := planned[id]; host != nil && host.Problem == nil {
				h.Domain, h.Install = host.Domain, firsts(host, proven)
			}
			f[id] = h
		}
	}
	return f
}

// lasting gives all the time to the work.
func lasting(takes time.Duration) map[platform.StepID]time.Duration {
	if takes <= 0 {
		takes = plan.DefaultTakes
	}
	return map[platform.StepID]time.Duration{
		work: takes, rollout.FlowBegin: 0, rollout.FlowBefore: 0, rollout.FlowVerify: 0, rollout.FlowCheck: 0, rollout.FlowEnd: 0,
	}
}

// firsts are the updates that no host before has proven.
func firsts(h *plan.Host, proven map[patch.Proven]bool) []patch.Update {
	if h.Domain == "" {
		return nil
	}
	var out []patch.Update
	for _, u := range h.Install {
		p := patch.Proven{Domain: h.Domain, Name: u.Name, Arch: u.Arch, Version: u.To}
		if !proven[p] {
			proven[p] = true
			out = append(out, u)
		}
	}
	return out
}
