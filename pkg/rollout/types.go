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
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
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
		// Calendar holds until a CalendarSet.
		Calendar schedule.Calendar `json:"calendar,omitzero"`
		// FailureLimit of the whole rollout; nil: only the rings have one.
		FailureLimit *int `json:"failure_limit,omitempty"`
		// Units names the unit of each host that is not its own.
		Units map[string]string `json:"units,omitempty"`
		// Takes is how long the work of each host is expected to take.
		Takes   map[string]time.Duration `json:"takes,omitempty"`
		Budgets []plan.Budget            `json:"budgets,omitempty"`
		Urgent  bool                     `json:"urgent,omitempty"`
		// Quarantined hosts are in no ring, but count as out in their budgets.
		Quarantined []fact.HostID `json:"quarantined,omitempty"`
		// OnFailure says what becomes of hosts that have failed.
		OnFailure plan.OnFailure `json:"on_failure,omitzero"`
		// Wants are, by ring, the updates whose coverage a gate asks for.
		Wants map[string][]Want `json:"wants,omitempty"`
		// Trust is what must be signed, as the plan says.
		Trust plan.Trust `json:"trust,omitzero"`
	}

	// Want is an update that so many hosts of a ring are to get.
	Want struct {
		patch.Proven
		Hosts int `json:"hosts"`
	}

	// CalendarSet says that windows or freezes are others now than the journal knew.
	CalendarSet struct {
		Calendar schedule.Calendar `json:"calendar"`
	}

	// WindowOverridden lets hosts start outside their window until then. Freezes hold.
	WindowOverridden struct {
		Reason string    `json:"reason"`
		Until  time.Time `json:"until"`
	}

	// Approved is one person's word for one ring. It binds the plan and the set that the
	// ring would be bound to; another set, after a retry, needs another approval.
	Approved struct {
		Ring    string       `json:"ring"`
		Plan    patch.Digest `json:"plan"`
		Set     patch.Digest `json:"set,omitempty"`
		By      string       `json:"by"` // who typed it: user@machine
		As      string       `json:"as"` // whose word it is, as claimed
		Expires time.Time    `json:"expires"`
		Reason  string       `json:"reason,omitempty"`
		// Authenticated: whoever recorded it had verified the signature. It proves nothing by
		// itself: Signature is verified again whenever it is to count.
		Authenticated bool `json:"authenticated,omitempty"`
		// Signature is armoured SSHSIG over what package evidence says of an approval, and Key
		// the fingerprint of the key that made it. Both empty: a name that somebody typed.
		Signature string `json:"signature,omitempty"`
		Key       string `json:"key,omitempty"`
	}

	// Sealed is a checkpoint: the signature of whoever carries the rollout on, over the chain
	// of the journal up to and with the record Seq.
	Sealed struct {
		Seq       uint64       `json:"seq"`
		Line      patch.Digest `json:"line"` // of that record's line
		Why       string       `json:"why"`  // "opened", "gate production", "finished" …
		As        string       `json:"as"`   // whose key it is, by the allowed signers of that time; may be empty
		Key       string       `json:"key"`  // its fingerprint
		Signature string       `json:"signature"`
	}

	// Waived lets a ring's gate open without its soak, or without an inquiry that is
	// inconclusive, for this set alone.
	Waived struct {
		Ring string       `json:"ring"`
		Set  patch.Digest `json:"set,omitempty"`
		What string       `json:"what"` // WaiveSoak, or "check:" and the inquiry's name
		By   string       `json:"by"`   // who typed it: user@machine
		// When, of an inquiry: its answer before the ring, or the one after it.
		When   playbook.When `json:"when,omitempty"`
		Reason string        `json:"reason"`
	}

	// Sampled is one look at every healthy host of the rings before Ring's gate.
	Sampled struct {
		Ring    string `json:"ring"`
		Pass    int    `json:"pass"`
		Fail    int    `json:"fail"`
		Unknown int    `json:"unknown"`
		// Changed are the hosts that stand otherwise than in the sample before: why they
		// fail or could not be told, or "" for those that pass again.
		Changed map[string]string `json:"changed,omitempty"`
		Samples patch.Digest      `json:"samples,omitempty"` // all results, in the store
	}

	// Asked is one answer to an inquiry of a ring's gate.
	Asked struct {
		Ring    string         `json:"ring"`
		Check   string         `json:"check"`
		When    playbook.When  `json:"when"` // before or after the ring
		Verdict health.Verdict `json:"verdict"`
		Seen    string         `json:"seen,omitempty"` // cleaned
	}

	// Retried begins failed and unknown hosts again; they are looked at first.
	Retried struct {
		Hosts  []fact.HostID `json:"hosts"`
		Reason string        `json:"reason,omitempty"`
	}

	// RollbackAsked takes hosts back to the versions that they had before this rollout:
	// because a person said so, or, Auto, because the playbook says so of hosts that have
	// failed. A person's word halts a rollout that is under way.
	RollbackAsked struct {
		Hosts  []fact.HostID `json:"hosts"`
		Reason string        `json:"reason,omitempty"`
		Auto   bool          `json:"auto,omitempty"`
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
		Try  int             `json:"try,omitempty"` // of the host; 0 is 1
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
		// After are the facts that the verify step saw, in the store: among them the boot.
		After patch.Digest `json:"after,omitempty"`
		// Collected are the files that this host was patched with, of the collect step: their
		// content is in the store, but for those of which only the digest is known.
		Collected []patch.Proven `json:"collected,omitempty"`
		// Out are the hosts of the budgets that were seen to be out, and why: of a begin step
		// that stepped back.
		Out map[string]string `json:"out,omitempty"`
	}

	// Began is what the begin step learned under the host's lock.
	Began struct {
		Facts patch.Digest      `json:"facts"` // in the store
		Work  patch.Work        `json:"work"`
		Steps []platform.StepID `json:"steps"` // all the steps that follow, in order, the last being FlowEnd
		// Changing are those of Steps after whose start the host counts as touched.
		Changing []platform.StepID `json:"changing,omitempty"`
		// Confirming are those of Steps that wait for the checks: by them a device is told to
		// keep its new software.
		Confirming []platform.StepID `json:"confirming,omitempty"`
		// Return says whether the host could be taken back from this work, as far as is known
		// before it begins.
		Return plan.Return `json:"return,omitzero"`
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
	OutcomeBack        Outcome = "back"        // of begin: a budget is used up by others, so it stepped back; nothing was done
	OutcomeOK          Outcome = "ok"
)

