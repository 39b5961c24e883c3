package journal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/journal"
	"github.com/patchring/patchring/pkg/journal/journaltest"
	"github.com/patchring/patchring/pkg/statedir"
)

func TestDirConforms(t *testing.T) {
	journaltest.Conform(t, func(t *testing.T) journaltest.Backend {
		t.Helper()
		path := folder(t, nil)
		return journaltest.Backend{Open: func(t *testing.T) journal.Journal { t.Helper(); return open(t, path) }}
	})
}

func TestMemoryConforms(t *testing.T) {
	journaltest.Conform(t, func(*testing.T) journaltest.Backend {
		m := &journaltest.Memory{}
		return journaltest.Backend{Open: func(*testing.T) journal.Journal { return m }}
	})
}

// folder makes a rollout's folder whose journal holds content.
func folder(t *testing.T, content []byte) string {
	t.Helper()
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, statedir.JournalName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *journal.Dir {
	t.Helper()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := journal.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = d.Close(), root.Close() })
	return d
}

// written gives the text of a journal of n records.
func written(t *testing.T, n int) []byte {
	t.Helper()
	var text []byte
	var at journal.Mark
	for i := range n {
		line, next, err := journal.Line(at, journaltest.Sample(i+1))
		if err != nil {
			t.Fatal(err)
		}
		text, at = append(append(text, line...), '\n'), next
	}
	return text
}

func TestOpenNeedsAJournal(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := journal.Open(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening nothing: %v; a lost journal must not become an empty one", err)
	}
}

