package report

import (
	"fmt"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/rollout"
)

func (d Rollout) face(brief bool) face {
	f := face{
		title: "Rollout " + d.ID,
		lines: []pair{
			{"Playbook", text(d.Playbook + " (site " + d.Site + ")")},
			{"Phase", cell{because(word(d.Phase).text, d.Reasons), word(d.Phase).tone}},
			{"Hosts", text(stateCounts(d.Totals.ByState))},
			{"Updates", text(updateCounts(d.Totals))},
			{"Opened", text(took(stamp(d.Opened), d.Seconds))},
			{"Starter", text(d.Starter)},
			{"Plan", text(shortDigest(d.Plan))},
			{"Exit code", text(fmt.Sprintf("%d %s: %s", d.Exit.Code, d.Exit.Word, d.Exit.Why))},
			{"Next", text(d.Next)},
		},
		sheets: []sheet{d.ringSheet(), d.waitSheet(), d.gateSheet(brief)},
	}
	f.lines = append(f.lines, d.extras()...)
	f.sheets = append(f.sheets, d.hostSheets(brief)...)
	f.sheets = append(f.sheets, d.checkSheet(), d.outSheet(), d.lateSheet())
	if !brief {
		f.sheets = append(f.sheets, d.setSheet(), d.backSheet(), uncoveredSheet(d.Uncovered), d.updateSheet(), d.skippedSheet(), d.noteSheet(), d.timelineSheet())
	}
	if sentence := d.checksSentence(); sentence != "" {
		f.foot = append(f.foot, sentence)
	}
	return f
}

// because is a word and why, e.g. "x halted: 2 hosts failed".
func because(word string, reasons []string) string {
	if len(reasons) == 0 {
		return word
	}
	return word + ": " + strings.Join(reasons, "; ")
}

// shortDigest is enough to tell plans apart; JSON has the whole of it.
func shortDigest(d string) string { return patch.Digest(d).Short() }

func took(when string, s int64) string {
	if when == "" || s == 0 {
		return when
	}
	return when + ", last change " + seconds(s) + " later"
}

// stateCounts is "3 healthy, 1 failed", without the states that nobody is in.
func stateCounts(by map[string]int) string {
	var out []string
	for _, s := range hostStates() {
		if n := by[string(s)]; n > 0 {
			word := string(s)
			if s == rollout.HostNothing {
				word = "with nothing to do"
			}
			out = append(out, fmt.Sprintf("%d %s", n, word))
		}
	}
	return orElse(strings.Join(out, ", "), "none")
}

func updateCounts(t Totals) string {
	out := fmt.Sprintf("%d installed (%d security), %d left alone", t.Installed, t.Security, t.Left)
	if t.LeftFixes+t.LeftMaybe > 0 {
		out += fmt.Sprintf(" (%d security", t.LeftFixes)
		if t.LeftMaybe > 0 {
			out += fmt.Sprintf(", %d may be", t.LeftMaybe)
		}
		out += ")"
	}
	if t.Unconfirmed > 0 {
		out += fmt.Sprintf(", %d unconfirmed", t.Unconfirmed)
	}
	return out
}

func (d Rollout) ringSheet() sheet {
	s := sheet{title: "Rings", columns: []column{{head: "RING", whole: true}, {head: "GATE", least: 8}, {head: "WINDOW", least: 6}, {head: "HOSTS", right: true}, {head: "STATES", least: 16}, {head: "WHY", least: 16, prose: true}}}
	for _, r := range d.Rings {
		s.rows = append(s.rows, []cell{
			text(r.Name), word(r.Gate.State), text(r.windowShown()), text(fmt.Sprint(r.Hosts)), text(stateCounts(r.ByState)), text(strings.Join(r.Gate.Reasons, "; ")),
		})
	}
	return s
}

// checkSheet shows what did not pass; how many passed is one sentence.
func (d Rollout) checkSheet() sheet {
	s := sheet{title: "Checks that did not pass", group: true, columns: []column{{head: "HOST", whole: true}, {head: "CHECK", least: 12}, {head: "VERDICT", whole: true}, {head: "TRIES", right: true}, {head: "SEEN", least: 20, prose: true}}}
	for _, h := range d.Hosts {
		for _, c := range h.Checks {
			if c.Verdict != "pass" {
				s.rows = append(s.rows, []cell{text(h.Host), text(c.Check), word(c.Verdict), text(fmt.Sprint(c.Tries)), text(c.Seen)})
			}
		}
	}
	return s
}

func (d Rollout) checksSentence() string {
	passed, hosts := 0, 0
	for _, h := range d.Hosts {
		before := passed
		for _, c := range h.Checks {
			if c.Verdict == "pass" {
				passed++
			}
		}
		if passed > before {
			hosts++
		}
	}
	if passed == 0 {
		return ""
	}
	return fmt.Sprintf("%s passed on %s.", count(passed, "check"), count(hosts, "host"))
}

func (d Rollout) updateSheet() sheet {
	s := sheet{title: "Updates", group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 12}, {head: "CHANGE", least: 14}, {head: "SECURITY"}, {head: "OUTCOME", whole: true}}}
	for _, h := range d.Hosts {
		for _, c := range h.Updates {
			if c.Outcome != "left" {
				s.rows = append(s.rows, []cell{text(h.Host), text(packageWord(c)), text(change(c.From, c.To)), text(c.Security), word(c.Outcome)})
			}
		}
	}
	return s
}

func packageWord(c Change) string {
	name := c.Package
	if c.Dependency {
		name += " (dependency)"
	}
	return name
}

// change breaks before the arrow where a column is narrow.
func change(from, to string) string {
	if from == "" {
		from = "(new)"
	}
	return from + " -> " + to
}

func (d Rollout) skippedSheet() sheet {
	s := sheet{title: "Not done", group: true, columns: []column{{head: "HOST", whole: true}, {head: "PACKAGE", least: 12}, {head: "VERSION", least: 10}, {head: "REASON", whole: true}, {head: "WHY", least: 16, prose: true}}}
	for _, k := range d.Skipped {
		s.rows = append(s.rows, texts(k.Host, orElse(k.Package, "(whole host)"), k.To, k.Reason, k.Detail))
	}
	return s
}

func (d Rollout) noteSheet() sheet {
	s := sheet{title: "Notes", group: true, columns: []column{{head: "HOST", whole: true}, {head: "NOTE", least: 20}}}
	for _, h := range d.Hosts {
		for _, n := range h.Notes {
			s.rows = append(s.rows, texts(h.Host, n))
		}
	}
	return s
}

func (d Rollout) timelineSheet() sheet {
	s := sheet{title: "Timeline", columns: []column{{head: "TIME (UTC)", least: 19}, {head: "WHO", least: 8}, {head: "WHAT", least: 20}}}
	for _, m := range d.Timeline {
		s.rows = append(s.rows, texts(m.Time.Format("2006-01-02 15:04:05"), m.Actor, m.Text))
	}
	return s
}
