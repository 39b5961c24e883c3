package document

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var lineNumber = regexp.MustCompile(`^yaml: line (\d+): `)

// syntaxHint says what usually stands behind a message of the YAML library (v3.0.1).
// block: the library gives the line where the surrounding block begins, counted
// from 0; the true line is looked for.
type syntaxHint struct {
	message, what, hint string
	block               bool
}

func syntaxHints() []syntaxHint {
	const indentation = "check the indentation: the keys of one mapping, and the dashes of one list, begin in the same column"
	return []syntaxHint{
		{"mapping values are not allowed in this context", "a second `: ` on one line, or a key indented too deep",
			"put a text that holds `: ` in quotes; else check the indentation", false},
		{"found character that cannot start any token", "this character can't begin a value",
			"indent with spaces, not tabs; put a text that begins with @, %, ` or a tab in quotes", false},
		{"did not find expected alphabetic or numeric character", "a lone `*` or `&`",
			`put it in quotes: "*"`, false},
		{"could not find expected ':'", "this line has no `key: value`", "write a colon and a space after the key", false},
		{"found unexpected end of stream", "a quote is opened, but never closed", "close it, at this line or above", false},
		{"found unknown escape character", "an unknown escape in a double-quoted text", `write \\ for a backslash, or use single quotes`, false},
		{"did not find expected key", "this line doesn't fit the mapping above", indentation, true},
		{"did not find expected '-' indicator", "this line doesn't fit the list above", indentation, true},
		{"did not find expected ',' or ']'", "a list `[` is not closed, or a comma is missing", "close it with `]`", true},
		{"did not find expected ',' or '}'", "a mapping `{` is not closed, or a comma is missing", "close it with `}`", true},
		{"did not find expected node content", "a value is missing", "a `[` or `{` may not be closed", true},
	}
}

// syntax reports what the library could not read, with the line that a person must look at.
func (f *File) syntax(src []byte, err error) {
	message, line := err.Error(), 1
	if m := lineNumber.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	message = strings.TrimPrefix(message, "yaml: ")
	if f.tab(line) || f.anchor(message) {
		return
	}
	for _, h := range syntaxHints() {
		if message == h.message {
			if h.block {
				line = f.blockLine(src, line, message)
			}
			f.Errorf(Pos{line, f.column(line, h)}, h.hint, "%s", h.what)
			return
		}
	}
	f.Errorf(Pos{line, f.column(line, syntaxHint{})}, "", "not valid YAML: %s", message)
}

// tab reports a tab in the indentation of a line or of one of its neighbours, the
// most common mistake of all.
func (f *File) tab(line int) bool {
	for n := max(1, line-1); n <= line+1; n++ {
		text := f.source.line(n)
		lead := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if i := strings.IndexByte(lead, '\t'); i >= 0 && lead != text {
			f.Errorf(Pos{n, i + 1}, "indent with spaces", "a tab in the indentation")
			return true
		}
	}
	return false
}

// anchor reports an alias that names nothing; the library doesn't say where.
func (f *File) anchor(message string) bool {
	rest, ok := strings.CutPrefix(message, "unknown anchor '")
	name, _, closed := strings.Cut(rest, "'")
	if !ok || !closed {
		return false
	}
	for i, text := range f.source.lines {
		if at := strings.Index(text, "*"+name); at >= 0 {
			f.Errorf(Pos{i + 1, len([]rune(text[:at])) + 1}, `put a pattern in quotes: "*`+name+`"`,
				"`*%s` means the anchor `&%s`, which doesn't exist", name, name)
			return true
		}
	}
	return false
}

// searchBytes bounds what blockLine reads in all.
const searchBytes = 2 << 20

// blockLine finds the first line after which the file can't be read any more. The
// library names the line where the block begins, which may be far above.
func (f *File) blockLine(src []byte, line int, message string) int {
	first := min(line+1, len(f.source.lines))
	budget := searchBytes
	for n := first; n <= len(f.source.lines); n++ {
		part := []byte(strings.Join(f.source.lines[:n], "\n") + "\n")
		if budget -= len(part); budget < 0 || len(part) > len(src)+1 {
			break
		}
		if _, err := next(yaml.NewDecoder(bytes.NewReader(part))); err != nil && strings.HasSuffix(err.Error(), message) {
			return n
		}
	}
	return first
}

// column is the best guess of where on its line the problem stands.
func (f *File) column(line int, h syntaxHint) int {
	text := f.source.line(line)
	at := len(text) - len(strings.TrimLeft(text, " "))
	switch {
	case strings.HasPrefix(h.what, "a second"):
		if i := strings.Index(text, ": "); i >= 0 {
			if j := strings.Index(text[i+1:], ": "); j >= 0 {
				at = i + 1 + j
			}
		}
	case strings.HasPrefix(h.what, "a lone"), strings.HasPrefix(h.what, "this character"):
		if m := startsValue.FindStringSubmatchIndex(text); m != nil {
			at = m[2]
		}
	}
	return len([]rune(text[:min(at, len(text))])) + 1
}

// startsValue finds a value that begins with a character that YAML keeps for itself.
var startsValue = regexp.MustCompile("(?:^|[:,\\[{-])\\s+([@%`*&\\t])")
