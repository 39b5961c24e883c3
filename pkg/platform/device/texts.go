package device

import (
	"regexp"
	"strings"
)

// maxText bounds what is read of one output. Patterns run in time linear to it.
const maxText = 1 << 20

// What terminals leave in recorded text: escape sequences, a pager's question and the
// blanks that wipe it away.
var (
	//nolint:gocritic // ECMA-48 has these ranges
	escapeForm = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\-_=>78])")
	pagerForm  = regexp.MustCompile(`(?mi)^[ \t]*(?:<?-+ ?\(?more\)?(?: *\d+%)? ?-+>?|---\(more(?: \d+%)?\)---|--more--[^\n]{0,60}|press any key to continue[^\n]{0,40}|<-* ?more ?-*>|lines \d+-\d+(?:/\d+ \(end\))?)[ \t]*(?:\x08+[ \t]*\x08*)?`)
)

// tidy makes text of what a device or a recording holds: no carriage returns, escape
// sequences, backspaces or pagers' questions, and no other control characters.
func tidy(raw []byte) string {
	text := strings.ToValidUTF8(string(raw[:min(len(raw), maxText)]), "\uFFFD")
	text = escapeForm.ReplaceAllString(text, "")
	text = pagerForm.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(typed(line))
	}
	return out.String()
}

// typed plays backspaces and lone carriage returns, as a screen would, and drops other
// control characters.
func typed(line string) string {
	if !strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) {
		return line
	}
	var out []rune
	for _, r := range line {
		switch {
		case r == '\b':
			out = out[:max(len(out)-1, 0)]
		case r == '\r':
			if strings.TrimSpace(string(out)) == "" {
				out = out[:0]
			}
		case r == '\n' || r == '\t' || r >= ' ' && r != 0x7f:
			out = append(out, r)
		}
	}
	return string(out)
}

// command is a command with single blanks, as the outputs are looked up by.
func command(cmd string) string { return strings.Join(strings.Fields(cmd), " ") }

// sources are the texts that may hold what a command prints. Live there is one.
type sources func(cmd string) []string

func outputsOf(outputs map[string][]byte) sources {
	clean := make(map[string]string, len(outputs))
	for cmd, out := range outputs {
		clean[command(cmd)] = tidy(out)
	}
	return func(cmd string) []string {
		if text, ok := clean[command(cmd)]; ok {
			return []string{text}
		}
		return nil
	}
}
