package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/playbook"
)

// gateSheet is how far the gates have come. The brief view leaves out those that are open.
func (d Rollout) gateSheet(brief bool) sheet {
	s := sheet{title: "What each gate has so far", group: true, columns: []column{{head: "RING", whole: true}, {head: "NEEDS", least: 8}, {head: "STANDS", whole: true}, {head: "HOW", least: 24, prose: true}}}
	for _, r := range d.Rings {
		if brief && r.Gate.State == "open" {
			continue
		}
		for _, row := range r.Gate.rows() {
			s.rows = append(s.rows, append([]cell{text(r.Name)}, row...))
		}
	}
	return s
}

func (g Gate) rows() [][]cell {
	var out [][]cell
	if g.Soak != nil {
		out = append(out, []cell{text("soak"), word(g.Soak.State), text(g.Soak.said())})
	}
	if g.Approval != nil {
		out = append(out, []cell{text("approval"), word(g.Approval.State), text(g.Approval.said())})
	}
	for _, c := range g.Checks {
		out = append(out, []cell{text("check " + c.Name + c.moment()), word(c.State), text(c.said())})
	}
	for _, w := range g.Waived {
		out = append(out, []cell{text("waiver"), word(needWaived), text(w.said())})
	}
	return out
}

// said is e.g. "31h of 48h; 32 samples, 0 failed; the last: 6 of 6 healthy".
func (s SoakGate) said() string {
	out := []string{
		lastingSeconds(s.Soaked) + " of " + lastingSeconds(s.For),
		fmt.Sprintf("%s, %d failed", count(s.Samples, "sample"), s.Failed),
	}
	if s.Samples > 0 {
		out = append(out, "the last: "+healthyOf(s.Pass, s.Fail, s.Unknown))
	}
	var sick []string
	for _, one := range s.Sick {
		sick = append(sick, one.Host+" ("+one.Why+")")
	}
	if len(sick) > 0 {
		out = append(out, some(sick))
	}
	return strings.Join(out, "; ")
}

// healthyOf is "6 of 6 healthy", or "4 of 6 healthy, 1 failing, 1 unknown".
func healthyOf(pass, fail, unknown int) string {
	out := fmt.Sprintf("%d of %d healthy", pass, pass+fail+unknown)
	if fail > 0 {
		out += fmt.Sprintf(", %d failing", fail)
	}
	if unknown > 0 {
		out += fmt.Sprintf(", %d unknown", unknown)
	}
	return out
}

// said is e.g. "board 1 of 2: jane@hq.example (unauthenticated)".
func (a ApprovalGate) said() string {
	var given []string
	for _, g := range a.Given {
		one := g.As + g.mark()
		if !g.Expires.IsZero() {
			one += " until " + g.Expires.Format("2006-01-02 15:04") + " UTC"
		}
		given = append(given, one)
	}
	out := fmt.Sprintf("%s %d of %d", a.Approvers, a.people(), a.Count)
	if len(given) > 0 {
		out += ": " + strings.Join(given, ", ")
	}
	return out
}

// mark is said wherever an approval stands: whether anything proves who gave it.
func (a Approval) mark() string { return approvalMark(a.Authenticated) }

func approvalMark(authenticated bool) string {
	if authenticated {
		return " (signed)"
	}
	return " (unauthenticated)"
}

func (c InquiryGate) said() string {
	if c.Asked == 0 {
		return "not asked yet"
	}
	out := fmt.Sprintf("%s, %d failed; the last: %s", timesAsked(c.Asked), c.Failed, c.Verdict)
	if c.Seen != "" {
		out += " (" + c.Seen + ")"
	}
	return out
}

// moment is said where it is not the usual one.
func (c InquiryGate) moment() string {
	if c.When == string(playbook.WhenAfter) {
		return " (after)"
	}
	return ""
}

func timesAsked(n int) string {
	if n == 1 {
		return "asked once"
	}
	return fmt.Sprintf("asked %d times", n)
}

func (w Waiver) said() string {
	out := w.What
	if w.By != "" {
		out += " by " + w.By
	}
	return out + ": " + orElse(w.Reason, "no reason was given")
}

// extras are the lines at the top that only some rollouts have.
func (d Rollout) extras() []pair {
	var out []pair
	if d.Urgent {
		out = append(out, pair{"Lane", text("urgent: its own soak, window and approval")})
	}
	if d.Override.Reason != "" {
		out = append(out, pair{"Override", cell{"! window overridden until " + stamp(d.Override.Until) + ": " + d.Override.Reason, warn}})
	}
	return out
}

// outSheet is what a budget counts as out, though this rollout does not work on it.
func (d Rollout) outSheet() sheet {
	s := sheet{title: "Out of use beside this rollout", columns: []column{{head: "HOST", whole: true}, {head: "WHY", least: 20}}}
	for _, o := range d.Out {
		s.rows = append(s.rows, texts(o.Host, o.Why))
	}
	return s
}
