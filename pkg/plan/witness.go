package plan

import (
	"cmp"
	"slices"

	"github.com/patchring/patchring/pkg/patch"
)

// An aborted rollout leaves its test ring patched: in the next plan those hosts have
// nothing to install. Two things must not follow from that. What they proved must not be
// lost, else nothing would ever be proven for the rings behind; and a host that came
// out sick must not pass for one with nothing to do.
//
// So a host remembers its last rollout of this playbook. It is begun again without
// anything to install, compared with its state before *that* work, and asked every
// check. Healthy then, its proofs count again; else it fails this rollout too.

// Recheck is what a host brings along from the last rollout that worked on it.
type Recheck struct {
	Rollout string         `json:"rollout"`
	Before  patch.Digest   `json:"before,omitempty"`  // its state before that work, in the store
	Proved  []patch.Proven `json:"proved,omitempty"`  // versions it then had installed
	Doubted bool           `json:"doubted,omitempty"` // it did not come out healthy
}

// Witness gives what the host may vouch for, as updates whose versions a query can
// ask for.
func (h *Host) Witness() []patch.Update {
	if h.Recheck == nil {
		return nil
	}
	var out []patch.Update
	for _, p := range h.Recheck.Proved {
		out = append(out, patch.Update{Name: p.Name, Arch: p.Arch, To: p.Version})
	}
	return out
}

// Idle tells that there is nothing to do on this host, not even to look again.
func (h *Host) Idle() bool { return len(h.Install) == 0 && h.Recheck == nil }

// recheck decides which hosts are looked at again: all that are in doubt, and of the
// others those whose proofs a later ring needs.
func (d *Draft) recheck(p *Plan) {
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
		past, known := d.in.Past[h.ID]
		if !known || h.Problem != nil {
			continue
		}
		past.Proved = needed(*h, past.Proved, at[h.Ring], latest)
		if past.Doubted || len(past.Proved) > 0 {
			h.Recheck = &past
		}
	}
}

func needed(h Host, proved []patch.Proven, ring int, latest map[patch.Proven]int) []patch.Proven {
	var out []patch.Proven
	for _, p := range Freeze(proved).Proven {
		own := slices.ContainsFunc(h.Install, func(u patch.Update) bool { return proofFor(h, u) == p.Bare() })
		if h.Domain != "" && p.Domain == h.Domain && latest[p.Bare()] > ring && !own {
			out = append(out, p)
		}
	}
	return out
}

func proofFor(h Host, u patch.Update) patch.Proven {
	return patch.Proven{Domain: cmp.Or(h.Domain, "unknown"), Name: u.Name, Arch: u.Arch, Version: u.To}
}
