package journal

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/patchring/patchring/pkg/statedir"
)

// sick is a disk on which the nth call of each kind fails; a failed write has put
// half of its bytes there.
type sick struct {
	disk
	cause                        error
	failWrite, failSync, failCut int // the nth; 0: never
}

func count(n *int) bool { *n--; return *n == 0 }

func (s *sick) WriteAt(p []byte, at int64) (int, error) {
	if count(&s.failWrite) {
		n, _ := s.disk.WriteAt(p[:len(p)/2], at)
		return n, s.cause
	}
	return s.disk.WriteAt(p, at)
}

func (s *sick) Sync() error {
	if count(&s.failSync) {
		return s.cause
	}
	return s.disk.Sync()
}

func (s *sick) Truncate(size int64) error {
	if count(&s.failCut) {
		return s.cause
	}
	return s.disk.Truncate(size)
}

func fresh(t *testing.T, path string) *Dir {
	t.Helper()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = d.Close(), root.Close() })
	return d
}

func newFolder(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, statedir.JournalName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rec(n int) Record {
	return Record{Kind: "k", Actor: "a", Payload: json.RawMessage([]byte{'0' + byte(n)})}
}

func lastSeq(t *testing.T, d *Dir) (last uint64) {
	t.Helper()
	if err := d.Read(t.Context(), 1, func(r Record) error { last = r.Seq; return nil }); err != nil {
		t.Fatal(err)
	}
	return last
}

// A disk that fails at the Nth write or sync: that append fails, those before it
// stand, nothing of it counts, and once the disk is well the journal goes on.
func TestFailAtTheNth(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		for n := 1; n <= 4; n++ {
			for kind, disk := range map[string]*sick{"write": {failWrite: n}, "sync": {failSync: n}} {
				disk.cause = cause
				t.Run(kind+" "+cause.Error(), func(t *testing.T) { failAt(t, disk, n) })
			}
		}
	}
}

func failAt(t *testing.T, ill *sick, n int) {
	t.Helper()
	path := newFolder(t)
	d := fresh(t, path)
	ill.disk = d.disk
	d.disk = ill
	var after uint64
	for i := 1; i < n; i++ {
		if err := d.Append(t.Context(), after, rec(1), rec(2)); err != nil {
			t.Fatal(err)
		}
		after += 2
	}
	if err := d.Append(t.Context(), after, rec(3), rec(4)); !errors.Is(err, ill.cause) {
		t.Fatalf("append %d: %v, want %v", n, err, ill.cause)
	}
	if got := lastSeq(t, fresh(t, path)); got != after {
		t.Fatalf("after the failure the last record is %d, want %d", got, after)
	}
	if err := d.Append(t.Context(), after, rec(5)); err != nil {
		t.Fatalf("the disk is well again, but: %v", err)
	}
	if got := lastSeq(t, fresh(t, path)); got != after+1 {
		t.Fatalf("the last record is %d, want %d", got, after+1)
	}
}

// When a failed write can't even be taken back, the journal takes nothing more from
// this process; the next one finds whole records or a torn tail, and goes on.
func TestFailAndStay(t *testing.T) {
	path := newFolder(t)
	d := fresh(t, path)
	if err := d.Append(t.Context(), 0, rec(1)); err != nil {
		t.Fatal(err)
	}
	d.disk = &sick{disk: d.file, cause: syscall.EIO, failWrite: 1, failCut: 1}
	for range 2 {
		if err := d.Append(t.Context(), 1, rec(2), rec(3)); !errors.Is(err, syscall.EIO) {
			t.Fatalf("append: %v", err)
		}
	}
	next := fresh(t, path)
	last := lastSeq(t, next)
	if err := next.Append(context.WithoutCancel(t.Context()), last, rec(4)); err != nil {
		t.Fatal(err)
	}
	if got := lastSeq(t, fresh(t, path)); got != last+1 {
		t.Errorf("the last record is %d, want %d", got, last+1)
	}
}
