package playbook

import (
	"time"

	"github.com/patchring/patchring/pkg/health"
)

// Gate is what must hold before the first host of a ring may be touched, beyond the
// health of the rings before, which always must; as written, with defaults filled in.
type Gate struct {
	Soak             *Soak
	Approval         *Approval
	Checks           []Inquiry
	MinParticipation int // percent; 0: rollout's default
	Coverage         int // percent of this ring's updates that a ring before must have proven; 0: none is asked for
}

// Approval is by people of one of the site's lists, none of whom started the rollout.
type Approval struct {
	Approvers string        // the name of the list in the site
	Count     int           // how many different ones
	Expires   time.Duration // how long one approval holds
}

// Soak is how long the rings before must stay healthy, sampled again and again.
type Soak struct {
	For time.Duration `json:"for"`
	Pace
	// MaxGap: a longer time without a sample counts as unknown, and not as soaked.
	MaxGap time.Duration `json:"max_gap"`
}

// Pace is how often something is measured, and how much of it must go well: the four
// settings of the same names that users of Argo Rollouts know.
type Pace struct {
	InitialDelay time.Duration `json:"initial_delay,omitempty"`
	Interval     time.Duration `json:"interval"`
	FailureLimit int           `json:"failure_limit,omitempty"`             // more failed measurements than this shut the gate for good
	Successes    int           `json:"consecutive_success_limit,omitempty"` // so many in a row at the end; 0 is 1
}

// Inquiry is one question of the user's own about the world, asked from the
// controller: exactly one of its kinds is set. An error is never a yes.
type Inquiry struct {
	Name       string          `json:"name"`
	When       When            `json:"when"`
	Command    *health.Command `json:"command,omitempty"` // on the controller; Become is never set
	HTTP       *health.HTTP    `json:"http,omitempty"`
	Prometheus *Prometheus     `json:"prometheus,omitempty"`
	Within     time.Duration   `json:"within"` // a single answer takes at most this long
	Pace
}

// When an inquiry is made: before the ring's first host, after its last, or both.
type When string

const (
	WhenBefore When = "before"
	WhenAfter  When = "after"
	WhenBoth   When = "both"
)

// Prometheus asks an instant query; every sample of the answer must be within the
// bounds, and there must be one.
type Prometheus struct {
	URL   string   `json:"url"` // of the server, without /api/v1/query
	Query string   `json:"query"`
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	Token string   `json:"token,omitempty"` // reference to a bearer token: env:NAME …
}
