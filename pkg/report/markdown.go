package report

import (
	"fmt"
	"io"
	"strings"
)

func writeMarkdown(w io.Writer, f face) error {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n", escape(f.title))
	for _, p := range f.lines {
		if p.value.text != "" {
			fmt.Fprintf(&out, "- **%s**: %s\n", escape(p.label), escape(p.value.text))
		}
	}
	for _, s := range f.sheets {
		if len(s.rows) > 0 {
			markdownSheet(&out, s)
		}
	}
	markdownDrawn(&out, f.drawn)
	for _, sentence := range f.foot {
		fmt.Fprintf(&out, "\n%s\n", noBlock(escape(sentence)))
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

// markdownDrawn fences a drawing: in there nothing is markup. Four blanks would not do
// behind a list, of which they would be a part.
func markdownDrawn(out *strings.Builder, drawn []string) {
	if len(drawn) == 0 {
		return
	}
	fence := "```"
	for strings.Contains(strings.Join(drawn, "\n"), fence) {
		fence += "`"
	}
	out.WriteString("\n" + fence + "text\n")
	for _, line := range drawn {
		out.WriteString(cleanDrawn(line) + "\n")
	}
	out.WriteString(fence + "\n")
}

// noBlock keeps an escaped text at the beginning of a line from being a list, a heading of
// the line above, or a rule.
func noBlock(text string) string {
	if text == "" {
		return ""
	}
	switch digits := strings.TrimLeft(text, "0123456789"); {
	case strings.ContainsAny(text[:1], "-+=:"):
		return `\` + text
	case len(digits) < len(text) && digits != "" && strings.ContainsAny(digits[:1], ".)"):
		return text[:len(text)-len(digits)] + `\` + digits
	}
	return text
}

func markdownSheet(out *strings.Builder, s sheet) {
	s = withoutEmpty(s)
	if s.title != "" {
		fmt.Fprintf(out, "\n## %s\n", escape(s.title))
	}
	out.WriteString("\n|")
	for _, c := range s.columns {
		fmt.Fprintf(out, " %s |", escape(c.head))
	}
	out.WriteString("\n|")
	for _, c := range s.columns {
		if c.right {
			out.WriteString(" ---: |")
		} else {
			out.WriteString(" --- |")
		}
	}
	out.WriteString("\n")
	for _, row := range s.rows {
		out.WriteString("|")
		for _, c := range row {
			fmt.Fprintf(out, " %s |", escape(c.text))
		}
		out.WriteString("\n")
	}
}

// escape makes a text mean itself in Markdown, also in a table's cell: no markup,
// no HTML, no link that a renderer makes of a bare address, nobody mentioned.
func escape(text string) string {
	text = clean(text)
	var out strings.Builder
	for _, r := range text {
		switch r {
		case '\\', '`', '*', '_', '{', '}', '[', ']', '<', '>', '#', '!', '|', '~', '&', '$':
			out.WriteByte('\\')
			out.WriteRune(r)
		case '@':
			out.WriteString("&#64;")
		default:
			out.WriteRune(r)
		}
	}
	return strings.NewReplacer("://", "&#58;//", "www.", "www\\.").Replace(out.String())
}
