package remote

import (
	"bytes"
	"fmt"
	"strconv"
)

// Frame is one section of what one script printed. Framing lets one exec answer
// many questions: each section has its own output and exit status.
//
// The script prints, for each section (the mark is "@@" and a nonce that the
// caller made up for this one run and passed as an argument, so that nothing that a
// section prints can be taken for a frame by chance or by design):
//
//	@@NONCE begin NAME
//	… output; a newline is added after it …
//	@@NONCE end CODE
//
// and last of all "@@NONCE eof". Names are single words.
type Frame struct {
	Name string
	Body []byte // as it came: not cleaned
	Code int
}

// Frames reads the sections in order. Text before, between and after them is
// skipped: login scripts and wrappers like to talk. A missing end or eof is an
// error: the output was cut, and what is missing must not look like nothing.
func Frames(out []byte, nonce string) ([]Frame, error) {
	r := frameReader{mark: []byte("@@" + nonce + " ")}
	for len(out) > 0 && !r.eof {
		line, rest, whole := bytes.Cut(out, []byte("\n"))
		word, marked := bytes.CutPrefix(line, r.mark)
		switch {
		case !marked && r.open:
			r.keep(line)
		case marked && whole:
			if err := r.step(string(word)); err != nil {
				return nil, err
			}
		}
		out = rest
	}
	if !r.eof {
		return nil, fmt.Errorf("the output ends early, after %d whole sections", len(r.frames))
	}
	return r.frames, nil
}

type frameReader struct {
	mark   []byte
	frames []Frame
	name   string
	body   []byte
	open   bool
	eof    bool
}

func (r *frameReader) keep(line []byte) {
	r.body = append(append(r.body, line...), '\n')
}

func (r *frameReader) step(word string) error {
	kind, value, _ := bytes.Cut([]byte(word), []byte(" "))
	switch {
	case string(kind) == "begin" && !r.open && len(value) > 0:
		r.name, r.body, r.open = string(value), nil, true
		return nil
	case string(kind) == "end" && r.open:
		return r.end(string(value))
	case string(kind) == "eof" && !r.open:
		r.eof = true
		return nil
	}
	return fmt.Errorf("unexpected frame %q", Clean(word, 40))
}

func (r *frameReader) end(code string) error {
	n, err := strconv.Atoi(code)
	if err != nil || n < 0 || n > 255 {
		return fmt.Errorf("section %q has no exit status", Clean(r.name, 40))
	}
	// One newline is the script's own, so that a last line without one stays whole.
	body := bytes.TrimSuffix(r.body, []byte("\n"))
	r.frames = append(r.frames, Frame{Name: r.name, Body: body, Code: n})
	r.open = false
	return nil
}
