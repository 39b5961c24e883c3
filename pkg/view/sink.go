package view

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/report"
)

const (
	patience = 5 * time.Second // how long Close waits for a reader that takes nothing
	piece    = 16 << 10        // bytes of one write: a slow reader must be told from none
)

// sink is a writer that remembers its first error and its end. After either,
// nothing more is written.
type sink struct {
	w      io.Writer
	moved  chan struct{} // of capacity 1: something was written; nil: nobody waits for that
	gone   atomic.Bool   // nobody reads any more
	err    error
	closed bool
}

// watched is a sink that can be waited for.
func watched(w io.Writer) *sink { return &sink{w: w, moved: make(chan struct{}, 1)} }

func (s *sink) print(text string) {
	for text != "" && s.err == nil && !s.closed && !s.gone.Load() {
		n := min(len(text), piece)
		if _, err := io.WriteString(s.w, text[:n]); err != nil {
			s.err = fmt.Errorf("show the run: %w", err)
		}
		text = text[n:]
		select {
		case s.moved <- struct{}{}:
		default:
		}
	}
}

func (s *sink) document(d report.Document, f report.Format, o report.Options) {
	text, err := render(d, f, o)
	if err != nil && s.err == nil {
		s.err = err
		return
	}
	s.print(text)
}

func render(d report.Document, f report.Format, o report.Options) (string, error) {
	var out strings.Builder
	if err := report.Write(&out, d, f, o); err != nil {
		return "", fmt.Errorf("show the final document: %w", err)
	}
	return out.String(), nil
}

func (s *sink) end() error {
	s.closed = true
	return s.err
}

// await waits until the goroutine that writes is done, and gives its error. However
// long that takes, it waits while something is read; it gives up when nothing is.
func (s *sink) await(done <-chan struct{}) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return s.err
		case <-s.moved:
			timer.Reset(patience)
		case <-timer.C:
			s.gone.Store(true)
			return &fault.Error{
				Kind: fault.GiveUp, Code: fault.Internal,
				What: fmt.Sprintf("the output was not shown to its end: nobody has read it for %v", patience),
				Hint: "the rollout did not wait for that, and its journal is whole; see: patchring status",
			}
		}
	}
}

func trimRight(line string) string { return strings.TrimRight(line, " ") }
