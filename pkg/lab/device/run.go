package device

import (
	"context"
	"regexp"
	"strconv"
	"strings"
)

// unpaged is the pipe that lets the pager be.
var unpaged = regexp.MustCompile(`\|\s*no-more\s*$`)

// run does one line.
func (s *session) run(ctx context.Context, line string) outcome {
	out, _ := s.runLine(ctx, line)
	return out
}

// runLine gives the exit status too.
func (s *session) runLine(ctx context.Context, line string) (outcome, int) {
	d := s.d
	c := s.call(ctx)
	c.line = line
	if strings.TrimSpace(line) == "" {
		return goOn, 0
	}
	d.sys.mu.Lock()
	keep(&d.done.Lines, line)
	cmd, filter := d.match(c, line)
	if cmd == nil {
		keep(&d.done.Unknown, line)
	}
	if cmd != nil && cmd.Lasts {
		c.ctx = d.life
	}
	d.sys.mu.Unlock()
	if cmd == nil {
		c.print(c.text(d.kind.file.Console.Unknown))
		return goOn, 1
	}
	s.unpaged = d.kind.file.Console.Pipes && unpaged.MatchString(line)
	if filter != "" {
		c.capture = &strings.Builder{}
	}
	out := c.command(cmd)
	if c.capture != nil {
		text := sift(c.capture.String(), filter)
		c.capture = nil
		c.print(text)
	}
	if out == overSession {
		return overSession, c.code
	}
	return goOn, c.code
}

// command does all of a command.
func (c *call) command(cmd *compiled) outcome {
	out := c.parts(cmd)
	if cmd.Over != "" && c.ctx.Err() == nil {
		c.routine(cmd.Over)
	}
	if c.session != nil && c.session.tty.muted() {
		return overSession
	}
	return out
}

func (c *call) parts(cmd *compiled) outcome {
	if cmd.At != "" {
		c.effect(cmd.At)
	}
	if out := c.at(cmd.At); out != goOn {
		return out
	}
	if cmd.Out != "" {
		c.print(c.text(cmd.Out))
	}
	if cmd.File != "" {
		c.print(c.named(cmd.File))
	}
	return c.steps(cmd.Do)
}

// match finds the command that a line means; the lock is held. Where there is none,
// c.column is where the first word stands that was not understood.
func (d *Device) match(c *call, line string) (cmd *compiled, filter string) {
	if cmd = d.matchWords(c, line, line); cmd != nil || !d.kind.file.Console.Pipes {
		return cmd, ""
	}
	before, filter, piped := strings.Cut(line, "|")
	if !piped {
		return nil, ""
	}
	return d.matchWords(c, before, line), strings.TrimSpace(filter)
}

func (d *Device) matchWords(c *call, text, line string) *compiled {
	words := strings.Fields(text)
	var short *compiled
	var shortArgs map[string]string
	most := 0
	for i := range d.kind.commands {
		cmd := &d.kind.commands[i]
		if cmd.modes != nil && !cmd.modes[c.session.mode] {
			continue
		}
		args, how, known := d.fitsOne(c, cmd, words)
		most = max(most, known)
		switch {
		case how == fitsExactly:
			c.args = args
			return cmd
		case how == fitsShort && short == nil:
			short, shortArgs = cmd, args
		}
	}
	c.args = shortArgs
	if short == nil {
		c.column = column(line, words, most)
	}
	return short
}

func (d *Device) fitsOne(c *call, cmd *compiled, words []string) (args map[string]string, how fit, known int) {
	for _, form := range cmd.forms {
		got, one, n := fitForm(form, words, d.kind.file.Console.Shorten)
		known = max(known, n)
		if one <= how {
			continue
		}
		c.args = got
		if cmd.When == "" || d.holds(c, cmd.When) {
			args, how = got, one
		}
	}
	return args, how, known
}

// column is where the nth word of a line begins; its end where it has fewer.
func column(line string, words []string, n int) int {
	at := 0
	for i, word := range words {
		next := strings.Index(line[at:], word)
		if next < 0 {
			break
		}
		if i == n {
			return at + next
		}
		at += next + len(word)
	}
	return at
}

// sift is what a pipe leaves of an output.
func sift(text, filter string) string {
	verb, rest, _ := strings.Cut(filter, " ")
	re, err := regexp.Compile(strings.Trim(strings.TrimSpace(rest), `"'`))
	if err != nil {
		return ""
	}
	var out strings.Builder
	count, begun := 0, false
	for line := range strings.Lines(text) {
		fits := re.MatchString(line)
		count += map[bool]int{true: 1}[fits]
		begun = begun || fits
		switch strings.ToLower(verb) {
		case "include", "inc", "i", "match", "grep", "section":
			if fits {
				out.WriteString(line)
			}
		case "exclude", "exc", "except":
			if !fits {
				out.WriteString(line)
			}
		case "begin", "find":
			if begun {
				out.WriteString(line)
			}
		case "count":
		default:
			out.WriteString(line)
		}
	}
	if verb == "count" {
		return "Count: " + strconv.Itoa(count) + " lines\n"
	}
	return out.String()
}
