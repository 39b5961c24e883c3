package plan

import (
	"cmp"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
)

// An aborted rollout leaves its test ring patched: in the next plan those hosts have
// nothing to install, and without their word nothing would ever be proven for the
// rings behind. So a host that came through healthy in an earlier rollout of the same
// playbook may bear witness: it is begun without anything to install, and what it
// proved then counts again if it is still installed and all checks pass now.

// Witness gives what the host may vouch for, as updates whose versions a query can
// ask for.
func (h *Host) Witness() []patch.Update {
	var out []patch.Update
	for _, p := range h.Proved {
		out = append(out, patch.Update{Name: p.Name, Arch: p.Arch, To: p.Version})
	}
	return out
}

// Idle tells that there is nothing to do on this host, not even to bear witness.
func (h *Host) Idle() bool { return len(h.Install) == 0 && len(h.Proved) == 0 }

// callWitnesses keeps of the earlier proofs those that a later ring needs and that the
// host does not give anew by its own work.
func (d *Draft) callWitnesses(p *Plan) {
	at := map[string]int{}
	for i, r := range d.rings {
		at[r.Name] = i
	}
	latest := map[patch.Proven]int{} // the last ring that wants it
	for _, h := range p.Hosts {
		for _, u := range h.Install {
			key := proofFor(h, u)
			latest[key] = max(latest[key], at[h.Ring])
		}
	}
	for i := range p.Hosts {
		h := &p.Hosts[i]
		if h.Problem == nil && h.Domain != "" {
			h.Proved = needed(*h, d.in.Proved[h.ID], at[h.Ring], latest)
		}
	}
}

func needed(h Host, proved []patch.Proven, ring int, latest map[patch.Proven]int) []patch.Proven {
	var out []patch.Proven
	for _, p := range Freeze(proved).Proven {
		own := slices.ContainsFunc(h.Install, func(u patch.Update) bool { return proofFor(h, u) == p })
		if p.Domain == h.Domain && latest[p] > ring && !own {
			out = append(out, p)
		}
	}
	return out
}

func proofFor(h Host, u patch.Update) patch.Proven {
	return patch.Proven{Domain: cmp.Or(h.Domain, "unknown"), Name: u.Name, Arch: u.Arch, Version: u.To}
}
