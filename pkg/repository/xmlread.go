package repository

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxDepth = 32
	maxToken = 4 << 20 // one text or tag: advisories have long descriptions
)

// element is where the reader stands: names from the root's children on, and the
// attributes of the last one.
type element struct {
	path []string
	attr []xml.Attr
}

// at tells whether the element is the one at this path below the root.
func (e element) at(path ...string) bool { return slices.Equal(e.path, path) }

func (e element) get(name string) string {
	for _, a := range e.attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// xmlHandler gets the document piece by piece. Texts are the direct texts of an
// element, trimmed and bounded by maxField.
type xmlHandler interface {
	start(e element) error
	end(path []string, text string) error
}

// readXML streams a document through h. Depth and the size of each token are bounded,
// so that memory is too, whatever the size of the document.
func readXML(r io.Reader, root string, h xmlHandler) error {
	budget := &tokenBudget{from: r}
	w := xmlWalk{d: xml.NewDecoder(budget), h: h, root: root}
	for {
		budget.left = maxToken
		token, err := w.d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.take(token)
		}
		if err != nil {
			return xmlError(err)
		}
	}
	if !w.complete {
		return fmt.Errorf("xml without <%s>: %w", root, ErrFormat)
	}
	return nil
}

func xmlError(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return fmt.Errorf("xml, line %d: %w", syntax.Line, ErrFormat)
	}
	return err
}

type xmlWalk struct {
	d        *xml.Decoder
	h        xmlHandler
	root     string
	inRoot   bool
	complete bool
	path     []string
	text     []byte
}

func (w *xmlWalk) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return w.open(t)
	case xml.EndElement:
		return w.close()
	case xml.CharData:
		if len(w.text) <= maxField {
			w.text = append(w.text, t[:min(len(t), maxField)]...)
		}
	}
	return nil
}

func (w *xmlWalk) open(t xml.StartElement) error {
	w.text = w.text[:0]
	if !w.inRoot {
		if t.Name.Local != w.root || w.complete {
			return fmt.Errorf("xml of another kind, <%s>: %w", clean(t.Name.Local), ErrFormat)
		}
		w.inRoot = true
		return nil
	}
	if len(w.path) >= maxDepth {
		return fmt.Errorf("xml nesting: %w", ErrTooBig)
	}
	w.path = append(w.path, t.Name.Local)
	return w.h.start(element{w.path, t.Attr})
}

func (w *xmlWalk) close() error {
	if len(w.path) == 0 {
		w.inRoot, w.complete = false, true
		return nil
	}
	text := strings.TrimSpace(string(w.text[:min(len(w.text), maxField)]))
	err := w.h.end(w.path, text)
	w.path, w.text = w.path[:len(w.path)-1], w.text[:0]
	return err
}

// tokenBudget fails a read that would make a single token too large: the decoder
// collects a token in memory, and a hostile one never ends.
type tokenBudget struct {
	from io.Reader
	left int
}

func (t *tokenBudget) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, fmt.Errorf("a piece of the xml: %w", ErrTooBig)
	}
	n, err := t.from.Read(p)
	t.left -= n
	return n, err
}
