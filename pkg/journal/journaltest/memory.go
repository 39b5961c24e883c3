// Package journaltest holds what tests of and with journals need: a journal in
// memory, and the suite that every journal must pass.
package journaltest

import (
	"context"
	"fmt"
	"sync"

	"github.com/patchring/patchring/pkg/journal"
)

// Memory is a journal that lives as long as its value. The zero value is empty.
type Memory struct {
	mu    sync.Mutex
	lines [][]byte
	end   journal.Mark
	// Fail, where set, is asked before each append; its error is what Append gives.
	Fail func(records []journal.Record) error
}

var _ journal.Journal = (*Memory)(nil)

// Append implements journal.Journal.
func (m *Memory) Append(ctx context.Context, after uint64, records ...journal.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if m.end.Seq != after {
		return fmt.Errorf("append: %w", journal.ErrMoved)
	}
	if m.Fail != nil {
		if err := m.Fail(records); err != nil {
			return err
		}
	}
	end, lines := m.end, m.lines
	for _, r := range records {
		line, mark, err := journal.Line(end, r)
		if err != nil {
			return fmt.Errorf("append: %w", err)
		}
		lines, end = append(lines, line), mark
	}
	m.lines, m.end = lines, end
	return nil
}

// Read implements journal.Journal.
func (m *Memory) Read(ctx context.Context, from uint64, fn func(journal.Record) error) error {
	m.mu.Lock()
	lines := m.lines
	m.mu.Unlock()
	var at journal.Mark
	for _, line := range lines {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		r, next, err := journal.Parse(at, line)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		at = next
		if r.Seq < from {
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// Cut gives a journal that holds the first n records only, as if the process had
// ended there.
func (m *Memory) Cut(n uint64) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	cut := &Memory{}
	for _, line := range m.lines[:min(n, uint64(len(m.lines)))] {
		_, cut.end, _ = journal.Parse(cut.end, line)
		cut.lines = append(cut.lines, line)
	}
	return cut
}
