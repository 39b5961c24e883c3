package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/rollout"
)

// Standing tells how far a rollout has come; *rollout.State is one.
type Standing interface {
	Status(now time.Time) rollout.Status
}

// TellIn puts an event into words like Tell, and adds what only the state after the
// event knows: of how many approvals this was one.
func TellIn(e rollout.Event, after Standing) Told {
	a, ok := e.Entry.(rollout.Approved)
	if !ok || after == nil {
		return Tell(e.Entry)
	}
	for _, r := range after.Status(e.Time).Rings {
		if r.Name == a.Ring && r.Progress != nil && r.Progress.Approval != nil {
			g := newApprovalGate(*r.Progress.Approval)
			return tellApproved(a, g.people(), g.Count)
		}
	}
	return Tell(e.Entry)
}

// tellGate tells what people said, and what gates have learned. Its sentences name
// the ring first, since no host does.
func tellGate(e rollout.Entry) (Told, bool) {
	switch e := e.(type) {
	case rollout.CalendarSet:
		return Told{Step: "calendar", Outcome: "set", Text: calendarSaid(e)}.saying("windows and freezes are others now: "), true
	case rollout.WindowOverridden:
		return Told{Step: "window", Outcome: "overridden", Text: "until " + orElse(stamp(e.Until), "nobody knows when") + ": " + said(e.Reason)}.saying("window overridden "), true
	case rollout.Approved:
		return tellApproved(e, 0, 0), true
	case rollout.Waived:
		return Told{Ring: clean(e.Ring), Step: "waiver", Outcome: needWaived, Text: waivedSaid(e)}.saying("waived "), true
	case rollout.Sampled:
		return tellSampled(e), true
	case rollout.Asked:
		return tellAsked(e), true
	case rollout.Retried:
		return Told{Step: "retry", Outcome: "retried", Text: retriedSaid(e)}.saying("retry: "), true
	case rollout.RollbackAsked:
		return Told{Step: "rollback", Outcome: "asked", Text: rollbackSaid(e)}.saying("rollback: "), true
	case rollout.Sealed:
		return Told{Step: "checkpoint", Outcome: "signed", Text: sealedSaid(e)}.saying("checkpoint signed: "), true
	}
	return Told{}, false
}

// saying makes the sentence: the ring, the words, the text.
func (t Told) saying(words string) Told {
	t.whole = words + t.Text
	if t.Ring != "" {
		t.whole = "ring " + t.Ring + ": " + t.whole
	}
	return t
}

// sealedSaid names who signed, as it was recorded: `evidence verify` is what proves it.
func sealedSaid(e rollout.Sealed) string {
	who := clean(e.Key)
	if e.As != "" {
		who = clean(e.As) + " (" + who + ")"
	}
	return fmt.Sprintf("%s, records 1 to %d, by %s", clean(e.Why), e.Seq, who)
}

func calendarSaid(e rollout.CalendarSet) string {
	windows := slices.Sorted(maps.Keys(e.Calendar.Windows))
	return fmt.Sprintf("windows %s, %s, %s", orElse(some(cleanAll(windows)), "none"), count(len(e.Calendar.Freezes), "freeze"), clean(orElse(e.Calendar.Zone, "UTC")))
}

// tellApproved is one approval, the given-th of those that it takes; 0: not known.
func tellApproved(e rollout.Approved, given, takes int) Told {
	text := "by " + orElse(clean(e.As), "nobody") + approvalMark(e.Authenticated)
	if takes > 0 {
		text += fmt.Sprintf(", %d of %d", given, takes)
	}
	if e.Reason != "" {
		text += ": " + clean(e.Reason)
	}
	return Told{Ring: clean(e.Ring), Step: "approval", Outcome: "approved", Text: text}.saying("approved ")
}

