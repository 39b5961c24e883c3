package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/platform/device"
)

// Typed is the document of `platforms show`: all that patchring types on a platform, in
// its order, and what it answers.
type Typed struct {
	Header
	Device
	Digest  string      `json:"digest"` // of the definition
	Session TypedPart   `json:"session"`
	Parts   []TypedPart `json:"parts"`
}

// TypedPart is a part of the work: detection, transfer, a way to upgrade.
type TypedPart struct {
	Name  string      `json:"name"`
	Lines []TypedLine `json:"lines"`
}

// TypedLine is one command. Braces are filled from the device's facts and the work.
type TypedLine struct {
	Step    string   `json:"step"`
	Types   string   `json:"types"`
	Answers []string `json:"answers"` // "question -> answer"; a secret by its name
	Ends    string   `json:"ends"`    // what means done, or that the prompt does
	Within  string   `json:"within"`
}

// NewTyped builds the document.
func NewTyped(p *device.Platform) Typed {
	d := p.Definition
	doc := Typed{Header: header("platform"), Device: NewDevices([]*device.Platform{p})[0], Digest: string(p.Digest), Parts: []TypedPart{}}
	doc.Session = TypedPart{"session", sessionLines(d.Session)}
	add := func(name string, lines []TypedLine) {
		if len(lines) > 0 {
			doc.Parts = append(doc.Parts, TypedPart{name, lines})
		}
	}
	add("tell it from others", probeLines(d.Match))
	add("facts", factLines(p))
	add("configuration", saveLines(d))
	add("transfer", transferLines(d))
	for _, u := range d.Upgrade {
		add("upgrade ("+u.Workflow+", "+conditions(u)+")", upgradeLines(d, u))
	}
	add("state before and after", stateLines(d))
	return doc
}

func typed(step, types string, answers []string, ends string, within time.Duration) TypedLine {
	line := TypedLine{Step: clean(step), Types: clean(types), Answers: answers, Ends: clean(cmp.Or(ends, "the prompt"))}
	if line.Answers == nil {
		line.Answers = []string{}
	}
	if within > 0 {
		line.Within = within.String()
	}
	return line
}

func answersOf(rows ...[]device.Question) []string {
	var out []string
	for _, list := range rows {
		for _, q := range list {
			answer := fmt.Sprintf("%q", q.Send)
			if q.Secret != "" {
				answer = "the secret " + q.Secret
			}
			out = append(out, clean(q.Re)+" -> "+answer)
		}
	}
	return out
}

func sessionLines(s device.Session) []TypedLine {
	lines := []TypedLine{typed("prompt", "", answersOf(s.Login, s.Shell, s.Pager), s.Prompt, 0)}
	for _, cmd := range s.Open {
		lines = append(lines, typed("open", cmd, nil, "", 0))
	}
	if s.Enable != nil {
		lines = append(lines, typed("enable", s.Enable.Cmd, answersOf(s.Enable.Ask), s.Enable.Prompt, 0))
	}
	return lines
}

func probeLines(m device.Match) []TypedLine {
	var lines []TypedLine
	for _, p := range m.Probes {
		lines = append(lines, typed("probe", p.Cmd, nil, strings.Join(p.All, " and "), 0))
	}
	return lines
}

func factLines(p *device.Platform) []TypedLine {
	var lines []TypedLine
	for _, cmd := range p.Commands() {
		lines = append(lines, typed("read", cmd, nil, "", 0))
	}
	for _, s := range p.Definition.Space {
		lines = append(lines, typed("room", s.Cmd+" ("+strings.Join(s.FS, ", ")+")", nil, "", 0))
	}
	return lines
}

func saveLines(d device.Definition) []TypedLine {
	var lines []TypedLine
	for _, s := range d.Save {
		if s.Cmd != "" {
			lines = append(lines, typed("save", s.Cmd, answersOf(questionsOf(d, "save")), s.OK, 0))
		}
		lines = append(lines, typed("show", s.Show, nil, "", 0))
	}
	return lines
}

func questionsOf(d device.Definition, name string) []device.Question {
	for _, e := range d.Questions.Entries {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

func transferLines(d device.Definition) []TypedLine {
	var lines []TypedLine
	for _, t := range d.Transfer {
		lines = append(lines, typed(t.How, cmp.Or(t.Cmd, "(to "+t.Dir+")"), answersOf(questionsOf(d, t.How)), t.OK, t.Timeout))
	}
	if d.Unhashed != "" {
		lines = append(lines, typed("digest", "(none: "+d.Unhashed+")", nil, "", 0))
	}
	for _, h := range d.Hash {
		lines = append(lines, typed(h.Kind, h.Cmd, nil, h.Re, h.Timeout))
	}
	return lines
}

func upgradeLines(d device.Definition, u device.Upgrade) []TypedLine {
	var lines []TypedLine
	for _, e := range u.Commands.Entries {
		c := e.Value
		ends := c.OK
		if c.Drops {
			ends = strings.TrimSuffix(cmp.Or(ends, "")+" or the connection ends", " ")
		}
		lines = append(lines, typed(e.Key, c.Cmd, answersOf(c.Ask, questionsOf(d, e.Key)), strings.TrimPrefix(ends, " or "), c.Timeout))
	}
	if u.Net.Cmd != "" {
		lines = append(lines, typed("net", u.Net.Cmd, nil, u.Net.Re, 0))
	}
	return lines
}

func stateLines(d device.Definition) []TypedLine {
	var lines []TypedLine
	for _, e := range d.State.Entries {
		lines = append(lines, typed(e.Key, e.Value.Cmd, nil, "", 0))
	}
	return lines
}

func (d Typed) face(bool) face {
	f := face{title: d.Title, lines: []pair{
		{"platform", text(d.Platform)}, {"class", text(d.Class)}, {"detected", text(restsWords(d.Detects, true))}, {"definition", text(d.Digest)},
	}}
	if d.Why != "" {
		f.lines = append(f.lines, pair{"not upgraded", text(d.Why)})
	}
	if len(d.State) > 0 {
		f.lines = append(f.lines, pair{"state", text(restsWords(d.State, true))})
	}
	for _, part := range append([]TypedPart{d.Session}, d.Parts...) {
		f.sheets = append(f.sheets, partSheet(part))
	}
	for _, w := range d.Ways {
		f.foot = append(f.foot, fmt.Sprintf("%s: outage %s (%s), safety net %s (%s), way back %s (%s); rests on %s.",
			w.by(), w.Outage, w.OutageProof, w.Net, w.NetProof, w.Fallback, w.FallbackProof, w.Proof))
	}
	return f
}

func partSheet(part TypedPart) sheet {
	s := sheet{title: part.Name, columns: []column{{head: "STEP", whole: true}, {head: "TYPES", least: 20}, {head: "ASKED -> ANSWERS", least: 14}, {head: "ENDS WITH", least: 14}, {head: "WITHIN"}}}
	for _, l := range part.Lines {
		s.rows = append(s.rows, texts(l.Step, orElse(l.Types, "-"), orElse(strings.Join(l.Answers, "; "), "-"), l.Ends, orElse(l.Within, "-")))
	}
	return s
}

func (d Typed) records() records {
	r := records{head: []string{"platform", "part", "step", "types", "answers", "ends", "within"}}
	for _, part := range append([]TypedPart{d.Session}, d.Parts...) {
		for _, l := range part.Lines {
			r.rows = append(r.rows, []string{d.Platform, part.Name, l.Step, l.Types, strings.Join(l.Answers, "; "), l.Ends, l.Within})
		}
	}
	return r
}
