package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/patchring/patchring/pkg/report"
)

// sink is a writer that remembers its first error and its end. After either,
// nothing more is written.
type sink struct {
	w      io.Writer
	err    error
	closed bool
}

func (s *sink) print(text string) {
	if s.err != nil || s.closed || text == "" {
		return
	}
	if _, err := io.WriteString(s.w, text); err != nil {
		s.err = fmt.Errorf("show the run: %w", err)
	}
}

func (s *sink) document(d report.Document, f report.Format, o report.Options) {
	var out strings.Builder
	if err := report.Write(&out, d, f, o); err != nil && s.err == nil {
		s.err = fmt.Errorf("show the final document: %w", err)
		return
	}
	s.print(out.String())
}

func (s *sink) end() error {
	s.closed = true
	return s.err
}

func trimRight(line string) string { return strings.TrimRight(line, " ") }
