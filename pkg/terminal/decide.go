package terminal

import (
	"bytes"
	"regexp"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// How long nothing must come before something is decided.
const (
	glance       = 20 * time.Millisecond  // before anything is looked at
	samePrompt   = 50 * time.Millisecond  // the very prompt that was there before
	namedPrompt  = 100 * time.Millisecond // another one, with the device's name
	question     = 100 * time.Millisecond
	otherPrompt  = 300 * time.Millisecond // one that can't be told by a name
	earlyPrompt  = time.Second            // before any echo
	lateEcho     = 3 * time.Second        // before the echo of a device that is known to echo
	strangeName  = 5 * time.Second        // a prompt with another name
	afterLogs    = 3 * time.Second        // before a newline asks for the prompt again
	asking       = 10 * time.Second       // what surely asks, and was not foreseen
	lull         = 10 * time.Second       // after Done, where no prompt comes
	afterCancel  = 10 * time.Second       // for the prompt
	maxRedraws   = 3
	promptRows   = 3
	shownAtEnd   = 4096 // bytes of the question that Out ends with where Out was cut
	stopRows     = 3
	defaultTimes = 1
)

// asks are the endings that wait for a person on every platform.
var asks = regexp.MustCompile(`(?i)(\[confirm\]|[\[({]y(es)?\s?[/|,]\s?no?[\])}]( ?[\[(]\w*[\])])?) ?[:?]? *$`)

// secretive is a line that asks for something that must not be given away.
var secretive = regexp.MustCompile(`(?i)pass ?(word|phrase|code)|secret|\bpin\b|\botp\b|token`)

// step is what is to be done when nothing has come for so long.
type step struct {
	after time.Duration
	do    func()
}

// Fetched is Next with the value of a secret in hand: it may be sent now, if it is still
// asked for.
func (t *Terminal) Fetched(secret string) Event {
	t.inHand = secret
	defer func() { t.inHand = "" }()
	return t.Next()
}

// Next says what to do now. It must be asked again after each Feed, Silent and Send.
func (t *Terminal) Next() Event {
	for {
		switch {
		case t.talk == nil || t.talk.over:
			return Event{Act: End}
		case len(t.queue) > 0:
			e := t.queue[0]
			t.queue = t.queue[1:]
			if e.Act != Fetch {
				t.idle = 0
			}
			return e
		case t.idle < glance:
			return Event{Act: Wait, For: glance - t.idle}
		}
		s := t.decide()
		if s.after > t.idle {
			return Event{Act: Wait, For: s.after - t.idle}
		}
		s.do()
	}
}

// decide is the list in the package's comment.
func (t *Terminal) decide() step {
	d := t.talk
	d.judge()
	v := t.look()
	p := t.promptAt(v)
	if d.canceled {
		return t.leaving(p)
	}
	if s, ok := t.astray(v, p); ok {
		return s
	}
	for _, try := range []func(view, found) (step, bool){t.stop, t.pager, t.known, t.answer, t.other, t.redraw, t.lull} {
		if s, ok := try(v, p); ok {
			return s
		}
	}
	switch {
	case v.blank():
		return step{d.quiet, func() { t.flush(); t.end(remote.Lost, false) }}
	case asks.Match(v.last):
		return step{min(asking, d.quiet), t.unforeseen}
	}
	return step{d.quiet, t.unforeseen}
}

// view is the end of what was printed.
type view struct {
	last   []byte // the unfinished line
	rows   []byte // with the lines before it
	joined []byte // the same, wrapped lines put together
	logs   bool   // log lines came after the last line of output
}

func (v view) blank() bool { return len(bytes.TrimSpace(v.last)) == 0 }

func (t *Terminal) look() view {
	out := &t.talk.out
	last, logs := t.screen.text(), out.marks[tailRows-1].cut
	if len(last) > 0 && hit(t.dialect.async, last) {
		last, logs = nil, true
	}
	v := view{last: last, rows: out.lastRows(last, tailRows), logs: logs}
	v.joined = v.rows
	if !v.blank() {
		v.joined = out.joined(last)
	}
	return v
}

func (t *Terminal) stop(v view, p found) (step, bool) {
	text := t.talk.out.lastRows(v.last, stopRows)
	if p.ok {
		text = v.last
	}
	if !hit(t.dialect.stop, text) {
		return step{}, false
	}
	return step{question, func() { t.flush(); t.end(remote.Stopped, false) }}, true
}

// pager answers in the middle of output; its text is no output. Log lines may have
// followed it.
func (t *Terminal) pager(v view, _ found) (step, bool) {
	line, after, logs := v.last, glance, false
	if v.blank() && v.logs {
		line, after, logs = t.talk.out.lastLine(), otherPrompt, true
	}
	if secretive.Match(line) {
		return step{}, false
	}
	for i := range t.talk.pages {
		r := &t.talk.pages[i]
		at := hitEnd(r.re, line)
		if at != nil && (r.Times <= 0 || r.times < r.Times) {
			return step{after, func() { t.turn(r, line, at[0], logs) }}, true
		}
	}
	return step{}, false
}

// turn gives the pager its key. What stands before it on its line is output.
func (t *Terminal) turn(r *asked, line []byte, from int, logs bool) {
	r.times++
	before := bytes.Clone(line[:from])
	if logs {
		t.talk.out.unsay(line)
	}
	if len(bytes.TrimSpace(before)) > 0 {
		t.talk.add(before, true)
	}
	t.screen.clear()
	t.talk.paged = true
	t.say(r)
}

// say sends a row's answer.
func (t *Terminal) say(r *asked) {
	e := Event{Act: Send, Text: r.Answer, Secret: r.Secret}
	if !r.Key {
		e.Text += t.dialect.Newline()
	}
	t.queue = append(t.queue, e)
}

// known is the end of the exchange at a prompt that is surely this device's.
func (t *Terminal) known(_ view, p found) (step, bool) {
	return step{p.after, func() { t.finish(p) }}, p.ok && p.after <= namedPrompt
}

func (t *Terminal) other(_ view, p found) (step, bool) {
	return step{p.after, func() { t.finish(p) }}, p.ok
}

// answer gives what the table says.
func (t *Terminal) answer(v view, _ found) (step, bool) {
	d := t.talk
	if v.blank() || t.echoing(v) {
		return step{}, false
	}
	for i := range d.rows {
		r := &d.rows[i]
		if !r.covers(v) {
			continue
		}
		if d.isFailed || r.times >= max(r.Times, defaultTimes) {
			return step{question, func() { t.askedAgain(r); t.unforeseen() }}, true
		}
		if r.Secret != "" && r.Secret != t.inHand {
			return step{question, func() { t.queue = append(t.queue, Event{Act: Fetch, Secret: r.Secret}) }}, true
		}
		return step{question, func() {
			r.times++
			t.flush()
			d.out.forget()
			t.say(r)
		}}, true
	}
	return step{}, false
}

// askedAgain notes that a secret that was given is asked for once more.
func (t *Terminal) askedAgain(r *asked) {
	if r.times > 0 {
		t.talk.again = r.Secret
	}
}

// echoing tells whether the unfinished line is what was sent: that asks nothing.
func (t *Terminal) echoing(v view) bool {
	e := &t.talk.echo
	rest := squeeze(t.cutPrompt(v.last))
	return e.waiting && len(rest) > 0 && bytes.HasPrefix(e.want[e.got:], rest)
}

// covers tells whether the row's question stands at the end.
func (r *asked) covers(v view) bool {
	if r.Secret != "" {
		return hitEnd(r.re, v.last) != nil
	}
	if secretive.Match(v.last) && !secretive.MatchString(string(r.Ask)) {
		return false
	}
	return hitEnd(r.re, v.rows) != nil || hitEnd(r.re, v.joined) != nil
}

// redraw asks for the prompt again that log lines followed. An empty line can't be a
// question.
func (t *Terminal) redraw(v view, _ found) (step, bool) {
	d := t.talk
	if !v.blank() || d.echo.waiting || d.redraws >= maxRedraws || !v.logs {
		return step{}, false
	}
	from, ok := t.promptAbove()
	if !ok {
		return step{}, false
	}
	return step{afterLogs, func() {
		d.redraws++
		if d.parted < 0 {
			d.parted = from
		}
		t.queue = append(t.queue, Event{Act: Send, Text: t.dialect.Newline()})
	}}, true
}

// lull ends an exchange that is done, and whose prompt does not come.
func (t *Terminal) lull(v view, _ found) (step, bool) {
	d := t.talk
	if d.isFailed || t.unechoed() || !(d.isDone || (!v.blank() && hit(d.done, v.last))) {
		return step{}, false
	}
	return step{min(lull, d.quiet), func() { t.flush(); t.end(remote.Done, false) }}, true
}

// unforeseen is a question that nothing covers. It is left by the exchange's Cancel, or
// not at all.
func (t *Terminal) unforeseen() {
	d := t.talk
	last := bytes.Clone(t.screen.text())
	t.flush()
	ending := remote.Asked
	if d.isFailed {
		ending = remote.Failed
	}
	t.end(ending, false)
	if d.out.cut {
		d.result = append(d.result, '\n')
		d.result = append(d.result, last[max(0, len(last)-shownAtEnd):]...)
	}
	if d.exchange.Cancel != "" {
		d.over, d.canceled = false, true
		d.out.forget()
		t.queue = append(t.queue, Event{Act: Send, Text: d.exchange.Cancel})
	}
}

// leaving waits for the prompt after a Cancel.
func (t *Terminal) leaving(p found) step {
	if p.ok {
		return step{max(p.after, namedPrompt), func() { t.finish(p) }}
	}
	return step{afterCancel, func() { t.end(remote.Asked, false) }}
}
