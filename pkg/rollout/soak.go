package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
)

// The soak of a gate: the rings before must stay healthy for so long, seen by samples.
//
// Time counts as soaked from one passing sample to the next, if no more than max_gap
// lies between; the end of the rings before is the first. So it does not matter
// which process took a sample, or whether one lived in between; and time in which
// nobody looked, or somebody saw a sick host, does not count.

// soaked is what the samples have added up to.
type soaked struct {
	soaked             time.Duration
	samples, failed    int
	streak             int
	last               time.Time
	verdict            health.Verdict
	pass, fail, doubts int
	sick               map[string]string // who did not pass last, and why
}

// add books one sample. quiet is when the rings before had ended.
func (k *soaked) add(e Sampled, rule playbook.Soak, quiet, at time.Time) {
	from, passing := k.last, k.verdict == health.Pass
	if k.samples == 0 {
		from, passing = quiet, !quiet.IsZero()
	}
	k.samples++
	k.last, k.verdict = at, e.verdict()
	k.pass, k.fail, k.doubts = e.Pass, e.Fail, e.Unknown
	k.note(e.Changed)
	switch k.verdict {
	case health.Pass:
		k.streak++
		if gap := at.Sub(from); passing && gap > 0 && gap <= rule.MaxGap {
			k.soaked += gap
		}
	case health.Fail:
		k.failed++
		k.streak = 0
	default:
		k.streak = 0
	}
}

// note keeps who is sick. The map is made anew: copies of it are handed out.
func (k *soaked) note(changed map[string]string) {
	sick := map[string]string{}
	maps.Copy(sick, k.sick)
	maps.Copy(sick, changed)
	maps.DeleteFunc(sick, func(_, why string) bool { return why == "" })
	k.sick = sick
}

// verdict of a sample as a whole. One in which nobody passed proves nothing.
func (e Sampled) verdict() health.Verdict {
	switch {
	case e.Fail > 0:
		return health.Fail
	case e.Unknown > 0 || e.Pass == 0:
		return health.Unknown
	}
	return health.Pass
}

// soakCondition says how the soak of a ring's gate stands, and asks for the next
// sample when it is due: until the gate opens, the rings before must stay healthy.
func (s *State) soakCondition(r *ring, now time.Time) condition {
	rule := r.Gate.Soak
	if rule == nil || s.nothingToSoak(r) {
		return met("")
	}
	k, quiet := &r.soak, s.quiet(r)
	if k.failed > rule.FailureLimit {
		return condition{state: GateClosed, final: true, text: fmt.Sprintf("soak: %d of %d samples failed, and the limit is %d%s", k.failed, k.samples, rule.FailureLimit, k.who())}
	}
	c := condition{text: s.soakText(r), wake: k.due(*rule, quiet)}
	long, over := k.soaked >= rule.For && k.streak >= max(1, rule.Successes), k.earliest(*rule, quiet, now)
	// A waiver does without the time. That the hosts are well now must still be seen.
	if w, ok := s.waiver(r, WaiveSoak, ""); ok {
		long = k.streak > 0
		c.text = fmt.Sprintf("soak waived by %s: %s%s", w.By, w.Reason, k.who())
		if k.samples == 0 {
			c.wake = quiet
		}
		over = later(now, c.wake)
	}
	switch {
	case k.samples > 0 && k.verdict == health.Unknown:
		c.state, c.person = GateInconclusive, true
	case long && now.Sub(k.last) <= fresh(rule.Pace):
		c.state = GateOpen
	default:
		c.state = GateClosed
		c.until = over
	}
	if !now.Before(c.wake) {
		c.ask = []ask{{what: AskSample}}
		c.wake = time.Time{}
	}
	return c
}

// due is when the next sample is to be taken.
func (k *soaked) due(rule playbook.Soak, quiet time.Time) time.Time {
	if k.samples > 0 {
		return k.last.Add(rule.Interval)
	}
	return quiet.Add(max(rule.InitialDelay, min(rule.Interval, rule.For)))
}

// earliest is when the soak can be over at the soonest, if every sample passes from now
// on. Only what lies between two samples counts, so a time that a failed sample began, or
// that has become too long a gap, begins with the next one.
func (k *soaked) earliest(rule playbook.Soak, quiet, now time.Time) time.Time {
	from, due := later(quiet, k.last), k.due(rule, quiet)
	if k.samples > 0 && k.verdict != health.Pass || now.Sub(from) > rule.MaxGap {
		from = later(now, due)
	}
	over := from.Add(max(0, rule.For-k.soaked))
	if more := max(1, rule.Successes) - k.streak; more > 0 {
		over = later(over, due.Add(time.Duration(more-1)*rule.Interval))
	}
	return later(now, over)
}

// fresh is how old the last good measurement may be when a gate opens.
func fresh(p playbook.Pace) time.Duration { return max(p.Interval, time.Minute) }

// nothingToSoak: no host of the rings before was changed.
func (s *State) nothingToSoak(r *ring) bool {
	healthy, idle := s.proofs(r)
	return r.at == 0 || healthy == 0 && idle
}

// soakText is the soak in words: "soak 31h of 48h, 6 of 6 healthy".
func (s *State) soakText(r *ring) string {
	k, rule := &r.soak, r.Gate.Soak
	text := fmt.Sprintf("soak %s of %s", span(min(k.soaked, rule.For)), span(rule.For))
	if k.samples == 0 {
		return text + ", no sample yet"
	}
	return text + fmt.Sprintf(", %d of %d healthy%s", k.pass, k.pass+k.fail+k.doubts, k.who())
}

// who names the hosts that did not pass.
func (k *soaked) who() string {
	const shown = 3
	if len(k.sick) == 0 {
		return ""
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(k.sick)) {
		out = append(out, name+": "+k.sick[name])
	}
	more := ""
	if len(out) > shown {
		more = fmt.Sprintf(" and %d more", len(out)-shown)
		out = out[:shown]
	}
	return " (" + strings.Join(out, "; ") + more + ")"
}

// span is a duration for people: "48h", "1h30m", "45m", "20s".
func span(d time.Duration) string {
	if d >= time.Minute {
		d = d.Truncate(time.Minute)
	}
	text := d.Truncate(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func later(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
