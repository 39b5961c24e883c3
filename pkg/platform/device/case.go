package device

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/remote"
)

// maxProbes is how many commands may be tried on a host that nobody knows: each unknown
// one is an error in its log.
const maxProbes = 3

// Sight is what is seen of a host before the first command.
type Sight struct {
	Ident  string // the SSH server's identification line
	Banner string // what was printed between the login and the prompt
	Prompt string // the last line, where the cursor stands
	// Shell: commands go to a POSIX shell, and not to a console.
	Shell bool
}

// Confidence is how sure an identification is.
type Confidence string

const (
	Unsure Confidence = ""       // nothing, or several of equal rank
	Low    Confidence = "low"    // a person said so, and no probe speaks for it
	Medium Confidence = "medium" // a probe held, and nothing else speaks for or against it
	High   Confidence = "high"   // a probe held, and the identification line, banner, prompt or a person agrees
)

// Verdict is what a Case came to. The zero value is: unknown.
type Verdict struct {
	Platform   fact.Platform
	Confidence Confidence
	Why        string // cleaned: which probe, or between which platforms it could not be told
}

// Case is the identification of one host: which command to ask next, and what the answers
// came to. It does nothing by itself.
type Case struct {
	library    Library
	sight      Sight
	candidates []*Platform
	asked      []string
	answers    map[string]string
}

// Begin looks at what is seen without asking anything.
func (l Library) Begin(s Sight) *Case {
	s.Banner, s.Prompt = tidy([]byte(s.Banner)), tidy([]byte(s.Prompt))
	c := &Case{library: l, sight: s, answers: map[string]string{}}
	for _, p := range l.All() {
		ident := p.Definition.Match.SSHIdent
		ruledOut := ident != "" && s.Ident != "" && !p.Re(ident).MatchString(s.Ident)
		if !ruledOut && p.Definition.Match.Shell == s.Shell {
			c.candidates = append(c.candidates, p)
		}
	}
	return c
}

// Next is the command whose answer promises most: of the platforms that the sight speaks
// for, and then of as many as possible. More is false when asking is over.
func (c *Case) Next() (cmd string, more bool) {
	if len(c.asked) >= maxProbes || len(c.held()) > 0 && len(c.above()) == 0 {
		return "", false
	}
	among := c.candidates
	if above := c.above(); len(above) > 0 {
		among = above
	}
	worth := map[string]int{}
	for _, p := range among {
		for i, probe := range c.probes(p) {
			if !slices.Contains(c.asked, command(probe.Cmd)) {
				worth[command(probe.Cmd)] += max(c.weight(p)>>i, 1)
			}
		}
	}
	for name, w := range worth {
		if cmd == "" || w > worth[cmd] || w == worth[cmd] && name < cmd {
			cmd = name
		}
	}
	return cmd, cmd != ""
}

// weight is how much the sight speaks for a platform. One hint outweighs all that only
// could be.
func (c *Case) weight(p *Platform) int {
	w := 2
	if len(p.Definition.Match.Over) > 0 {
		w = 1 // what it is a special case of is asked for first
	}
	if c.prompted(p) {
		w = 16
	}
	if c.hinted(p) || c.answered(p) || p.elsewhere(c.sight.Prompt) != nil {
		w = 1024
	}
	return w
}

// probes are those of a platform that can be answered at the prompt.
func (c *Case) probes(p *Platform) []Probe { return p.ProbesAt(c.sight.Prompt) }

// ProbesAt are the probes to ask at a prompt: those for it, or else all that are for the
// platform's own.
func (p *Platform) ProbesAt(prompt string) []Probe {
	if fit := p.elsewhere(prompt); fit != nil {
		return fit
	}
	return slices.DeleteFunc(slices.Clone(p.Definition.Match.Probes), func(probe Probe) bool { return probe.Prompt != "" })
}

// elsewhere are the probes for a prompt that is not the platform's own.
func (p *Platform) elsewhere(prompt string) []Probe {
	var fit []Probe
	for _, probe := range p.Definition.Match.Probes {
		if p.Re(probe.Prompt).MatchString(prompt) {
			fit = append(fit, probe)
		}
	}
	return fit
}

