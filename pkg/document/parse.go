package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const byteOrderMark = "\xef\xbb\xbf"

// parse gives the one document of the file, or nil after reporting why not.
func (f *File) parse(src []byte) *yaml.Node {
	start := Pos{1, 1}
	if len(src) > MaxBytes {
		f.Errorf(start, "split it, or use ranges such as web-[01:99]", "the file is larger than %d MiB", MaxBytes>>20)
		return nil
	}
	src = bytes.TrimPrefix(src, []byte(byteOrderMark))
	f.source = newSource(string(src))
	if !f.readable(src) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	root, err := next(dec)
	switch {
	case errors.Is(err, io.EOF):
		f.Errorf(start, "begin with `version: 1`", "the file is empty")
		return nil
	case err != nil:
		f.syntax(src, err)
		return nil
	}
	if root = f.single(src, dec, root); root != nil {
		f.source.secretive = false // from here on, secrets are hidden one by one
	}
	return root
}

// single refuses files with more than one document.
func (f *File) single(src []byte, dec *yaml.Decoder, root *yaml.Node) *yaml.Node {
	second, err := next(dec)
	switch {
	case errors.Is(err, io.EOF):
		return root
	case err != nil:
		f.syntax(src, err)
	default:
		f.Errorf(Pos{place(second).Line, 1}, "keep one document in a file; remove the `---` line", "a second document begins here")
	}
	return nil
}

// next reads one document. The library reports its own errors; a panic in it is
// turned into one, because the file is foreign text and must not end the program.
func next(dec *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("the YAML reader gave up: %v", r)
		}
	}()
	n = &yaml.Node{}
	if err := dec.Decode(n); err != nil {
		return nil, err
	}
	return n, nil
}

// readable refuses text that isn't UTF-8 or holds control characters, with the
// place, which the library would not give.
func (f *File) readable(src []byte) bool {
	at := Pos{1, 1}
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			f.Errorf(at, "save the file as UTF-8", "this is not UTF-8 text (byte 0x%02x)", src[i])
			return false
		}
		if isControl(r) {
			f.Errorf(at, "remove it, or write it as an escape in double quotes", "a control character (0x%02x)", r)
			return false
		}
		i += size
		at.Col++
		if isBreak(r) && (r != '\r' || i >= len(src) || src[i] != '\n') {
			at = Pos{at.Line + 1, 1}
		}
	}
	return true
}

// isControl tells what YAML forbids.
func isControl(r rune) bool {
	switch {
	case r == '\t' || isBreak(r):
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return true
	}
	return false
}

func place(n *yaml.Node) Pos { return Pos{max(n.Line, 1), max(n.Column, 1)} }
