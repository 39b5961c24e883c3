package device

import (
	"regexp"
	"strings"
	"time"
)

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
