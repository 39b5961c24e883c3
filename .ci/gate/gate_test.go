package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const events = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:12: needs root: it boots hosts\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: needs root: it boots hosts\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"pass","Package":"p","Elapsed":0.2}
{"Action":"skip","Package":"without-tests"}
`

const failing = `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p","Elapsed":0.2}
`

const broken = `{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/a.go:3: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`

func TestTotal(t *testing.T) {
	for _, c := range []struct {
		name   string
		logs   []string
		want   string
		passes bool
	}{
		{"all well", []string{events}, "skipped 2: needs root: it boots hosts (TestB, TestC)\n1 passed, 0 failed, 2 skipped\n", true},
		{"two runs", []string{events, events}, "2 passed, 0 failed, 4 skipped\n", true},
		{"a failure", []string{events, failing}, "1 passed, 2 failed, 2 skipped\n", false},
		{"no build", []string{events, broken}, "1 passed, 1 failed, 2 skipped\n", false},
		{"plain text", []string{"go: no such tool\n"}, "0 passed, 0 failed, 0 skipped\n", false},
		{"nothing ran", []string{""}, "0 passed, 0 failed, 0 skipped\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := runTotal(write(t, c.logs), &out)
			if (err == nil) != c.passes {
				t.Errorf("verdict %v, want passes=%t", err, c.passes)
			}
			if !strings.HasSuffix(out.String(), c.want) {
				t.Errorf("said\n%s, want it to end with\n%s", out.String(), c.want)
			}
		})
	}
}

func TestShowPrintsFailuresWhole(t *testing.T) {
	var out strings.Builder
	if err := readEvents(strings.NewReader(events+failing+broken), newShow(&out).add); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ok   p 0.2s\n", "a_test.go:3: got 1, want 2\n", "FAIL p 0.2s\n", "undefined: x\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestShareIsBounded(t *testing.T) {
	how := fuzzing{each: 5 * time.Second, total: time.Minute}
	for n, want := range map[int]time.Duration{1: 5 * time.Second, 12: 5 * time.Second, 30: 2 * time.Second, 1000: time.Second} {
		if got := how.share(n); got != want {
			t.Errorf("share of %d targets is %s, want %s", n, got, want)
		}
	}
}

func TestFuzzTargetsAreFound(t *testing.T) {
	targets, err := fuzzTargets(t.Context(), []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	if len(targets) != 1 || targets[0].name != "FuzzReason" {
		t.Errorf("found %v, want this package's FuzzReason", targets)
	}
}

func TestEndedByClock(t *testing.T) {
	const clock = "fuzz: elapsed: 3s, execs: 140444 (0/sec)\n--- FAIL: FuzzClean (3.02s)\n    context deadline exceeded\nFAIL\nexit status 1\n"
	for said, want := range map[string]bool{
		clock: true,
		clock + "    Failing input written to testdata/fuzz/FuzzClean/1\n":                       false,
		"--- FAIL: FuzzClean (3.02s)\n    a_test.go:3: context deadline exceeded\nFAIL\n":        false,
		"--- FAIL: FuzzClean (3.02s)\n    --- FAIL: FuzzClean (0.00s)\n        panic: x\nFAIL\n": false,
		"# example.org/x [build failed]\nFAIL\n":                                                 false,
	} {
		if got := endedByClock(said); got != want {
			t.Errorf("endedByClock = %t, want %t, for\n%s", got, want, said)
		}
	}
}

func FuzzReason(f *testing.F) {
	f.Add("    a_test.go:3: needs x\n")
	f.Fuzz(func(t *testing.T, output string) {
		if reason(output) == "" {
			t.Error("a skip without a word about why")
		}
	})
}

// write puts each text into a file of its own.
func write(t *testing.T, texts []string) []string {
	t.Helper()
	var paths []string
	for i, text := range texts {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(i, err)
		}
		paths = append(paths, path)
	}
	return paths
}
