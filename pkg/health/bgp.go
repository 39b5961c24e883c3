package health

import (
	"encoding/json"
	"errors"
	"fmt"
)

// established is FRR's word for a session that carries routes of an address family. A
// peer that did not agree to the family has another.
const established = "Established"

// bgpFamily is what FRR tells of one address family in one VRF.
type bgpFamily struct {
	Peers map[string]struct {
		State string `json:"state"`
	} `json:"peers"`
}

// readBGP reads "show bgp vrf all summary json" of FRR, which is an object of VRFs, each
// with its address families: the neighbours that are established, e.g. "10.0.0.2
// ipv4Unicast". The others are no part of it: who was down before is no new fault.
// Neighbours without a fixed address, which only call, count as well.
func readBGP(body []byte) ([]string, error) {
	var vrfs map[string]map[string]json.RawMessage
	if err := json.Unmarshal(body, &vrfs); err != nil || vrfs == nil {
		return nil, errors.New("unexpected words of vtysh")
	}
	var items []string
	for vrf, families := range vrfs {
		for name, text := range families {
			found, err := bgpNeighbours(vrf, name, text)
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
		}
	}
	return items, nil // readSection sorts them
}

func bgpNeighbours(vrf, name string, text []byte) ([]string, error) {
	var family bgpFamily
	if len(text) > 0 && text[0] != '{' {
		return nil, nil // a warning, or a number about all of the VRF
	}
	if err := json.Unmarshal(text, &family); err != nil {
		return nil, fmt.Errorf("unexpected words of vtysh about %s", item(name))
	}
	var items []string
	for peer, is := range family.Peers {
		if is.State == established {
			items = append(items, item(peer+" "+name+inVRF(vrf)))
		}
	}
	return items, nil
}

func inVRF(vrf string) string {
	if vrf == "default" {
		return ""
	}
	return " in VRF " + vrf
}
