package inventory

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one line of `config explain`.
type Setting struct {
	Name  string   `json:"name"`
	Value string   `json:"value"`          // "" where nothing holds; references, never secrets
	Where string   `json:"where"`          // "file:line" that won, or "default"
	Lost  []string `json:"lost,omitempty"` // "file:line (group web: value)", nearest first
}

// Explain lists every setting of a host in a fixed order, labels last, with the place
// that won and those that lost.
func (inv *Inventory) Explain(h Host) []Setting {
	made := []Setting{
		{Name: "address", Value: address0(h)},
		{Name: "port", Value: number(h.Port)},
		{Name: "user", Value: h.User},
		{Name: "become", Value: string(h.Become)},
		{Name: "jump", Value: chain(h.Jump)},
		{Name: "host_keys", Value: strings.Join(h.HostKeys, ", ")},
		{Name: "platform", Value: string(h.Platform)},
		{Name: "class", Value: string(h.Class)},
		{Name: "criticality", Value: h.Criticality},
		{Name: "exposure", Value: h.Exposure},
		{Name: "unit", Value: h.Unit},
		{Name: "via", Value: chain(h.Via)},
		{Name: "snapshots", Value: chain(h.Snapshots)},
		{Name: "keyrings", Value: chain(h.Keyrings)},
		{Name: "reboot_within", Value: lasts(h.RebootWithin)},
		{Name: "ssh_legacy", Value: chain(h.SSHLegacy)},
		{Name: "control_master", Value: h.ControlMaster},
		{Name: "serve", Value: serving{h.Serve}.String()},
		{Name: "credentials.password", Value: h.Credentials.Password.String()},
		{Name: "credentials.key", Value: h.Credentials.Key},
		{Name: "credentials.passphrase", Value: h.Credentials.Passphrase.String()},
		{Name: "credentials.become", Value: h.Credentials.Become.String()},
		{Name: "credentials.enable", Value: h.Credentials.Enable.String()},
	}
	for _, key := range slices.Sorted(maps.Keys(h.Labels)) {
		made = append(made, Setting{Name: "labels." + key, Value: h.Labels[key]})
	}
	for i := range made {
		made[i].Where, made[i].Lost = h.Where[made[i].Name], h.Lost[made[i].Name]
		if made[i].Where == "" {
			made[i].Where = "default"
		}
	}
	return made
}

// address0 is the address that will be dialled where ssh_config says nothing else.
func address0(h Host) string {
	if h.Address != "" {
		return h.Address
	}
	return h.ID.Name
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func lasts(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// chain tells "none" (said with []) from nothing said.
func chain(hops []string) string {
	if hops == nil {
		return ""
	}
	return list(hops)
}
