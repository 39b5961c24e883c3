package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string  `json:",omitempty"`
	ImportPath string  `json:",omitempty"` // of build events
	Test       string  `json:",omitempty"`
	Output     string  `json:",omitempty"`
	Elapsed    float64 `json:",omitempty"` // seconds
}

// readEvents calls fn for each event. What is no event is passed as output: the go
// command prints some errors as plain text.
func readEvents(r io.Reader, fn func(event)) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				e = event{Action: "build-output", Output: string(line)}
			}
			fn(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tally counts results over any number of runs.
type tally struct {
	passed, failed, skipped int
	brokenBuilds            int
	reasons                 map[string][]string // why, and which tests
	said                    map[string]string   // output of tests that did not end yet
}

func newTally() *tally {
	return &tally{reasons: map[string][]string{}, said: map[string]string{}}
}

// add takes one event in. Packages without tests are no results.
func (t *tally) add(e event) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-fail":
		t.brokenBuilds++
	case e.Test == "":
		t.addPackage(e)
		return
	case e.Action == "output":
		t.said[key] += e.Output
		return
	case e.Action == "pass":
		t.passed++
	case e.Action == "fail":
		t.failed++
	case e.Action == "skip":
		t.skipped++
		why := reason(t.said[key])
		t.reasons[why] = append(t.reasons[why], e.Test)
	default:
		return
	}
	delete(t.said, key)
}

// addPackage counts a package that failed beside its tests: it did not build, it
// ran out of time, or its TestMain said no.
func (t *tally) addPackage(e event) {
	if e.Action == "fail" {
		t.failed++
	}
}

var skipLine = regexp.MustCompile(`(?m)^\s+\S+\.go:\d+: (.+)$`)

// reason finds what t.Skip was given in the output of a test.
func reason(output string) string {
	found := skipLine.FindAllStringSubmatch(output, -1)
	if len(found) > 0 {
		if why := strings.TrimSpace(found[len(found)-1][1]); why != "" {
			return why
		}
	}
	return "no reason given"
}

// print writes every reason with its count, then the closing line.
func (t *tally) print(out io.Writer) {
	for _, why := range slices.Sorted(maps.Keys(t.reasons)) {
		tests := t.reasons[why]
		fmt.Fprintf(out, "skipped %d: %s (%s)\n", len(tests), why, examples(tests))
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
}

// examples names at most three tests.
func examples(tests []string) string {
	const most = 3
	if len(tests) <= most {
		return strings.Join(tests, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(tests[:most], ", "), len(tests)-most)
}

// verdict is an error unless something ran and all of it passed.
func (t *tally) verdict() error {
	switch {
	case t.failed > 0 || t.brokenBuilds > 0:
		return fmt.Errorf("%d failed", max(t.failed, t.brokenBuilds))
	case t.passed == 0:
		return errors.New("no test ran")
	default:
		return nil
	}
}
