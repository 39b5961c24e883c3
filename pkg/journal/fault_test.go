package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/patchring/patchring/pkg/statedir"
)

func fresh(t testing.TB, path string) *Dir {
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

func newFolder(t testing.TB) string {
	t.Helper()
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, statedir.JournalName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rec(n int) Record {
	return Record{Kind: "k", Actor: "a", Payload: json.RawMessage(strconv.Itoa(n))}
}

// run appends a few batches to a journal with a torn tail, as long as it goes. It gives
// the payloads that were reported durable, and the error that ended it.
func run(t *testing.T, d *Dir) (durable []string, err error) {
	t.Helper()
	after, n := uint64(0), 0
	for _, size := range []int{1, 3, 2, 1} {
		var batch []Record
		for range size {
			n++
			batch = append(batch, rec(n))
		}
		if err := d.Append(t.Context(), after, batch...); err != nil {
			return durable, err
		}
		after += uint64(size)
		for _, r := range batch {
			durable = append(durable, string(r.Payload))
		}
	}
	return durable, nil
}

func payloads(t *testing.T, d *Dir) (all []string) {
	t.Helper()
	if err := d.Read(t.Context(), 1, func(r Record) error { all = append(all, string(r.Payload)); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

const torn = `{"v":1,"seq":1,"ti`

func tornFolder(t *testing.T) string {
	t.Helper()
	path := newFolder(t)
	if err := os.WriteFile(filepath.Join(path, statedir.JournalName), []byte(torn), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sickly(t *testing.T, path string, m *machine) *Dir {
	t.Helper()
	d := fresh(t, path)
	d.over = m.disk
	return d
}

// A disk that fails at each thing asked of it in turn, in each way: the append fails,
// and what was reported durable is there, for others and after a power cut.
func TestFailAtTheNth(t *testing.T) {
	well := &machine{failAt: -1}
	if _, err := run(t, sickly(t, tornFolder(t), well)); err != nil {
		t.Fatal(err)
	}
	if len(well.asked) < 12 {
		t.Fatalf("only %v was asked of the disk", well.asked)
	}
	for n, what := range well.asked {
		for _, ill := range illnesses() {
			t.Run(fmt.Sprintf("%d %s %s", n, what, ill.name), func(t *testing.T) {
				failAt(t, &machine{failAt: n, ill: ill}, what)
			})
		}
	}
}

func failAt(t *testing.T, m *machine, what string) {
	t.Helper()
	path := tornFolder(t)
	d := sickly(t, path, m)
	durable, err := run(t, d)
	want := m.error()
	if what == "write" && m.ill.cause == nil {
		want = io.ErrShortWrite
	}
	if !errors.Is(err, want) {
		t.Fatalf("%v, want %v", err, want)
	}
	checkRefuses(t, m, d, len(durable), err)
	checkKept(t, path, durable)
	cut := newFolder(t) // only what was synced is left
	if err := os.WriteFile(filepath.Join(cut, statedir.JournalName), m.synced, 0o600); err != nil {
		t.Fatal(err)
	}
	checkKept(t, cut, durable)
}

// checkRefuses: after a failed sync, or a write that could not be taken back, nothing
// is asked of the disk any more. After a write that was taken back, it goes on.
func checkRefuses(t *testing.T, m *machine, d *Dir, n int, failed error) {
	t.Helper()
	asked := len(m.asked)
	err := d.Append(t.Context(), uint64(n), rec(50))
	if !errors.Is(failed, statedir.ErrInDoubt) {
		if err != nil {
			t.Errorf("the disk is well again, but: %v", err)
		}
		return
	}
	if !errors.Is(err, statedir.ErrInDoubt) || len(m.asked) != asked {
		t.Errorf("after %v: an append gives %v, and asks %v of the disk", failed, err, m.asked[asked:])
	}
}

// checkKept: another process reads all that was reported durable, nothing that was
// never appended, and goes on.
func checkKept(t *testing.T, path string, durable []string) {
	t.Helper()
	next := fresh(t, path)
	got := payloads(t, next)
	if len(got) < len(durable) || !slices.Equal(got[:len(durable)], durable) {
		t.Fatalf("%v is there, %v was reported durable", got, durable)
	}
	for i, p := range got[len(durable):] {
		if p != string(rec(len(durable)+i+1).Payload) && p != string(rec(50).Payload) {
			t.Errorf("%s was never appended there", p)
		}
	}
	if err := next.Append(t.Context(), uint64(len(got)), rec(60)); err != nil {
		t.Fatal(err)
	}
	if again := payloads(t, fresh(t, path)); !slices.Equal(again, append(got, string(rec(60).Payload))) {
		t.Errorf("after one more append %v is there, before it was %v", again, got)
	}
	checkTorn(t, path)
}

// checkTorn: the torn tail is in the journal no more, and in a file beside it.
func checkTorn(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path, statedir.JournalName))
	if err != nil || bytes.Contains(raw, []byte(torn+"\n")) || bytes.Contains(raw, []byte(torn+"{")) {
		t.Errorf("the journal is %q, %v", raw, err)
	}
	kept, err := filepath.Glob(filepath.Join(path, "*.torn-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range kept {
		if raw, err := os.ReadFile(name); err == nil && len(raw) > 0 && !strings.HasPrefix(string(raw), `{"v":1,"seq":`) {
			t.Errorf("%s holds %q", name, raw)
		}
	}
}

// What is asked of the disk, in order: a torn tail is durable elsewhere before it is cut
// off, and what was taken back is durably gone before the error is given.
func TestOrder(t *testing.T) {
	keep, cut, add := []string{"write", "sync", "sync of the folder"}, []string{"cut", "sync"}, []string{"write", "sync"}
	for name, tt := range map[string]struct {
		path   string
		failAt int
		want   []string
	}{
		"append":         {newFolder(t), -1, add},
		"torn tail":      {tornFolder(t), -1, slices.Concat(keep, cut, add)},
		"failing write":  {newFolder(t), 0, slices.Concat(add[:1], cut)},
		"failing sync":   {newFolder(t), 1, slices.Concat(add, cut[:1])},
		"failing keep":   {tornFolder(t), 0, keep[:1]},
		"failing cut":    {tornFolder(t), 3, slices.Concat(keep, cut[:1])},
		"failing re-cut": {tornFolder(t), 4, slices.Concat(keep, cut)},
	} {
		m := &machine{failAt: tt.failAt, ill: illnesses()[0]}
		if err := sickly(t, tt.path, m).Append(t.Context(), 0, rec(1)); (err == nil) != (tt.failAt < 0) {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(m.asked, tt.want) {
			t.Errorf("%s: asked was %q, want %q", name, m.asked, tt.want)
		}
	}
}

// A failed sync is in doubt, and never tried again by this process, even where the
// disk would say yes now.
func TestFailedSyncIsFinal(t *testing.T) {
	m := &machine{failAt: 1, ill: illness{cause: syscall.EIO}}
	path := newFolder(t)
	d := sickly(t, path, m)
	if err := d.Append(t.Context(), 0, rec(1)); !errors.Is(err, statedir.ErrInDoubt) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("append: %v", err)
	}
	if want := []string{"write", "sync", "cut"}; !slices.Equal(m.asked, want) {
		t.Errorf("asked was %v, want %v", m.asked, want)
	}
	if err := d.Append(t.Context(), 0, rec(1)); !errors.Is(err, statedir.ErrInDoubt) {
		t.Errorf("the next append: %v", err)
	}
	if got := payloads(t, d); len(got) != 0 {
		t.Errorf("%v can be read, which may not last", got)
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
	d.over = func(f *os.File) disk { return broken{f} }
	for range 2 {
		if err := d.Append(t.Context(), 1, rec(2), rec(3)); !errors.Is(err, syscall.EIO) || !errors.Is(err, statedir.ErrInDoubt) {
			t.Fatalf("append: %v", err)
		}
	}
	checkKept(t, path, []string{"1"})
}

// broken writes half, and then nothing goes any more.
type broken struct{ file *os.File }

func (b broken) WriteAt(p []byte, at int64) (int, error) {
	n, _ := b.file.WriteAt(p[:len(p)/2], at)
	return n, syscall.EIO
}
func (broken) Truncate(int64) error { return syscall.EIO }
func (broken) Sync() error          { return syscall.EIO }
