// Package plan builds the plan: every eligible update of every host at plan time,
// as a value with a digest, and narrows it to the work of one host.
package plan

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
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
}

// Ring is a ring with its numbers worked out.
type Ring struct {
	Name         string        `json:"name"`
	Hosts        []fact.HostID `json:"hosts"` // sorted; a host is in one ring
	Batches      []int         `json:"batches"`
	MaxInFlight  int           `json:"max_in_flight"`
	FailureLimit int           `json:"failure_limit"` // more failures than this stop the ring
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
	Checks   []health.Check `json:"checks,omitempty"`
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
