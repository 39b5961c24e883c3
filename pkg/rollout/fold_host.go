package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/platform"
)

// One host on its way through THE LIST (flow.go).

// lockLeft is said wherever a host ends with patchring's lock still on it.
const lockLeft = "patchring's lock is still on the host"

// drainLeft is said of a host that is still out of use at its end.
const drainLeft = "it is still drained: put it back into use once it is well"

func (e StepStarted) check(s *State) error {
	h, err := s.find(e.Host)
	if err != nil {
		return err
	}
	switch {
	case h.ended && h.State != HostRollback:
		return fmt.Errorf("host %s has ended", e.Host)
	case max(1, e.Try) != h.Try:
		return fmt.Errorf("host %s is at its try %d, not %d", e.Host, h.Try, max(1, e.Try))
	case e.Mode == Reconcile && (h.open == "" || h.open != e.Step):
		return fmt.Errorf("step %s of host %s was not left open, so there is nothing to look at again", e.Step, e.Host)
	case e.Mode == Start && h.open != "":
		return fmt.Errorf("step %s of host %s has not ended", h.open, e.Host)
	case e.Mode == Start && e.Step != h.following():
		return fmt.Errorf("step %s of host %s comes next, not %s", h.following(), e.Host, e.Step)
	case !s.rings[h.ring].opened:
		return fmt.Errorf("the gate of ring %s is not open", h.Ring)
	case h.State == HostWaiting && s.phase != PhaseOpen:
		return fmt.Errorf("no further host starts: the rollout is %s", s.phase)
	}
	return nil
}

// following is the step that the host needs next.
func (h *host) following() platform.StepID {
	switch {
	case h.State == HostWaiting, h.State == HostRollback:
		return FlowBegin
	case h.failed:
		return h.closing()
	case h.Began != nil && h.next < len(h.Began.Steps):
		return h.Began.Steps[h.next]
	}
	return ""
}

// closing is what a host that failed still needs. It is put back into use only if
// nothing has touched it, and nobody has found it sick: one that an earlier rollout has
// made sick is begun with nothing to install. A sick one stays out, and a person is asked.
func (h *host) closing() platform.StepID {
	switch {
	case h.Drained && !h.Touched && !h.judged && !h.undrained:
		return FlowUndrain
	case h.Silenced && !h.unsilenced:
		return FlowUnsilence
	}
	return FlowEnd
}

func (e StepStarted) apply(s *State, at time.Time) {
	h, _ := s.find(e.Host)
	if e.Mode == Reconcile {
		h.Attempt++
		return
	}
	h.open, h.Step, h.Attempt = e.Step, e.Step, 1
	h.owe(e.Step)
	if h.Began != nil && slices.Contains(h.Began.Changing, e.Step) {
		h.Touched, h.changed = true, true
	}
	h.Did = Did(h.Did, h.Began, e.Step)
	if h.State == HostRollback {
		s.unsettle(h.ring)
	}
	if h.State == HostWaiting || h.State == HostRollback {
		s.move(h, HostWorking, at)
	}
	s.count(h)
}

// owe books what a step must give back from its start on: whether it took effect can't
// be known before it has ended.
func (h *host) owe(step platform.StepID) {
	switch step {
	case FlowDrain:
		h.Drained = true
	case FlowSilence:
		h.Silenced = true
	case FlowUndrain:
		h.undrained = true
	case FlowUnsilence:
		h.unsilenced = true
	case FlowVerify, FlowCheck:
		h.judged = true
	}
}

func (e StepEnded) check(s *State) error {
	h, err := s.find(e.Host)
	if err != nil {
		return err
	}
	if h.open == "" || h.open != e.Step {
		return fmt.Errorf("step %s of host %s ended without having begun", e.Step, e.Host)
	}
	if e.Outcome == OutcomeBack && e.Step != FlowBegin {
		return fmt.Errorf("host %s can't step back from step %s", e.Host, e.Step)
	}
	return nil
}

func (e StepEnded) apply(s *State, at time.Time) {
	h, _ := s.find(e.Host)
	h.open = ""
	h.learn(e)
	switch e.Step {
	case FlowBegin:
		s.afterBegin(h, e, at)
	case FlowEnd:
		s.afterEnd(h, e, at)
	case FlowUnsilence:
		s.afterUnsilence(h, e)
	default:
		s.afterStep(h, e, at)
	}
}

// learn keeps what a step told, whatever its outcome.
func (h *host) learn(e StepEnded) {
	h.Notes = append(h.Notes, e.Notes...)
	h.Rebooted = h.Rebooted || e.Reboots
	if e.Began != nil {
		h.Began = e.Began
	}
	if e.Before != "" {
		h.Before = e.Before
	}
	if e.Step == FlowCheck {
		h.Checks = e.Checks
	}
	if e.Step == FlowVerify {
		h.Proven = e.Proven
	}
	h.Collected = append(h.Collected, e.Collected...)
}

