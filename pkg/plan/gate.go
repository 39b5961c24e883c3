package plan

import (
	"time"

	"github.com/patchring/patchring/pkg/playbook"
)

// Gate is what must hold before the first host of a ring may be touched, beyond the
// health of the rings before, which always must.
type Gate struct {
	Soak     *playbook.Soak     `json:"soak,omitempty"`
	Approval *Approval          `json:"approval,omitempty"`
	Checks   []playbook.Inquiry `json:"checks,omitempty"`
	// MinParticipation is the share of the hosts of the rings before, in percent, that
	// must have taken part. 0 stands for rollout's default.
	MinParticipation int `json:"min_participation,omitempty"`
	// Coverage is the share of this ring's updates, in percent, that a ring before must
	// have proven. 0: none is asked for; what is not proven is left alone in any case.
	Coverage int `json:"coverage,omitempty"`
}

// Approval is by people, none of whom has started the rollout.
type Approval struct {
	Approvers string        `json:"approvers"` // the name of the list
	People    []string      `json:"people"`    // who is on it
	Count     int           `json:"count"`     // how many different ones
	Expires   time.Duration `json:"expires"`   // how long one approval holds
}
