package report

import (
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/plan"
)

// PlanGate is what must hold before the first host of a ring may be touched, beyond
// the health of the rings before, which always must.
type PlanGate struct {
	Soak             *PlanSoak     `json:"soak"`     // null: none
	Approval         *PlanApproval `json:"approval"` // null: none
	Checks           []PlanInquiry `json:"checks"`
	MinParticipation int           `json:"min_participation"` // percent of the hosts of the rings before
	Coverage         int           `json:"coverage"`          // percent of the ring's updates; 0: none is asked for
}

// PlanPace is how often something is measured, and how much of it must go well.
type PlanPace struct {
	InitialDelay int64 `json:"initial_delay_seconds"`
	Interval     int64 `json:"interval_seconds"`
	FailureLimit int   `json:"failure_limit"`
	Successes    int   `json:"consecutive_success_limit"`
}

// PlanSoak is how long the rings before must stay healthy.
type PlanSoak struct {
	For    int64 `json:"for_seconds"`
	MaxGap int64 `json:"max_gap_seconds"`
	PlanPace
}

// PlanTrust is what must be signed for a rollout of the plan.
type PlanTrust struct {
	Approvals   bool `json:"approvals"`
	Plans       bool `json:"plans"`
	Checkpoints bool `json:"checkpoints"`
	FourEyes    bool `json:"four_eyes"` // whoever starts it can't approve it, by name or by key
}

func newPlanTrust(t plan.Trust) *PlanTrust {
	if t == (plan.Trust{}) {
		return nil
	}
	return &PlanTrust{t.Approvals, t.Plans, t.Checkpoints, t.FourEyes}
}

func (t PlanTrust) said() string {
	var must []string
	for word, is := range map[string]bool{"approvals": t.Approvals, "plans": t.Plans, "checkpoints": t.Checkpoints} {
		if is {
			must = append(must, word)
		}
	}
	slices.Sort(must)
	out := strings.Join(must, ", ") + " must be"
	if t.FourEyes {
		out += "; the starter can't approve"
	}
	return out
}

// PlanApproval is by people. Authenticated: only signed ones count.
type PlanApproval struct {
	Approvers     string   `json:"approvers"`
	People        []string `json:"people"`
	Count         int      `json:"count"`
	Expires       int64    `json:"expires_seconds"`
	Authenticated bool     `json:"authenticated"`
}

// PlanInquiry is one question of the user's own about the world.
type PlanInquiry struct {
	Name   string `json:"name"`
	When   string `json:"when"` // before | after | both
	Kind   string `json:"kind"` // command | http | prometheus
	What   string `json:"what"` // without anything of a URL that may be secret
	Within int64  `json:"within_seconds"`
	PlanPace
}

// PlanCalendar is when hosts of the site may be started.
type PlanCalendar struct {
	Zone    string       `json:"zone"`
	Windows []PlanWindow `json:"windows"` // those that rings name
	Freezes []PlanFreeze `json:"freezes"` // those that had not ended when the plan was made
}

// PlanWindow is a window in words.
type PlanWindow struct {
	Name  string `json:"name"`
	Opens string `json:"opens"` // empty: never
}

// PlanFreeze is a time in which nothing starts.
type PlanFreeze struct {
	From    string `json:"from"`
	Through string `json:"through"`
	Reason  string `json:"reason"`
}

// PlanBudget is the most units of some hosts that may be out at once.
type PlanBudget struct {
	Name    string   `json:"name"`
	Most    int      `json:"most"`
	Hosts   []string `json:"hosts"`
	Members bool     `json:"members"` // single hosts are counted, not units
}

// PlanHook is a program of the user's that runs around the work on some hosts.
type PlanHook struct {
	Name   string   `json:"name"`
	At     string   `json:"at"` // before | drain | after
	On     string   `json:"on"` // host | controller | a host's name
	Argv   []string `json:"argv"`
	Undo   []string `json:"undo"`
	Within int64    `json:"within_seconds"`
	Become bool     `json:"become"`
	Wait   string   `json:"wait"` // how a drain is seen to have taken effect; empty: not looked at
	Hosts  []string `json:"hosts"`
}

// PlanSilence keeps alerts about hosts quiet while they are at work.
type PlanSilence struct {
	Name  string   `json:"name"`
	Kind  string   `json:"kind"` // alertmanager | webhook
	To    string   `json:"to"`   // scheme and host alone: a webhook's path is a secret
	TTL   int64    `json:"ttl_seconds"`
	Hosts []string `json:"hosts"`
}
