package terminal

import (
	"bytes"
	"slices"
)

const (
	maxColumn = 1024 // how far a sequence may move the cursor
	maxLine   = 8192 // bytes of one line; a longer one goes on in pieces
	maxPrompt = 128  // bytes of a line that may be a prompt
)

// screen is the one line that a device is writing on, as a terminal would show it:
// overwritten after a carriage return, rubbed out by backspaces, erased by sequences.
// Its cells are bytes: what overwrites a part of a wider character leaves the rest.
type screen struct {
	escape escape
	line   []byte
	at     int    // where the next byte goes
	base   int    // where a carriage return goes: the start of the wrapped row
	cr     bool   // a carriage return came; whether it moves, the next byte says
	over   bool   // something moved back: blanks at the end may be erased text
	row    int    // that the device moved to by a sequence; 0: it never did
	width  int    // columns
	echo   bool   // the echo of what was sent is awaited: rows narrower than width may wrap
	used   bool   // something came since the line was cleared
	start  int    // where the next line begins
	under  []byte // the line that was there before it was written over, where it was short
}

// ending is what a byte did to the line.
type ending uint8

const (
	open   ending = iota
	ended         // a newline: text is a whole line
	filled        // text is a piece of a line too long to keep
)

// put takes one byte.
func (s *screen) put(b byte) ending {
	if s.escape.state != ground {
		final, again := s.escape.step(b)
		if final != 0 {
			return s.obey(final)
		}
		if !again {
			return open
		}
	}
	switch {
	case b == '\n':
		return ended
	case b == '\r':
		s.cr = true
	case b == '\b':
		s.back(1)
	case b == 0x1b:
		s.escape = escape{state: escaped}
	case b >= 0x20 && b != 0x7f || b == '\t':
		s.write(b)
		if len(s.line) >= maxLine {
			return filled
		}
	}
	return open
}

// plain appends a run of printable bytes at one go, and says how many it took.
func (s *screen) plain(p []byte) int {
	if s.escape.state != ground || s.cr || s.at != len(s.line) {
		return 0
	}
	room := min(len(p), maxLine-1-len(s.line), s.base+s.width-s.at)
	n := 0
	for n < room && p[n] >= 0x20 && p[n] < 0x7f {
		n++
	}
	s.line = append(s.line, p[:n]...)
	s.at += n
	s.used = s.used || n > 0
	return n
}

func (s *screen) write(b byte) {
	s.carry(b)
	if s.at-s.base >= s.width {
		s.base = s.at
	}
	s.pad()
	if s.at < len(s.line) {
		s.line[s.at], s.over = b, true
	} else {
		s.line = append(s.line, b)
	}
	s.at++
	s.used = true
}

// narrow is the narrowest terminal whose wrapped rows are known by " \r".
const narrow = 60

// carry makes a carriage return move, now that something follows it. Where an echo is
// awaited, a blank before it is how line editors wrap a row; others write the next row's first
// byte, and after the return once more.
func (s *screen) carry(next byte) {
	if !s.cr {
		return
	}
	s.cr, s.over, s.used = false, true, true
	if len(s.under) == 0 && len(s.line) <= maxPrompt {
		s.under = append(s.under, s.line...)
	}
	if s.echo && s.at-s.base >= narrow && s.at == len(s.line) && (s.line[s.at-1] == ' ' || s.line[s.at-1] == next) {
		s.base = s.at - 1
	}
	s.at = s.base
}

func (s *screen) pad() {
	for len(s.line) < s.at {
		s.line = append(s.line, ' ')
	}
}

func (s *screen) back(n int) {
	s.carry(0)
	s.at, s.over, s.used = max(0, s.at-n), true, true
	s.base = min(s.base, s.at)
}

// obey does what a sequence says.
func (s *screen) obey(final byte) ending {
	first := s.escape.args[0]
	s.used = s.used || final != 'm'
	switch final {
	case lineDown, 'E':
		return ended
	case 'H', 'f':
		return s.moveTo(first, s.escape.args[1])
	case 'G':
		s.column(first)
	case 'C':
		s.carry(0)
		s.at = min(s.at+max(1, first), s.base+maxColumn)
	case 'D':
		s.back(max(1, first))
	case 'K', 'J':
		s.erase(first)
	case 'P':
		s.carry(0)
		s.line = slices.Delete(s.line, min(s.at, len(s.line)), min(s.at+max(1, first), len(s.line)))
	case 'X':
		s.carry(0)
		blank(s.line[min(s.at, len(s.line)):min(s.at+max(1, first), len(s.line))])
		s.over = true
	case '@':
		s.carry(0)
		s.pad()
		s.line = slices.Insert(s.line, s.at, bytes.Repeat([]byte{' '}, min(max(1, first), maxColumn))...)
	}
	return s.full()
}

func (s *screen) full() ending {
	if len(s.line) >= maxLine {
		return filled
	}
	return open
}

func blank(p []byte) {
	for i := range p {
		p[i] = ' '
	}
}

func (s *screen) column(n int) {
	s.cr, s.over = false, true
	s.at = s.base + max(1, n) - 1
}

// moveTo goes to a row and a column. Some devices (ProCurve) place everything on the last
// row; only another row than the last time is another line.
func (s *screen) moveTo(row, column int) ending {
	row = max(1, row)
	other := s.row != 0 && s.row != row && len(bytes.TrimSpace(s.line)) > 0
	s.row = row
	if other {
		s.start = max(1, column) - 1
		return ended
	}
	s.base = 0
	s.column(column)
	return open
}

func (s *screen) erase(how int) {
	s.carry(0)
	switch how {
	case 0:
		s.line = s.line[:min(s.at, len(s.line))]
	case 1:
		blank(s.line[:min(s.at, len(s.line))])
	default:
		s.line = s.line[:0]
	}
	s.over = true
}

// text is the line as it is shown. Blanks behind the cursor of an overwritten line are
// what is left of erased text.
func (s *screen) text() []byte {
	end := len(s.line)
	for s.over && end > s.at && s.line[end-1] == ' ' {
		end--
	}
	return s.line[:end]
}

func (s *screen) clear() {
	s.line, s.at, s.start, s.base, s.under = s.line[:0], s.start, 0, 0, s.under[:0]
	s.cr, s.over, s.used = false, false, false
}
