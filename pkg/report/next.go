package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/rollout"
)

// Next is what to type next, or "" where nothing is left to do. What stands in it
// from outside is quoted for a shell. Hosts that are left drained are named in it.
func Next(s Source) string {
	out := nextOf(s)
	left := leftDrained(s.Status)
	switch {
	case len(left) == 0:
		return out
	case out == "":
		return "put back by hand what is still drained: " + some(left)
	}
	return out + "; still drained: " + some(left)
}

func nextOf(s Source) string {
	st := s.Status
	switch st.Phase {
	case rollout.PhaseNone:
		return "patchring plan PLAYBOOK"
	case rollout.PhasePaused:
		return command("resume", st.Rollout)
	case rollout.PhaseHalted:
		return afterHalt(s)
	case rollout.PhaseOpen:
		return ofOpen(s)
	}
	switch Exit(s).Code {
	case ExitDone:
		return ""
	case ExitSecurityLeft, ExitNeedsPerson:
		return command("report", st.Rollout)
	case ExitRolledBack:
		return fmt.Sprintf("%s shows why; the next run installs the same again unless the playbook leaves it out (exclude)", command("report", st.Rollout))
	}
	return fmt.Sprintf("%s shows why; when it is put right: %s", command("report", st.Rollout), runCommand(s))
}

func runCommand(s Source) string {
	if s.Path == "" {
		return "patchring run PLAYBOOK"
	}
	run := command("run", s.Path)
	if s.Plan != nil && s.Plan.Trust.Checkpoints {
		run += " --sign-key KEY"
	}
	return run
}

// afterHalt: hosts that are put right are tried again, and a gate that said no is asked
// again.
func afterHalt(s Source) string {
	return fmt.Sprintf("%s shows why; when it is put right: %s, then %s; to give up: %s",
		command("report", s.Status.Rollout), command("retry", s.Status.Rollout), runCommand(s), command("abort", s.Status.Rollout))
}

func (s Source) hasSick() bool {
	return slices.ContainsFunc(s.Status.Hosts, func(h rollout.HostStatus) bool {
		return h.State == rollout.HostFailed || h.State == rollout.HostRolledBack || h.State == rollout.HostUnknown || h.State == ""
	})
}

// ofOpen is what an open rollout waits for a person to type, else when to run it again.
func ofOpen(s Source) string {
	if !slices.ContainsFunc(s.Waits, func(w rollout.Wait) bool { return w.Person }) {
		return s.runAgain()
	}
	var said []string
	for _, r := range s.Status.Rings {
		said = append(said, s.decisions(r)...)
	}
	switch {
	case len(said) > 0:
	case s.hasSick():
		return afterHalt(s) // what is sick keeps others waiting
	default:
		return s.runAgain()
	}
	return strings.Join(said, "; ") + "; then " + runCommand(s)
}

// decisions are the commands by which a person lets a gate open. A ring that was begun
// may still ask what is to be asked after it, before the gate of the next.
func (s Source) decisions(r rollout.RingStatus) []string {
	if r.Progress == nil {
		return nil
	}
	var out []string
	here := slices.ContainsFunc(s.Waits, func(w rollout.Wait) bool { return w.Person && w.Ring == r.Name })
	if a := r.Progress.Approval; a != nil && here && r.Gate != rollout.GateOpen && newApprovalGate(*a).State != needPassed {
		out = append(out, "patchring "+remote.Quote([]string{"approve", clean(s.Status.Rollout), "--ring", clean(r.Name)})+s.signing())
	}
	for _, what := range inconclusive(*r.Progress) {
		words := []string{"promote", clean(s.Status.Rollout), "--ring", clean(r.Name), "--waive", what}
		out = append(out, "patchring "+remote.Quote(words)+" --reason TEXT")
	}
	return out
}

// signing is what an approver adds where only signed words count.
func (s Source) signing() string {
	if s.Plan == nil || !s.Plan.Trust.Approvals {
		return ""
	}
	return " --as NAME --sign-key KEY"
}

// inconclusive names what could not be told and may be waived.
func inconclusive(p rollout.GateProgress) []string {
	var out []string
	waived := waivedOf(p)
	if p.Soak != nil && newSoakGate(*p.Soak, waived[rollout.WaiveSoak]).State == needInconclusive {
		out = append(out, rollout.WaiveSoak)
	}
	for _, q := range p.Inquiries {
		what := waiveCheck + q.Name
		if newInquiryGate(q, waived[what]).State == needInconclusive && !slices.Contains(out, clean(what)) {
			out = append(out, clean(what))
		}
	}
	return out
}

// runAgain is the run command, with when it is worth typing where that is foreseen.
func (s Source) runAgain() string {
	run := runCommand(s)
	until, now := s.nextWake(), s.now()
	if until.IsZero() || !until.After(now) {
		return run
	}
	return fmt.Sprintf("%s, again after %s; or now, with --wait %s", run, s.say(until), roundUp(until.Sub(now)))
}

// nextWake is when an open rollout next goes on by itself; zero: it can now, or that is
// not foreseen.
func (s Source) nextWake() time.Time {
	for _, h := range s.Status.Hosts {
		if h.State == rollout.HostWorking {
			return time.Time{}
		}
	}
	var first time.Time
	for _, w := range s.Waits {
		if !w.Until.IsZero() && (first.IsZero() || w.Until.Before(first)) {
			first = w.Until
		}
	}
	return first
}

// roundUp gives a duration that is surely enough, in few letters: 40m, 8h.
func roundUp(d time.Duration) string {
	unit := time.Minute
	if d > time.Hour {
		unit = time.Hour
	}
	return lasting((d + unit - 1).Truncate(unit))
}

func command(verb, object string) string {
	return "patchring " + remote.Quote([]string{verb, clean(object)})
}

// Returning tells whether hosts are on their way back, or wait for that.
func (s Source) Returning() bool {
	return slices.ContainsFunc(s.Status.Hosts, func(h rollout.HostStatus) bool {
		return h.State == rollout.HostRollback || h.Back && h.State == rollout.HostWorking
	})
}
