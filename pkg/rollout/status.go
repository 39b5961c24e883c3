package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
)

// Phase of a rollout as a whole.
type Phase string

const (
	PhaseNone     Phase = "" // nothing opened yet
	PhaseOpen     Phase = "open"
	PhasePaused   Phase = "paused"
	PhaseHalted   Phase = "halted"
	PhaseAborted  Phase = "aborted"
	PhaseFinished Phase = "finished"
)

// HostState is where one host stands in a rollout.
type HostState string

const (
	HostWaiting     HostState = "waiting"
	HostWorking     HostState = "working"     // a step is begun, or between two steps
	HostHealthy     HostState = "healthy"     // patched, verified, all checks pass
	HostNothing     HostState = "nothing"     // nothing to do, not touched
	HostFailed      HostState = "failed"      // touched or not: see Touched
	HostUnknown     HostState = "unknown"     // touched, and could not be judged: a person must look
	HostUnreachable HostState = "unreachable" // not touched
)

// Status is what `status`, `report` and the exit code are made from.
type Status struct {
	Rollout  string
	Playbook string
	Site     string
	Plan     patch.Digest
	Phase    Phase
	Opened   time.Time
	Changed  time.Time // of the last event
	Seq      uint64
	Rings    []RingStatus
	Hosts    []HostStatus // sorted by ring order, then ID
	Reasons  []string     // why it is paused, halted, aborted or finished
}

// RingStatus is one ring's standing.
type RingStatus struct {
	Name         string
	Gate         GateState
	GateReasons  []string // why open, or why not yet
	Set          patch.Digest
	Hosts        int
	ByState      map[HostState]int
	FailureLimit int
	Began, Ended time.Time
}

// GateState of a ring. The zero value is the worst.
type GateState string

const (
	GateInconclusive GateState = ""       // a person must look
	GateClosed       GateState = "closed" // not, or not yet
	GateOpen         GateState = "open"
)

// HostStatus is one host's standing.
type HostStatus struct {
	ID             fact.HostID
	Ring           string
	State          HostState
	Touched        bool
	Step           platform.StepID // the last one begun
	Code           fault.Code
	Reasons        []string
	Notes          []string
	Began          *Began
	Checks         []health.Result
	Proven         []patch.Proven
	Rebooted       bool
	Before         patch.Digest // the snapshot of the state before the work
	Started, Ended time.Time
	// Attempt counts the starts of the step that is open (interrupted processes).
	Attempt int
}
