package device

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
)

// functions are what templates may call beside text/template's own.
func functions() template.FuncMap {
	known := &patterns{known: map[string]*regexp.Regexp{}}
	return template.FuncMap{
		"quote": regexp.QuoteMeta, "upper": strings.ToUpper, "lower": strings.ToLower, "trim": strings.TrimSpace,
		"base": path.Base, "dir": path.Dir, "has": strings.HasPrefix, "ends": strings.HasSuffix, "contains": strings.Contains,
		"join": strings.Join, "split": strings.Split, "fields": strings.Fields, "replace": strings.ReplaceAll,
		"match": known.match, "sub": known.substitute, "repeat": repeat, "pad": pad, "list": list, "dict": dict,
		"also": also, "rows": func() []record { return nil }, "records": records, "gb": inGB, "lasted": lasted, "section": section,
		"first": func(l []string) string { return nth(l, 0) }, "last": func(l []string) string { return nth(l, len(l)-1) },
		"add": func(a, b any) int64 { return number(a) + number(b) }, "subtract": func(a, b any) int64 { return number(a) - number(b) },
		"times": func(a, b any) int64 { return number(a) * number(b) }, "divide": divide, "int": number,
		"date":  func(layout string, t time.Time) string { return t.Format(layout) },
		"ago":   func(t time.Time, d time.Duration) time.Time { return t.Add(-d) },
		"words": inWords, "substr": substr, "bootable": bootable, "clock": onClock, "seconds": func(d time.Duration) int64 { return int64(d / time.Second) },
		"default": func(other, value string) string {
			if value == "" {
				return other
			}
			return value
		},
	}
}

const maxText = 1 << 20 // of what one function makes

// patterns remembers compiled patterns: a file's conditions are tried at every line typed.
type patterns struct {
	mu    sync.Mutex
	known map[string]*regexp.Regexp
}

// maxPatterns bounds them: some are made of what a device knows, and change.
const maxPatterns = 1000

func (p *patterns) compiled(pattern string) (*regexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re, ok := p.known[pattern]; ok {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err //nolint:wrapcheck // the callers name the function
	}
	if len(p.known) >= maxPatterns {
		clear(p.known)
	}
	p.known[pattern] = re
	return re, nil
}

func (p *patterns) match(pattern, text string) (bool, error) {
	re, err := p.compiled(pattern)
	if err != nil {
		return false, fmt.Errorf("match: %w", err)
	}
	return re.MatchString(text), nil
}

func (p *patterns) substitute(text, pattern, with string) (string, error) {
	re, err := p.compiled(pattern)
	if err != nil {
		return "", fmt.Errorf("sub: %w", err)
	}
	return re.ReplaceAllString(text, with), nil
}

func repeat(text string, n any) string {
	times := max(number(n), 0)
	if text == "" || times > maxText/int64(len(text)) {
		return ""
	}
	return strings.Repeat(text, int(times))
}

func pad(value any, width int) string {
	width = min(max(width, -1000), 1000)
	return fmt.Sprintf("%*v", -width, value)
}

// bootable tells whether an image is whole and for this kind of device.
func bootable(i Image, kind string) bool {
	return i.Version != "" && !i.Damaged && (i.Kind == "" || i.Kind == kind)
}

// substr is a text from a place on.
func substr(text string, from int) string { return text[min(max(from, 0), len(text)):] }

func list(items ...string) []string { return items }

func dict(pairs ...any) map[string]any {
	made := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		made[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return made
}

func nth(l []string, i int) string {
	if i < 0 || i >= len(l) {
		return ""
	}
	return l[i]
}

// number reads what a value may hold; 0 if it is none.
func number(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case time.Duration:
		return int64(n)
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		if err == nil {
			return int64(f)
		}
	}
	return 0
}

func divide(a, b any) int64 {
	if number(b) == 0 {
		return 0
	}
	return number(a) / number(b)
}

// inWords is an uptime: 12 weeks, 4 days, 7 hours, 31 minutes.
func inWords(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"year", 365 * 24 * time.Hour}, {"week", 7 * 24 * time.Hour}, {"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		n := int64(d / unit.is)
		d %= unit.is
		switch {
		case n == 1:
			parts = append(parts, "1 "+unit.name)
		case n > 1 || unit.name == "minute":
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit.name))
		}
	}
	return strings.Join(parts, ", ")
}

// onClock is 01:59:12.
func onClock(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
