package matrix

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/lab/device"
)

// truth is what is true of the device, in the words of the verdicts; other is neither.
func (p *play) truth() (verdict, string) {
	s := p.device.Truth()
	kept := lines(p.started.Running, p.family.image)
	switch {
	case p.family.proven(s) && same_(kept, lines(s.Running, p.family.image)) && sameSerials(p.started, s):
		return saidDone, ""
	case p.family.former(s) && same_(kept, lines(s.Running, p.family.image)) && sameSerials(p.started, s):
		return saidNotDone, ""
	case p.family.degraded(s):
		return saidNotDone, "degraded"
	}
	return saidUnknown, "neither"
}

func lines(config, image string) []string {
	return slices.DeleteFunc(strings.Split(config, "\n"), func(line string) bool {
		return strings.HasPrefix(strings.TrimSpace(line), "boot system")
	})
}

func same_(a, b []string) bool { return slices.Equal(a, b) }

func sameSerials(a, b device.State) bool {
	return slices.EqualFunc(a.Members, b.Members, func(x, y device.MemberState) bool { return x.Values["serial"] == y.Values["serial"] })
}

// judge holds what was said against what is true, and what was done against what may be.
func (p *play) judge() {
	p.t.Helper()
	truth, how := p.truth()
	state := p.device.Truth()
	switch {
	case p.said == saidUnknown && !p.blank:
		p.t.Errorf("it said unknown (%s: %v), and the truth could be had: %s %s", p.at, p.why, truth, how)
	case p.said == saidDone && truth != saidDone, p.said == saidNotDone && truth != saidNotDone:
		p.t.Errorf("it said %s (%s: %v), and the truth is: %s %s", p.said, p.at, p.why, truth, how)
	}
	done := p.device.Done()
	for _, name := range p.family.once {
		if n := done.Count(name); n > 1 {
			p.t.Errorf("%s came about %d times", name, n)
		}
	}
	for _, a := range done.Answers {
		if a.Question == surprise && a.Accepted {
			p.t.Errorf("a question that nobody foresees was answered: %+v", a)
		}
	}
	if unknown := slices.DeleteFunc(slices.Clone(done.Unknown), func(l string) bool { return slices.Contains(p.family.spare, l) || strings.HasPrefix(l, "sh -s ") }); len(unknown) > 0 {
		slices.Sort(unknown)
		p.t.Errorf("lines that the device does not know: %q", slices.Compact(unknown))
	}
	if p.t.Failed() && os.Getenv("MATRIX_LOG") != "" {
		p.t.Logf("effects: %v", done.Effects)
		p.t.Logf("lines: %q", done.Lines[max(0, len(done.Lines)-40):])
		p.t.Logf("answers: %+v", slices.DeleteFunc(done.Answers, func(a device.Answer) bool { return a.Given == enableSecret }))
		p.t.Logf("facts: %+v", p.facts.Device)
		p.t.Logf("faults that struck: %v", done.Faults)
		p.t.Log(fmt.Sprintf("%+v", state.Members) + fmt.Sprintf(" armed %v down %v values %v", state.Armed, state.Down, state.Values))
	}
	for _, broken := range done.Broken {
		p.t.Errorf("the device file is broken: %s", broken)
	}
}
