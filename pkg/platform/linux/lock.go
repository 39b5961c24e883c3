package linux

import (
	_ "embed"
	"encoding/json"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
)

//go:embed lock_look.sh
var lockLookScript string

//go:embed lock.sh
var lockScript string

// LockFolder is the lock on a host: the folder is the lock, owner.json in it says whose.
const LockFolder = lockHome + "/lock"

const lockHome = "/var/lib/patchring"

func lock(on fact.HostID, o platform.Owner) platform.Step {
	return lockStep("lock", "take", "take the lock on the host", on, o, judgeLock)
}

func unlock(on fact.HostID, o platform.Owner) platform.Step {
	return lockStep("unlock", "give", "give the lock back", on, o, judgeUnlock)
}

func lockStep(id platform.StepID, verb, title string, on fact.HostID, o platform.Owner, judge func(platform.Owner, holder) platform.Standing) platform.Step {
	owner, rollout := ownerJSON(o)
	change := look(remote.Changes, 0, []string{verb, lockHome, owner, rollout}, lockScript)
	see := look(remote.Reads, 0, []string{nonce(string(id), fact.Facts{Host: on}, []string{owner}), lockHome}, frameScript, lockLookScript)
	return platform.Step{
		ID: id, On: on, Title: title, Deadline: time.Minute, Rest: true,
		Do: []platform.Operation{{Command: &change}},
		Look: platform.Look{
			Do:    []platform.Operation{{Command: &see}},
			Judge: func(r []remote.Result) platform.Standing { return judge(o, readHolder(r)) },
		},
	}
}

// ownerJSON is the owner file, and the rollout's name as it stands in it. A struct
// of strings and a time can't fail to be written.
func ownerJSON(o platform.Owner) (owner, rollout string) {
	all, err := json.Marshal(o)
	if err != nil {
		all = []byte("{}")
	}
	name, err := json.Marshal(o.Rollout)
	if err != nil {
		name = []byte(`""`)
	}
	return string(all), string(name)
}

// holder is what a look at the lock found.
type holder struct {
	state string // free, held, nameless, symlink, unreadable; "": not known
	owner platform.Owner
	why   string // of a state that is not known
}

func readHolder(results []remote.Result) holder {
	rep, trouble := WholeReport(results)
	if trouble != "" {
		return holder{why: trouble}
	}
	h := holder{state: strings.TrimSpace(rep.Get("state").Out)}
	if h.state != "held" {
		return h
	}
	owner := rep.Get("owner")
	if err := json.Unmarshal([]byte(owner.Out), &h.owner); err != nil || !owner.OK() {
		return holder{why: LockFolder + "/owner.json can't be understood: " + remote.Clean(owner.Out, 200)}
	}
	return h
}

func judgeLock(o platform.Owner, h holder) platform.Standing {
	switch {
	case h.state == "free":
		return platform.Standing{State: platform.NotDone}
	case h.state == "held" && same(h.owner, o):
		return platform.Standing{State: platform.Done}
	case h.state == "held":
		return platform.Standing{State: platform.Failed, Code: fault.Locked, Reasons: []string{heldBy(h.owner) + "; if nobody is at work there any more, on the host, type: sudo rm -r " + LockFolder}}
	}
	return platform.Standing{Code: fault.Locked, Reasons: []string{h.obscure()}}
}

func judgeUnlock(o platform.Owner, h holder) platform.Standing {
	switch {
	case h.state == "free":
		return platform.Standing{State: platform.Done}
	case h.state == "held" && same(h.owner, o):
		return platform.Standing{State: platform.NotDone}
	case h.state == "held":
		return platform.Standing{State: platform.Done, Notes: []string{heldBy(h.owner) + "; left alone"}}
	}
	return platform.Standing{Reasons: []string{h.obscure()}}
}

// same: one rollout, and the machine under one name.
func same(a, b platform.Owner) bool {
	return a.Rollout == b.Rollout && a.Host == b.Host && a.Rollout != ""
}

func heldBy(o platform.Owner) string {
	return "locked by " + remote.Clean(o.By, 100) + " since " + o.Since.UTC().Format(time.RFC3339) +
		" (rollout " + remote.Clean(o.Rollout, 100) + ")"
}

func (h holder) obscure() string {
	switch h.state {
	case "nameless":
		return "somebody began to take the lock and never said who; when nobody is at work, on the host, type: sudo rmdir " + LockFolder
	case "symlink":
		return "/var/lib/patchring or its lock is a symbolic link; find out who made it, and remove it"
	case "unreadable":
		return "/var/lib/patchring can't be read"
	case "":
		return h.why
	}
	return "the lock's state was not understood: " + remote.Clean(h.state, 40)
}
