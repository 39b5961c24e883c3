package evidence

import (
	"strconv"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// The first lines of what is signed. Together with the namespace of the signature they keep
// a signature for one thing from being read as one for another.
const (
	approvalV1   = "patchring approval v1"
	checkpointV1 = "patchring checkpoint v1"
)

// Approval is what a person signs who lets a ring be patched.
type Approval struct {
	Rollout, Site, Playbook, Ring string
	Plan                          patch.Digest
	Set                           patch.Digest // empty: the plan's own versions, as in a first ring
	As                            string       // whose word it is
	Expires                       time.Time
	Reason                        string // may be empty
}

// ApprovalOf is what the signature of a journaled approval is over.
func ApprovalOf(o rollout.Opened, a rollout.Approved) Approval {
	return Approval{
		Rollout: o.Rollout, Site: o.Site, Playbook: o.Playbook, Ring: a.Ring, Plan: a.Plan, Set: a.Set,
		As: a.As, Expires: a.Expires, Reason: a.Reason,
	}
}

// ApprovalMessage gives the bytes that are signed, in the namespace patchring-approval. It
// refuses values that are missing, or hold what can't be seen (control characters, text that
// changes its direction).
func ApprovalMessage(a Approval) ([]byte, error) {
	return write(approvalV1, []line{
		{name: "rollout", value: a.Rollout}, {name: "site", value: a.Site}, {name: "playbook", value: a.Playbook},
		{name: "ring", value: a.Ring}, {name: "plan", value: whole(a.Plan)}, {name: "set", value: setText(a.Set)},
		{name: "as", value: a.As}, {name: "expires", value: stamp(a.Expires)}, {name: "reason", value: a.Reason, empty: true},
	})
}

// noSet stands where a ring is bound to the plan alone.
const noSet = "none"

func setText(d patch.Digest) string {
	if d == "" {
		return noSet
	}
	return whole(d)
}

// ParseApproval reads what ApprovalMessage wrote, and nothing else.
func ParseApproval(message []byte) (Approval, error) {
	v, err := read(message, approvalV1, "rollout", "site", "playbook", "ring", "plan", "set", "as", "expires", "reason")
	if err != nil {
		return Approval{}, err
	}
	a := Approval{
		Rollout: v[0], Site: v[1], Playbook: v[2], Ring: v[3], Plan: digest(v[4]), Set: digest(v[5]),
		As: v[6], Expires: instant(v[7]), Reason: v[8],
	}
	again, err := ApprovalMessage(a)
	if err := same(message, again, err); err != nil {
		return Approval{}, err
	}
	return a, nil
}

// Checkpoint is what whoever carries a rollout on signs of its journal.
type Checkpoint struct {
	Rollout, Site string
	Why           string       // "opened", "gate production", "finished" …
	Seq           uint64       // of the last record that it covers
	Line          patch.Digest // of that record's line, and so of all before it
	Plan          patch.Digest
}

// CheckpointOf is what the signature of a journaled checkpoint is over.
func CheckpointOf(o rollout.Opened, s rollout.Sealed) Checkpoint {
	return Checkpoint{Rollout: o.Rollout, Site: o.Site, Why: s.Why, Seq: s.Seq, Line: s.Line, Plan: o.Plan}
}

// CheckpointMessage gives the bytes that are signed, in the namespace patchring-checkpoint.
// It refuses what ApprovalMessage refuses.
func CheckpointMessage(c Checkpoint) ([]byte, error) {
	seq := ""
	if c.Seq > 0 {
		seq = strconv.FormatUint(c.Seq, 10)
	}
	return write(checkpointV1, []line{
		{name: "rollout", value: c.Rollout}, {name: "site", value: c.Site}, {name: "why", value: c.Why},
		{name: "seq", value: seq}, {name: "line", value: whole(c.Line)}, {name: "plan", value: whole(c.Plan)},
	})
}

// ParseCheckpoint reads what CheckpointMessage wrote, and nothing else.
func ParseCheckpoint(message []byte) (Checkpoint, error) {
	v, err := read(message, checkpointV1, "rollout", "site", "why", "seq", "line", "plan")
	if err != nil {
		return Checkpoint{}, err
	}
	c := Checkpoint{Rollout: v[0], Site: v[1], Why: v[2], Seq: number(v[3]), Line: digest(v[4]), Plan: digest(v[5])}
	again, err := CheckpointMessage(c)
	if err := same(message, again, err); err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}
