package matrix

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/device"
)

// pending is a truth of its own: what ran before runs, or the target does on trial, and the next
// boot starts something else. Who says "not done" of that must say so.
const pending verdict = "pending"

// tells are the words of a reason that names what is pending.
var tells = regexp.MustCompile(`next boot|not saved|not committed|on trial|runs already on`)

// truth is what is true of the device, in the words of the verdicts; unknown: none of them.
func (p *play) truth() verdict {
	s := p.device.Truth()
	same := slices.Equal(settings(p.started.Running), settings(s.Running)) && sameSerials(p.started, s)
	switch f := p.family; {
	case f.proven(s) && same:
		return saidDone
	case f.former(s) && same && slices.Equal(bootLines(p.started.Running), bootLines(s.Running)) && slices.Equal(bootLines(p.started.Startup), bootLines(s.Startup)):
		return saidNotDone
	case f.degraded(s), f.trial(s) && !same && sameSerials(p.started, s):
		return saidNotDone // the target runs, and something is worse than before
	case same && (f.trial(s) || f.former(s) || f.runsFormer(s)):
		return pending
	case same && every(s, func(m device.MemberState) bool { return slices.Contains([]string{f.from, f.to}, m.Values["version"]) }):
		return pending // one has been upgraded, and the other waits
	}
	return saidUnknown
}

func bootLine(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "boot system") }

// settings are the lines of a configuration but those that an upgrade is to change.
func settings(config string) []string {
	return slices.DeleteFunc(strings.Split(config, "\n"), bootLine)
}

func bootLines(config string) []string {
	return slices.DeleteFunc(strings.Split(config, "\n"), func(l string) bool { return !bootLine(l) })
}

func sameSerials(a, b device.State) bool {
	return slices.EqualFunc(a.Members, b.Members, func(x, y device.MemberState) bool { return x.Values["serial"] == y.Values["serial"] })
}

// wrong is everything that is wrong with a play: what was said against what is true, and what
// was done against what may be.
func (p *play) wrong() []string {
	done := p.device.Done()
	wrong := append(p.wrongVerdict(), p.wrongDeeds(done)...)
	unknown := slices.DeleteFunc(slices.Clone(done.Unknown), func(l string) bool {
		return slices.Contains(p.family.spare, l) || strings.HasPrefix(l, "sh -s ")
	})
	if slices.Sort(unknown); len(unknown) > 0 {
		wrong = append(wrong, fmt.Sprintf("lines that the device does not know: %q", slices.Compact(unknown)))
	}
	for _, broken := range done.Broken {
		wrong = append(wrong, "the device file is broken: "+broken)
	}
	return append(wrong, p.spilled()...)
}

func (p *play) wrongVerdict() []string {
	truth := p.truth()
	told := tells.MatchString(strings.Join(p.why, "; "))
	switch {
	case p.want != "" && p.said != p.want:
		return []string{fmt.Sprintf("it said %s, and should %s (the truth is %s)", p.said, p.want, truth)}
	case p.said == saidUnknown && p.excuse() != "":
	case p.said == truth:
	case p.said == saidNotDone && truth == pending && told:
	case p.said == saidUnknown && truth == pending && p.halfWay():
	case p.said == saidUnknown && p.untouched():
	default:
		return []string{fmt.Sprintf("it said %s, and the truth is %s", p.said, truth)}
	}
	return nil
}

// halfWay: the boot variable was left half changed. The reasons tell what to type, and another
// try carries on.
func (p *play) halfWay() bool { return strings.Contains(strings.Join(p.why, "; "), "or run it again") }

// untouched: nothing was begun that changes the device; where it then can't be told, a person
// loses nothing.
func (p *play) untouched() bool {
	return p.said == saidUnknown && !p.touched && p.truth() == saidNotDone
}

func (p *play) wrongDeeds(done device.Done) []string {
	var wrong []string
	for _, name := range p.family.once {
		if n := done.Count(name); n > 1 {
			wrong = append(wrong, fmt.Sprintf("%s came about %d times", name, n))
		}
	}
	for _, e := range done.Effects {
		if slices.Contains(p.never, e.Name) {
			wrong = append(wrong, e.Name+" came about, and must not")
		}
		if e.Name == "committed" && (p.checked.IsZero() || e.At.Before(p.checked)) {
			wrong = append(wrong, "it was committed before the checks had passed")
		}
	}
	for _, a := range done.Answers {
		if a.Question == surprise && a.Accepted {
			wrong = append(wrong, fmt.Sprintf("a question that nobody foresees was answered with %q", a.Given))
		}
	}
	return wrong
}

// spilled: no secret may turn up in what is kept, told or typed as a command.
func (p *play) spilled() []string {
	texts := append(slices.Clone(p.log), p.why...)
	texts = append(texts, p.device.Done().Lines...)
	for _, kept := range p.content.kept {
		for _, k := range kept {
			texts = append(texts, string(k))
		}
	}
	var wrong []string
	for _, text := range texts {
		if strings.Contains(text, loginSecret) || strings.Contains(text, enableSecret) {
			wrong = append(wrong, "a secret is in: "+text)
		}
	}
	return wrong
}

// judge fails the test for all that is wrong.
func (p *play) judge() {
	p.t.Helper()
	wrong := p.wrong()
	done := p.device.Done()
	if os.Getenv("MATRIX_LINES") != "" {
		fmt.Printf("CELL %s said=%s truth=%s at=%s struck=%v WRONG=%q why=%.200s\n", p.cell, p.said, p.truth(), p.at, done.Faults, wrong, strings.Join(p.why, "; "))
	}
	for _, w := range wrong {
		p.t.Error(w)
	}
	if len(wrong) == 0 && os.Getenv("MATRIX_LOG") == "" {
		return
	}
	p.t.Logf("%s: %s at %s: %v", p.cell, p.said, p.at, p.why)
	p.t.Log(strings.Join(p.log, "\n"))
	if os.Getenv("MATRIX_LOG") == "" {
		return
	}
	p.t.Logf("effects: %v", done.Effects)
	p.t.Logf("lines: %q", done.Lines[max(0, len(done.Lines)-40):])
	p.t.Logf("answers: %+v", slices.DeleteFunc(done.Answers, func(a device.Answer) bool { return a.Given == enableSecret }))
	p.t.Logf("facts: %+v", p.facts.Device)
	p.t.Logf("truth: %+v", p.device.Truth())
}
