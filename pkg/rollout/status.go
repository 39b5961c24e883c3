package rollout

import (
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/playbook"
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
	HostRollback    HostState = "rollback"    // changed, and waits to be taken back
	HostRolledBack  HostState = "rolled_back" // back at its former versions, verified, all checks pass
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
	Starter  string       // user@machine
	Urgent   bool
	Override WindowOverridden // the last one; zero: none
	// Out are the hosts outside this rollout's own work that were last seen to be out of
	// use, and why.
	Out map[string]string
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
	Window       string // empty: any
	Progress     *GateProgress
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
	Collected      []patch.Proven // over all tries
	Rebooted       bool
	Before         patch.Digest // the snapshot of the state before the work
	Started, Ended time.Time
	// Attempt counts the starts of the step that is open (interrupted processes).
	Attempt int
	// Try counts how often the host was begun anew (retry); 1 is the first.
	Try int
	// Drained: a drain was begun, and nothing has put the host back yet. Silenced likewise.
	Drained, Silenced bool
	// Did is what this rollout has begun to install on it, over all tries: what taking it
	// back has to take back.
	Did []patch.Update
	// Back: it is, or was, taken back. FellFrom is its state before that.
	Back     bool
	FellFrom HostState
	// NotBefore: it stepped back, and is not begun again earlier.
	NotBefore time.Time
}

// GateProgress is what a ring's gate has gathered. Nil where the ring asks for none.
type GateProgress struct {
	Soak      *SoakProgress
	Approval  *ApprovalProgress
	Inquiries []InquiryProgress
	Waived    []Waived
}

// SoakProgress of a ring's gate.
type SoakProgress struct {
	For, Soaked            time.Duration
	Samples, Failed        int
	Pass, Fail, Unknown    int // of the last sample
	Last                   time.Time
	Sick                   map[string]string // hosts that did not pass in the last sample, and why
	Passed, Shut, Doubtful bool
}

// ApprovalProgress of a ring's gate. Those that are Authenticated bear a signature that
// was good when this was asked for.
type ApprovalProgress struct {
	Approvers string
	Count     int
	Given     []Approved // those that hold now
}

// InquiryProgress is one inquiry of a ring's gate.
type InquiryProgress struct {
	Name        string
	When        playbook.When
	Asked       int
	Failed      int
	Successes   int // in a row
	Last        time.Time
	LastVerdict health.Verdict
	Seen        string
	Passed      bool
}
