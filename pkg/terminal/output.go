package terminal

import (
	"bytes"
	"regexp"
)

const (
	tailSize = 2048 // bytes of the end that patterns of several lines see
	tailRows = 5
)

// output keeps the first limit bytes of the lines, and always the last ones.
type output struct {
	limit int
	kept  []byte
	cut   bool // something was dropped
	tail  []byte
	marks [tailRows]mark // of the last lines, newest last
}

// mark is what must be known of a line to put a wrapped one together.
type mark struct {
	width int
	cut   bool // log lines followed it
}

// add takes a line; whole says that a newline ended it.
func (o *output) add(line []byte, whole bool) {
	o.keep(line)
	if whole {
		o.keep([]byte{'\n'})
	}
	o.tail = append(o.tail, line[max(0, len(line)-tailSize):]...)
	if whole {
		o.tail = append(o.tail, '\n')
	}
	if len(o.tail) > 4*tailSize {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-tailSize:]...)
	}
	logs := len(line) == 0 && o.marks[tailRows-1].cut
	copy(o.marks[:], o.marks[1:])
	o.marks[tailRows-1] = mark{width: len(line), cut: logs}
}

func (o *output) keep(p []byte) {
	room := o.limit - len(o.kept)
	if o.cut || room < len(p) {
		o.cut = true
		p = p[:min(len(p), max(0, room))]
	}
	o.kept = append(o.kept, p...)
}

// asyncFollows notes that a log line came after the last line.
func (o *output) asyncFollows() { o.marks[tailRows-1].cut = true }

// forget makes the tail start here: what stands before was answered.
func (o *output) forget() { o.tail, o.marks = o.tail[:0], [tailRows]mark{} }

// lastLine is the last finished line with something on it.
func (o *output) lastLine() []byte {
	text := bytes.TrimRight(o.tail, "\n")
	return bytes.Clone(text[bytes.LastIndexByte(text, '\n')+1:])
}

// unsay takes the last line back.
func (o *output) unsay(line []byte) {
	if kept := bytes.TrimRight(o.kept, "\n"); !o.cut && bytes.HasSuffix(kept, line) {
		o.kept = kept[:len(kept)-len(line)]
	}
	o.forget()
}

// lastRows are the last lines of the tail, with the unfinished one.
func (o *output) lastRows(partial []byte, rows int) []byte {
	from := len(o.tail)
	for range rows - 1 {
		end := max(0, from-1)
		from = bytes.LastIndexByte(o.tail[:end], '\n') + 1
	}
	from = max(from, len(o.tail)-tailSize)
	return append(bytes.Clone(o.tail[from:]), partial...)
}

// joined are the same, with lines put together that a log line or the width had cut.
func (o *output) joined(partial []byte) []byte {
	lines := bytes.Split(o.lastRows(partial, tailRows), []byte{'\n'})
	var out []byte
	for i, line := range lines {
		out = append(out, line...)
		at := tailRows - (len(lines) - 1) + i
		if i < len(lines)-1 && !(at >= 0 && o.marks[at].wraps()) {
			out = append(out, '\n')
		}
	}
	return out
}

// terminalWidth is the width of terminals that take no other.
const terminalWidth = 79

func (m mark) wraps() bool { return m.cut || m.width >= terminalWidth }

// hit tells whether one of the patterns matches in text.
func hit(list []*regexp.Regexp, text []byte) bool {
	for _, re := range list {
		if re.Match(text) {
			return true
		}
	}
	return false
}

// hitEnd gives the last match of re that reaches the end of text, but for blanks, of
// which it is shown one at most.
func hitEnd(re *regexp.Regexp, text []byte) []int {
	end := len(bytes.TrimRight(text, " \t"))
	text = text[:min(end+1, len(text))]
	all := re.FindAllSubmatchIndex(text, -1)
	if len(all) == 0 || end == 0 {
		return nil
	}
	last := all[len(all)-1]
	if last[1] < end || last[0] == last[1] {
		if len(all) < 2 || all[len(all)-2][1] < end {
			return nil
		}
		last = all[len(all)-2]
	}
	return last
}
