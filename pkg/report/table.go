package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	gap      = 2 // blank columns between two columns of a table
	maxLines = 8 // of one cell; the rest becomes an ellipsis
)

func writeTable(w io.Writer, f face, o Options) error {
	var out strings.Builder
	paragraph(&out, f.title, o.Width)
	writePairs(&out, f.lines, o)
	for _, s := range f.sheets {
		if len(s.rows) == 0 {
			continue
		}
		out.WriteString("\n")
		if s.title != "" {
			paragraph(&out, s.title, o.Width)
		}
		if err := writeSheet(&out, s, o); err != nil {
			return err
		}
	}
	for _, line := range f.drawn {
		if line = cleanDrawn(line); o.Width > 0 {
			line = Truncate(line, o.Width)
		}
		out.WriteString(line + "\n")
	}
	if len(f.foot) > 0 {
		out.WriteString("\n")
	}
	for _, sentence := range f.foot {
		paragraph(&out, sentence, o.Width)
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// paragraph writes one text, wrapped at the width where there is one.
func paragraph(out *strings.Builder, text string, width int) {
	lines := []string{clean(text)}
	if width > 0 {
		lines = wrap(lines[0], width, 2*maxLines)
	}
	out.WriteString(strings.Join(lines, "\n") + "\n")
}

// writePairs aligns the values and wraps them beside their labels.
func writePairs(out *strings.Builder, pairs []pair, o Options) {
	label := 0
	for _, p := range pairs {
		if p.value.text != "" {
			label = max(label, Width(p.label))
		}
	}
	for _, p := range pairs {
		if p.value.text == "" {
			continue
		}
		lines := []string{clean(p.value.text)}
		if o.Width > 0 {
			lines = wrap(lines[0], max(o.Width-label-gap, 10), maxLines)
		}
		for i, line := range lines {
			head := p.label
			if i > 0 {
				head = ""
			}
			fmt.Fprintf(out, "%-*s%s\n", label+gap, head, paint(line, p.value.tone, o.Colour))
		}
	}
}

// writeSheet wraps every cell to the width of its column first, so that the table
// writer has nothing to decide: it only draws.
func writeSheet(out *strings.Builder, s sheet, o Options) error {
	s = withoutEmpty(s)
	widths, roomy := fit(s, o.Width)
	if last := len(s.columns) - 1; !roomy && last > 1 && s.columns[last].prose {
		return writeSplit(out, s, last, o)
	}
	var drawn strings.Builder
	table := newTable(&drawn, s.columns)
	heads := make([]string, len(s.columns))
	for i, c := range s.columns {
		heads[i] = strings.Join(wrap(c.head, widths[i], maxLines), "\n")
	}
	table.Header(heads)
	for i, row := range s.rows {
		same := s.group && i > 0 && s.rows[i-1][0].text == row[0].text
		if err := table.Append(fitRow(row, widths, same, o.Colour)); err != nil {
			return fmt.Errorf("draw the table: %w", err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("draw the table: %w", err)
	}
	// The writer pads the last column; nobody wants that in a pipe or a golden file.
	for line := range strings.Lines(drawn.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return nil
}

// writeSplit gives the last column, the one with the sentences, a table of its own
// below the others: the terminal is too narrow for both.
func writeSplit(out *strings.Builder, s sheet, last int, o Options) error {
	front := sheet{columns: s.columns[:last], group: s.group}
	back := sheet{columns: []column{s.columns[0], s.columns[last]}, group: s.group}
	for _, row := range s.rows {
		front.rows = append(front.rows, row[:last])
		if row[last].text != "" {
			back.rows = append(back.rows, []cell{row[0], row[last]})
		}
	}
	if err := writeSheet(out, front, o); err != nil {
		return err
	}
	out.WriteString("\n")
	return writeSheet(out, back, o)
}

// withoutEmpty leaves out columns that have no text in any row: a terminal is narrow.
func withoutEmpty(s sheet) sheet {
	out := sheet{title: s.title, group: s.group, rows: make([][]cell, len(s.rows))}
	for i, c := range s.columns {
		if !slices.ContainsFunc(s.rows, func(row []cell) bool { return row[i].text != "" }) {
			continue
		}
		out.columns = append(out.columns, c)
		for j, row := range s.rows {
			out.rows[j] = append(out.rows[j], row[i])
		}
	}
	return out
}

func fitRow(row []cell, widths []int, sameAsAbove, colour bool) []string {
	cells := make([]string, len(row))
	for i, c := range row {
		if i == 0 && sameAsAbove {
			continue
		}
		lines := wrap(clean(c.text), widths[i], maxLines)
		for j := range lines {
			lines[j] = paint(lines[j], c.tone, colour)
		}
		cells[i] = strings.Join(lines, "\n")
	}
	return cells
}

// newTable is the one place where the table writer is configured: no borders, no
// colour, nothing rewritten, wrapped or trimmed by the library, and widths that do
// not depend on the locale.
func newTable(w io.Writer, columns []column) *tablewriter.Table {
	align := make([]tw.Align, len(columns))
	for i, c := range columns {
		align[i] = tw.AlignLeft
		if c.right {
			align[i] = tw.AlignRight
		}
	}
	look := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft, PerColumn: align},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}},
	}
	return tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleASCII),
			Settings: tw.Settings{
				Separators: tw.Separators{ShowHeader: tw.Off, ShowFooter: tw.Off, BetweenRows: tw.Off, BetweenColumns: tw.Off},
				Lines:      tw.Lines{ShowTop: tw.Off, ShowBottom: tw.Off, ShowHeaderLine: tw.Off, ShowFooterLine: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: look, Row: look}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithTrimLine(tw.Off),
		tablewriter.WithEastAsian(tw.Off),
	)
}

// paint wraps a text in the colour of its tone.
func paint(s string, t tone, colour bool) string {
	codes := [...]string{plain: "", good: "32", bad: "31", warn: "33", faint: "2"}
	if !colour || codes[t] == "" || s == "" {
		return s
	}
	return "\x1b[" + codes[t] + "m" + s + "\x1b[0m"
}
