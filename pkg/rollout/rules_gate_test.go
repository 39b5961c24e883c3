package rollout

import (
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/plan"
	"github.com/patchring/patchring/pkg/playbook"
)

// checkGate is rule 1: a gate opens only when everything that it asks for holds.
func (o *operator) checkGate(g GateOpened) {
	at := slices.IndexFunc(o.Plan.Rings, func(r plan.Ring) bool { return r.Name == g.Ring })
	r := o.Plan.Rings[at]
	o.checkRingsBefore(at, r)
	o.checkFrozen(at, g)
	o.checkSoak(at, g)
	o.checkApproval(r, g)
	o.checkWindow(r)
	o.checkInquiries(r, before, o.w.now)
	for _, b := range o.Plan.Rings[:at] {
		if _, open := o.opened[b.Name]; open {
			o.checkInquiries(b, after, time.Time{})
		}
	}
	if o.w.now.Before(o.promised[g.Ring]) {
		o.w.fail("wait: gate %s opened at %s, and was said not to open before %s", g.Ring, o.w.now, o.promised[g.Ring])
	}
}

func (o *operator) checkRingsBefore(at int, r plan.Ring) {
	least := r.Gate.MinParticipation
	if least == 0 {
		least = 95
	}
	for i, b := range o.Plan.Rings[:at] {
		if !o.ringDone(i) {
			o.w.fail("rule 1: gate %s opened while ring %s has not ended", r.Name, b.Name)
		}
		n, gone := len(b.Hosts), o.gone(b)
		if o.failures(b) > b.FailureLimit || (n-gone)*100 < least*n {
			o.w.fail("rule 1: gate %s opened with %d failed and %d gone in ring %s", r.Name, o.failures(b), gone, b.Name)
		}
		if o.countIn(b, func(tr *truth) bool { return tr.final == HostUnknown && tr.touched }) > 0 {
			o.w.fail("rule 1: gate %s opened with a host of %s touched and unknown", r.Name, b.Name)
		}
	}
}

// checkFrozen is rule 5 for the set, and the coverage that it gives.
func (o *operator) checkFrozen(at int, g GateOpened) {
	allowed, r := map[patch.Proven]bool{}, o.Plan.Rings[at]
	for _, b := range o.Plan.Rings[:at] {
		for _, id := range b.Hosts {
			if tr := o.truth[id]; tr.final == HostHealthy {
				for _, p := range o.proof(tr) {
					allowed[p] = true
				}
			}
		}
	}
	missing := len(allowed)
	for _, p := range g.Frozen.Proven {
		if !allowed[p] {
			o.w.fail("rule 5: the set of %s holds %v, which no healthy host has", g.Ring, p)
		}
		missing--
	}
	if missing > 0 {
		o.w.fail("rule 5: the set of %s lacks %d of what is proven", g.Ring, missing)
	}
	have, all := 0, 0
	for p, n := range o.Plan.Wants(g.Ring) {
		all += n
		if allowed[p] {
			have += n
		}
	}
	if at > 0 && have*100 < all*r.Gate.Coverage {
		o.w.fail("rule 1: gate %s opened with %d of %d updates proven, and %d %% must be", g.Ring, have, all, r.Gate.Coverage)
	}
}

// quietSince is when the last host of some rings has ended.
func (o *operator) quietSince(from, to int) time.Time {
	since := o.events[0].Time
	for _, b := range o.Plan.Rings[from:to] {
		for _, id := range b.Hosts {
			since = later(since, o.truth[id].ended)
		}
	}
	return since
}

