package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Writer filters what goes through it, however it is cut into writes: what may be the
// beginning of a value is held back until the next bytes tell, Flush at the latest.
//
// JSON stays JSON: where a line begins with {, only the insides of string values are
// changed, never keys, numbers or structure, until that object ends. What turns out not
// to be JSON is filtered as text.
type Writer struct {
	mu   sync.Mutex
	to   io.Writer
	f    *Filter
	held []byte // text whose fate is open
	json *lexer // nil: plain text
	mid  bool   // in the middle of a line of plain text
}

// Writer makes a Writer on to. Of a nil Filter it lets everything through.
func (f *Filter) Writer(to io.Writer) *Writer { return &Writer{to: to, f: f} }

// Write gives len(p) unless the writer below fails; then how much of p has left is unknown.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return w.to.Write(p) //nolint:wrapcheck // it stands for the writer below
	}
	if err := w.leave(w.take(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush lets out what was held back.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil
	}
	if w.json != nil {
		w.held, w.json = w.json.token, nil
	}
	return w.leave(w.plain(nil, nil, true))
}

func (w *Writer) leave(out []byte) error {
	if len(out) == 0 {
		return nil
	}
	if _, err := w.to.Write(out); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// take gives what can leave now.
func (w *Writer) take(p []byte) []byte {
	var out []byte
	for len(p) > 0 {
		if w.json == nil && !w.mid && len(w.held) == 0 && p[0] == '{' {
			w.json = &lexer{}
		}
		if w.json != nil {
			out, p = w.structured(out, p)
			continue
		}
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		out = w.plain(out, p[:end], false)
		p = p[end:]
	}
	return out
}

// plain filters text that is no JSON.
func (w *Writer) plain(out, p []byte, end bool) []byte {
	text := slices.Concat(w.held, p)
	if len(text) == 0 {
		return out
	}
	t := w.f.scan(out, text, end)
	if end && t.hits == 0 && len(out) == 0 {
		t.out = text
	}
	w.held = t.rest
	w.mid = text[len(text)-1] != '\n'
	return t.out
}

// structured filters JSON, as far as it is that.
func (w *Writer) structured(out, p []byte) (kept, rest []byte) {
	for i, c := range p {
		switch w.json.next(c) {
		case noJSON: // after all: from here to the line's end it is text
			w.held, w.json, w.mid = w.json.token, nil, true
			return out, p[i:]
		case outside:
			out = append(out, c)
		case ends:
			out = append(out, w.text(w.json.take())...)
		case within:
		}
		if w.json.over() {
			w.json = nil
			return out, p[i+1:]
		}
	}
	return out, nil
}

// text filters one string of JSON, quotes and escapes included.
func (w *Writer) text(token []byte, key bool) []byte {
	var value string
	if key || json.Unmarshal(token, &value) != nil {
		return token
	}
	clean := w.f.Text(value)
	if clean == value {
		return token
	}
	out, err := json.Marshal(clean)
	if err != nil {
		return []byte(`"` + Hidden + `"`)
	}
	return out
}
