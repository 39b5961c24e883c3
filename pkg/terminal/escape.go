package terminal

// state is where the reader of control sequences stands (ECMA-48, VT100).
type state uint8

const (
	ground state = iota
	escaped
	between // ESC and an intermediate byte: one more follows
	control // ESC [ …
	text    // ESC ] … BEL, or another string of the device that is not shown
	textEnd // an ESC in it: a backslash ends it
)

const (
	maxControl = 64   // bytes of one control sequence; a longer one is broken off
	maxText    = 4096 // bytes of a string that is not shown
)

// escape collects one control sequence.
type escape struct {
	state state
	size  int
	args  [2]int
	arg   int
}

// step takes a byte that is a part of a sequence. Final is the byte that ends one that
// moves or erases; again is true where the byte ended a broken one and stands for itself.
func (e *escape) step(b byte) (final byte, again bool) {
	switch e.state {
	case escaped:
		return e.second(b)
	case between:
		e.state = ground
	case control:
		return e.parameter(b)
	case text, textEnd:
		e.string(b)
		return 0, e.state == ground && b == '\n'
	case ground:
	}
	return 0, false
}

// lineDown stands for ESC E and ESC D among the finals.
const lineDown = '\n'

func (e *escape) second(b byte) (final byte, again bool) {
	*e = escape{}
	switch {
	case b == '[':
		e.state = control
	case b == ']' || b == 'P' || b == '_' || b == '^' || b == 'X':
		e.state = text
	case b == 0x1b:
		e.state = escaped
	case b >= 0x20 && b <= 0x2f:
		e.state = between
	case b == 'E' || b == 'D':
		return lineDown, false
	case b < 0x20:
		return 0, true
	}
	return 0, false
}

func (e *escape) parameter(b byte) (final byte, again bool) {
	e.size++
	switch {
	case b == 0x1b:
		*e = escape{state: escaped}
	case b < 0x20, e.size > maxControl:
		e.state = ground
		return 0, true
	case b >= '0' && b <= '9':
		if e.arg < len(e.args) {
			e.args[e.arg] = min(e.args[e.arg]*10+int(b-'0'), maxColumn)
		}
	case b == ';':
		e.arg++
	case b >= 0x40:
		e.state = ground
		return b, false
	}
	return 0, false
}

// string drops what is not shown. A newline ends it too: no device may hide its output
// behind a string that it never ends.
func (e *escape) string(b byte) {
	e.size++
	switch {
	case b == 0x07, b == '\n', e.size > maxText, e.state == textEnd && b == '\\':
		e.state = ground
	case b == 0x1b:
		e.state = textEnd
	default:
		e.state = text
	}
}
