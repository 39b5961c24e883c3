package device

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/document"
)

// Rests are what single parts of detection rest on, where that is not what the
// definition's proof says.
type Rests struct {
	Platform string `yaml:"platform" doc:"that it is told from others" enum:"real|recorded|simulated|vendor_document|unproven"`
	Version  string `yaml:"version" enum:"real|recorded|simulated|vendor_document|unproven"`
	Model    string `yaml:"model" enum:"real|recorded|simulated|vendor_document|unproven"`
	Serial   string `yaml:"serial" enum:"real|recorded|simulated|vendor_document|unproven"`
	// State is by the name of a table.
	State document.Map[string] `yaml:"state" doc:"by the name of a table of state"`
}

// WayRests are the same for a way to upgrade, where that is not what its proof says.
type WayRests struct {
	Outage   string `yaml:"outage" enum:"real|recorded|simulated|vendor_document|unproven"`
	Net      string `yaml:"net" enum:"real|recorded|simulated|vendor_document|unproven"`
	Fallback string `yaml:"fallback" enum:"real|recorded|simulated|vendor_document|unproven"`
}

// The parts of detection that rest on something by themselves.
const (
	PartPlatform = "platform"
	PartVersion  = "version"
	PartModel    = "model"
	PartSerial   = "serial"
)

// Parts are the parts of detection, in their order.
func Parts() []string { return []string{PartPlatform, PartVersion, PartModel, PartSerial} }

// RestsOn is what a part of detection rests on; empty where it is not read at all.
func (d *Definition) RestsOn(part string) string {
	said, reads := "", true
	switch part {
	case PartPlatform:
		said = d.Rests.Platform
	case PartVersion:
		said = d.Rests.Version
	case PartModel:
		said, reads = d.Rests.Model, len(d.Facts.Model) > 0 || d.inMembers(PartModel)
	case PartSerial:
		said, reads = d.Rests.Serial, len(d.Facts.Serial) > 0 || d.inMembers(PartSerial)
	}
	if !reads {
		return ""
	}
	return d.proof(said)
}

// inMembers tells whether rows of members have a group of this name.
func (d *Definition) inMembers(group string) bool {
	return slices.ContainsFunc(d.Facts.Members, func(r Rows) bool { return strings.Contains(r.Re, "(?P<"+group+">") })
}

// TableRestsOn is what a table of state rests on.
func (d *Definition) TableRestsOn(name string) string {
	for _, e := range d.Rests.State.Entries {
		if e.Key == name {
			return d.proof(e.Value)
		}
	}
	return d.Proof
}

// WayRestsOn is what a way to upgrade rests on: itself, and what is said of its outage,
// of the device's own safety net and of the way back.
func (d *Definition) WayRestsOn(u *Upgrade) (way string, parts WayRests) {
	way = d.proof(u.Proof)
	of := func(said string) string { return d.proof(cmp.Or(said, way)) }
	return way, WayRests{Outage: of(u.Rests.Outage), Net: of(u.Rests.Net), Fallback: of(u.Rests.Fallback)}
}

// proof is the one that is said, else the definition's. Nothing in a user's own definition
// has been checked, whatever it says.
func (d *Definition) proof(said string) string {
	if d.Proof == unchecked {
		return unchecked
	}
	return cmp.Or(said, d.Proof)
}

// rests checks that nothing is said of what is not there.
func (l *linter) rests() {
	d := &l.p.Definition
	for part, said := range map[string]string{PartModel: d.Rests.Model, PartSerial: d.Rests.Serial} {
		if said != "" && d.RestsOn(part) == "" {
			l.errorf("rests."+part, "leave it out", "the %s is read nowhere", part)
		}
	}
	for _, e := range d.Rests.State.Entries {
		if !slices.ContainsFunc(d.State.Entries, func(t document.Entry[Table]) bool { return t.Key == e.Key }) {
			l.errorf("rests.state."+e.Key, "name a table of state", "there is no table %q", e.Key)
		}
		if !slices.Contains(proofs(), e.Value) {
			l.errorf("rests.state."+e.Key, document.DidYouMean(e.Value, proofs(), "known: "+strings.Join(proofs(), ", ")), "%q proves nothing", e.Value)
		}
	}
}

// proofs are what a definition may say that something rests on, best first.
func proofs() []string {
	return []string{"real", "recorded", "simulated", "vendor_document", "unproven"}
}
