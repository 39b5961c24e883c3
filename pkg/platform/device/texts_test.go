package device

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTidy(t *testing.T) {
	for raw, want := range map[string]string{
		"a\r\nb\r\n":                        "a\nb\n",
		"a\r\r\nb":                          "a\nb",
		"\x1b[2J\x1b[1;31mred\x1b[0m\x1b[K": "red",
		"\x1b]0;title\x07x":                 "x",
		"one\n --More-- \b\b\b\b\b\b\b\b\b         \b\b\b\b\b\b\b\b\btwo\n": "one\ntwo\n",
		"one\n---- More ----\x1b[42D          \x1b[42Dtwo\n":                "one\ntwo\n",
		"one\n--More--\r        \rtwo\n":                                    "one\ntwo\n",
		"typo\b\b\b\btext\n":                                                "text\n",
		"bell\a\x00end\n":                                                   "bellend\n",
		"no \xff utf8":                                                      "no \uFFFD utf8",
		"More is less\n":                                                    "More is less\n",
	} {
		if got := tidy([]byte(raw)); got != want {
			t.Errorf("%q: %q, not %q", raw, got, want)
		}
	}
}

func FuzzTidy(f *testing.F) {
	f.Add([]byte("one\n --More-- \b\b\b\x1b[2Ktwo\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		text := tidy(raw)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && !unicode.IsSpace(r) }) {
			t.Errorf("%q", text)
		}
		if again := tidy([]byte(text)); len(again) > len(text) {
			t.Errorf("%q grew to %q", text, again)
		}
	})
}
