package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// source is a file's text by lines, and the parts of it that must not be shown.
type source struct {
	lines  []string
	hidden map[int][]span // by line number, from 1
	// secretive: nothing is known of the file's structure, so whatever stands behind
	// a key that sounds like a secret is hidden.
	secretive bool
}

// span is a part of a line that must not be shown, in columns from 1; to 0 is the
// line's end.
type span struct{ from, to int }

// hiddenText stands where a secret would be shown.
const hiddenText = "[hidden]"

// shownBefore and shownAfter are how many characters are shown around the caret.
const (
	shownBefore = 70
	shownAfter  = 50
)

func newSource(text string) source {
	return source{lines: splitLines(text), hidden: map[int][]span{}, secretive: true}
}

// splitLines splits as YAML counts lines: at LF, CRLF, CR, NEL, LS and PS.
func splitLines(text string) []string {
	var lines []string
	for text != "" {
		i := strings.IndexFunc(text, isBreak)
		if i < 0 {
			return append(lines, text)
		}
		lines = append(lines, text[:i])
		text = text[i:]
		if strings.HasPrefix(text, "\r\n") {
			text = text[2:]
			continue
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return lines
}

func isBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// hide keeps a part of a line from ever being shown.
func (s *source) hide(line, from, to int) {
	s.hidden[line] = append(s.hidden[line], span{from, to})
}

// line gives the text of a line, from 1; "" where there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// excerpt gives the line to show and the column of the caret in it, both after
// hiding secrets and cutting what is too long.
func (s *source) excerpt(line, col int) (string, int) {
	text := s.line(line)
	if text == "" {
		return "", 0
	}
	if s.secretive {
		if at := secretStart(text); at > 0 {
			s.hide(line, at, 0)
		}
	}
	shown, caret := s.mask([]rune(text), line, col)
	shown, caret = cut(shown, caret)
	for i, r := range shown {
		if r != '\t' {
			shown[i] = visible(r)
		}
	}
	trimmed := strings.TrimRightFunc(string(shown), unicode.IsSpace)
	if trimmed == "" {
		return "", 0
	}
	return trimmed, min(caret, len([]rune(trimmed))+1)
}

// mask replaces the hidden parts of a line, and moves the caret along.
func (s *source) mask(text []rune, line, col int) ([]rune, int) {
	var out []rune
	caret := col
	for i := 0; i < len(text); i++ {
		hide, ok := s.spanAt(line, i+1)
		if !ok {
			if i+1 == col {
				caret = len(out) + 1
			}
			out = append(out, text[i])
			continue
		}
		end := len(text)
		if hide.to > 0 {
			end = min(end, hide.to)
		}
		if col > i && col <= end {
			caret = len(out) + 1
		}
		out = append(out, []rune(hiddenText)...)
		i = end - 1
	}
	if col > len(text) {
		caret = len(out) + 1
	}
	return out, caret
}

func (s *source) spanAt(line, col int) (span, bool) {
	for _, h := range s.hidden[line] {
		if col >= h.from && (h.to == 0 || col <= h.to) {
			return h, true
		}
	}
	return span{}, false
}

// cut keeps the part of a long line around the caret.
func cut(text []rune, caret int) ([]rune, int) {
	if end := caret + shownAfter; len(text) > max(end, shownBefore+shownAfter) {
		text = append(append([]rune{}, text[:max(end, shownBefore+shownAfter)]...), '…')
	}
	if caret > shownBefore+1 && len(text) > shownBefore+shownAfter {
		from := caret - shownBefore - 1
		text = append([]rune{'…'}, text[from:]...)
		caret = caret - from + 1
	}
	return text, caret
}

// visible is r where a terminal can show it on one line, else a dot.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '·'
}
