package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/patchring/patchring/pkg/lab"
)

// obeyed is what the logs of CI servers act on; GitHub's words only at the beginning of a line.
var obeyed = regexp.MustCompile(`(?im)##(vso|teamcity)?\[|^[ |]*::[a-z-]+[ :]`)

// clean: what was printed, and what stands in the state folder, holds nothing raw.
func (f *hostileFleet) clean(t *testing.T) {
	t.Helper()
	for name, said := range f.said {
		inert(t, name, said)
		if at := obeyed.FindIndex(said); at != nil {
			t.Errorf("%s: a CI server obeys %.80q", name, said[at[0]:])
		}
		if bytes.Contains(said, []byte("goroutine ")) || bytes.Contains(said, []byte("panic: ")) {
			t.Errorf("%s: it crashed: %.2000s", name, said)
		}
	}
	state := filepath.Join(f.dir, ".patchring")
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, state)
		if strings.Contains(name, lab.Canary) || strings.ContainsAny(name, "\x1b\n\\:") {
			t.Errorf("a host named the file %q", name)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			inert(t, name, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inert: text of lines, valid, and nothing in it moves a cursor or turns the reading direction.
func inert(t *testing.T, name string, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Errorf("%s is no text", name)
		return
	}
	at := bytes.IndexFunc(text, func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
	})
	if at >= 0 {
		t.Errorf("%s: raw bytes: %.80q", name, text[at:])
	}
}
