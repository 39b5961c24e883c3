package posix

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// sed knows one thing: s commands with one delimiter, and -n with p. Scripts should
// use parameter expansion instead.
func sed(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "nEe:")
	if !ok {
		return Usage
	}
	scripts := o.All("e")
	if len(scripts) == 0 && len(o.Args) > 0 {
		scripts, o.Args = o.Args[:1], o.Args[1:]
	}
	if len(scripts) != 1 {
		return Usage
	}
	edit, err := substitution(scripts[0], o.Has("E"))
	if err != nil {
		p.Lacks("sed: %s", err)
		return Usage
	}
	return p.each("sed", o.Args, func(_ string, r io.Reader) error {
		return lines(r, func(line string) bool {
			text := strings.TrimSuffix(line, "\n")
			changed, hit := edit.apply(text)
			if !o.Has("n") || hit && edit.print {
				p.Printf("%s\n", changed)
			}
			return true
		})
	})
}

type edit struct {
	re            *regexp.Regexp
	with          string
	global, print bool
}

func substitution(script string, extended bool) (edit, error) {
	if len(script) < 4 || script[0] != 's' {
		return edit{}, fmt.Errorf("%q is not simulated", script)
	}
	parts := strings.Split(script[2:], script[1:2])
	if len(parts) != 3 || strings.Trim(parts[2], "gp") != "" {
		return edit{}, fmt.Errorf("%q is not simulated", script)
	}
	pattern := parts[0]
	if !extended {
		pattern = basic(pattern)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return edit{}, fmt.Errorf("pattern is not simulated: %w", err)
	}
	with := strings.NewReplacer("$", "$$", `\&`, "&", "&", "${0}", `\1`, "${1}", `\2`, "${2}", `\3`, "${3}").Replace(parts[1])
	return edit{re: re, with: with, global: strings.Contains(parts[2], "g"), print: strings.Contains(parts[2], "p")}, nil
}

func (e edit) apply(line string) (string, bool) {
	at := e.re.FindStringSubmatchIndex(line)
	if at == nil {
		return line, false
	}
	if e.global {
		return e.re.ReplaceAllString(line, e.with), true
	}
	return line[:at[0]] + string(e.re.ExpandString(nil, e.with, line, at)) + line[at[1]:], true
}
