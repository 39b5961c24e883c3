package device

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// record is one row of a table that can be asked for any of its fields.
type record = map[string]any

// also is a list with one more record; the list may be nil.
func also(list []record, one record) []record { return append(slices.Clip(list), one) }

// records answers what stands after `show` in ONTAP's generic form: -fields a,b chooses columns, and
// -NAME VALUE rows; a value may hold *, |, and ! before it. Columns of keys are always shown.
func records(query string, keys []string, rows []record) string {
	const none = "There are no entries matching your query.\n\n"
	if len(rows) == 0 {
		return none
	}
	fields, wants, wrong := readQuery(query)
	if wrong == "" {
		wrong = unknownField(fields, wants, rows)
	}
	if wrong != "" {
		return fmt.Sprintf("Error: invalid argument %q\n\n", wrong)
	}
	left := slices.DeleteFunc(slices.Clone(rows), func(row record) bool { return !wanted(row, wants) })
	if len(left) == 0 {
		return none
	}
	columns := slices.Clone(keys)
	for _, name := range fields {
		if !slices.Contains(columns, name) {
			columns = append(columns, name)
		}
	}
	return table(columns, left)
}

// unknownField is the first argument that no row has a field for, "" if there is none.
func unknownField(fields []string, wants []condition, rows []record) string {
	names := slices.Clone(fields)
	for _, w := range wants {
		names = append(names, w.name)
	}
	for _, name := range names {
		if !slices.ContainsFunc(rows, func(r record) bool { return r[name] != nil }) {
			return "-" + name
		}
	}
	return ""
}

// condition is a -NAME VALUE of a query.
type condition struct {
	name string
	fits *regexp.Regexp
	not  bool
}

// readQuery takes the words after `show` apart; wrong is the first that is no argument.
func readQuery(query string) (fields []string, wants []condition, wrong string) {
	words := strings.Fields(query)
	for i := 0; i < len(words); i += 2 {
		name, ok := strings.CutPrefix(words[i], "-")
		switch {
		case !ok || i+1 >= len(words):
			return nil, nil, words[i]
		case name == "fields":
			fields = strings.Split(words[i+1], ",")
			continue
		}
		value, not := strings.CutPrefix(words[i+1], "!")
		parts := strings.Split(value, "|")
		for j, part := range parts {
			parts[j] = strings.ReplaceAll(regexp.QuoteMeta(strings.Trim(part, `"`)), `\*`, ".*")
		}
		re, err := whole(strings.Join(parts, "|"))
		if err != nil {
			return nil, nil, words[i+1]
		}
		wants = append(wants, condition{name, re, not})
	}
	return fields, wants, ""
}

func wanted(row record, wants []condition) bool {
	for _, w := range wants {
		if w.fits.MatchString(fmt.Sprint(row[w.name])) == w.not {
			return false
		}
	}
	return true
}

// table has columns as wide as their longest cell.
func table(columns []string, rows []record) string {
	lines := make([]strings.Builder, len(rows)+2)
	for i, name := range columns {
		width := len(name)
		for _, row := range rows {
			width = max(width, len(fmt.Sprint(row[name])))
		}
		if i == len(columns)-1 {
			width = 0 // nothing follows it
		}
		gap := " "
		if i == 0 {
			gap = ""
		}
		fmt.Fprintf(&lines[0], "%s%-*s", gap, width, name)
		fmt.Fprintf(&lines[1], "%s%s", gap, strings.Repeat("-", max(width, len(name))))
		for j, row := range rows {
			fmt.Fprintf(&lines[j+2], "%s%-*v", gap, width, row[name])
		}
	}
	var out strings.Builder
	for i := range lines {
		out.WriteString(lines[i].String() + "\n")
	}
	if len(rows) > 1 {
		fmt.Fprintf(&out, "%d entries were displayed.\n", len(rows))
	}
	return out.String() + "\n"
}

// inGB is a size as ONTAP shows it: 97.32GB, 512MB, 0B.
func inGB(bytes any) string {
	switch n := number(bytes); {
	case n < 1<<20:
		return fmt.Sprintf("%dB", n)
	case n < 1<<30:
		return fmt.Sprintf("%dMB", n>>20)
	default:
		return fmt.Sprintf("%.2fGB", float64(n)/(1<<30))
	}
}

// lasted is an uptime as ONTAP shows it: 83 days 08:00:00.
func lasted(seconds any) string {
	n := number(seconds)
	text := onClock(time.Duration(n%86400) * time.Second)
	if days := n / 86400; days > 0 {
		text = fmt.Sprintf("%d days %s", days, text)
	}
	return text
}

// section is the part of a FortiOS configuration that begins with a line and ends with the `end` of the
// same depth; "" if there is none.
func section(config, begin string) string {
	var out strings.Builder
	indent := ""
	for line := range strings.Lines(config) {
		text := strings.TrimRight(line, "\n")
		if out.Len() == 0 {
			if strings.TrimLeft(text, " ") != begin {
				continue
			}
			indent = text[:len(text)-len(begin)]
		}
		out.WriteString(strings.TrimPrefix(text, indent) + "\n")
		if text == indent+"end" {
			return out.String()
		}
	}
	return ""
}
