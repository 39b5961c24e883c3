package terminal

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/patchring/patchring/pkg/remote"
)

// Dialect is a remote.Dialect whose patterns are compiled. It never changes, and may be
// shared by any number of terminals.
type Dialect struct {
	plain  *remote.Dialect
	prompt *regexp.Regexp
	raised *regexp.Regexp // nil: there are no higher rights
	login  []row          // Login, then Shell
	pager  []row
	errors []*regexp.Regexp
	async  []*regexp.Regexp
	stop   []*regexp.Regexp
}

// row is a question whose pattern is compiled.
type row struct {
	remote.Question
	re *regexp.Regexp
}

// Defaults of a Dialect.
const (
	DefaultColumns = 511
	DefaultQuiet   = time.Minute
	DefaultNewline = "\r"
)

// Compile readies a dialect. The error names the pattern that is wrong.
func Compile(d *remote.Dialect) (*Dialect, error) {
	if d == nil || d.Prompt == "" {
		return nil, errors.New("a dialect without a prompt")
	}
	c := &compiler{}
	out := &Dialect{
		plain: d, prompt: c.pattern(d.Prompt), pager: c.rows(d.Pager),
		login:  c.rows(slices.Concat(d.Login, d.Shell)),
		errors: c.patterns(d.Errors), stop: c.patterns(d.Stop),
	}
	for _, p := range d.Async {
		out.async = append(out.async, c.pattern("^(?:"+p+")$"))
	}
	if d.Enable != nil && d.Enable.Prompt != "" {
		out.raised = c.pattern(d.Enable.Prompt)
	}
	if c.err != nil {
		return nil, fmt.Errorf("dialect %s: %w", d.Name, c.err)
	}
	return out, nil
}

// Plain is what it was compiled from.
func (d *Dialect) Plain() *remote.Dialect { return d.plain }

func (d *Dialect) quiet(asked time.Duration) time.Duration {
	for _, q := range []time.Duration{asked, d.plain.Quiet} {
		if q > 0 {
			return q
		}
	}
	return DefaultQuiet
}

// Newline is what ends a line that is sent.
func (d *Dialect) Newline() string {
	if d.plain.Newline == "" {
		return DefaultNewline
	}
	return d.plain.Newline
}

// Columns is how wide the terminal must be.
func (d *Dialect) Columns() int {
	if d.plain.Columns <= 0 {
		return DefaultColumns
	}
	return d.plain.Columns
}

// compiler keeps the first error.
type compiler struct{ err error }

func (c *compiler) pattern(p remote.Pattern) *regexp.Regexp {
	re, err := regexp.Compile("(?m)" + string(p))
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("pattern %q: %w", p, err)
	}
	return re
}

func (c *compiler) patterns(list []remote.Pattern) []*regexp.Regexp {
	out := make([]*regexp.Regexp, 0, len(list))
	for _, p := range list {
		out = append(out, c.pattern(p))
	}
	return out
}

func (c *compiler) rows(list []remote.Question) []row {
	out := make([]row, 0, len(list))
	for _, q := range list {
		if q.Ask == "" && c.err == nil {
			c.err = errors.New("a question without a pattern")
		}
		out = append(out, row{Question: q, re: c.pattern(q.Ask)})
	}
	return out
}