// WaiveSoak names the soak in Waived; an inquiry is "check:" and its name.
const WaiveSoak = "soak"

// Task is one step of one host to be performed, or one question of a ring's gate:
// small, serialisable, free of secrets.
type Task struct {
	Rollout string          `json:"rollout"`
	Plan    patch.Digest    `json:"plan"`
	Set     patch.Digest    `json:"set,omitempty"`
	Ring    string          `json:"ring"`
	Host    fact.HostID     `json:"host"`
	Step    platform.StepID `json:"step"`
	Mode    Mode            `json:"mode"`
	Try     int             `json:"try,omitempty"` // how often the host was begun; 0 is 1
	// Back: the host is taken back to what it was before this rollout.
	Back bool `json:"back,omitempty"`
	// Ask is what the gate of Ring wants to know: AskSample, or an inquiry's name. Empty: the
	// task is a host's step. A question changes nothing, and is not journaled before it is asked.
	Ask  Ask           `json:"ask,omitempty"`
	When playbook.When `json:"when,omitempty"`
}

// Ask names a question of a gate.
type Ask string

// AskSample is the soak's sample; every other Ask is "check:" and an inquiry's name.
const AskSample Ask = "sample"

// Key tells tasks apart that are under way at the same time.
func (t Task) Key() string {
	if t.Ask == "" {
		return t.Host.String()
	}
	return "ring " + t.Ring + " " + string(t.When) + " " + string(t.Ask)
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
	// Until is when it goes on by itself; zero: not foreseen.
	Until time.Time `json:"until,omitzero"`
	// Person: nothing goes on until somebody acts.
	Person bool `json:"person,omitempty"`
}
