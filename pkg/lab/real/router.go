//go:build linux

package real

import (
	"encoding/json"
	"fmt"
	"strings"
)

// routerHead lets any host of the hub network be a neighbour that calls. The timers are as
// short as BGP knows them: a test waits for them.
const routerHead = `frr defaults datacenter
hostname %[1]s
router bgp %[2]d
 bgp router-id %[3]s
 no bgp ebgp-requires-policy
 timers bgp 1 3
 neighbor lab peer-group
 neighbor lab remote-as external
 neighbor lab timers connect 1
 bgp listen range %[4]s0/24 peer-group lab
`

// routerDaemons has bgpd started beside the daemons that FRR always starts.
const routerDaemons = `bgpd=yes
vtysh_enable=yes
zebra_options="-A 127.0.0.1"
bgpd_options="-A 127.0.0.1"
`

// Router makes the host an FRR router of an autonomous system, which calls these neighbours
// and takes the calls of any other.
func Router(system uint32, neighbours ...string) Option {
	return func(s *spec) {
		s.gear = Route
		s.late = append(s.late, func(h *Host) []file {
			var text strings.Builder
			fmt.Fprintf(&text, routerHead, h.Name, system, h.Address, hubPrefix)
			for _, address := range neighbours {
				fmt.Fprintf(&text, " neighbor %s peer-group lab\n", address)
			}
			return []file{{"/etc/frr/frr.conf", 0o644, text.String()}, {"/etc/frr/daemons", 0o644, routerDaemons}}
		})
	}
}

// Neighbours are the addresses of those that the router itself says it is established
// with, and how often the session with each was lost, as this router counts it.
func (h *Host) Neighbours() map[string]int {
	h.t.Helper()
	out, err := h.Exec("vtysh", "-c", "show bgp ipv4 unicast summary json")
	if err != nil {
		return nil // FRR does not run
	}
	found, err := neighbours([]byte(out))
	if err != nil {
		h.t.Fatalf("%s: %v:\n%s", h.Name, err, out)
	}
	return found
}

func neighbours(summary []byte) (map[string]int, error) {
	var said struct {
		Peers map[string]struct {
			State   string `json:"state"`
			Dropped int    `json:"connectionsDropped"`
		} `json:"peers"`
	}
	if err := json.Unmarshal(summary, &said); err != nil {
		return nil, fmt.Errorf("FRR's summary can't be read: %w", err)
	}
	found := map[string]int{}
	for address, peer := range said.Peers {
		if peer.State == "Established" {
			found[address] = peer.Dropped
		}
	}
	return found, nil
}
