package pkg_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// proof is a test as SECURITY.md names it: `pkg/connect.TestAgent`.
var proof = regexp.MustCompile("`((?:pkg|cmd)/[a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`")

// script is one of the scripts of the whole program: `two_rings.txtar`.
var script = regexp.MustCompile("`([a-z0-9_]+\\.txtar)`")

const scripts = "cmd/patchring/testdata/script"

// TestEveryThreatHasATest holds SECURITY.md to the sources: each line of its tables of
// threats names tests, and each of them exists in the package that it is said to be in.
func TestEveryThreatHasATest(t *testing.T) {
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	threats := threatsOf(string(text))
	if len(threats) < 40 {
		t.Errorf("only %d threats were found: the table is not read as it is meant", len(threats))
	}
	for _, p := range checkThreats(os.DirFS(".."), threats) {
		t.Error(p)
	}
}

// threatsOf are the rows of the tables, without heads and rules, of everything up to what is
// not promised.
func threatsOf(text string) []string {
	text, _, _ = strings.Cut(text, "\n## What is not promised")
	var rows []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "| ---") && !strings.HasPrefix(line, "| threat ") {
			rows = append(rows, line)
		}
	}
	return rows
}

func checkThreats(sources fs.FS, threats []string) (problems []string) {
	known := map[string][]string{}
	for _, row := range threats {
		proofs, played := proof.FindAllStringSubmatch(row, -1), script.FindAllStringSubmatch(row, -1)
		if len(proofs)+len(played) == 0 {
			problems = append(problems, "no test is named: "+row)
		}
		for _, p := range proofs {
			if _, read := known[p[1]]; !read {
				known[p[1]] = testsIn(sources, p[1])
			}
			if !slices.Contains(known[p[1]], p[2]) {
				problems = append(problems, "there is no "+p[2]+" in "+p[1]+": "+row)
			}
		}
		for _, p := range played {
			if _, err := fs.Stat(sources, path.Join(scripts, p[1])); err != nil {
				problems = append(problems, "there is no script "+p[1]+": "+row)
			}
		}
	}
	return problems
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)

func testsIn(sources fs.FS, folder string) (names []string) {
	files, err := fs.Glob(sources, folder+"/*_test.go")
	if err != nil {
		return nil
	}
	for _, file := range files {
		text, err := fs.ReadFile(sources, file)
		if err != nil {
			continue
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestThreatsThatAreNotShown: the check itself can fail.
func TestThreatsThatAreNotShown(t *testing.T) {
	rows := threatsOf("| threat | promise | test |\n| --- | --- | --- |\n| a | b | `pkg/connect.TestAgent` |\n| a | b | |\n| a | b | `pkg/connect.TestNoSuch`, `nosuch.txtar` |\n## What is not promised\n| x | y |\n")
	if len(rows) != 3 {
		t.Fatalf("rows: %q", rows)
	}
	got := checkThreats(os.DirFS(".."), rows)
	if len(got) != 3 || !strings.Contains(got[0], "no test is named") || !strings.Contains(got[1], "TestNoSuch") || !strings.Contains(got[2], "nosuch.txtar") {
		t.Errorf("%q", got)
	}
}
