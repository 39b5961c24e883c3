package rollout

import (
	"fmt"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/plan"
)

// Why a host is not well, as it stands in its status.

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
