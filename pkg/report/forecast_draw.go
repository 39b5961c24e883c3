package report

import (
	"fmt"
	"strings"
	"time"
)

// mostLabel bounds what stands left of the timeline, in columns of a terminal.
const mostLabel = 30

// drawn is the timeline for a terminal: the scale, a row for each gate and batch, and
// what the letters mean.
func (d Forecast) drawn(width int) []string {
	t := d.chart()
	names, labels := 0, 0
	for _, r := range t.rows {
		names, labels = max(names, Width(r.ring)), max(labels, Width(r.label))
	}
	labels = min(labels, mostLabel/2)
	names = min(names, max(4, min(mostLabel, width/3)-labels-1))
	cells := max(10, width-names-labels-2)
	lines := []string{""}
	margin := strings.Repeat(" ", names+labels+2)
	for _, line := range t.scale(cells) {
		lines = append(lines, strings.TrimRight(margin+line, " "))
	}
	for _, r := range t.rows {
		line := padded(r.ring, names) + " " + padded(r.label, labels) + " " + t.cells(r, cells)
		lines = append(lines, strings.TrimRight(line, " "))
	}
	lines = append(lines, "")
	return append(lines, t.legend(width)...)
}

func padded(text string, width int) string {
	text = Truncate(text, width)
	return text + strings.Repeat(" ", max(0, width-Width(text)))
}

// edge is the moment at which a cell of the scale begins.
func (t chart) edge(cell, cells int) time.Time {
	return t.from.Add(time.Duration(int64(t.until.Sub(t.from)) / int64(cells) * int64(cell)))
}

func (t chart) cells(r chartRow, cells int) string {
	var out strings.Builder
	for i := range cells {
		kind := r.at(t.edge(i, cells), t.edge(i+1, cells))
		if kind == "" {
			out.WriteString(" ")
			continue
		}
		out.WriteString(lookOf(kind).letter)
	}
	return out.String()
}

// scale are the dates, and a mark below each.
func (t chart) scale(cells int) []string {
	const room = 12 // for a label and a blank
	dates, marks := []rune(strings.Repeat(" ", cells)), []rune(strings.Repeat(" ", cells))
	for _, k := range t.ticks(max(1, cells/room)) {
		at := int(int64(k.at.Sub(t.from)) * int64(cells) / int64(t.until.Sub(t.from)))
		if at >= cells {
			continue
		}
		marks[at] = '|'
		if label := []rune(k.label); at+len(label) <= cells {
			copy(dates[at:], label)
		}
	}
	return []string{string(dates), string(marks)}
}

// legend explains the letters that stand in the rows.
func (t chart) legend(width int) []string {
	used := map[string]bool{}
	for _, r := range t.rows {
		for _, s := range r.spans {
			used[s.Kind] = true
		}
		used[done] = used[done] || !r.done.IsZero()
	}
	var lines []string
	line := ""
	for _, l := range looks() {
		if !used[l.kind] {
			continue
		}
		word := fmt.Sprintf("%s %s", l.letter, l.words)
		if line != "" && Width(line)+3+Width(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += "   "
		}
		line += word
	}
	return append(lines, line)
}
