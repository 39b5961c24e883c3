package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// MinParticipation is the share of the hosts of the rings before, in percent, that
// must have taken part where a ring does not say: hosts that were gone prove nothing,
// so too many of them close the gate. Hosts with nothing to do took part.
const MinParticipation = 95

// condition is one of the things that a gate waits for. The zero value is
// inconclusive.
type condition struct {
	state  GateState
	final  bool // waiting does not change it
	person bool // a person must act
	text   string
	until  time.Time // when it may be met, as far as that can be foreseen
	wake   time.Time // when to look again; zero: with the next event
	ask    []ask
}

// ask is a question whose answer a condition needs now.
type ask struct {
	what Ask
	of   string // the ring whose inquiry it is; empty: the gate's own
	when playbook.When
}

func met(text string) condition { return condition{state: GateOpen, text: text} }

// verdict on a gate, with the reasons for it. The zero value is inconclusive.
type verdict struct {
	state   GateState
	reasons []string
	final   bool
	wait    Wait
	wake    time.Time
	ask     []Task
}

// judge is the gate of a ring (rule 1). The rings before come first, by themselves: as
// long as they have not ended nothing else matters, and what they have come to does
// not change by waiting. Then come the things that time, people and the world decide.
func (s *State) judge(r *ring, now time.Time) verdict {
	if v := s.earlier(r); v.state != GateOpen {
		return v
	}
	conditions := []condition{s.covered(r)}
	conditions = append(conditions, s.soakCondition(r, now), s.approvalCondition(r, now))
	// Not only of the ring right before: that one may have had nothing to do.
	for _, earlier := range s.rings[:r.at] {
		if earlier.opened {
			conditions = append(conditions, s.inquiries(earlier, after, now)...)
		}
	}
	// The window is asked for the time at which the rest may be met, and what the user
	// wants to know right before the start, only when nothing else is missing.
	window := s.windowCondition(r, now, notBefore(conditions, now))
	conditions = append([]condition{window}, conditions...)
	if allMet(conditions) {
		conditions = append(conditions, s.inquiries(r, before, now)...)
	}
	v := s.weigh(r, conditions, now)
	if v.state == GateOpen {
		v.reasons = append(s.favour(r), v.reasons...)
	}
	return v
}

// earlier asks the rings before: have they ended, is nothing touched-then-unknown, are
// their failures within their limits, did enough hosts take part, was anything proven.
func (s *State) earlier(r *ring) verdict {
	if r.at == 0 {
		return verdict{state: GateOpen}
	}
	closed := verdict{state: GateClosed}
	for _, before := range s.rings[:r.at] {
		if !before.done() {
			closed.reasons = append(closed.reasons, fmt.Sprintf("ring %s: %d of %d hosts have ended", before.Name, before.ended, len(before.all)))
		}
	}
	doubts, against := s.doubts(r), s.against(r)
	switch {
	case len(closed.reasons) > 0:
		return closed
	case len(against) > 0:
		return verdict{state: GateClosed, final: true, reasons: append(against, doubts...)}
	case len(doubts) > 0:
		return verdict{state: GateInconclusive, final: true, reasons: doubts}
	}
	return verdict{state: GateOpen}
}

func (s *State) favour(r *ring) []string {
	if r.at == 0 {
		return []string{"the first ring: it gets the plan's own versions"}
	}
	return s.inFavour(r)
}

func allMet(conditions []condition) bool {
	for _, c := range conditions {
		if c.state != GateOpen {
			return false
		}
	}
	return true
}

// notBefore is the latest time that a condition which is not met may be.
func notBefore(conditions []condition, now time.Time) time.Time {
	at := now
	for _, c := range conditions {
		if c.state != GateOpen {
			at = later(at, c.until)
		}
	}
	return at
}

