package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/health"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

// Told is an event in words: where it happened, what came of it, and a sentence.
type Told struct {
	Ring    string
	Host    fact.HostID // zero: not about one host
	Step    string
	Outcome string // one word, e.g. "started", "ok", "failed", "opened"
	Text    string // the reasons or the sentence, cleaned; may be empty
	whole   string // the sentence, where it is none of the usual ones
}

// Tell puts an event into words. An event that this build does not know is told by its name.
func Tell(e rollout.Entry) Told {
	switch e := e.(type) {
	case rollout.StepStarted:
		return Told{Host: e.Host, Step: clean(string(e.Step)), Outcome: startWord(e.Mode), Text: tries(e)}
	case rollout.StepEnded:
		return tellEnded(e)
	case rollout.GateOpened:
		return Told{Ring: clean(e.Ring), Step: "gate", Outcome: "opened", Text: gateSentence(e)}
	case rollout.Opened:
		return Told{Step: "rollout", Outcome: "opened", Text: openedSentence(e)}
	case rollout.Halted:
		return Told{Ring: clean(e.Ring), Step: haltedBy(e), Outcome: "halted", Text: "no further host starts: " + reasons(e.Reasons)}
	case rollout.Paused:
		return Told{Step: "rollout", Outcome: "paused", Text: said(e.Reason)}
	case rollout.Resumed:
		return Told{Step: "rollout", Outcome: "resumed", Text: clean(e.Reason)}
	case rollout.Aborted:
		return Told{Step: "rollout", Outcome: "aborted", Text: said(e.Reason)}
	case rollout.Finished:
		return Told{Step: "rollout", Outcome: "finished", Text: strings.Join(cleanAll(e.Reasons), "; ")}
	case nil:
		return Told{Step: "rollout", Outcome: "unknown", Text: "an event without content"}
	}
	if t, ok := tellGate(e); ok {
		return t
	}
	return Told{Step: "rollout", Outcome: "unknown", Text: "an event that this build does not know: " + clean(e.Kind())}
}

// Sentence is the event as one sentence for people.
func (t Told) Sentence() string {
	switch {
	case t.whole != "":
		return t.whole
	case t.Host != (fact.HostID{}):
		line := clean(t.Host.String()) + ": " + t.Step + " " + t.Outcome
		if t.Text != "" {
			line += ": " + t.Text
		}
		return line
	case t.Outcome == "opened" && t.Text != "":
		return t.Text
	case t.Text != "":
		return "rollout " + t.Outcome + ": " + t.Text
	}
	return "rollout " + t.Outcome
}

func startWord(m rollout.Mode) string {
	if m == rollout.Reconcile {
		return "looking"
	}
	return "started"
}

func tellEnded(e rollout.StepEnded) Told {
	if e.Outcome == rollout.OutcomeBack {
		return tellBack(e)
	}
	t := Told{Host: e.Host, Step: clean(string(e.Step)), Outcome: outcomeWord(e)}
	switch {
	case len(e.Reasons) > 0:
		t.Text = reasons(e.Reasons)
	case len(e.Checks) > 0:
		t.Text = checksTold(e.Checks)
	case e.Outcome == rollout.OutcomeNothing:
		t.Text = "nothing to do"
	case e.Began != nil:
		t.Text = workTold(e.Began.Work)
		if left := len(e.Began.Work.Left); left > 0 {
			t.Text += fmt.Sprintf(", %d left alone", left)
		}
	case len(e.Proven) > 0:
		t.Text = count(len(e.Proven), "version") + " seen installed"
	case len(e.Collected) > 0:
		t.Text = count(len(e.Collected), "package file") + " known"
	case e.Reboots:
		t.Text = "restarted"
	}
	return t
}

// workTold says what a host is about to get, or to lose.
func workTold(w patch.Work) string {
	if !w.Back {
		return count(len(w.Install), "update") + " to install"
	}
	text := count(len(w.Install), "package") + " to take back"
	if len(w.Remove) > 0 {
		text += fmt.Sprintf(", %d to remove", len(w.Remove))
	}
	return text
}

// outcomeWord is how a step ended. A check step that was performed well may still
// have found the host sick.
func outcomeWord(e rollout.StepEnded) string {
	if e.Outcome == rollout.OutcomeOK && len(e.Checks) > 0 {
		switch health.Worst(e.Checks) {
		case health.Pass:
		case health.Fail:
			return string(rollout.OutcomeFailed)
		default:
			return "unknown"
		}
	}
	return orElse(clean(string(e.Outcome)), "unknown")
}

// checksTold is "3 checks passed", or what did not pass.
func checksTold(results []health.Result) string {
	var bad []string
	for _, r := range results {
		if r.Verdict != health.Pass {
			bad = append(bad, because(clean(r.Check)+" "+r.Verdict.String(), cleanAll([]string{r.Seen})))
		}
	}
	if len(bad) == 0 {
		return count(len(results), "check") + " passed"
	}
	return clean(strings.Join(bad, "; "))
}

func gateSentence(e rollout.GateOpened) string {
	return "gate to " + clean(e.Ring) + " opened: " + reasons(e.Reasons)
}

func openedSentence(e rollout.Opened) string {
	var rings []string
	for _, r := range e.Rings {
		rings = append(rings, fmt.Sprintf("%s (%s)", clean(r.Name), count(len(r.Hosts), "host")))
	}
	return fmt.Sprintf("rollout %s of %s in %s opened: %s", clean(e.Rollout), clean(e.Playbook), clean(e.Site), strings.Join(rings, ", then "))
}

func haltedBy(e rollout.Halted) string {
	if e.Gate {
		return "gate"
	}
	return "limit"
}

func reasons(all []string) string {
	return orElse(strings.Join(cleanAll(all), "; "), "no reason was given")
}

func said(reason string) string { return orElse(clean(reason), "no reason was given") }

// timeline tells every event; the ring of a host's event is known from the opening.
func timeline(events []rollout.Event) []Moment {
	out := make([]Moment, 0, len(events))
	rings := map[fact.HostID]string{}
	var teller approvals
	for _, e := range events {
		if opened, ok := e.Entry.(rollout.Opened); ok {
			rings = RingsOf(opened)
		}
		t := teller.tell(e)
		m := Moment{Seq: e.Seq, Time: e.Time.UTC(), Actor: clean(e.Actor), Ring: t.Ring, Step: t.Step, Text: t.Sentence()}
		if e.Entry != nil {
			m.Event = clean(e.Entry.Kind())
		}
		if t.Host != (fact.HostID{}) {
			m.Host, m.Ring = clean(t.Host.String()), rings[t.Host]
		}
		out = append(out, m)
	}
	return out
}

// RingsOf gives the ring of each host of a rollout, cleaned.
func RingsOf(o rollout.Opened) map[fact.HostID]string {
	out := map[fact.HostID]string{}
	for _, r := range o.Rings {
		for _, h := range r.Hosts {
			out[h] = clean(r.Name)
		}
	}
	return out
}
