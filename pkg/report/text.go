package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/patchring/patchring/pkg/remote"
)

// maxText bounds every text of a document, in bytes. A reason is a sentence; what
// is longer belongs into a log.
const maxText = 1000

// clean makes any text one bounded line without control characters. The
// constructors use it on all that a host may have had a hand in, the renderers
// again on every cell: neither relies on the other.
func clean(text string) string { return remote.Clean(text, maxText) }

// cleanDrawn cleans a line of a drawing and keeps the blanks that it begins with.
func cleanDrawn(line string) string {
	rest := strings.TrimLeft(line, " ")
	return line[:len(line)-len(rest)] + clean(rest)
}

func cleanAll(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		if c := clean(t); c != "" {
			out = append(out, c)
		}
	}
	return out
}

// Width is how many columns of a terminal the text takes; escape sequences of
// colour take none.
func Width(text string) int { return twwidth.WidthWithOptions(text, twwidth.Options{}) }

// Truncate cuts text to at most width columns, the last being an ellipsis.
func Truncate(text string, width int) string {
	if Width(text) <= width {
		return text
	}
	head := headOf(text, width-1)
	if width < 1 {
		return ""
	}
	return head + "…"
}

// headOf gives the longest beginning of at most width columns.
func headOf(text string, width int) string {
	end := 0
	for i, r := range text {
		next := i + len(string(r))
		if Width(text[:next]) > width {
			return text[:end]
		}
		end = next
	}
	return text
}

// Wrap breaks text at spaces into as many lines of at most width columns as it
// takes; a word that is wider is broken.
func Wrap(text string, width int) []string { return wrap(text, width, math.MaxInt) }

// wrap breaks text at spaces into lines of at most width columns; a word that is
// wider is broken anywhere. What is beyond the last line becomes an ellipsis.
func wrap(text string, width, maxLines int) []string {
	width = max(width, 1)
	var lines []string
	line := ""
	for _, word := range words(text, width) {
		if line != "" && Width(line)+1+Width(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		var whole []string
		whole, line = chop(word, width)
		lines = append(lines, whole...)
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	if len(lines) <= maxLines {
		return lines
	}
	lines = lines[:maxLines]
	lines[maxLines-1] = Truncate(lines[maxLines-1]+" …", width)
	return lines
}

// words are what lines are broken between. An arrow stays with what it points to
// where both fit into a line of the given width.
func words(text string, width int) []string {
	var out []string
	for word := range strings.FieldsSeq(text) {
		if n := len(out); n > 0 && out[n-1] == "->" && Width(word)+3 <= width {
			out[n-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

// chop breaks one word into full lines and a rest that fits.
func chop(word string, width int) (full []string, rest string) {
	for Width(word) > width {
		head := headOf(word, width)
		if head == "" { // one rune is wider than the line
			return append(full, "…"), ""
		}
		// Names and versions are easier to read when they break behind a sign.
		if at := strings.LastIndexAny(head, "-/.+~_:,;=") + 1; at > len(head)/2 {
			head = head[:at]
		}
		full, word = append(full, head), word[len(head):]
	}
	return full, word
}

// Size is a number of bytes for people; unknown is "?".
func size(bytes int64) string {
	switch {
	case bytes <= 0:
		return "?"
	case bytes < 1<<10:
		return strconv.FormatInt(bytes, 10) + " B"
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}

// seconds is a duration for people, e.g. "45s", "3m05s", "2h03m".
func seconds(s int64) string {
	switch {
	case s <= 0:
		return ""
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
}

// Elapsed is a duration for people: "45s", "3m05s", "2h03m"; less than a second is "0s".
func Elapsed(d time.Duration) string {
	if d < time.Second {
		return "0s"
	}
	return seconds(int64(d / time.Second))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// count gives "1 host" and "2 hosts".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "x") {
		noun += "e" // fixes
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// some names the first few and counts the rest.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
