package report

import (
	"strings"
	"testing"
)

// FuzzCell: one text through everything that makes a cell of it.
func FuzzCell(f *testing.F) {
	for _, seed := range []string{"", "a b", "=1", "日本語 \U0001F1E9\U0001F1EA e\u0301", "-> ->", strings.Repeat("-", 50), "\x00\t\u202e", "a|b`c"} {
		f.Add(seed, uint8(7))
	}
	f.Fuzz(func(t *testing.T, s string, w uint8) {
		width := int(w%60) + 2
		one := clean(s)
		if again := clean(one); again != one {
			t.Errorf("cleaning %q twice gives %q", one, again)
		}
		lines := Wrap(one, width)
		for _, line := range lines {
			if Width(line) > width {
				t.Errorf("%q is wider than %d", line, width)
			}
		}
		joined, whole := strings.Join(lines, ""), strings.Join(strings.Fields(one), "")
		if strings.ReplaceAll(joined, " ", "") != whole {
			t.Errorf("wrapping loses text: %q, %q", joined, whole)
		}
		if cut := Truncate(one, width); Width(cut) > width {
			t.Errorf("%q is wider than %d", cut, width)
		}
		cellsHold(t, []string{inert(s)})
		printable(t, escape(s))
		if strings.Contains(strings.NewReplacer(`\\`, "", `\|`, "").Replace(escape(s)), "|") {
			t.Errorf("%q ends a cell of Markdown", escape(s))
		}
	})
}
