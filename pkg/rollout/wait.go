package rollout

import "fmt"

// waitOfPhase says why nothing further is begun.
func (s *State) waitOfPhase() Wait {
	switch s.phase {
	case PhasePaused:
		return Wait{For: "paused" + because(s.reasons) + ": resume it", Person: true}
	case PhaseHalted:
		return Wait{For: "halted" + because(s.reasons) + ": look at the hosts, then retry or abort it", Person: true}
	case PhaseAborted:
		return Wait{For: "aborted" + because(s.reasons), Person: true}
	case PhaseNone, PhaseOpen, PhaseFinished:
	}
	return Wait{}
}

func because(reasons []string) string {
	out := ""
	for i, r := range reasons {
		if out += "; "; i == 0 {
			out = " ("
		}
		out += r
	}
	if out != "" {
		out += ")"
	}
	return out
}

// atWork says which hosts are being worked on: the rollout waits for their end.
func (s *State) atWork() Wait {
	switch n := len(s.working); n {
	case 0:
		return Wait{}
	case 1:
		h := s.hosts[s.working[0]]
		return Wait{Ring: h.Ring, For: fmt.Sprintf("%s is at work (%s)", h.ID, h.Step)}
	default:
		return Wait{Ring: s.hosts[s.working[0]].Ring, For: fmt.Sprintf("%d hosts are at work", n)}
	}
}

// summary is what a finished rollout says of itself.
func (s *State) summary() []string {
	var out []string
	for _, r := range s.rings {
		line := fmt.Sprintf("ring %s: %d healthy, %d with nothing to do, %d failed, %d unknown, %d unreachable",
			r.Name, r.by[HostHealthy], r.by[HostNothing], r.by[HostFailed], r.by[HostUnknown], r.by[HostUnreachable])
		if n := r.by[HostRolledBack]; n > 0 {
			line += fmt.Sprintf(", %d rolled back", n)
		}
		out = append(out, line)
	}
	return out
}
