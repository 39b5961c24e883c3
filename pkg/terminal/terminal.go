package terminal

import (
	"bytes"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// Act is what the caller must do.
type Act uint8

const (
	Wait  Act = iota // for more bytes, but no longer than For: then tell Silent
	Send             // the value of the Secret, where one is named, then Text
	End              // Result says how
	Fetch            // get the value of the Secret, then ask by Fetched: the device may have gone on meanwhile
)

// Event is the next thing to do.
type Event struct {
	Act    Act
	Text   string
	Secret string
	For    time.Duration
}

// Terminal is the state of one interactive session. It is not safe for concurrent use.
type Terminal struct {
	dialect *Dialect
	screen  screen
	talk    *dialogue // nil: nothing is going on, what comes is dropped
	queue   []Event
	idle    time.Duration
	prompt  []byte   // the line of the last prompt, without blanks at its end
	above   [][]byte // the lines of a prompt of several lines before it
	host    string   // the device's own name, where the pattern of the prompt has it
	echoes  bool     // the device has shown an echo
	raised  bool
	inHand  string // the secret whose value the caller has
}

// New makes a terminal on which nothing was printed yet.
func New(d *Dialect) *Terminal {
	return &Terminal{dialect: d, screen: screen{width: d.Columns()}}
}

// Login begins the wait for the first prompt; nothing is sent but answers. Quiet is how long
// nothing may come before it; 0: as the dialect says.
func (t *Terminal) Login(quiet time.Duration) {
	t.talk = t.dialect.dialogue(remote.Exchange{Quiet: quiet})
	t.talk.login, t.talk.rows = true, t.talk.fresh(t.dialect.login)
}

// Begin starts an exchange: its line is the first thing that Next gives. It forgets what
// the device printed before. The error is that of a wrong pattern; nothing is sent then.
func (t *Terminal) Begin(e remote.Exchange) error {
	c := &compiler{}
	talk := t.dialect.dialogue(e)
	talk.rows = talk.fresh(c.rows(e.Questions))
	talk.done, talk.failed = c.patterns(e.Done), c.patterns(e.Failed)
	if c.err != nil {
		return c.err
	}
	talk.echo = newEcho(e.Send)
	t.talk, t.idle = talk, 0
	t.screen.clear()
	t.screen.escape = escape{}
	t.screen.echo = talk.echo.waiting
	t.queue = append(t.queue[:0], Event{Act: Send, Text: e.Send + t.dialect.Newline()})
	return nil
}

// Raise begins to get the rights of the dialect's Enable; Raised tells whether it did.
func (t *Terminal) Raise() error {
	r := t.dialect.plain.Enable
	err := t.Begin(remote.Exchange{Send: r.Send, Questions: r.Ask})
	if err == nil {
		t.talk.raise = true
	}
	return err
}

// Raised tells whether the last prompt was one with more rights. Where the dialect knows
// none, everybody has them.
func (t *Terminal) Raised() bool { return t.dialect.plain.Enable == nil || t.raised }

// Ready tells whether the device waits at its prompt: another line may be sent.
func (t *Terminal) Ready() bool { return t.talk == nil || t.talk.ready }

// Prompt is the last prompt, without blanks at its end.
func (t *Terminal) Prompt() string { return string(t.prompt) }

// Feed takes what the device printed.
func (t *Terminal) Feed(p []byte) {
	if t.talk == nil || t.talk.over || len(p) == 0 {
		return
	}
	t.idle = 0
	for len(p) > 0 {
		if n := t.screen.plain(p); n > 0 {
			p = p[n:]
			continue
		}
		end := t.screen.put(p[0])
		p = p[1:]
		if end != open {
			t.line(end == ended)
		}
	}
}

// Silent says that nothing came for so long since the last Feed or Silent.
func (t *Terminal) Silent(d time.Duration) { t.idle += d }

// Close says that the connection ended, or that its time is up: the exchange ends with
// what was printed so far. Lost, unless that holds what it was waiting for.
func (t *Terminal) Close() {
	if t.talk == nil || t.talk.over {
		return
	}
	t.queue = nil
	t.flush()
	ending := remote.Lost
	switch verdict := t.talk.verdict(); {
	case t.talk.canceled:
		return
	case verdict == remote.Failed:
		ending = remote.Failed
	case verdict == remote.Done && len(t.talk.done) > 0 && !t.unechoed():
		ending = remote.Done
	}
	t.end(ending, false)
}

// Result is how the exchange ended, and what was printed.
func (t *Terminal) Result() remote.Result {
	if t.talk == nil {
		return remote.Result{}
	}
	return remote.Result{Ending: t.talk.ending, Out: t.talk.result, Truncated: t.talk.out.cut}
}

// Refused is the secret that was given and is asked for once more; empty: none.
func (t *Terminal) Refused() string {
	if t.talk == nil {
		return ""
	}
	return t.talk.again
}

// Rest drops what the exchange kept, and whatever comes until the next one.
func (t *Terminal) Rest() {
	if t.talk != nil && t.talk.over && t.talk.ready {
		t.talk = nil
		t.screen.line, t.screen.under = nil, nil
	}
}

// line takes the screen's line.
func (t *Terminal) line(whole bool) {
	line := t.screen.text()
	talk := t.talk
	defer t.screen.clear()
	if whole && !t.screen.used && talk.paged {
		talk.paged = false // only the newline of the pager's key
		return
	}
	talk.paged = false
	if whole && t.async(line) {
		talk.out.asyncFollows()
		return
	}
	t.accept(line, whole)
	t.screen.echo = talk.echo.waiting
}

// async tells whether it is a log line. One that stands right behind the prompt, or was
// written over it, leaves the prompt as a line of its own.
func (t *Terminal) async(line []byte) bool {
	if len(line) == 0 || len(t.dialect.async) == 0 {
		return false
	}
	if hit(t.dialect.async, line) {
		if len(t.prompt) > 0 && bytes.Equal(bytes.TrimRight(t.screen.under, " "), t.prompt) {
			t.accept(bytes.Clone(t.prompt), true)
		}
		return true
	}
	rest, ok := bytes.CutPrefix(line, t.prompt)
	if !ok || len(t.prompt) == 0 || !hit(t.dialect.async, bytes.TrimLeft(rest, " ")) {
		return false
	}
	t.accept(bytes.Clone(line[:len(t.prompt)]), true)
	return true
}

// accept puts a line to the output, unless it is an echo.
func (t *Terminal) accept(line []byte, whole bool) {
	talk := t.talk
	if !talk.echo.waiting {
		if whole && talk.echo.twice(t.cutPrompt(line)) {
			return
		}
		talk.add(line, whole)
		return
	}
	if t.isAbove(line) {
		return
	}
	rest := t.cutPrompt(line)
	bare := len(rest) < len(line) && len(bytes.TrimSpace(rest)) == 0
	for _, l := range talk.echo.take(rest, line, bare) {
		talk.add(l, true)
	}
	t.echoes = t.echoes || talk.echo.seen
}

func (t *Terminal) cutPrompt(line []byte) []byte {
	if len(t.prompt) == 0 {
		return line
	}
	return bytes.TrimPrefix(line, t.prompt)
}

func (t *Terminal) isAbove(line []byte) bool {
	for _, l := range t.above {
		if len(l) > 0 && bytes.Equal(bytes.TrimSpace(l), bytes.TrimSpace(line)) {
			return true
		}
	}
	return false
}
