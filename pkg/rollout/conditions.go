package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/schedule"
)

// What a gate waits for beside the soak (soak.go): coverage, approval, the window, and
// what the user wants to know.

const (
	before = playbook.WhenBefore
	after  = playbook.WhenAfter
)

// covered: enough of what the ring is to get was proven by a ring before. Nothing else
// is installed in any case; this is for those who would rather have all of it.
func (s *State) covered(r *ring) condition {
	least := r.Gate.Coverage
	if least == 0 || r.at == 0 {
		return met("")
	}
	proven := map[patch.Proven]bool{}
	for _, p := range s.freeze(r).Proven {
		p = p.Bare()
		proven[p] = true
	}
	have, all := 0, 0
	for _, w := range s.opened.Wants[r.Name] {
		all += w.Hosts
		if proven[w.Proven] {
			have += w.Hosts
		}
	}
	text := fmt.Sprintf("coverage: %d of its %d updates are proven, and %d %% must be", have, all, least)
	if have*100 < least*all {
		return condition{state: GateClosed, final: true, text: text}
	}
	return met(text)
}

// approvalCondition counts the different people whose word holds for this very set.
func (s *State) approvalCondition(r *ring, now time.Time) condition {
	a := r.Gate.Approval
	if a == nil {
		return met("")
	}
	given := s.approvals(r, now)
	text := fmt.Sprintf("approval: %s %d of %d", a.Approvers, len(given), a.Count)
	if len(given) < a.Count {
		if lapsed := s.lapsed(r, given, now); len(lapsed) > 0 {
			text += "; not counted: " + strings.Join(lapsed, ", ")
		}
		return condition{state: GateClosed, person: true, text: text}
	}
	var names []string
	for _, g := range given {
		names = append(names, g.As+", "+g.standing())
	}
	return met(text + " (" + strings.Join(names, "; ") + ")")
}

// approvals are those that hold: for this plan and set, not run out, one a person, whether
// by the name that was claimed, by who typed it, or by the key. Where the site demands
// signatures, only those whose signature is good today.
func (s *State) approvals(r *ring, now time.Time) []Approved {
	set, err := s.wanted(r)
	if err != nil {
		return nil
	}
	var given []Approved
	for _, a := range r.approved {
		a.Authenticated = s.vouched(a, now)
		if s.lapse(a, set, now) == "" && !slices.ContainsFunc(given, a.samePerson) {
			given = append(given, a)
		}
	}
	return given
}

// lapse says why an approval does not hold; "" when it does.
func (s *State) lapse(a Approved, set patch.Digest, now time.Time) string {
	switch {
	case a.Plan != s.opened.Plan || a.Set != set:
		return "for another patch set"
	case !now.Before(a.Expires):
		return "ran out " + a.Expires.UTC().Format(time.RFC3339)
	case !s.counts(a) && a.Signature != "" && !a.Authenticated:
		return "its signature does not hold today"
	case !s.counts(a):
		return "not somebody else's signed word"
	}
	return ""
}

// lapsed names people whose last word does not hold, and why.
func (s *State) lapsed(r *ring, given []Approved, now time.Time) []string {
	set, err := s.wanted(r)
	if err != nil {
		return nil
	}
	last := map[string]string{}
	for _, a := range r.approved {
		a.Authenticated = s.vouched(a, now)
		last[a.As] = s.lapse(a, set, now)
	}
	for _, g := range given {
		delete(last, g.As)
	}
	var out []string
	for _, who := range slices.Sorted(maps.Keys(last)) {
		if last[who] != "" {
			out = append(out, who+" ("+last[who]+")")
		}
	}
	return out
}

// windowCondition asks whether the ring's quickest host may start. from is when the rest
// may be met: a window that closes before that is of no use.
func (s *State) windowCondition(r *ring, now, from time.Time) condition {
	answer := s.fits(r, later(now, from), r.shortest)
	if answer.Open {
		return met(answer.Why)
	}
	c := condition{state: GateClosed, text: answer.Why, until: answer.Until, wake: answer.Until}
	if answer.Until.IsZero() {
		c.text, c.person = answer.Why+", and it is not foreseen to open", true
	}
	return c
}