// answered tells whether an answer, though it proves nothing, speaks for a platform: how it
// refuses a command that it does not know.
func (c *Case) answered(p *Platform) bool {
	for _, text := range c.answers {
		if p.Re(p.Definition.Match.Hint).MatchString(text) {
			return true
		}
	}
	return false
}

func (c *Case) hinted(p *Platform) bool {
	m := p.Definition.Match
	hint := p.Re(m.Hint)
	return m.SSHIdent != "" && p.Re(m.SSHIdent).MatchString(c.sight.Ident) ||
		hint.MatchString(c.sight.Ident) || hint.MatchString(c.sight.Banner) || hint.MatchString(c.sight.Prompt)
}

func (c *Case) prompted(p *Platform) bool {
	return p.Re(p.Definition.Match.Prompt).MatchString(c.sight.Prompt)
}

// Observe takes what a command of Next printed.
func (c *Case) Observe(cmd string, out []byte) {
	if cmd = command(cmd); !slices.Contains(c.asked, cmd) {
		c.asked = append(c.asked, cmd)
	}
	c.answers[cmd] = tidy(out)
}

// held are the candidates of which a probe holds.
func (c *Case) held() []*Platform {
	return slices.DeleteFunc(slices.Clone(c.candidates), func(p *Platform) bool {
		return !slices.ContainsFunc(p.Definition.Match.Probes, func(probe Probe) bool {
			text, asked := c.answers[command(probe.Cmd)]
			return asked && p.probed(probe, text)
		})
	})
}

// above are the candidates that are special cases of one that holds, and still have a
// probe to be asked.
func (c *Case) above() []*Platform {
	held := c.held()
	return slices.DeleteFunc(slices.Clone(c.candidates), func(p *Platform) bool {
		special := slices.ContainsFunc(held, func(h *Platform) bool { return slices.Contains(p.Definition.Match.Over, h.Definition.Name) })
		open := slices.ContainsFunc(c.probes(p), func(probe Probe) bool { return !slices.Contains(c.asked, command(probe.Cmd)) })
		return !special || !open || slices.Contains(held, p)
	})
}

// Verdict says which platform it is, or why that can't be told.
func (c *Case) Verdict() Verdict {
	held := special(c.held())
	if agreed := slices.DeleteFunc(slices.Clone(held), func(p *Platform) bool { return !c.hinted(p) }); len(held) > 1 && len(agreed) == 1 {
		held = agreed
	}
	switch len(held) {
	case 0:
		return Verdict{Why: c.nothing()}
	case 1:
		p := held[0]
		v := Verdict{Platform: p.Name(), Confidence: Medium, Why: fmt.Sprintf("%s answers as %s does", c.proof(p), p.Definition.Title)}
		if c.hinted(p) || c.prompted(p) {
			v.Confidence = High
		}
		return v
	}
	return Verdict{Why: "it could be " + either(held)}
}

func (c *Case) proof(p *Platform) string {
	for _, probe := range p.Definition.Match.Probes {
		if text, asked := c.answers[command(probe.Cmd)]; asked && p.probed(probe, text) {
			return probe.Cmd
		}
	}
	return ""
}

func (c *Case) nothing() string {
	if len(c.asked) == 0 {
		return "there was nothing to ask"
	}
	var answers []string
	for _, cmd := range c.asked {
		answers = append(answers, fmt.Sprintf("%s: %q", cmd, remote.Clean(c.answers[cmd], 80)))
	}
	return "no platform answers like this: " + strings.Join(answers, "; ")
}

// special leaves out every platform that another one of the list is a special case of.
func special(list []*Platform) []*Platform {
	return slices.DeleteFunc(slices.Clone(list), func(p *Platform) bool {
		return slices.ContainsFunc(list, func(o *Platform) bool {
			return o != p && slices.Contains(o.Definition.Match.Over, p.Definition.Name)
		})
	})
}

func either(list []*Platform) string {
	var names []string
	for _, p := range list {
		names = append(names, p.Definition.Name)
	}
	return strings.Join(names, " or ")
}
