package posix

import (
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
)

func grep(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "qFxEcvinole:sm:hHw")
	if !ok {
		return Usage
	}
	patterns := o.All("e")
	if len(patterns) == 0 {
		if len(o.Args) == 0 {
			return Usage
		}
		patterns, o.Args = o.Args[:1], o.Args[1:]
	}
	re, err := matcher(patterns, o, path.Base(args[0]) == "egrep")
	if err != nil {
		p.Lacks("grep: %s", err)
		return Usage
	}
	g := &grepping{p: p, o: o, re: re, named: len(o.Args) > 1 && !o.Has("h") || o.Has("H"), limit: o.Int("m", -1)}
	return g.run()
}

type grepping struct {
	p     *Proc
	o     Options
	re    *regexp.Regexp
	named bool
	limit int
	any   bool
}

func (g *grepping) run() int {
	code := 0
	names := g.o.Args
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		r, err := g.p.openIn(name)
		if err == nil {
			err = g.file(name, r)
		}
		if err != nil {
			code = Usage
			if !g.o.Has("s") {
				g.p.Fail("grep", err)
			}
		}
	}
	switch {
	case g.any && (code == 0 || g.o.Has("q")):
		return 0
	case code != 0:
		return code
	}
	return 1
}

func (g *grepping) file(name string, r io.Reader) error {
	count, number := 0, 0
	err := lines(r, func(line string) bool {
		number++
		line = strings.TrimSuffix(line, "\n")
		if g.re.MatchString(line) == g.o.Has("v") {
			return true
		}
		count++
		g.any = true
		g.print(name, number, line)
		return !g.o.Has("q", "l") && count != g.limit
	})
	if g.o.Has("l") && count > 0 {
		g.p.Printf("%s\n", name)
	}
	if g.o.Has("c") {
		g.p.Printf("%s%d\n", g.prefix(name), count)
	}
	return err
}

func (g *grepping) prefix(name string) string {
	if g.named {
		return name + ":"
	}
	return ""
}

func (g *grepping) print(name string, number int, line string) {
	if g.o.Has("q", "c", "l") {
		return
	}
	prefix := g.prefix(name)
	if g.o.Has("n") {
		prefix += strconv.Itoa(number) + ":"
	}
	if !g.o.Has("o") {
		g.p.Printf("%s%s\n", prefix, line)
		return
	}
	for _, part := range g.re.FindAllString(line, -1) {
		if part != "" {
			g.p.Printf("%s%s\n", prefix, part)
		}
	}
}

func matcher(patterns []string, o Options, extended bool) (*regexp.Regexp, error) {
	var all []string
	for _, pattern := range patterns {
		for one := range strings.SplitSeq(pattern, "\n") {
			switch {
			case o.Has("F"):
				one = regexp.QuoteMeta(one)
			case !o.Has("E") && !extended:
				one = basic(one)
			}
			all = append(all, "(?:"+one+")")
		}
	}
	expression := strings.Join(all, "|")
	if o.Has("x") {
		expression = "^(?:" + expression + ")$"
	}
	if o.Has("w") {
		expression = `\b(?:` + expression + `)\b`
	}
	if o.Has("i") {
		expression = "(?i)" + expression
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("pattern is not simulated: %w", err)
	}
	return re, nil
}

// basic turns a basic regular expression into an extended one: the meaning of a
// backslash before ( ) { } + ? | is the other way round.
func basic(pattern string) string {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			if !strings.ContainsRune("(){}+?|", rune(pattern[i])) {
				out.WriteByte('\\')
			}
			out.WriteByte(pattern[i])
		case strings.ContainsRune("(){}+?|", rune(c)), c == '*' && i == 0:
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '[':
			end := bracketEnd(pattern, i)
			out.WriteString(pattern[i:end])
			i = end - 1
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// bracketEnd is the index after the bracket expression that begins at start.
func bracketEnd(pattern string, start int) int {
	i := start + 1
	if i < len(pattern) && pattern[i] == '^' {
		i++
	}
	if i < len(pattern) && pattern[i] == ']' {
		i++
	}
	for i < len(pattern) && pattern[i] != ']' {
		if strings.HasPrefix(pattern[i:], "[:") {
			if at := strings.Index(pattern[i:], ":]"); at > 0 {
				i += at + 1
			}
		}
		i++
	}
	return min(i+1, len(pattern))
}