// tellSampled is one round of the soak, and who stands otherwise than in the one before.
func tellSampled(e rollout.Sampled) Told {
	parts := []string{healthyOf(e.Pass, e.Fail, e.Unknown)}
	var sick, well []string
	for _, host := range slices.Sorted(maps.Keys(e.Changed)) {
		if why := clean(e.Changed[host]); why != "" {
			sick = append(sick, clean(host)+" ("+why+")")
		} else {
			well = append(well, clean(host))
		}
	}
	if len(sick) > 0 {
		parts = append(parts, some(sick))
	}
	if len(well) > 0 {
		parts = append(parts, "well again: "+some(well))
	}
	verdict := health.Unknown
	switch {
	case e.Fail > 0:
		verdict = health.Fail
	case e.Unknown == 0 && e.Pass > 0:
		verdict = health.Pass
	}
	return Told{Ring: clean(e.Ring), Step: "soak", Outcome: verdict.String(), Text: strings.Join(parts, "; ")}.saying("soak sample: ")
}

func waivedSaid(e rollout.Waived) string {
	return Waiver{What: clean(e.What), Reason: clean(e.Reason), By: clean(e.By)}.said()
}

func tellAsked(e rollout.Asked) Told {
	name, seen := clean(e.Check), ""
	if e.When == playbook.WhenAfter {
		name += " after the ring"
	}
	if e.Seen != "" {
		seen = " (" + clean(e.Seen) + ")"
	}
	t := Told{Ring: clean(e.Ring), Step: "inquiry", Outcome: e.Verdict.String(), Text: name + seen}
	t.whole = "ring " + t.Ring + ": check " + name + ": " + t.Outcome + seen
	return t
}

func rollbackSaid(e rollout.RollbackAsked) string {
	return count(len(e.Hosts), "host") + ": " + said(e.Reason) + " (" + some(hostNames(e.Hosts)) + ")"
}

func retriedSaid(e rollout.Retried) string {
	return count(len(e.Hosts), "host") + ": " + said(e.Reason) + " (" + some(hostNames(e.Hosts)) + ")"
}

// tellBack: others use up a budget, so nothing was done to the host.
func tellBack(e rollout.StepEnded) Told {
	t := Told{Host: e.Host, Step: clean(string(e.Step)), Outcome: string(rollout.OutcomeBack)}
	if len(e.Reasons) > 0 {
		t.Text = strings.Join(cleanAll(e.Reasons), "; ")
	} else {
		var out []string
		for _, s := range sickOf(e.Out) {
			out = append(out, s.Host+" "+s.Why)
		}
		t.Text = "out: " + orElse(some(out), "no reason was given")
	}
	t.whole = clean(e.Host.String()) + ": stepped back: " + t.Text
	return t
}

// approvals counts, event by event, what no single event tells.
type approvals struct {
	takes map[string]int
	given map[rollout.Approved]bool
}

// tell follows the journal in order.
func (a *approvals) tell(e rollout.Event) Told {
	switch entry := e.Entry.(type) {
	case rollout.Opened:
		a.takes, a.given = map[string]int{}, map[rollout.Approved]bool{}
		for _, r := range entry.Rings {
			if r.Gate.Approval != nil {
				a.takes[r.Name] = r.Gate.Approval.Count
			}
		}
	case rollout.Approved:
		if takes := a.takes[entry.Ring]; takes > 0 {
			a.given[entry] = true
			return tellApproved(entry, a.hold(entry, e), takes)
		}
	}
	return Tell(e.Entry)
}

// hold counts the people whose approval of the same ring and set holds at an event.
func (a *approvals) hold(one rollout.Approved, e rollout.Event) int {
	who := map[string]bool{}
	for g := range a.given {
		if g.Ring == one.Ring && g.Set == one.Set && g.Plan == one.Plan && g.Expires.After(e.Time) {
			who[g.As] = true
		}
	}
	return len(who)
}

// tries says that a host is begun anew.
func tries(e rollout.StepStarted) string {
	if e.Try > 1 && e.Step == rollout.FlowBegin && e.Host != (fact.HostID{}) {
		return fmt.Sprintf("try %d", e.Try)
	}
	return ""
}
