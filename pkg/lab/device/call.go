package device

import (
	"context"
	"regexp"
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

// Behaviour is what a device file calls by name where steps would become a program:
// it may read and change what a View shows. The group is locked.
type Behaviour interface {
	Do(v View) error
}

// behaviours are the Go behaviours, by name.
func behaviours() map[string]Behaviour { return map[string]Behaviour{} }

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

// stepper has the parts of a step.
type stepper call

func (p *stepper) say(s *Step) outcome {
	c := (*call)(p)
	if s.Effect != "" {
		c.effect(c.text(s.Effect))
	}
	if s.Out != "" {
		c.print(c.text(s.Out))
	}
	if s.File != "" {
		c.print(c.named(s.File))
	}
	if s.Log != "" {
		c.d.broadcast(c.text(s.Log))
	}
	return goOn
}

func (p *stepper) wait(s *Step) outcome {
	c := (*call)(p)
	if s.Wait == "" {
		return goOn
	}
	c.d.sys.mu.Lock()
	span := c.d.duration(c, s.Wait)
	c.d.sys.mu.Unlock()
	return c.pass(span, s.Silent)
}

// pass lets time pass on the device. A key that interrupts ends the command.
func (c *call) pass(span time.Duration, silent bool) outcome {
	var keys <-chan struct{}
	if c.session != nil && !silent {
		stop := c.session.tty.watch(c.session.cancelKeys)
		defer stop()
		keys = c.session.tty.hit
	}
	if c.d.sys.clock.sleep(c.ctx, span, keys) {
		return goOn
	}
	if c.ctx.Err() != nil {
		return overSession
	}
	c.effect("interrupted")
	c.print(c.text(c.d.kind.file.Console.Canceled))
	c.code = 130
	return overCommand
}

func (p *stepper) ask(s *Step) outcome {
	c := (*call)(p)
	if s.Ask == "" {
		return goOn
	}
	tries := 1
	if s.Again {
		tries = 3
	}
	question := c.text(s.Ask)
	for range tries {
		given, ok := c.question(question, s.Key, s.Secret)
		c.answer = given
		c.d.sys.mu.Lock()
		fine := ok && c.d.fits(c, s.Accept, given)
		c.d.sys.mu.Unlock()
		c.told(Answer{Question: strings.TrimSpace(question), Given: given, Accepted: fine})
		if fine {
			return goOn
		}
		if !ok {
			break
		}
	}
	c.print(c.text(s.Else))
	c.code = 1
	return overCommand
}

func (p *stepper) state(s *Step) outcome {
	c := (*call)(p)
	c.d.sys.mu.Lock()
	defer c.d.sys.mu.Unlock()
	fresh := map[string]string{} // all are read before one is changed
	for name, value := range s.Set {
		fresh[name] = c.d.text(c, value)
	}
	for _, name := range sortedKeys(fresh) {
		c.set(name, fresh[name])
	}
	if s.Config != nil {
		c.configure(s.Config)
	}
	return goOn
}

// set changes a value: NAME, m.NAME or s.NAME.
func (c *call) set(name, value string) {
	if inner, ok := strings.CutPrefix(name, "m."); ok {
		m := c.member
		if m == nil {
			m = c.d.me()
		}
		m.V[inner] = value
		return
	}
	if inner, ok := strings.CutPrefix(name, "s."); ok {
		if c.session != nil {
			c.session.values[inner] = value
		}
		return
	}
	c.d.values[name] = value
}

// configure changes the configuration; the lock is held.
func (c *call) configure(s *ConfigStep) {
	d := c.d
	if s.Load {
		d.running = d.startup
	}
	if s.Remove != "" {
		re, err := regexp.Compile(d.text(c, s.Remove))
		if err != nil {
			keep(&d.done.Broken, err.Error())
			return
		}
		var left strings.Builder
		for line := range strings.Lines(d.running) {
			if !re.MatchString(strings.TrimRight(line, "\n")) {
				left.WriteString(line)
			}
		}
		d.running = left.String()
	}
	if s.Add != "" {
		d.running = addLine(d.running, d.text(c, s.Add))
	}
	if s.Save {
		d.startup = d.running
		keep(&d.done.Effects, Effect{At: d.sys.clock.now(), Name: "save", User: c.user()})
	}
}

// addLine puts a line before the last one of a configuration.
func addLine(config, line string) string {
	at := strings.LastIndex(strings.TrimRight(config, "\n"), "\n") + 1
	return config[:at] + strings.TrimRight(line, "\n") + "\n" + config[at:]
}

func (p *stepper) flow(s *Step) outcome {
	c := (*call)(p)
	if s.Run != "" {
		if out := c.routine(c.text(s.Run)); out != goOn {
			return out
		}
	}
	return c.steps(s.Do)
}

func (p *stepper) later(s *Step) outcome {
	c := (*call)(p)
	d := c.d
	d.sys.mu.Lock()
	defer d.sys.mu.Unlock()
	if s.After != nil {
		d.arm(c, *s.After)
	}
	if s.Stop != "" {
		d.disarm(d.text(c, s.Stop))
	}
	if s.Booted {
		m := c.member
		if m == nil {
			m = d.me()
		}
		m.booted = d.sys.clock.now()
	}
	if s.Reload != nil {
		d.reload(c, *s.Reload)
	}
	if s.Mode != "" && c.session != nil {
		c.session.mode = d.text(c, s.Mode)
	}
	if hook := behaviours()[s.Go]; hook != nil {
		if err := hook.Do(d.view(c)); err != nil {
			c.err = err.Error()
		}
	}
	return goOn
}

func (p *stepper) end(s *Step) outcome {
	c := (*call)(p)
	if s.Fail != "" {
		c.print(c.text(s.Fail))
		c.code = 1
		return overCommand
	}
	switch s.End {
	case "command":
		return overCommand
	case "session":
		return overSession
	case "routine":
		return overRoutine
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
