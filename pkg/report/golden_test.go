package report

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update makes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update accepts it):\n%s", path, got)
	}
}

func render(t *testing.T, d Document, f Format, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, d, f, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestGolden shows every document as a table and as JSON, and the rollouts, which
// have everything, in every format and look.
func TestGolden(t *testing.T) {
	views := []struct {
		suffix string
		format Format
		o      Options
		every  bool
	}{
		{"80.txt", FormatTable, Options{Width: 80}, true},
		{"json", FormatJSON, Options{}, true},
		{"60.txt", FormatTable, Options{Width: 60}, false},
		{"wide.txt", FormatTable, Options{}, false},
		{"brief.txt", FormatTable, Options{Width: 80, Brief: true}, false},
		{"colour.txt", FormatTable, Options{Width: 80, Brief: true, Colour: true}, false},
		{"md", FormatMarkdown, Options{}, false},
		{"csv", FormatCSV, Options{}, false},
		{"xml", FormatJUnit, Options{}, false},
	}
	all := samples()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, v := range views {
			if !v.every && name != "rollout" && name != "waiting" {
				continue
			}
			golden(t, name+"."+v.suffix, render(t, all[name], v.format, v.o))
		}
	}
}
