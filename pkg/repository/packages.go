package repository

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxField bounds a field that is kept; descriptions and dependencies may be longer.
const maxField = 4096

// The fields of a Packages stanza that are kept.
const (
	fieldPackage = iota
	fieldVersion
	fieldArch
	fieldFile
	fieldSize
	fieldSHA256
	fieldCount
	fieldOther = -1
)

// stanza collects the fields of one paragraph in buffers that are used again, so that
// 60 000 packages that nobody wants cost no memory.
type stanza struct {
	value [fieldCount][]byte
	seen  [fieldCount]bool
	any   bool // a line was there
	last  int
}

func (s *stanza) reset() {
	for i := range s.value {
		s.value[i], s.seen[i] = s.value[i][:0], false
	}
	s.any, s.last = false, fieldOther
}

// readPackages reads a Packages file and calls add for every wanted stanza.
func readPackages(r io.Reader, want wanted, add func(Entry) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var s stanza
	s.reset()
	start := true // of a line, not the rest of a long one
	for {
		line, err := in.ReadSlice('\n')
		ended := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return fmt.Errorf("packages file: %w", err)
		}
		if err := s.line(line, start, want, add); err != nil {
			return fmt.Errorf("packages file: %w", err)
		}
		if errors.Is(err, io.EOF) {
			return s.flush(want, add)
		}
		start = ended
	}
}

// line takes one line, or the next piece of a long one.
func (s *stanza) line(line []byte, start bool, want wanted, add func(Entry) error) error {
	if !start || len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
		if s.last != fieldOther {
			return fmt.Errorf("a field of more than one line, or too long: %w", ErrFormat)
		}
		return nil
	}
	line = bytes.TrimRight(line, "\r\n")
	if len(bytes.TrimSpace(line)) == 0 {
		return s.flush(want, add)
	}
	return s.field(line)
}

func (s *stanza) field(line []byte) error {
	s.any = true
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return fmt.Errorf("line %s: %w", quote(string(line[:min(len(line), 60)])), ErrFormat)
	}
	s.last = fieldOf(line[:colon])
	if s.last == fieldOther {
		return nil
	}
	value := bytes.TrimSpace(line[colon+1:])
	if s.seen[s.last] || len(value) > maxField {
		return fmt.Errorf("field %s given twice, or too long: %w", quote(string(line[:colon])), ErrFormat)
	}
	s.seen[s.last] = true
	s.value[s.last] = append(s.value[s.last], value...)
	return nil
}

// fieldOf knows the fields' names without regard to case, as deb822 has it. Their
// lengths come first, since this is asked of a million lines.
func fieldOf(name []byte) int {
	is := func(want string, field int) int {
		if strings.EqualFold(string(name), want) {
			return field
		}
		return fieldOther
	}
	switch len(name) {
	case len("Size"):
		return is("Size", fieldSize)
	case len("SHA256"):
		return is("SHA256", fieldSHA256)
	case len("Package"): // and Version, which is as long
		if f := is("Package", fieldPackage); f != fieldOther {
			return f
		}
		return is("Version", fieldVersion)
	case len("Filename"):
		return is("Filename", fieldFile)
	case len("Architecture"):
		return is("Architecture", fieldArch)
	}
	return fieldOther
}

// flush ends a stanza: an entry, if it is wanted.
func (s *stanza) flush(want wanted, add func(Entry) error) error {
	defer s.reset()
	if !s.any {
		return nil
	}
	if !s.seen[fieldPackage] {
		return fmt.Errorf("a stanza without Package: %w", ErrFormat)
	}
	if !want.has(s.value[fieldPackage]) {
		return nil
	}
	e, err := s.entry()
	if err != nil {
		return fmt.Errorf("package %s: %w", quote(string(s.value[fieldPackage])), err)
	}
	return add(e)
}

func (s *stanza) entry() (Entry, error) {
	e := Entry{
		Name: string(s.value[fieldPackage]), Arch: string(s.value[fieldArch]),
		Version: string(s.value[fieldVersion]), File: string(s.value[fieldFile]),
	}
	var err error
	if e.Size, err = number(string(s.value[fieldSize])); err != nil || !s.seen[fieldSHA256] {
		return e, err
	}
	e.Digest, err = sha256Digest(string(s.value[fieldSHA256]))
	return e, err
}
