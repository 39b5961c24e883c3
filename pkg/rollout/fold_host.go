package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/platform"
)

// One host on its way through THE LIST (flow.go).

// lockLeft is said wherever a host ends with patchring's lock still on it.
const lockLeft = "patchring's lock is still on the host"

func (e StepStarted) check(s *State) error {
	h, err := s.find(e.Host)
	if err != nil {
		return err
	}
	switch {
	case h.ended:
		return fmt.Errorf("host %s has ended", e.Host)
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
	case h.State == HostWaiting:
		return FlowBegin
	case h.failed:
		return FlowEnd
	case h.Began != nil && h.next < len(h.Began.Steps):
		return h.Began.Steps[h.next]
	}
	return ""
}

func (e StepStarted) apply(s *State, at time.Time) {
	h, _ := s.find(e.Host)
	if e.Mode == Reconcile {
		h.Attempt++
		return
	}
	h.open, h.Step, h.Attempt = e.Step, e.Step, 1
	if h.Began != nil && slices.Contains(h.Began.Changing, e.Step) {
		h.Touched = true
	}
	if h.State == HostWaiting {
		s.move(h, HostWorking, at)
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
		s.move(h, HostNothing, at)
	case OutcomeUnreachable:
		h.blameStep(e)
		s.move(h, HostUnreachable, at)
	case OutcomeFailed:
		h.blameStep(e)
		s.move(h, HostFailed, at)
	default:
		h.blameStep(e)
		s.move(h, HostUnknown, at)
	}
}

func (s *State) afterStep(h *host, e StepEnded, at time.Time) {
	switch outcome := h.outcome(e); outcome {
	case OutcomeOK:
		h.next++
		h.checked = h.checked || e.Step == FlowCheck
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
	case OutcomeUnknown, OutcomeNothing:
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
		s.move(h, HostFailed, at)
	case h.checked:
		s.move(h, HostHealthy, at)
	default: // follows and following do not let it come to this
		h.blame(fault.Internal, "the host came to its end without a check")
		s.move(h, HostUnknown, at)
	}
}

// blameStep keeps why a step did not go well; the first code is the host's.
func (h *host) blameStep(e StepEnded) {
	reasons := e.Reasons
	if len(reasons) == 0 {
		reasons = reasonsOf(e.Checks)
	}
	if len(reasons) == 0 {
		reasons = []string{fmt.Sprintf("step %s: %s, and no reason was given", e.Step, outcomeName(e.Outcome))}
	}
	h.blame(e.Code, reasons...)
}

func (h *host) blame(code fault.Code, reasons ...string) {
	if h.Code == "" {
		h.Code = code
	}
	h.Reasons = append(h.Reasons, reasons...)
}

func reasonsOf(checks []health.Result) []string {
	var out []string
	for _, c := range checks {
		if c.Verdict != health.Pass {
			out = append(out, fmt.Sprintf("check %s: %s: %s", c.Check, c.Verdict, c.Seen))
		}
	}
	return out
}

func outcomeName(o Outcome) string {
	if o == OutcomeUnknown {
		return "unknown"
	}
	return string(o)
}

func codeOf(p plan.Problem) fault.Code {
	if p.Code == "" {
		return fault.Internal
	}
	return fault.Code(p.Code)
}
