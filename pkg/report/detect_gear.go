package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fact"
)

// Gear is what is known of a device beside what every host has.
type Gear struct {
	Serials []string   `json:"serials"` // of all its units, in the order of units: who it is, whichever unit answers
	Units   []GearUnit `json:"members"` // of a stack, chassis or cluster; of a single device one
	Role    string     `json:"role"`    // in its pair: active | standby, or "" where it has no pair
	Synced  string     `json:"synced"`  // yes | no | unknown
	Mode    string     `json:"mode"`    // of installation, in its own word: INSTALL
	Family  string     `json:"family"`
	Build   string     `json:"build"`
	Booted  time.Time  `json:"booted,omitzero"`
	Refused []string   `json:"refused"` // why it may not be upgraded at all
}

// GearUnit is one unit of a device. What it does not tell is empty.
type GearUnit struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Serial  string `json:"serial"`
	Role    string `json:"role"`  // active | standby, or its own word
	State   string `json:"state"` // in its own word: Ready
	Version string `json:"version"`
}

func newGear(d *fact.Device) *Gear {
	if d == nil {
		return nil
	}
	g := &Gear{
		Serials: cleanAll(d.Serials()), Units: []GearUnit{}, Role: clean(d.Role), Synced: d.Synced.String(), Mode: clean(d.Mode),
		Family: clean(d.Family), Build: clean(d.Build), Booted: d.Booted.UTC(), Refused: cleanAll(d.Refused),
	}
	for _, m := range d.Members {
		g.Units = append(g.Units, GearUnit{clean(m.ID), clean(m.Model), clean(m.Serial), clean(m.Role), clean(m.State), clean(m.Version)})
	}
	return g
}

// runsOn is a server's kernel, or a device's model and how many units it has beside the one
// that answers.
func (h DetectedHost) runsOn() string {
	switch {
	case h.Device == nil:
		return h.Kernel.Running
	case len(h.Device.Units) < 2:
		return h.Model
	}
	return fmt.Sprintf("%s +%d", orElse(h.Model, "?"), len(h.Device.Units)-1)
}

// runsOnHead is the head of that column: one for both, a terminal is narrow.
func (d Detect) runsOnHead() string {
	gear := func(h DetectedHost) bool { return h.Device != nil }
	switch {
	case !slices.ContainsFunc(d.Hosts, gear):
		return "KERNEL"
	case slices.ContainsFunc(d.Hosts, func(h DetectedHost) bool { return h.Error == nil && !gear(h) }):
		return "KERNEL/MODEL"
	}
	return "MODEL"
}

// gearSheet has a line for each unit of the devices.
func (d Detect) gearSheet() sheet {
	s := sheet{title: "Devices", group: true, columns: []column{
		{head: "HOST", whole: true}, {head: "UNIT"}, {head: "MODEL", least: 10}, {head: "SERIAL", least: 10}, {head: "ROLE"}, {head: "VERSION", least: 7}, {head: "MODE"},
	}}
	for _, h := range d.Hosts {
		if h.Device == nil {
			continue
		}
		if len(h.Device.Units) == 0 {
			s.rows = append(s.rows, texts(h.Host, "", orElse(h.Model, "?"), orElse(h.Serial, "?"), h.Device.Role, orElse(h.Version, "?"), h.Device.Mode))
		}
		for _, u := range h.Device.Units {
			s.rows = append(s.rows, texts(h.Host, u.ID, orElse(u.Model, h.alone(h.Model)), orElse(u.Serial, "?"), u.Role, orElse(u.Version, h.alone(h.Version)), h.Device.Mode))
		}
	}
	return s
}

// alone is what is known of the host, where that is its only unit.
func (h DetectedHost) alone(value string) string {
	if len(h.Device.Units) > 1 {
		return "?"
	}
	return orElse(value, "?")
}
