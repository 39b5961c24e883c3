package journal

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

const prev = "sha256:14aa1bb8beebaefbe3066f0783e42160d0055e1df81057c3e3cf62d6d476edd1"

// Nearly every line is read the fast way, or it would not be fast.
func TestCanonicalReadsWhatLineWrites(t *testing.T) {
	var at Mark
	for i, line := range typical(t, 100) {
		r, ok := canonical(at, line)
		if !ok {
			t.Fatalf("record %d was left to parse: %s", i+1, line)
		}
		at = Mark{Seq: r.Seq, Line: patch.DigestOf(line)}
	}
}

// What is not exactly as Line writes it is left to parse.
func TestCanonicalLeaves(t *testing.T) {
	good := string(typical(t, 1)[0])
	if _, ok := canonical(Mark{}, []byte(good)); !ok {
		t.Fatal(good)
	}
	swap := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for name, line := range map[string]string{
		"empty":               "",
		"cut":                 good[:len(good)-1],
		"something behind":    good + " ",
		"another version":     swap(`"v":1`, `"v":2`),
		"another seq":         swap(`"seq":1`, `"seq":2`),
		"a leading zero":      swap(`"seq":1`, `"seq":01`),
		"a signed seq":        swap(`"seq":1`, `"seq":+1`),
		"a huge seq":          swap(`"seq":1`, `"seq":18446744073709551617`),
		"spaces":              swap(`"v":1,`, `"v":1, `),
		"another order":       swap(`{"v":1,"seq":1`, `{"seq":1,"v":1`),
		"an escape":           swap(`jane@desk`, `jane\u0040desk`),
		"a quote":             swap(`jane@desk`, `jane"desk`),
		"a raw control":       swap(`jane@desk`, "jane\x01desk"),
		"no UTF-8":            swap(`jane@desk`, "jane\xffdesk"),
		"no kind":             swap(`"kind":"step_started"`, `"kind":""`),
		"a bad payload":       swap(`"payload":{`, `"payload":{{`),
		"no payload":          `{"v":1,"seq":1,"time":"2026-11-21T22:00:01Z","actor":"a","kind":"k","payload":,"prev":""}`,
		"two payloads":        swap(`"payload":{`, `"payload":{},"payload":{`),
		"a space in payload":  swap(`"payload":{`, `"payload": {`),
		"another time zone":   strings.Replace(good, `Z","actor`, `+00:00","actor`, 1),
		"an impossible time":  swap(`"time":"20`, `"time":"2x`),
		"another predecessor": strings.Replace(good, `"prev":""`, `"prev":"`+prev+`"`, 1),
	} {
		if r, ok := canonical(Mark{}, []byte(line)); ok {
			t.Errorf("%s: read as %+v", name, r)
		}
	}
}

// FuzzCanonical holds the fast reading against the strict one: what it reads, that
// reads too, and sees the same.
func FuzzCanonical(f *testing.F) {
	for _, line := range seeds(f) {
		f.Add(uint64(0), "", line)
		f.Add(uint64(1), prev, line)
	}
	f.Fuzz(func(t *testing.T, seq uint64, before string, line []byte) {
		after := Mark{Seq: seq}
		if _, err := patch.ParseDigest(before); err == nil {
			after.Line = patch.Digest(before)
		}
		got, ok := canonical(after, line)
		if !ok {
			return
		}
		want, err := parse(line)
		if err != nil {
			t.Fatalf("%q is read as %+v, but strictly: %v", line, got, err)
		}
		if !same(got, want) || want.Seq != after.Seq+1 || want.Prev != after.Line {
			t.Fatalf("%q is read as %+v, strictly as %+v", line, got, want)
		}
	})
}

func same(a, b Record) bool { return reflect.DeepEqual(a, b) }

// seeds are lines of the golden journals and near misses.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "journals", "*.jsonl"))
	if err != nil || len(files) == 0 {
		tb.Fatal(files, err)
	}
	var out [][]byte
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, bytes.Split(text, []byte("\n"))...)
	}
	for _, odd := range []string{`{"v":1}x`, `{"v":2}`, `{"v":1,"seq":1,"time":"2026-11-21T22:00:01Z","actor":"a","kind":"k","payload":{},"prev":""}`} {
		out = append(out, []byte(odd))
	}
	return out
}

// FuzzLine writes records of any text: they are read as they were written, by both
// ways of reading.
func FuzzLine(f *testing.F) {
	f.Add(int64(1_800_000_000), "jane@desk", "sample", []byte(`{"n":1}`))
	f.Add(int64(0), "a\"\\\u2028\xff", "k\n", []byte(` [ 1 , "," ] `))
	f.Fuzz(func(t *testing.T, at int64, actor, kind string, payload []byte) {
		r := Record{Time: time.Unix(at%100_000_000_000, at%1_000_000_000), Actor: actor, Kind: kind, Payload: json.RawMessage(payload)}
		line, mark, err := Line(Mark{Seq: 1, Line: prev}, r)
		if err != nil {
			return
		}
		if bytes.ContainsRune(line, '\n') {
			t.Fatalf("%q is more than one line", line)
		}
		got, next, err := Parse(Mark{Seq: 1, Line: prev}, line)
		if err != nil || next != mark {
			t.Fatalf("%q is read with %v", line, err)
		}
		if want, err := parse(line); err != nil || !same(got, want) {
			t.Fatalf("%q is read as %+v, strictly as %+v, %v", line, got, want, err)
		}
	})
}

// FuzzParse: what is read can be written, and then reads the same.
func FuzzParse(f *testing.F) {
	for _, line := range seeds(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, mark, err := Parse(Mark{}, line)
		if err != nil {
			return
		}
		again, _, err := Line(Mark{}, r)
		if err != nil {
			return // a time or payload that is read, but never written
		}
		if _, next, err := Parse(Mark{}, again); err != nil || next.Seq != mark.Seq {
			t.Errorf("%q was read, and written as %q: %v", line, again, err)
		}
	})
}
