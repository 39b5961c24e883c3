package local

import (
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// ended turns where a step stands into what the journal says of it. Only done is ok;
// what still runs at its deadline is unknown.
func ended(s platform.Standing) rollout.StepEnded {
	end := rollout.StepEnded{Reasons: s.Reasons, Notes: s.Notes, Code: s.Code}
	switch s.State {
	case platform.Done:
		end.Outcome = rollout.OutcomeOK
	case platform.Failed, platform.NotDone:
		end.Outcome = rollout.OutcomeFailed
		if end.Code == "" {
			end.Code = fault.HostFailed
		}
	case platform.Running, platform.Unknown:
		end.Outcome = rollout.OutcomeUnknown
	}
	return end
}

// connectFailed is the outcome where nothing was begun on the host yet.
func connectFailed(err error) rollout.StepEnded {
	end := rollout.StepEnded{Outcome: rollout.OutcomeUnreachable, Code: fault.CodeOf(err), Reasons: reasonsOf(err)}
	if end.Code == fault.Privilege || end.Code == fault.Internal {
		end.Outcome = rollout.OutcomeFailed
	}
	return end
}

// unknown is the outcome where the host was touched and can't be looked at.
func unknown(err error) rollout.StepEnded {
	return rollout.StepEnded{Outcome: rollout.OutcomeUnknown, Code: fault.CodeOf(err), Reasons: reasonsOf(err)}
}

func failed(code fault.Code, why string) *rollout.StepEnded {
	return &rollout.StepEnded{Outcome: rollout.OutcomeFailed, Code: code, Reasons: []string{why}}
}

// reasonsOf gives what happened and what to type next, fit for the journal.
func reasonsOf(err error) []string {
	reasons := []string{remote.Clean(err.Error(), 500)}
	if hint := fault.HintOf(err); hint != "" {
		reasons = append(reasons, remote.Clean(hint, 500))
	}
	return reasons
}

// workID names the work on its host, so that a detached job is found again: the
// rollout and the host, since a rollout begins a host once, and one machine may stand
// under two names.
func workID(rolloutID string, host fact.HostID) string {
	id := strings.ToLower(rolloutID)
	if len(id) > 40 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		id = "r-" + patch.DigestOf([]byte(rolloutID)).Short()
	}
	return id + "-" + patch.DigestOf([]byte(host.String())).Short()[:6]
}
