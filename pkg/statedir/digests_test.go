package statedir

import (
	"bytes"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/patchring/patchring/pkg/patch"
)

func found(t *testing.T, text string) []patch.Digest {
	t.Helper()
	all := map[patch.Digest]bool{}
	if err := Digests(strings.NewReader(text), all); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(all))
}

// A digest is found wherever the blocks of the reading divide it.
func TestDigestsAcrossBlocks(t *testing.T) {
	one, two := patch.DigestOf([]byte("1")), patch.DigestOf([]byte("2"))
	want := []patch.Digest{one, two}
	slices.Sort(want)
	for shift := range 2 * digestSize {
		text := strings.Repeat("x", 64<<10-shift) + string(one) + strings.Repeat("sha256:", 9500) + string(two)
		if got := found(t, text); !slices.Equal(got, want) {
			t.Fatalf("shifted by %d: %v", shift, got)
		}
	}
}

func TestDigestsFails(t *testing.T) {
	broken := errors.New("broken")
	if err := Digests(iotest.ErrReader(broken), map[patch.Digest]bool{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func FuzzDigests(f *testing.F) {
	one := string(patch.DigestOf([]byte("1")))
	f.Add([]byte(one+`","`+one[:20]+one), uint16(64<<10-30))
	f.Add([]byte("sha256:"+one), uint16(3))
	form := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	f.Fuzz(func(t *testing.T, text []byte, shift uint16) {
		text = slices.Concat(bytes.Repeat([]byte("-"), int(shift)), text)
		all := map[patch.Digest]bool{}
		if err := Digests(iotest.OneByteReader(bytes.NewReader(text)), all); err != nil {
			t.Fatal(err)
		}
		for _, m := range form.FindAll(text, -1) {
			if !all[patch.Digest(m)] {
				t.Errorf("%s is not found", m)
			}
		}
		for digest := range all {
			if !bytes.Contains(text, []byte(digest)) {
				t.Errorf("%s is nowhere", digest)
			}
		}
	})
}

func FuzzParseOut(f *testing.F) {
	f.Add([]byte(`{"version":1,"rollout":"a","by":"jane@desk","hosts":["hq/web1","hq/web2"]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := parseOut(raw, "a")
		if err != nil {
			return
		}
		if out.Rollout != "a" || !slices.Equal(out.Hosts, sorted(out.Hosts...)) {
			t.Errorf("%q is read as %+v", raw, out)
		}
		again, err := encode(out)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseOut(again, "a"); err != nil || !slices.Equal(back.Hosts, out.Hosts) {
			t.Errorf("%+v is written as %q, and read with %v", out, again, err)
		}
	})
}

func FuzzParseQuarantine(f *testing.F) {
	raw, err := encode(quarantineFile{Version: 1, Hosts: []Quarantine{dead("a"), dead("b")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"hosts":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := parseQuarantine(raw)
		if err != nil {
			return
		}
		for i, q := range all {
			if q.check() != nil || i > 0 && all[i-1].Host.Compare(q.Host) >= 0 {
				t.Errorf("%q is read as %+v", raw, all)
			}
		}
	})
}

// What stands in a lock file is shown to people: it never holds more than one line.
func FuzzOwner(f *testing.F) {
	f.Add([]byte(`{"pid":42,"host":"desk","user":"jane","since":"2026-11-21T22:00:00Z"}`))
	f.Add([]byte(`{"pid":42,"host":"\u001b[31m\n","user":"\u202e"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if text := parseOwner(raw).String(); strings.ContainsAny(text, "\n\x1b") || len(text) > 400 {
			t.Errorf("%q is shown as %q", raw, text)
		}
	})
}