// checkSoak works the soaked time out by itself.
func (o *operator) checkSoak(at int, g GateOpened) {
	rule, quiet := o.Plan.Rings[at].Gate.Soak, o.quietSince(0, at)
	if rule == nil || len(o.healthyBefore(g.Ring)) == 0 {
		return
	}
	good, from, last := true, later(quiet, o.turned), sighted{}
	sum, failed, streak := time.Duration(0), 0, 0
	for _, s := range o.samples[g.Ring] {
		if s.asked.Before(quiet) || s.at.Before(o.turned) {
			continue // of the time before a host was begun again, or was to be taken back
		}
		pass := s.Fail == 0 && s.Unknown == 0 && s.Pass > 0
		if gap := s.at.Sub(from); pass && good && gap <= rule.MaxGap {
			sum += gap
		}
		streak++
		if !pass {
			streak = 0
		}
		if s.Fail > 0 {
			failed++
		}
		good, from, last = pass, s.at, s
	}
	short := sum < rule.For || streak < max(1, rule.Successes)
	switch {
	case failed > rule.FailureLimit:
		o.w.fail("rule 1: gate %s opened after %d samples failed", g.Ring, failed)
	case !good || o.w.now.Sub(last.at) > max(rule.Interval, time.Minute):
		o.w.fail("rule 1: gate %s opened, and the last sample was %+v, at %s", g.Ring, last.Sampled, last.at)
	case short && !o.isWaived(g, WaiveSoak):
		o.w.fail("rule 1: gate %s opened after %s of %s, %d in a row", g.Ring, sum, rule.For, streak)
	}
}

func (o *operator) isWaived(g GateOpened, what string) bool {
	return slices.ContainsFunc(o.waived, func(w Waived) bool { return w.Ring == g.Ring && w.What == what && w.Set == g.Set })
}

// checkApproval: enough different people, for this plan and set, not too long ago, none
// of them the starter.
func (o *operator) checkApproval(r plan.Ring, g GateOpened) {
	rule := r.Gate.Approval
	if rule == nil {
		return
	}
	who := map[string]bool{}
	for _, a := range o.approved {
		if a.Ring == r.Name && a.Plan == o.opening.Plan && a.Set == g.Set && a.Expires.After(o.w.now) && slices.Contains(rule.People, a.As) {
			who[a.As] = true
		}
		if a.As == starter || a.By == starter {
			o.w.fail("rule 1: the starter approved ring %s", a.Ring)
		}
	}
	if len(who) < rule.Count {
		o.w.fail("rule 1: gate %s opened with %d of %d approvals", r.Name, len(who), rule.Count)
	}
}

// checkInquiries: the last answers to each question of a ring passed, enough of them in
// a row, and right before a ring the last is fresh.
func (o *operator) checkInquiries(r plan.Ring, when playbook.When, now time.Time) {
	at := slices.IndexFunc(o.Plan.Rings, func(other plan.Ring) bool { return other.Name == r.Name })
	since := o.quietSince(0, at)
	if when == after {
		since = o.quietSince(0, at+1)
	}
	for _, q := range r.Gate.Checks {
		if q.When != when && q.When != playbook.WhenBoth {
			continue
		}
		streak, failed, last := 0, 0, answered{}
		for _, a := range o.answers[askedOf(r.Name, q.Name, when)] {
			if a.asked.Before(since) {
				continue
			}
			last, streak = a, streak+1
			if a.Verdict != health.Pass {
				streak = 0
			}
			if a.Verdict == health.Fail && !a.asked.Before(o.retried) {
				failed++
			}
		}
		waived := last.Verdict == health.Unknown && !last.at.IsZero() && slices.ContainsFunc(o.waived, func(w Waived) bool {
			return w.Ring == r.Name && w.What == "check:"+q.Name && w.When == when
		})
		stale := !now.IsZero() && now.Sub(last.at) > max(q.Interval, time.Minute)
		switch {
		case failed > q.FailureLimit:
			o.w.fail("rule 1: it goes on after check %s (%s) of ring %s failed %d times", q.Name, when, r.Name, failed)
		case !waived && (streak < max(1, q.Successes) || stale):
			o.w.fail("rule 1: it goes on with check %s (%s) of ring %s passed %d times, at %s", q.Name, when, r.Name, streak, last.at)
		}
	}
}
