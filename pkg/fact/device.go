package fact

import (
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// Device is what detection learned of something that is driven by its own command line:
// network gear, a load balancer, a storage array, an appliance.
type Device struct {
	Definition patch.Digest `json:"definition"` // of what it was read with
	Proof      string       `json:"proof"`      // what that definition rests on: "vendor_document", "unchecked" …
	// Family is what an image must have been proven on to carry over: the series of the
	// model, "C9300".
	Family string `json:"family,omitempty"`
	// Order names the scheme of package version by which its versions are ordered.
	Order string `json:"order,omitempty"`
	Build string `json:"build,omitempty"` // where the platform tells builds of one version apart
	// Members are the units of a stack, chassis or cluster, sorted by ID; of a single
	// device one, with the ID "".
	Members []Member `json:"members,omitempty"`
	// Role of the unit that answered, in its pair: RoleActive, RoleStandby, or empty.
	Role string `json:"role,omitempty"`
	// Synced tells whether the members of the pair or cluster agree.
	Synced patch.Tri `json:"synced"`
	Mode   string    `json:"mode,omitempty"` // of installation: "INSTALL", "BUNDLE"
	Slots  []Slot    `json:"slots,omitempty"`
	// Booted is when it came up, by the controller's clock: Seen less the device's uptime,
	// or what the device says itself. Grain is how exact that is.
	Booted time.Time     `json:"booted,omitzero"`
	Grain  time.Duration `json:"grain,omitempty"`
	Free   []FreeSpace   `json:"free,omitempty"`
	// Values are the definition's other facts by name.
	Values map[string]string `json:"values,omitempty"`
	// Refused is why this one may not be upgraded at all: something else manages it.
	Refused []string `json:"refused,omitempty"`
	// Exchanges are what was asked and answered, for evidence: nil unless asked for.
}

// Member is one unit of a device.
type Member struct {
	ID      string    `json:"id,omitempty"`
	Model   string    `json:"model,omitempty"`
	Serial  string    `json:"serial,omitempty"`
	Role    string    `json:"role,omitempty"`  // RoleActive, RoleStandby, or the device's own word
	State   string    `json:"state,omitempty"` // in the device's own words: "Ready", "Prsnt"
	Version string    `json:"version,omitempty"`
	Booted  time.Time `json:"booted,omitzero"`
}

// The roles of a member.
const (
	RoleActive  = "active"
	RoleStandby = "standby"
)

// Slot is a place where a member keeps software.
type Slot struct {
	Member  string `json:"member,omitempty"`
	Name    string `json:"name,omitempty"` // "primary", "HD1.2", a file
	State   string `json:"state,omitempty"`
	Version string `json:"version,omitempty"`
}

// What a Slot may be, whatever the device calls it.
const (
	SlotRunning = "running" // what runs, and what the next boot starts
	SlotOld     = "old"     // what runs, and what the next boot does not start
	SlotNext    = "next"    // what the next boot starts, and what does not run
	SlotIdle    = "idle"    // neither
	SlotTrial   = "trial"   // runs uncommitted: something else comes back by itself
)

// FreeSpace is what a file system of a member has left.
type FreeSpace struct {
	Member string `json:"member,omitempty"`
	Name   string `json:"name"` // "flash:", "/var"
	Bytes  int64  `json:"bytes"`
}

// Serials is the identity of a device: the serial numbers of its members, sorted by
// member. The active one of a stack changes; the set does not.
func (d *Device) Serials() []string {
	var serials []string
	for _, m := range d.Members {
		if m.Serial != "" {
			serials = append(serials, m.Serial)
		}
	}
	return serials
}
