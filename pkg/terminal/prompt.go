package terminal

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// found is a prompt at the end of what was printed.
type found struct {
	ok    bool
	after time.Duration // how long nothing must follow it
	text  []byte        // of all its lines
	host  string
}

// promptAt looks for the prompt. What surely asks is none, whatever the pattern says.
func (t *Terminal) promptAt(v view) found {
	if v.blank() || asks.Match(v.last) {
		return found{}
	}
	p := t.match(t.talk.out.lastRows(v.last, promptRows))
	if p.ok && t.talk.echo.waiting {
		p.after = max(p.after, earlyPrompt)
		if t.echoes {
			p.after = lateEcho
		}
	}
	return p
}

// match looks for a prompt at the end of text.
func (t *Terminal) match(text []byte) found {
	for _, re := range t.prompts() {
		at := hitEnd(re, text)
		if len(at) == 0 || len(bytes.TrimSpace(text[at[0]:at[1]])) == 0 {
			continue
		}
		p := found{ok: true, host: group(re, text, at)}
		p.text = text[bytes.LastIndexByte(text[:at[0]], '\n')+1:]
		p.after = t.trust(p)
		return p
	}
	return found{}
}

// prompts are the patterns that count. That of more rights is often a short one: it
// counts only where they were asked for.
func (t *Terminal) prompts() []*regexp.Regexp {
	if t.dialect.raised != nil && (t.raised || t.talk.raise) {
		return []*regexp.Regexp{t.dialect.prompt, t.dialect.raised}
	}
	return []*regexp.Regexp{t.dialect.prompt}
}

// trust says how long nothing must follow a prompt, by how sure it is.
func (t *Terminal) trust(p found) time.Duration {
	last := p.text[bytes.LastIndexByte(p.text, '\n')+1:]
	switch {
	case len(t.prompt) > 0 && bytes.Equal(bytes.TrimRight(last, " "), t.prompt):
		return samePrompt
	case t.host == "" || p.host == "":
		return otherPrompt
	case strings.HasPrefix(t.host, p.host) || strings.HasPrefix(p.host, t.host):
		return namedPrompt // some cut their names short in longer prompts
	}
	return strangeName
}

func group(re *regexp.Regexp, text []byte, at []int) string {
	i := re.SubexpIndex("host")
	if i < 0 || at[2*i] < 0 {
		return ""
	}
	return string(text[at[2*i]:at[2*i+1]])
}

// finish ends the exchange at the prompt.
func (t *Terminal) finish(p found) {
	d := t.talk
	t.giveUpEcho()
	t.learn(p)
	t.screen.clear()
	d.out.kept = d.out.kept[:t.promptStart(p)]
	ending := d.verdict()
	if d.login {
		d.out.add(p.text, false)
	}
	t.end(ending, true)
}

// promptStart is where in the output the prompt begins: its first lines may be there
// already, and an earlier one that log lines followed.
func (t *Terminal) promptStart(p found) int {
	kept := t.talk.out.kept
	if t.talk.parted >= 0 {
		return min(t.talk.parted, len(kept))
	}
	above := p.text[:bytes.LastIndexByte(p.text, '\n')+1]
	if len(above) > 0 && !t.talk.out.cut && bytes.HasSuffix(kept, above) {
		return len(kept) - len(above)
	}
	return len(kept)
}

func (t *Terminal) learn(p found) {
	lines := bytes.Split(bytes.Clone(p.text), []byte{'\n'})
	last := lines[len(lines)-1]
	t.prompt, t.above = bytes.TrimRight(last, " \t"), lines[:len(lines)-1]
	t.raised = t.dialect.raised != nil && hitEnd(t.dialect.raised, p.text) != nil
	if t.host == "" || t.talk.login {
		t.host = p.host
	}
}

// promptAbove looks for the prompt at the end of the finished lines, and says where it
// begins in what is kept. Only a prompt that is surely this device's counts.
func (t *Terminal) promptAbove() (int, bool) {
	rows := bytes.TrimRight(t.talk.out.lastRows(nil, tailRows), "\n")
	p := t.match(rows)
	if !p.ok || p.after > namedPrompt {
		return 0, false
	}
	at := bytes.LastIndex(t.talk.out.kept, p.text)
	if at < 0 {
		at = len(t.talk.out.kept)
	}
	return at, true
}
