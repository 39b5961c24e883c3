package schedule

import (
	"bytes"
	"iter"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

const mostICal = 4 << 20

// line is one content line of RFC 5545, unfolded.
type line struct {
	number int // in the file, of its first part
	name   string
	params map[string]string
	value  string
}

const icalHint = "mend the iCalendar file, or write the times out as rules or dates"

// fault is a mistake at a line.
func (l line) fault(format string, args ...any) error {
	return placed(fault.Usagef(icalHint, format, args...), "line %d, %s", l.number, l.name)
}

// splitICal unfolds and splits a file into its content lines.
func splitICal(src []byte) ([]line, error) {
	if len(src) > mostICal {
		return nil, fault.Usagef("export fewer events", "the iCalendar file is larger than %d MiB", mostICal>>20)
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	var out []line
	for number, text := range unfold(string(src)) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		l, ok := parseLine(text)
		if !ok {
			return nil, fault.Usagef(icalHint, "line %d: %q is no line of an iCalendar file", number, clip(text))
		}
		l.number = number
		out = append(out, l)
	}
	return out, nil
}

// unfold joins what was broken into several lines, and numbers it by the first.
func unfold(src string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var parts []string
		begun, number := 1, 0
		for raw := range strings.SplitSeq(src, "\n") {
			number++
			raw = strings.TrimSuffix(raw, "\r")
			if number > 1 && raw != "" && (raw[0] == ' ' || raw[0] == '\t') {
				parts = append(parts, raw[1:])
				continue
			}
			if !yield(begun, strings.Join(parts, "")) {
				return
			}
			parts, begun = append(parts[:0], raw), number
		}
		yield(begun, strings.Join(parts, ""))
	}
}

// parseLine splits NAME;PARAM=VALUE;PARAM="VALUE":VALUE.
func parseLine(text string) (line, bool) {
	head, value, ok := cutOutside(text, ':')
	if !ok {
		return line{}, false
	}
	l := line{params: map[string]string{}, value: strings.TrimSpace(value)}
	name, rest, more := cutOutside(head, ';')
	l.name = strings.ToUpper(name)
	for more {
		var param string
		param, rest, more = cutOutside(rest, ';')
		key, value, ok := strings.Cut(param, "=")
		key = strings.ToUpper(key)
		if _, twice := l.params[key]; !ok || twice || !isName(key) {
			return line{}, false
		}
		l.params[key] = strings.Trim(value, `"`)
	}
	return l, isName(l.name)
}

// cutOutside cuts at the first sep that does not stand in quotes.
func cutOutside(text string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == sep && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// unescape turns an iCalendar TEXT into plain text.
func unescape(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, " ", `\N`, " ").Replace(text)
}
