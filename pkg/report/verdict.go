package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// Exit decides the exit code of a rollout as it stands.
//
// Security fixes left out (12) count when the rollout has finished, and only those
// that the playbook selected and that could not be had: untested, held, kept back,
// moved. What was excluded or narrowed away on purpose does not count. An update
// that may be a security fix (its repository does not say) counts like one: could
// not tell is never done.
func Exit(s Source) Ending {
	if s.Status.Phase == rollout.PhaseNone {
		return ending([]claim{{ExitError, "there is no rollout to report on"}}, "")
	}
	claims := slices.Concat(hostClaims(s.Status), drainClaims(s.Status), phaseClaims(s), waitClaims(s))
	return ending(claims, doneWhy(s))
}

// hostClaims says what the hosts' states ask for, one claim for each code.
func hostClaims(st rollout.Status) []claim {
	byCode := map[int][]string{}
	for _, h := range st.Hosts {
		if code := hostCode(h); code != ExitDone {
			byCode[code] = append(byCode[code], clean(h.ID.String()))
		}
	}
	said := []struct {
		code int
		what string
	}{
		{ExitUsage, "stopped at a mistake in the configuration"},
		{ExitError, "stopped at an error of patchring"},
		{ExitLocked, "locked by another"},
		{ExitHostsFailed, "failed"},
		{ExitRolledBack, "rolled back to the former versions, or on the way there"},
		{ExitUnreachable, "not reached or not logged in to"},
		{ExitNeedsPerson, "unknown, a person must look"},
	}
	var out []claim
	for _, s := range said {
		if hosts := byCode[s.code]; len(hosts) > 0 {
			out = append(out, claim{s.code, fmt.Sprintf("%s %s: %s", count(len(hosts), "host"), s.what, some(hosts))})
		}
	}
	return out
}

// hostCode is what one host asks for. A state that this build does not know needs a person.
func hostCode(h rollout.HostStatus) int {
	switch h.State {
	case rollout.HostHealthy, rollout.HostNothing, rollout.HostWaiting, rollout.HostWorking:
		return ExitDone
	case rollout.HostRolledBack:
		return ExitRolledBack
	case rollout.HostRollback: // it may wait for long, and is as it was until then
		if h.FellFrom == rollout.HostHealthy {
			return ExitRolledBack
		}
		return ExitHostsFailed
	}
	byClass := ofFault(h.Code)
	switch {
	case byClass == ExitUsage, byClass == ExitError && h.Code != "", byClass == ExitLocked:
		return byClass
	case h.State == rollout.HostFailed && byClass == ExitUnreachable && !h.Touched:
		return ExitUnreachable
	case h.State == rollout.HostFailed, byClass == ExitHostsFailed && !h.Touched:
		return ExitHostsFailed
	case h.State == rollout.HostUnreachable:
		return ExitUnreachable
	}
	return ExitNeedsPerson
}

// phaseClaims says what the rollout as a whole asks for.
func phaseClaims(s Source) []claim {
	reasons := strings.Join(cleanAll(s.Status.Reasons), ", ")
	switch s.Status.Phase {
	case rollout.PhaseHalted:
		return haltClaims(s, orElse(reasons, "no reason was given"))
	case rollout.PhasePaused:
		return []claim{{ExitNeedsPerson, "paused: " + orElse(reasons, "no reason was given")}}
	case rollout.PhaseFinished:
		return finishedClaims(s)
	}
	return nil
}

// drainClaims: a host that is out of use, and that nothing more is done to, is a
// person's. Of a rollout that was aborted too.
func drainClaims(st rollout.Status) []claim {
	if left := leftDrained(st); len(left) > 0 {
		return []claim{{ExitNeedsPerson, fmt.Sprintf("%s still drained, to be put back by a person: %s", count(len(left), "host"), some(left))}}
	}
	return nil
}