// Cut at every byte: the whole records before the cut are read, the torn rest is told,
// kept aside by the next append, and the journal goes on.
func TestTornAtEveryByte(t *testing.T) {
	text := written(t, 3)
	first := bytes.IndexByte(text, '\n') + 1
	for cut := first; cut < len(text); cut++ {
		path := folder(t, text[:cut])
		d := open(t, path)
		whole := bytes.Count(text[:cut], []byte("\n"))
		if got := journaltest.All(t, d, 1); len(got) != whole {
			t.Fatalf("cut at %d: %d records, want %d", cut, len(got), whole)
		}
		torn := text[bytes.LastIndexByte(text[:cut], '\n')+1 : cut]
		told, ok := d.Damage()
		if ok != (len(torn) > 0) || ok && (told.Bytes != int64(len(torn)) || told.After != uint64(whole) || told.Kept != "") {
			t.Fatalf("cut at %d: told %+v, %v", cut, told, ok)
		}
		if err := d.Append(t.Context(), uint64(whole), journaltest.Sample(99)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		checkMended(t, path, d, whole+1, torn)
	}
}

func checkMended(t *testing.T, path string, d *journal.Dir, n int, torn []byte) {
	t.Helper()
	if got := journaltest.All(t, open(t, path), 1); len(got) != n {
		t.Fatalf("%d records after the append, want %d", len(got), n)
	}
	if len(torn) == 0 {
		return
	}
	told, ok := d.Damage()
	if !ok || told.Kept == "" || !strings.Contains(told.String(), told.Kept) {
		t.Fatalf("it is not told where the torn tail is kept: %+v", told)
	}
	kept, err := os.ReadFile(filepath.Join(path, told.Kept))
	if err != nil || !bytes.Equal(kept, torn) {
		t.Fatalf("kept %q (%v), want %q", kept, err, torn)
	}
}

// Any change of any byte but those of the last line is found, wherever it is. Of the last
// line, any that makes it no record.
func TestEveryFlippedByteIsFound(t *testing.T) {
	text := written(t, 4)
	last := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	for at := range last {
		bad := bytes.Clone(text)
		bad[at] ^= 1
		d := open(t, folder(t, bad))
		err := d.Read(t.Context(), 1, func(journal.Record) error { return nil })
		if err == nil {
			t.Fatalf("byte %d (%q) was changed and nobody saw it", at, text[at])
		}
		if fault.HintOf(err) == "" {
			t.Fatalf("byte %d: no hint: %v", at, err)
		}
		if err := d.Append(t.Context(), 4, journaltest.Sample(5)); err == nil {
			t.Fatalf("byte %d: a damaged journal was appended to", at)
		}
	}
}

// flip gives another digit.
func flip(digit byte) string {
	if digit == '0' {
		return "1"
	}
	return "0"
}

func TestDamage(t *testing.T) {
	text := written(t, 4)
	lines := bytes.SplitAfter(text, []byte("\n"))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	other := bytes.Replace(lines[1], []byte(`"prev":"sha256:`+string(lines[1][len(lines[1])-67])), []byte(`"prev":"sha256:`+flip(lines[1][len(lines[1])-67])), 1)
	tests := []struct {
		name    string
		content []byte
		want    string // part of the error; empty: read until the tail
		records int
	}{
		{"a record dropped", join(lines[0], lines[2], lines[3]), "record 3 stands where record 2 should", 1},
		{"two swapped", join(lines[0], lines[2], lines[1]), "stands where", 1},
		{"the first dropped", join(lines[1], lines[2]), "stands where record 1 should", 0},
		{"one repeated", join(lines[0], lines[0]), "stands where record 2 should", 1},
		{"rubbish in the middle", join(lines[0], []byte("rubbish\n"), lines[1]), "not a record", 1},
		{"zeros in the middle", join(lines[0], make([]byte, 512), []byte("\n"), lines[1]), "not a record", 1},
		{"zeros at the end", join(lines[0], make([]byte, 512)), "", 1},
		{"half a line at the end", join(lines[0], lines[1][:20]), "", 1},
		{"all but the newline at the end", join(lines[0], lines[1][:len(lines[1])-1]), "", 1},
		{"a batch cut off in its second line", join(lines[0], lines[1], lines[2][:9]), "", 2},
		{"whole lines of garbage at the end", join(lines[0], []byte("garbage\n")), "line 2", 1},
		{"many of them, and half a line", join(lines[0], lines[1], []byte("a\nb\n\nmore")), "line 3", 2},
		{"an empty line at the end", join(lines[0], []byte("\n")), "line 2", 1},
		{"whole JSON at the end that is no record", join(lines[0], []byte("{}\n")), "line 2", 1},
		{"a whole record at the end that does not follow", join(lines[0], bytes.Replace(lines[1], []byte(`"prev":"sha256:`), []byte(`"prev":"sha256:0`), 1)), "line 2", 1},
		{"a whole record at the end of another journal", join(lines[0], other), "does not follow", 1},
		{"two records in a line", join(lines[0], lines[1][:len(lines[1])-1], lines[2]), "something stands behind record 2", 1},
		{"a newer record", []byte(`{"v":2,"seq":1,"colour":"red"}` + "\n"), "version 2", 0},
		{"a newer record of known fields", bytes.Replace(lines[0], []byte(`"v":1`), []byte(`"v":7`), 1), "version 7", 0},
		{"a newer record behind ours", join(lines[0], bytes.Replace(lines[1], []byte(`"v":1`), []byte(`"v":2`), 1)), "version 2", 1},
		{"an unknown field", bytes.Replace(lines[0], []byte(`{"v":1`), []byte(`{"w":1,"v":1`), 1), "unknown field", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := folder(t, tt.content)
			d, n := open(t, path), 0
			err := d.Read(t.Context(), 1, func(journal.Record) error { n++; return nil })
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read: %v, want %q", err, tt.want)
			}
			if n != tt.records {
				t.Errorf("%d records were read, want %d", n, tt.records)
			}
			if _, told := d.Damage(); told != (err == nil) {
				t.Errorf("a torn tail told: %v, with error %v", told, err)
			}
			if err != nil && !strings.Contains(err.Error(), statedir.JournalName) {
				t.Errorf("the file is not named: %v", err)
			}
			checkUntouched(t, d, path, uint64(tt.records), tt.content, err == nil)
		})
	}
}

// checkUntouched: nothing is appended to a damaged journal, and none of it is dropped.
func checkUntouched(t *testing.T, d *journal.Dir, path string, last uint64, content []byte, sound bool) {
	t.Helper()
	err := d.Append(t.Context(), last, journaltest.Sample(9))
	if (err == nil) != sound {
		t.Errorf("an append gives %v", err)
	}
	if sound {
		return
	}
	raw, err := os.ReadFile(filepath.Join(path, statedir.JournalName))
	if err != nil || !bytes.Equal(raw, content) {
		t.Errorf("the file is %q now (%v)", raw, err)
	}
}

func TestShortenedUnderneath(t *testing.T) {
	path := folder(t, written(t, 3))
	d := open(t, path)
	journaltest.All(t, d, 1)
	if err := os.Truncate(filepath.Join(path, statedir.JournalName), 10); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(t.Context(), 3, journaltest.Sample(4)); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("append to a shortened journal: %v", err)
	}
}

func TestReadWritesNothing(t *testing.T) {
	content := append(written(t, 2), "torn"...)
	path := folder(t, content)
	journaltest.All(t, open(t, path), 1)
	got, err := os.ReadFile(filepath.Join(path, statedir.JournalName))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("reading changed the file (%v)", err)
	}
}
