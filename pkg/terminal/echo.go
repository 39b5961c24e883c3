package terminal

import (
	"bytes"
	"slices"

	"github.com/patchring/patchring/pkg/remote"
)

// maxBefore is how many lines that are no echo may come before it.
const maxBefore = 8

// echo takes the echo of what was sent out of the output: wrapped anywhere, cut by log
// lines, after a redrawn prompt, twice, or not there at all.
type echo struct {
	want    []byte // without blanks, which wrapping adds and takes away
	got     int    // bytes of want seen so far
	held    [][]byte
	others  int
	waiting bool
	again   bool // it has just been seen: it may come once more
	seen    bool
}

func newEcho(sent string) echo {
	want := squeeze([]byte(sent))
	return echo{want: want, waiting: len(want) > 0}
}

func squeeze(p []byte) []byte {
	out := make([]byte, 0, len(p))
	for _, b := range p {
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			out = append(out, b)
		}
	}
	return out
}

// take looks at a whole line, whose prompt was cut off (bare says that nothing else stood
// on it). It gives the lines that turned out to be output.
func (e *echo) take(line, whole []byte, bare bool) [][]byte {
	l := squeeze(line)
	switch {
	case bare: // a prompt that was drawn again
		return nil
	case len(l) == 0:
		e.hold(whole)
		return nil
	case bytes.HasPrefix(e.want[e.got:], l):
		e.got += len(l)
	case bytes.HasPrefix(e.want, l):
		e.got = len(l)
	case e.scrolled(l):
		e.got = len(e.want)
	default:
		return e.other(whole)
	}
	e.hold(whole)
	if e.got == len(e.want) {
		e.waiting, e.seen, e.again, e.held = false, true, true, nil
	}
	return nil
}

// missing tells whether what was sent has an echo, and it was not seen.
func (e *echo) missing() bool { return len(e.want) > 0 && !e.seen }

// leastScrolled is what must be there at least of a line that is cut.
const leastScrolled = 8

// scrolled: a line longer than the device's own idea of the width is shown by its end, after
// a "$".
func (e *echo) scrolled(line []byte) bool {
	end, cut := bytes.CutPrefix(line, []byte("$"))
	return cut && len(end) >= leastScrolled && bytes.HasSuffix(e.want, end)
}

func (e *echo) hold(line []byte) {
	e.held = append(e.held, bytes.Clone(line))
	if len(e.held) > maxBefore*2 {
		e.held = e.held[1:]
	}
}

// other is a line that is no echo; the echo may still come.
func (e *echo) other(whole []byte) [][]byte {
	e.others++
	e.got = 0
	e.waiting = e.others < maxBefore
	return append(e.rest(), whole)
}

// rest gives back what was held.
func (e *echo) rest() [][]byte {
	held := e.held
	e.held = nil
	return held
}

// twice tells whether the line right after the echo is the same once more.
func (e *echo) twice(line []byte) bool {
	if !e.again || len(bytes.TrimSpace(line)) == 0 {
		return false
	}
	e.again = false
	return bytes.Equal(squeeze(line), e.want)
}

// astray: the device echoes, and has not echoed this line. So what stands there belongs to
// the line before, and nothing is decided by it: a prompt least of all. Only a Stop counts.
func (t *Terminal) astray(v view, p found) (step, bool) {
	if !t.unechoed() || !p.ok && !t.asked(v) {
		return step{}, false
	}
	if _, stops := t.stop(v, p); stops {
		return step{}, false
	}
	return step{lateEcho, func() { t.flush(); t.end(remote.Lost, false) }}, true
}

func (t *Terminal) unechoed() bool { return t.echoes && t.talk.echo.missing() }

// asked tells whether a question of the table stands there.
func (t *Terminal) asked(v view) bool {
	return !v.blank() && !t.echoing(v) && slices.ContainsFunc(t.talk.rows, func(r asked) bool { return r.covers(v) })
}
