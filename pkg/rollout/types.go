// Package rollout is the heart: the state machine that carries one plan through
// its rings. Fold records what happened and stays stable forever; Decide is policy.
// Both are pure and deterministic: no clock, no I/O, sorted iteration. flow.go is
// the list of everything that happens to a host, in order; read it first.
package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// Event is one journaled entry with its place and time.
type Event struct {
	Seq   uint64
	Time  time.Time
	Actor string
	Entry Entry
}

// Entry is what happened. Each type's Kind is its name in the journal, forever.
type Entry interface{ Kind() string }

type (
	// Opened begins a rollout. It carries all that Fold needs of the plan.
	Opened struct {
		Rollout  string       `json:"rollout"`
		Playbook string       `json:"playbook"`
		Site     string       `json:"site"`
		Plan     patch.Digest `json:"plan"`
		Rings    []plan.Ring  `json:"rings"`
		// Problems are the hosts that the plan could not look into: they count as gone.
		Problems map[string]plan.Problem `json:"problems,omitempty"`
		// Idle are the hosts that the plan has nothing for.
		Idle []fact.HostID `json:"idle,omitempty"`
	}

	// GateOpened is the fact that ring may be started. Set is the frozen patch set that it is
	// bound to; for the first ring it is empty, and the plan's own versions hold.
	GateOpened struct {
		Ring    string         `json:"ring"`
		Set     patch.Digest   `json:"set,omitempty"`
		Frozen  patch.PatchSet `json:"frozen,omitzero"`
		Reasons []string       `json:"reasons"`
	}

	// StepStarted is written before a step with a side effect begins.
	StepStarted struct {
		Host fact.HostID     `json:"host"`
		Step platform.StepID `json:"step"`
		Mode Mode            `json:"mode"`
	}

	// StepEnded is how a step ended.
	StepEnded struct {
		Host    fact.HostID     `json:"host"`
		Step    platform.StepID `json:"step"`
		Outcome Outcome         `json:"outcome"`
		Code    fault.Code      `json:"code,omitempty"`    // the class of the failure
		Reasons []string        `json:"reasons,omitempty"` // cleaned
		Notes   []string        `json:"notes,omitempty"`
		Began   *Began          `json:"began,omitempty"`   // of the begin step
		Checks  []health.Result `json:"checks,omitempty"`  // of the check step
		Proven  []patch.Proven  `json:"proven,omitempty"`  // of the verify step: versions seen installed
		Reboots bool            `json:"reboots,omitempty"` // of a step that restarted the host
		// Before is the snapshot of the before step, in the store; Fold keeps it in HostStatus.Before.
		Before patch.Digest `json:"before,omitempty"`
	}

	// Began is what the begin step learned under the host's lock.
	Began struct {
		Facts patch.Digest      `json:"facts"` // in the store
		Work  patch.Work        `json:"work"`
		Steps []platform.StepID `json:"steps"` // all the steps that follow, in order, the last being FlowEnd
		// Changing are those of Steps after whose start the host counts as touched.
		Changing []platform.StepID `json:"changing,omitempty"`
	}

	// Halted says that no further host starts: past the failure limit, or a gate that can't open.
	Halted struct {
		Ring    string   `json:"ring"`
		Gate    bool     `json:"gate"` // a gate said no, not the failure limit
		Reasons []string `json:"reasons"`
	}

	// Paused is a person's word: begin no further host until Resumed.
	Paused struct {
		Reason string `json:"reason"`
	}
	// Resumed takes a Paused back.
	Resumed struct {
		Reason string `json:"reason"`
	}
	// Aborted is a person's word: begin no further host, ever.
	Aborted struct {
		Reason string `json:"reason"`
	}

	// Finished says that every ring has ended.
	Finished struct {
		Reasons []string `json:"reasons,omitempty"`
	}
)

// Mode of a task: begin it, or look at what an interrupted process left.
type Mode string

const (
	Start     Mode = "start"
	Reconcile Mode = "reconcile"
)

// Outcome of a step. The zero value is the worst.
type Outcome string

const (
	OutcomeUnknown     Outcome = ""            // could not tell: a person must look
	OutcomeFailed      Outcome = "failed"      // it did not do what it should
	OutcomeUnreachable Outcome = "unreachable" // the host could not be reached at all, so nothing was done
	OutcomeNothing     Outcome = "nothing"     // of begin: nothing to do here
	OutcomeOK          Outcome = "ok"
)

// Task is one step of one host to be performed: small, serialisable, free of secrets.
type Task struct {
	Rollout string          `json:"rollout"`
	Plan    patch.Digest    `json:"plan"`
	Set     patch.Digest    `json:"set,omitempty"`
	Ring    string          `json:"ring"`
	Host    fact.HostID     `json:"host"`
	Step    platform.StepID `json:"step"`
	Mode    Mode            `json:"mode"`
}

// Decision is what to do now. Record is appended before anything of Do begins;
// each task of Do is preceded by its StepStarted, which the engine writes.
type Decision struct {
	Record []Entry
	Do     []Task
	Waits  []Wait
	Wake   time.Time // when to ask again though nothing happened; zero: only when something did
}

// Wait says what the rollout waits for, in words for a person.
type Wait struct {
	Ring string `json:"ring,omitempty"`
	For  string `json:"for"`
	// Person: nothing goes on until somebody acts.
	Person bool `json:"person,omitempty"`
}
