package device

import (
	"context"
	"strings"
	"time"
)

// call is a command or a routine that is being done. session is nil where nobody
// listens any more.
type call struct {
	d       *Device
	ctx     context.Context // of the command: a reload ends it
	session *session
	args    map[string]string
	answer  string
	err     string
	line    string
	column  int
	member  *Member
	moment  string
	code    int // exit status
	depth   int
	capture *strings.Builder // output goes here for a pipe
}

// outcome is how a step ends.
type outcome int

const (
	goOn outcome = iota
	overRoutine
	overCommand
	overSession
)

const maxDepth = 30

// routine does a named routine.
func (c *call) routine(name string) outcome {
	out := c.steps(c.d.kind.file.Routines[name])
	if out == overRoutine {
		return goOn
	}
	return out
}

func (c *call) steps(steps []Step) outcome {
	if c.depth++; c.depth > maxDepth {
		c.d.broken("routines call each other without an end")
		return overCommand
	}
	defer func() { c.depth-- }()
	for i := range steps {
		if c.ctx.Err() != nil {
			return overSession
		}
		if out := c.step(&steps[i]); out != goOn {
			return out
		}
	}
	return goOn
}

func (d *Device) broken(what string) {
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	keep(&d.done.Broken, what)
}

// step does one step, as often as `each` and `on` say.
func (c *call) step(s *Step) outcome {
	if !c.holds(s.When) {
		return goOn
	}
	if s.Each == "" {
		return c.onDevices(s)
	}
	before := c.member
	defer func() { c.member = before }()
	for _, m := range c.d.members {
		c.member = m
		if !c.holds(s.Each) {
			continue
		}
		if out := c.onDevices(s); out != goOn {
			return out
		}
	}
	return goOn
}

func (c *call) onDevices(s *Step) outcome {
	if s.On == "" {
		return c.once(s)
	}
	for _, other := range c.d.sys.devices {
		if other == c.d && s.On == "peer" {
			continue
		}
		away := *c
		away.d, away.member = other, nil
		if other != c.d {
			away.session = nil
		}
		if out := away.once(s); out != goOn {
			return out
		}
	}
	return goOn
}

// once does the parts of a step, in the order of the type Step.
func (c *call) once(s *Step) outcome {
	for _, part := range []func(*Step) outcome{
		func(s *Step) outcome { return c.at(s.At) }, (*stepper)(c).say, (*stepper)(c).wait, (*stepper)(c).ask,
		(*stepper)(c).state, (*stepper)(c).files, (*stepper)(c).flow, (*stepper)(c).later, (*stepper)(c).end,
	} {
		if out := part(s); out != goOn {
			return out
		}
	}
	return goOn
}

func (c *call) holds(condition string) bool {
	if condition == "" {
		return true
	}
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	return c.d.holds(c, condition)
}

func (c *call) text(text string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	return c.d.text(c, text)
}

func (c *call) named(name string) string {
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	return c.d.named(c, name)
}

func (c *call) user() string {
	if c.session == nil {
		return ""
	}
	return c.session.user
}

func (c *call) effect(name string) {
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	keep(&c.d.done.Effects, Effect{At: c.d.sys.clock.now(), Name: name, User: c.user()})
}

func (c *call) told(a Answer) {
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	keep(&c.d.done.Answers, a)
}

// print is output, if anybody listens.
func (c *call) print(text string) {
	switch {
	case text == "" || c.session == nil:
	case c.capture != nil:
		c.capture.WriteString(text)
	default:
		c.session.print(c.ctx, text)
	}
}

// question asks, and waits for the answer; false where none came.
func (c *call) question(text string, key, secret bool) (string, bool) {
	if c.session == nil {
		return "", false
	}
	if c.capture != nil {
		c.session.print(c.ctx, c.capture.String())
		c.capture.Reset()
	}
	return c.session.ask(c.ctx, text, key, secret)
}

// lose lets nothing more of the command be heard; its connection is cut in the end.
func (c *call) lose() {
	if c.session != nil {
		c.session.tty.mute()
	}
}

// hang is silence until the connection ends, or for a time.
func (c *call) hang(span time.Duration) {
	if span == 0 {
		<-c.ctx.Done()
		return
	}
	c.d.sys.clock.sleep(c.ctx, span, nil)
}