// leftDrained are the hosts whose work has ended, and which nothing has put back.
func leftDrained(st rollout.Status) []string {
	var out []string
	for _, h := range st.Hosts {
		if h.Drained && h.State != rollout.HostWorking && h.State != rollout.HostWaiting {
			out = append(out, clean(h.ID.String()))
		}
	}
	return out
}

// haltClaims tells the two ways to halt apart. Past a failure limit the hosts say
// it themselves; else it was the gate of the first ring that is not open: a closed
// one said no, an inconclusive one asks for a person.
func haltClaims(s Source, why string) []claim {
	if pastLimit(s) {
		return nil
	}
	for _, r := range s.Status.Rings {
		if r.Gate != rollout.GateOpen && len(r.ByState) > 0 && r.ByState[rollout.HostWaiting] == 0 {
			continue // it has ended without a gate: nothing was to be done
		}
		if r.Gate == rollout.GateInconclusive {
			return []claim{{ExitNeedsPerson, "the gate to " + clean(r.Name) + " can't tell: " + why}}
		}
		if r.Gate != rollout.GateOpen {
			return []claim{{ExitGateFailed, "the gate to " + clean(r.Name) + " said no: " + why}}
		}
	}
	return []claim{{ExitGateFailed, "halted: " + why}}
}

// pastLimit tells whether more hosts failed than a ring or the whole rollout allows.
func pastLimit(s Source) bool {
	all := 0
	for _, r := range s.Status.Rings {
		failed := r.ByState[rollout.HostFailed] + r.ByState[rollout.HostUnknown] + r.ByState[rollout.HostRollback] + r.ByState[rollout.HostRolledBack]
		if failed > r.FailureLimit {
			return true
		}
		all += failed
	}
	return s.Plan != nil && s.Plan.FailureLimit != nil && all > *s.Plan.FailureLimit
}

// finishedClaims is what keeps a finished rollout from being done.
func finishedClaims(s Source) []claim {
	var out []claim
	for _, h := range s.Status.Hosts {
		if h.State == rollout.HostWaiting || h.State == rollout.HostWorking {
			out = append(out, claim{ExitNeedsPerson, "finished, though " + clean(h.ID.String()) + " never came to an end"})
			break
		}
	}
	sure, maybe := securityLeft(s)
	var said []string
	if sure > 0 {
		said = append(said, count(sure, "security fix")+" left out")
	}
	if maybe > 0 {
		said = append(said, count(maybe, "update")+" left out that may be security fixes")
	}
	if len(said) > 0 {
		out = append(out, claim{ExitSecurityLeft, "finished, but " + strings.Join(said, ", ")})
	}
	return out
}

// securityLeft counts what hosts did not get: security fixes, and updates of which
// nobody knows whether they are.
func securityLeft(s Source) (sure, maybe int) {
	planned := s.planned()
	for _, h := range s.Status.Hosts {
		for _, l := range shareOf(h, planned[h.ID]).left {
			switch {
			case !missed(l.Reason) || l.Update.Security == patch.No:
			case l.Update.Security == patch.Yes:
				sure++
			default:
				maybe++
			}
		}
	}
	return sure, maybe
}

// waitClaims says what an open rollout waits for.
func waitClaims(s Source) []claim {
	if s.Status.Phase != rollout.PhaseOpen {
		return nil
	}
	var out []claim
	for _, w := range s.Waits {
		if w.Person {
			out = append(out, claim{ExitNeedsPerson, "waits for a person: " + s.waitText(w)})
		}
	}
	if s.Detailed {
		out = append(out, claim{ExitWaiting, doneWhy(s)})
	}
	return out
}

func doneWhy(s Source) string {
	switch s.Status.Phase {
	case rollout.PhaseFinished:
		return "finished"
	case rollout.PhaseAborted:
		return "aborted: " + orElse(strings.Join(cleanAll(s.Status.Reasons), ", "), "no reason was given")
	}
	var fors []string
	for _, w := range s.Waits {
		fors = append(fors, s.waitText(w))
	}
	return "open; waits for " + orElse(strings.Join(fors, ", "), "its hosts to end")
}
