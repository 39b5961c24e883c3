package remote

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from a host fit to be shown, logged and journaled: no control
// characters (they become \xNN; newlines and tabs a space), no invisible or
// direction-changing runes, no heaps of accents, no words that a CI server's log obeys,
// valid UTF-8, at most limit bytes with an ellipsis. Its result never holds a newline, and
// cleaning it again changes nothing.
//
// What must be kept as it came is kept beside; what is made of this for HTML, Markdown, CSV
// and XML is the renderer's.
func Clean(text string, limit int) string {
	var out strings.Builder
	accents := mostAccents // none may begin a text: it would sit on what stands before
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		piece := cleanRune(r, text[:size])
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
			if accents++; accents > mostAccents {
				piece = hexOf(text[:size])
			}
		case piece == " ":
			accents = mostAccents
		default:
			accents = 0
		}
		if (r == '#' || r == ':') && isCommand(text) {
			piece = hexOf(text[:size])
		}
		if out.Len()+len(piece) > limit {
			return strings.TrimSpace(cut(out.String(), limit))
		}
		out.WriteString(piece)
		text = text[size:]
	}
	return strings.TrimSpace(out.String())
}

// mostAccents may stand on one letter: as many as any living script has.
const mostAccents = 4

func cleanRune(r rune, raw string) string {
	switch {
	case r == '\n' || r == '\t' || r == '\r' || unicode.Is(unicode.Zs, r):
		return " "
	case r == utf8.RuneError, !unicode.IsPrint(r), blank(r):
		return hexOf(raw)
	}
	return raw
}

func hexOf(raw string) string {
	var hex strings.Builder
	for i := range len(raw) {
		fmt.Fprintf(&hex, `\x%02x`, raw[i])
	}
	return hex.String()
}

// blank are letters and marks that show as nothing, or choose how others show: two texts
// that differ by them look the same.
func blank(r rune) bool {
	switch {
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x2800, r == 0x3164, r == 0xffa0,
		0x180b <= r && r <= 0x180f, 0xfe00 <= r && r <= 0xfe0f, 0xe0100 <= r && r <= 0xe01ef:
		return true
	}
	return false
}

// isCommand tells whether a text begins with what makes the log of a CI server act: Azure's
// and TeamCity's brackets anywhere in a line, GitHub's words (and Gitea's, Forgejo's) at
// its beginning, which may be anywhere here, since lines are wrapped. GitLab's need an
// escape character.
func isCommand(text string) bool {
	text = strings.ToLower(text[:min(len(text), 32)])
	if rest, ok := strings.CutPrefix(text, "##"); ok {
		return strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "vso[") || strings.HasPrefix(rest, "teamcity[")
	}
	rest, ok := strings.CutPrefix(text, "::")
	if !ok {
		return false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
	if end < 0 {
		end = len(rest)
	}
	switch rest[:end] {
	case "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
		"save-state", "set-env", "set-output", "stop-commands", "warning":
		return true
	}
	return false
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