func (s *State) afterBegin(h *host, e StepEnded, at time.Time) {
	switch e.Outcome {
	case OutcomeOK:
		if err := e.Began.follows(); err != nil {
			h.blame(fault.Internal, err.Error())
			h.Notes = append(h.Notes, lockLeft)
			s.move(h, HostUnknown, at)
		}
	case OutcomeNothing:
		s.afterNothing(h, at)
	case OutcomeBack:
		s.stepBack(h, e, at)
	case OutcomeUnreachable:
		h.blameStep(e)
		s.move(h, goneAs(h), at)
	case OutcomeFailed:
		h.blameStep(e)
		s.fail(h, at)
	default:
		h.blameStep(e)
		s.move(h, HostUnknown, at)
	}
}

// fail books a host out that has failed. Of one that could not be taken back, and on which
// nothing was changed for that, it is told that it is what it was.
func (s *State) fail(h *host, at time.Time) {
	if h.Back && !h.changed {
		h.Notes = append(h.Notes, "nothing was changed for the way back: it is what it was before, "+string(h.FellFrom))
	}
	s.move(h, HostFailed, at)
}

// afterNothing: what an earlier try has touched must be verified, and what it has drained
// be put back, however little is left to do.
func (s *State) afterNothing(h *host, at time.Time) {
	if !h.Touched && !h.Drained {
		s.move(h, HostNothing, at)
		return
	}
	h.blame("", "nothing is left to do, but an earlier try has changed or drained the host, and nobody has looked at it since")
	s.move(h, HostUnknown, at)
}

// goneAs: a host that an earlier try has touched and that can't be reached now is not
// merely absent.
func goneAs(h *host) HostState {
	if h.Touched {
		return HostUnknown
	}
	return HostUnreachable
}

// afterUnsilence: a silence that could not be removed ends by itself, and says nothing
// about the host.
func (s *State) afterUnsilence(h *host, e StepEnded) {
	if e.Outcome != OutcomeOK {
		h.Notes = append(h.Notes, append([]string{"the silence could not be removed; it ends by itself"}, e.Reasons...)...)
	}
	h.Silenced = e.Outcome != OutcomeOK
	if !h.failed {
		h.next++
	}
}

func (s *State) afterStep(h *host, e StepEnded, at time.Time) {
	switch outcome := h.outcome(e); outcome {
	case OutcomeOK:
		h.Drained = h.Drained && e.Step != FlowUndrain
		s.count(h)
		if !h.failed {
			h.next++
			h.checked = h.checked || e.Step == FlowCheck
		}
	case OutcomeFailed:
		h.blameStep(e)
		h.failed = true
	default:
		h.blameStep(e)
		h.Notes = append(h.Notes, lockLeft)
		s.move(h, HostUnknown, at)
	}
}

// outcome is the meaning of a step's end between begin and end: a check is worth
// its worst verdict, and a host that went away is unknown once it has been touched.
func (h *host) outcome(e StepEnded) Outcome {
	switch e.Outcome {
	case OutcomeFailed:
		return OutcomeFailed
	case OutcomeUnreachable:
		if h.Touched {
			return OutcomeUnknown
		}
		return OutcomeFailed
	case OutcomeOK:
		if len(e.Checks) == 0 {
			return OutcomeOK
		}
		return worth(health.Worst(e.Checks))
	case OutcomeUnknown, OutcomeNothing, OutcomeBack:
	}
	return OutcomeUnknown
}

func worth(v health.Verdict) Outcome {
	switch v {
	case health.Pass:
		return OutcomeOK
	case health.Fail:
		return OutcomeFailed
	case health.Unknown:
	}
	return OutcomeUnknown
}

// afterEnd books the host out as what it has become. A lock that could not be
// taken off does not make a healthy host sick, but it is said.
func (s *State) afterEnd(h *host, e StepEnded, at time.Time) {
	if e.Outcome != OutcomeOK {
		h.Notes = append(h.Notes, lockLeft)
		h.Notes = append(h.Notes, e.Reasons...)
	}
	switch {
	case h.failed:
		s.fail(h, at)
	case h.checked && h.Back:
		s.move(h, HostRolledBack, at)
	case h.checked:
		s.move(h, HostHealthy, at)
	default: // follows and following do not let it come to this
		h.blame(fault.Internal, "the host came to its end without a check")
		s.move(h, HostUnknown, at)
	}
}
