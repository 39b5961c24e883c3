package document

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var s sample
		file := Decode("fuzz.yaml", src, &s)
		p, ok := errors.AsType[*Problems](file.Err())
		if !ok {
			if file.Broken() || s.Version.V != 1 {
				t.Error("nothing is wrong, but nothing was read either")
			}
			return
		}
		checkPlaces(t, p, src)
	})
}

// checkPlaces is checkProblems without what a fuzzer can't know.
func checkPlaces(t *testing.T, p *Problems, src []byte) {
	t.Helper()
	if len(p.List) == 0 || len(p.List) > maxProblems || !utf8.ValidString(p.Render()) {
		t.Errorf("problems: %q", p.Render())
	}
	for _, one := range p.List {
		if one.Line < 1 || one.Line > len(splitLines(string(src)))+1 || one.Col < 1 || one.Caret > len([]rune(one.Source))+2 {
			t.Errorf("%s: caret %d under %q", one, one.Caret, one.Source)
		}
	}
	for _, r := range p.Render() {
		if r != '\n' && r != '\t' && visible(r) != r {
			t.Errorf("the control character %U is shown", r)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("web-01")
	f.Add("a: b # c")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 4000 {
			t.Skip("needs UTF-8 of a text's length: Quote promises nothing else")
		}
		var s struct {
			M []string `yaml:"m" flags:"raw"`
		}
		src := "m: [" + Quote(text) + "]\n"
		err := Decode("x", []byte(src), &s).Err()
		if err != nil && !containsNUL(text) {
			t.Fatalf("%s: %v", src, err)
		}
		if err == nil && s.M[0] != text {
			t.Errorf("%q came back as %q", text, s.M[0])
		}
	})
}

func containsNUL(text string) bool {
	for _, r := range text {
		if r == 0 {
			return true
		}
	}
	return false
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1h30m")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil && (d < 0 || d > maxDuration) {
			t.Errorf("%q = %v", text, d)
		}
	})
}
