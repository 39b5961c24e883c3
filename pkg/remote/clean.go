package remote

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from a host fit to be shown, logged and journaled: no control
// characters (they become \xNN; newlines and tabs a space), no invisible or
// direction-changing runes, valid UTF-8, at most limit bytes with an ellipsis.
// Its result never holds a newline.
func Clean(text string, limit int) string {
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		piece := cleanRune(r, text[:size])
		if out.Len()+len(piece) > limit {
			return strings.TrimSpace(cut(out.String(), limit))
		}
		out.WriteString(piece)
		text = text[size:]
	}
	return strings.TrimSpace(out.String())
}

func cleanRune(r rune, raw string) string {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return " "
	case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		var hex strings.Builder
		for i := range len(raw) {
			fmt.Fprintf(&hex, `\x%02x`, raw[i])
		}
		return hex.String()
	}
	return raw
}

// cut keeps whole runes and makes room for the ellipsis.
func cut(s string, limit int) string {
	const ellipsis = "…"
	for len(s)+len(ellipsis) > limit && s != "" {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if limit < len(ellipsis) {
		return ""
	}
	return s + ellipsis
}

// CleanLines cleans each line by itself: at most the last so many lines, each of at most limit bytes.
func CleanLines(text string, lines, limit int) []string {
	var out []string
	for line := range strings.Lines(text) {
		if clean := Clean(line, limit); clean != "" {
			out = append(out, clean)
		}
	}
	if len(out) > lines {
		out = out[len(out)-lines:]
	}
	return out
}
