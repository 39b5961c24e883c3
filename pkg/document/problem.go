package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// Problem is one thing that is wrong in a file.
type Problem struct {
	Path   string     `json:"path"`
	Line   int        `json:"line"`
	Col    int        `json:"column"`
	Code   fault.Code `json:"code"` // fault.Usage or fault.Unsupported
	What   string     `json:"what"`
	Hint   string     `json:"hint,omitempty"`
	Source string     `json:"source,omitempty"` // the line, shortened, secrets hidden
	Caret  int        `json:"-"`                // column of the caret under Source, from 1; 0: none
}

// String is the problem on one line: "path:line:column: what".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.Path, p.Line, p.Col, p.What)
}

// Render is the problem in full, as plain text that ends in a newline: the place and
// what is wrong, the source line, a caret, and the hint.
func (p Problem) Render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p)
	if p.Source != "" {
		number := fmt.Sprintf("%5d", p.Line)
		fmt.Fprintf(&b, "%s | %s\n", number, p.Source)
		if p.Caret > 0 {
			fmt.Fprintf(&b, "%s | %s^\n", strings.Repeat(" ", len(number)), pad(p.Source, p.Caret-1))
		}
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", p.Hint)
	}
	return b.String()
}

// pad is the white space that stands above the first n characters of line; tabs
// stay tabs, so that the caret lines up.
func pad(line string, n int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(" ", max(0, n-len([]rune(line)))))
	return b.String()
}

// Problems is everything that is wrong in one file, in the order of the lines. It
// unwraps to a *fault.Error, whose code is Unsupported when nothing else is wrong.
type Problems struct { //nolint:errname // it is a list of them, and its callers read its parts
	List []Problem
	More int // how many are not in List
}

func newProblems(f *File) *Problems {
	list := slices.Clone(f.problems)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return Pos{a.Line, a.Col}.Compare(Pos{b.Line, b.Col})
	})
	p := &Problems{More: f.dropped}
	if len(list) > maxProblems {
		p.More += len(list) - maxProblems
		list = list[:maxProblems]
	}
	for i := range list {
		list[i].Source, list[i].Caret = f.source.excerpt(list[i].Line, list[i].Col)
	}
	p.List = list
	return p
}

// Error gives one line for each problem, without source lines and hints.
func (p *Problems) Error() string {
	lines := make([]string, 0, len(p.List)+1)
	for _, one := range p.List {
		lines = append(lines, one.String())
	}
	if p.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", p.More))
	}
	return strings.Join(lines, "\n")
}

// Render gives every problem in full.
func (p *Problems) Render() string {
	var b strings.Builder
	for _, one := range p.List {
		b.WriteString(one.Render())
	}
	if p.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", p.More)
	}
	return b.String()
}

// Code is fault.Unsupported when every problem is, else fault.Usage.
func (p *Problems) Code() fault.Code {
	for _, one := range p.List {
		if one.Code != fault.Unsupported {
			return fault.Usage
		}
	}
	return fault.Unsupported
}

// Unwrap gives the first problem as a *fault.Error, so that fault.CodeOf and
// fault.HintOf work.
func (p *Problems) Unwrap() error {
	if len(p.List) == 0 {
		return nil
	}
	what := p.List[0].String()
	if n := len(p.List) - 1 + p.More; n > 0 {
		what = fmt.Sprintf("%s (and %d more)", what, n)
	}
	return &fault.Error{Kind: fault.GiveUp, Code: p.Code(), What: what, Hint: p.List[0].Hint}
}
