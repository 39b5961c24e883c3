// Package plan builds the plan: every eligible update of every host at plan time,
// as a value with a digest, and narrows it to the work of one host.
package plan

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/schedule"
)

// Version of the plan's JSON.
const Version = 1

// Plan is saved, shown and digested; it never changes. Everything in it is sorted,
// so that the same facts give the same bytes.
type Plan struct {
	Version  int              `json:"version"`
	Playbook string           `json:"playbook"`
	Source   patch.Digest     `json:"playbook_digest"` // of the playbook's bytes
	Site     string           `json:"site"`
	Made     time.Time        `json:"made"`
	Reboot   patch.RebootRule `json:"reboot"`
	Rings    []Ring           `json:"rings"`
	Hosts    []Host           `json:"hosts"` // sorted by ID
	Notes    []string         `json:"notes,omitempty"`

	// Calendar is that of the time when the plan was made; a rollout journals later ones.
	Calendar schedule.Calendar `json:"calendar,omitzero"`
	// FailureLimit is that of the whole rollout; nil: only the rings have one.
	FailureLimit *int     `json:"failure_limit,omitempty"`
	Urgent       bool     `json:"urgent,omitempty"` // the urgent lane: its soak, window and approval
	Budgets      []Budget `json:"budgets,omitempty"`
	Peers        []Peer   `json:"peers,omitempty"` // every host that a budget counts, sorted
	// OnFailure, Restart, Repair, Keep and OneShot are the playbook's.
	OnFailure OnFailure         `json:"on_failure,omitzero"`
	Restart   patch.RestartRule `json:"restart,omitempty"`
	Repair    bool              `json:"repair,omitempty"`
	OneShot   bool              `json:"one_shot,omitempty"`
	Hooks     []Hook            `json:"hooks,omitempty"`
	Silences  []Silence         `json:"silences,omitempty"`
	// NoLock: hosts whose platform can keep no lock are worked on all the same: only this
	// state folder keeps a second operator away from them.
	NoLock bool `json:"accept_no_lock,omitempty"`
	// Inventory is the digest of the inventory's bytes, of its first file.
	Inventory patch.Digest `json:"inventory_digest,omitempty"`
	// Trust is what must be signed, as the site says.
	Trust Trust `json:"trust,omitzero"`
	// Quarantined hosts are left out of the rings, with the reason.
	Quarantined []Quarantined `json:"quarantined,omitempty"`
}

// Trust is what a rollout of the plan demands signatures for.
type Trust struct {
	Approvals   bool `json:"approvals,omitempty"`
	Plans       bool `json:"plans,omitempty"`
	Checkpoints bool `json:"checkpoints,omitempty"`
	FourEyes    bool `json:"four_eyes,omitempty"`
}

func trustOf(t inventory.Trust) Trust {
	return Trust{Approvals: t.Approvals, Plans: t.Plans, Checkpoints: t.Checkpoints, FourEyes: t.FourEyes}
}

// Quarantined is a host known to be dead, on somebody's account, until a day.
type Quarantined struct {
	ID     fact.HostID `json:"host"`
	Ring   string      `json:"ring"` // the ring that it would be in
	Owner  string      `json:"owner"`
	Until  time.Time   `json:"until"`
	Reason string      `json:"reason"`
}

// Ring is a ring with its numbers worked out.
type Ring struct {
	Name         string        `json:"name"`
	Hosts        []fact.HostID `json:"hosts"`   // in the order of their stages, then sorted, members of a unit side by side; a host is in one ring
	Batches      []int         `json:"batches"` // in units that have work, in the order of Hosts; a batch is cut where a stage ends
	MaxInFlight  int           `json:"max_in_flight"`
	FailureLimit int           `json:"failure_limit"`    // more failures than this stop the ring
	Window       string        `json:"window,omitempty"` // a name in the calendar; empty: any
	Gate         Gate          `json:"gate,omitzero"`
	// Stages are done one after the other: so many of Hosts, in order, make each. Empty:
	// all are one. What others of the ring depend on (a bastion, a hook's target, a device
	// on their path, at last the controller) is a stage by itself, at the end.
	Stages []int `json:"stages,omitempty"`
}

// Host is what the plan says of one host.
type Host struct {
	ID       fact.HostID    `json:"host"`
	Ring     string         `json:"ring"`
	Domain   string         `json:"domain,omitempty"`
	Platform fact.Platform  `json:"platform,omitempty"`
	Install  []patch.Update `json:"install,omitempty"`
	Left     []patch.Left   `json:"left,omitempty"`
	Reboot   patch.Tri      `json:"reboot_expected"`
	// Unit is the pair, stack or cluster that the host is a member of; empty: it is its own.
	Unit string `json:"unit,omitempty"`
	// Takes is how long its work is expected to take, from begin to end, by the history
	// of such hosts in the state folder, else by a stated default.
	Takes  time.Duration  `json:"takes,omitempty"`
	Checks []health.Check `json:"checks,omitempty"`
	// Return is what is known of the way back, before anything is changed.
	Return Return `json:"return,omitzero"`
	// Snapshots are the archives of old versions that the host may fetch from.
	Snapshots []string `json:"snapshots,omitempty"`
	// RebootWithin is how long a reboot may take; 0: the driver's default.
	RebootWithin time.Duration `json:"reboot_within,omitempty"`
	// Image is the file of its update, where that replaces the whole software of a device.
	Image *patch.Image `json:"image,omitempty"`
	// Outage is what that costs those who use the device.
	Outage patch.Outage `json:"outage,omitempty"`
	// Net is the device's own safety net, in words; empty: it has none.
	Net string `json:"net,omitempty"`
	// Proof is what the way of upgrading it rests on, and Definition the file that says so:
	// what was accepted holds for these.
	Proof      string       `json:"proof,omitempty"`
	Definition patch.Digest `json:"definition,omitempty"`
	// Recheck: it is looked at again because of its last rollout, see there.
	Recheck *Recheck `json:"recheck,omitempty"`
	// Problem says why the host can't be worked on: unreachable, unknown platform,
	// a resolver that refuses. Empty: it can.
	Problem *Problem `json:"problem,omitempty"`
}

// Problem keeps the class of what is wrong, so that the exit code can say it.
type Problem struct {
	Code string `json:"code"` // a fault.Code
	What string `json:"what"`
	Hint string `json:"hint,omitempty"`
}
