package journal

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/patchring/patchring/pkg/statedir"
)

// machine is what a sick disk is part of. It counts what is asked of the disk, makes
// one of it fail, and knows what would be left of the journal after a power cut.
type machine struct {
	asked  []string // "write", "cut", "sync", "sync of the folder"
	failAt int      // the index in asked; less than 0: never
	ill    illness
	synced []byte // the journal as of its last good sync
}

// illness is one way to fail.
type illness struct {
	name  string
	cause error               // nil of a write: it is short, and the disk does not say so
	short func(whole int) int // how much of a failing write arrives
}

func illnesses() []illness {
	nothing := func(int) int { return 0 }
	half := func(n int) int { return n / 2 }
	nearly := func(n int) int { return n - 1 }
	whole := func(n int) int { return n }
	return []illness{
		{"ENOSPC, nothing written", syscall.ENOSPC, nothing},
		{"ENOSPC, half written", syscall.ENOSPC, half},
		{"EIO, all but the newline written", syscall.EIO, nearly},
		{"EIO, all written", syscall.EIO, whole},
		{"short without an error", nil, half},
	}
}

// disk wraps each file that the journal writes.
func (m *machine) disk(f *os.File) disk { return &sick{machine: m, file: f} }

// fails counts, and tells whether this is the time.
func (m *machine) fails(what string) bool {
	m.asked = append(m.asked, what)
	return len(m.asked)-1 == m.failAt
}

func (m *machine) error() error {
	if m.ill.cause == nil {
		return syscall.EIO // a sync or a cut can't be short
	}
	return m.ill.cause
}

type sick struct {
	*machine
	file *os.File
}

func (s *sick) WriteAt(p []byte, at int64) (int, error) {
	if !s.fails("write") {
		return s.file.WriteAt(p, at)
	}
	n, err := s.file.WriteAt(p[:s.ill.short(len(p))], at)
	if err != nil {
		return n, err
	}
	return n, s.ill.cause
}

func (s *sick) Truncate(size int64) error {
	if s.fails("cut") {
		return s.error()
	}
	return s.file.Truncate(size)
}

func (s *sick) Sync() error {
	what := "sync"
	if info, err := s.file.Stat(); err == nil && info.IsDir() {
		what = "sync of the folder"
	}
	if s.fails(what) {
		return s.error()
	}
	if err := s.file.Sync(); err != nil || filepath.Base(s.file.Name()) != statedir.JournalName {
		return err
	}
	content, err := os.ReadFile(s.file.Name())
	s.synced = content
	return err
}
