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
	for _, line := range f.drawn { // indented by four it is code, in which nothing is markup
		fmt.Fprintf(&out, "    %s\n", cleanDrawn(line))
	}
	for _, sentence := range f.foot {
		fmt.Fprintf(&out, "\n%s\n", escape(sentence))
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
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
		case '\\', '`', '*', '_', '{', '}', '[', ']', '<', '>', '#', '!', '|', '~', '&':
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
