package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/app"
	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/inventory"
	"github.com/patchring/patchring/pkg/playbook"
	"github.com/patchring/patchring/pkg/report"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the generated parts of README.md anew")

const readmePath = "../../README.md"

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The tables of README are made from the program.
func TestReadmeTables(t *testing.T) {
	text := readme(t)
	want := generated(text, "exit codes", exitCodeTable())
	want = generated(want, "defaults", defaultsTable())
	if *update {
		if err := os.WriteFile(readmePath, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("README.md differs from the program: go test ./cmd/patchring -update")
	}
}

func generated(text, name, part string) string {
	begin, end := "<!-- begin: "+name+" -->\n", "<!-- end: "+name+" -->"
	before, rest, _ := strings.Cut(text, begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "no markers for " + name
	}
	return before + begin + part + end + after
}

func exitCodeTable() string {
	var b strings.Builder
	b.WriteString("| code | word | meaning |\n| --- | --- | --- |\n")
	for _, c := range report.ExitCodes() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Code, c.Word, c.Meaning)
	}
	return b.String()
}

func defaultsTable() string {
	var b strings.Builder
	b.WriteString("| where | key | default | meaning |\n| --- | --- | --- | --- |\n")
	row := func(where, key, value, meaning string) {
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", where, key, value, meaning)
	}
	for _, d := range inventory.Defaults() {
		row("inventory", d.Key, d.Value, d.Meaning)
	}
	for _, d := range playbook.Defaults() {
		row("playbook", d.Key, d.Value, d.Meaning)
	}
	return b.String()
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]+)(?: ([a-z]+))?\n(.*?)\n```$")

// docs are all texts for users.
func docs(t *testing.T) string {
	t.Helper()
	all := []string{readme(t)}
	for _, name := range []string{"connect", "vault"} {
		more, err := os.ReadFile("../../pkg/" + name + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(more))
	}
	return strings.Join(all, "\n")
}

// Every YAML example of the docs is what it says it is, and every command line is one
// that the program takes.
func TestReadmeExamples(t *testing.T) {
	seen := map[string]int{}
	for _, m := range fenced.FindAllStringSubmatch(docs(t), -1) {
		seen[m[1]+" "+m[2]]++
		switch {
		case m[1] == "yaml" && m[2] == "inventory":
			if _, err := inventory.Parse("README.md", []byte(m[3])); err != nil {
				t.Errorf("inventory example: %v", err)
			}
		case m[1] == "yaml" && m[2] == "playbook":
			if _, err := playbook.Parse("README.md", []byte(m[3]), nil); err != nil {
				t.Errorf("playbook example: %v", err)
			}
		case m[1] == "console":
			for line := range strings.Lines(m[3]) {
				checkCommandLine(t, line)
			}
		}
	}
	if seen["yaml inventory"] == 0 || seen["yaml playbook"] == 0 || seen["console "] == 0 {
		t.Errorf("README has lost its examples: %v", seen)
	}
}

// The mistake that README shows is what lint really prints.
func TestReadmeMistake(t *testing.T) {
	_, err := inventory.Parse("inventory.yaml", []byte("version: 1\nhosts:\n  web-01:\n    adress: 10.0.0.1\n")) //nolint:misspell // the mistake is the point
	placed, ok := errors.AsType[*document.Problems](err)
	if !ok {
		t.Fatalf("no mistake was found: %v", err)
	}
	if want := strings.TrimSpace(placed.Render()); !strings.Contains(readme(t), want) {
		t.Errorf("README shows another text than lint:\n%s", want)
	}
}

// checkCommandLine parses a line "$ patchring …" without running it.
func checkCommandLine(t *testing.T, line string) {
	t.Helper()
	typed, ok := strings.CutPrefix(line, "$ patchring ")
	if !ok {
		return
	}
	typed, _, _ = strings.Cut(typed, " #")
	typed, _, _ = strings.Cut(typed, " > ")
	args := words(typed)
	c := &cli{env: app.Env{}}
	cmd, rest, err := c.root().Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: %v", strings.TrimSpace(line), err)
	}
}

// words splits like a shell does where only quotes are used.
func words(line string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2]+m[3])
	}
	return all
}

// Every example in the help of a command is one that the program takes.
func TestHelpExamples(t *testing.T) {
	c := &cli{}
	var walk func(path string)
	checked := 0
	walk = func(path string) {
		cmd, _, err := c.root().Find(strings.Fields(path))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(cmd.Example) {
			checked++
			typed, _, _ := strings.Cut(strings.TrimSpace(line), " > ")
			checkCommandLine(t, "$ "+typed)
		}
		for _, sub := range cmd.Commands() {
			walk(strings.TrimSpace(path + " " + sub.Name()))
		}
	}
	walk("")
	if checked == 0 {
		t.Error("no command has an example")
	}
}

// auditorCommand: `auditor DIR` types what README tells an auditor, in the folder of a demo
// that was run already.
func auditorCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: auditor DIR")
	}
	text := ts.ReadFile(filepath.Join(stageOf(ts).root, "README.md"))
	_, block, found := strings.Cut(text, "```sh\npatchring demo --dir patchring-demo\ncd patchring-demo\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		ts.Fatalf("README has lost what it tells an auditor")
	}
	ts.Check(ts.Chdir(args[0]))
	ts.Check(ts.Exec("sh", "-euc", block))
	if strings.Count(ts.ReadFile("stdout"), "Good \"patchring-") < 3 {
		ts.Fatalf("stock ssh-keygen has verified too little")
	}
}