// weigh makes one verdict of all conditions: any that can't be met any more shuts the
// gate for good, any that nobody can tell is a person's.
func (s *State) weigh(r *ring, conditions []condition, now time.Time) verdict {
	v := verdict{state: GateOpen, wait: Wait{Ring: r.Name}}
	var missing, final []string
	for _, c := range conditions {
		for _, a := range c.ask {
			v.ask = append(v.ask, s.question(r, a))
		}
		v.wake = sooner(v.wake, c.wake)
		if c.state == GateOpen {
			v.reasons = append(v.reasons, said(c.text)...)
			continue
		}
		if c.final {
			final = append(final, c.text)
		}
		missing = append(missing, c.text)
		v.wait.Person = v.wait.Person || c.person
		v.wait.Until = later(v.wait.Until, c.until)
		if c.state == GateInconclusive || v.state == GateOpen {
			v.state = c.state
		}
	}
	switch {
	case len(final) > 0:
		return verdict{state: GateClosed, final: true, reasons: final}
	case len(missing) > 0:
		v.reasons, v.wait.For = missing, s.opens(v.wait.Until, now)+strings.Join(missing, "; ")
	}
	return v
}

// opens begins the sentence that says what a gate waits for.
func (s *State) opens(until, now time.Time) string {
	if !until.After(now) || s.clock == nil {
		return "waits for "
	}
	return "opens not before " + s.clock.Say(until, now) + ": "
}

// sooner is the earlier of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// doubts are hosts that were changed and could not be judged: a person must look.
func (s *State) doubts(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		if n := before.by[HostUnknown] - before.unasked; n > 0 {
			out = append(out, fmt.Sprintf("ring %s: %d changed and then unknown: look at them", before.Name, n))
		}
	}
	return out
}

// against are the reasons that shut the gate.
func (s *State) against(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		if before.tripped() {
			out = append(out, s.failed(before))
		}
		gone := before.by[HostUnreachable] + before.unasked
		if n := len(before.all); (n-gone)*100 < r.participation()*n {
			out = append(out, fmt.Sprintf("ring %s: only %d of %d hosts took part, and %d %% must", before.Name, n-gone, n, r.participation()))
		}
	}
	healthy, idle := s.proofs(r)
	if healthy == 0 && !idle {
		out = append(out, "no host of an earlier ring came through healthy, so nothing is proven")
	}
	return out
}

func (r *ring) participation() int {
	if r.Gate.MinParticipation == 0 {
		return MinParticipation
	}
	return r.Gate.MinParticipation
}

// proofs counts the healthy hosts of the rings before; idle: whoever took part had
// nothing to do, so nobody could prove anything.
func (s *State) proofs(r *ring) (healthy int, idle bool) {
	idle = true
	for _, before := range s.rings[:r.at] {
		healthy += before.by[HostHealthy]
		idle = idle && before.by[HostNothing]+before.by[HostUnreachable] == len(before.all)
	}
	return healthy, idle
}

func (s *State) inFavour(r *ring) []string {
	var out []string
	for _, before := range s.rings[:r.at] {
		out = append(out, fmt.Sprintf("ring %s: %d of %d hosts healthy, %d with nothing to do, %d failed (limit %d)",
			before.Name, before.by[HostHealthy], len(before.all), before.by[HostNothing], before.failures(), before.FailureLimit))
	}
	if healthy, _ := s.proofs(r); healthy == 0 {
		out = append(out, "no earlier ring had anything to do: nothing is proven, so nothing can be installed here; what is pending is left as untested")
	}
	return out
}

// freeze makes the set that a ring is bound to: what the healthy hosts of all the
// rings before have proven (rule 5).
func (s *State) freeze(r *ring) patch.PatchSet {
	if !r.memo.known {
		set := s.proven(r)
		r.memo = memo{known: true, set: set, named: plan.SetDigest(set)}
	}
	return r.memo.set
}

func (s *State) proven(r *ring) patch.PatchSet {
	var proven []patch.Proven
	for _, before := range s.rings[:r.at] {
		for _, at := range before.active {
			if h := s.hosts[at]; h.State == HostHealthy {
				proven = append(proven, h.Proven...)
			}
		}
	}
	return plan.Freeze(proven)
}