// fits asks the calendar about a ring's hosts that take so long. An override lets them
// outside their window, but not into a freeze.
func (s *State) fits(r *ring, at time.Time, takes time.Duration) schedule.Answer {
	if s.clock == nil {
		return schedule.Answer{Why: "no calendar"}
	}
	if !at.Before(s.override.Until) {
		return s.clock.Fits(r.Window, at, plan.Need(takes))
	}
	answer := s.clock.Fits(schedule.Any, at, plan.Need(takes))
	if answer.Open {
		answer.Why = fmt.Sprintf("window %s overridden: %s", cmp.Or(r.Window, schedule.Any), s.override.Reason)
	}
	return answer
}

// inquiries are the user's own questions about a ring, before its first host or after
// its last.
func (s *State) inquiries(r *ring, when playbook.When, now time.Time) []condition {
	var out []condition
	for _, q := range r.Gate.Checks {
		if q.When == when || q.When == playbook.WhenBoth {
			out = append(out, s.inquiry(r, q, when, now))
		}
	}
	return out
}

// inquiry says how one question stands, and asks it when it is due. Right before a ring
// the last answer must be fresh; after one, it is enough that it was answered.
func (s *State) inquiry(r *ring, q playbook.Inquiry, when playbook.When, now time.Time) condition {
	a := r.asked[askedKey(q.Name, when)]
	if a == nil {
		a = &answers{}
	}
	if w, ok := s.waiver(r, "check:"+q.Name, when); ok && a.asked > 0 && a.verdict == health.Unknown && a.failed <= q.FailureLimit {
		return met(fmt.Sprintf("check %s (%s) waived by %s: %s", q.Name, when, w.By, w.Reason))
	}
	due := s.dueAt(r, q, when, a)
	passed := a.streak >= max(1, q.Successes)
	name := fmt.Sprintf("check %s (%s)", q.Name, when)
	switch {
	case a.failed > q.FailureLimit:
		return condition{state: GateClosed, final: true, text: fmt.Sprintf("%s failed %d times, and the limit is %d: %s", name, a.failed, q.FailureLimit, a.seen)}
	case passed && (when == after || now.Sub(a.last) <= fresh(q.Pace)):
		return met(fmt.Sprintf("%s: %s", name, a.seen))
	}
	c := condition{state: GateClosed, text: name + standing(a), until: due, wake: due}
	if a.asked > 0 && a.verdict == health.Unknown {
		c.state, c.person = GateInconclusive, true
	}
	if !now.Before(due) {
		c.ask = []ask{{Ask("check:" + q.Name), r.Name, when}}
		c.until, c.wake = time.Time{}, time.Time{}
	}
	return c
}

func standing(a *answers) string {
	if a.asked == 0 {
		return ": not asked yet"
	}
	return fmt.Sprintf(": %s (%s), %d in a row", a.verdict, a.seen, a.streak)
}

// dueAt is when the question is to be asked next.
func (s *State) dueAt(r *ring, q playbook.Inquiry, when playbook.When, a *answers) time.Time {
	switch {
	case a.asked > 0:
		return a.last.Add(q.Interval)
	case when == after:
		return r.closed.Add(q.InitialDelay)
	}
	return s.quiet(r).Add(q.InitialDelay)
}

// question makes the task of what a condition asks.
func (s *State) question(r *ring, a ask) Task {
	t := Task{Rollout: s.opened.Rollout, Plan: s.opened.Plan, Ring: r.Name, Mode: Start, Ask: a.what}
	if a.of != "" {
		t.Ring, t.When = a.of, a.when
	}
	return t
}

// waiver finds a person's word that holds for the set that the ring would get now.
func (s *State) waiver(r *ring, what string, when playbook.When) (Waived, bool) {
	set, err := s.wanted(r)
	if err != nil {
		return Waived{}, false
	}
	for _, w := range r.waived {
		if w.What == what && w.When == when && w.Set == set {
			return w, true
		}
	}
	return Waived{}, false
}
