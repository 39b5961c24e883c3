package playbook

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

// unseen begins files that break a rule which no schema can see.
const unseen = "# no schema can see this\n"

const fleet = `version: 1
sites:
  hq:
    timezone: Europe/London
    windows: {weekend: {days: [sat, sun], start: "22:00", length: 6h}}
    approvers: {board: [jane@hq.example, omar@hq.example], duty: [ops@hq.example]}
    hosts:
      "web-[01:04]": {groups: [web, production]}
      web-t1: {groups: [web, test]}
      db-01: {groups: [db, production]}
      core-sw1: {groups: [core, production]}
      edge: {groups: [edges]}
      behind: {groups: [edges], jump: [ops@edge]}
  acme:
    timezone: America/New_York
    hosts:
      shop: {groups: [branch]}
`

func inv(tb testing.TB) *inventory.Inventory {
	tb.Helper()
	made, err := inventory.Parse("inventory.yaml", []byte(fleet))
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

func files(t *testing.T, pattern string, least int) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) < least {
		t.Fatalf("%s: %d files, %v", pattern, len(found), err)
	}
	return found
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("playbook.json", raw); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("playbook.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plain(t *testing.T, src []byte) any {
	t.Helper()
	value, err := document.Plain(src)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestGoodFilesPleaseBothJudges(t *testing.T) {
	schema := compileSchema(t)
	for _, path := range files(t, "testdata/good/*.yaml", 2) {
		src := read(t, path)
		if _, err := Parse(filepath.Base(path), src, nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := schema.Validate(plain(t, src)); err != nil {
			t.Errorf("%s: the schema refuses it: %v", path, err)
		}
	}
}

// TestExamples: every playbook of the repository fits the example inventory.
func TestExamples(t *testing.T) {
	schema := compileSchema(t)
	example, err := inventory.Parse("inventory.example.yaml", read(t, "../../inventory.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files(t, "../../playbooks/*.yaml", 1) {
		src := read(t, path)
		if _, err := Parse(filepath.Base(path), src, example); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := schema.Validate(plain(t, src)); err != nil {
			t.Errorf("%s: the schema refuses it: %v", path, err)
		}
	}
}

func TestBadFilesPleaseNoJudge(t *testing.T) {
	schema := compileSchema(t)
	for _, path := range files(t, "testdata/bad/*.yaml", 15) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src := read(t, path)
			book, err := Parse(filepath.Base(path), src, inv(t))
			problems, ok := errors.AsType[*document.Problems](err)
			if !ok || book != nil {
				t.Fatalf("accepted: %v", err)
			}
			text := problems.Render()
			if strings.Contains(text, "hunter2") {
				t.Error("a secret is shown")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".golden", text)
			if refused := schema.Validate(plain(t, src)) != nil; refused == bytes.HasPrefix(src, []byte(unseen)) {
				t.Errorf("the schema refuses it: %v", refused)
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(read(t, path)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestLaterSettingsAreKnown: each is told as not supported, and nothing as unknown.
func TestLaterSettingsAreKnown(t *testing.T) {
	_, err := Parse("later.yaml", read(t, "testdata/later.yaml"), nil)
	if code := fault.CodeOf(err); code != fault.Unsupported {
		t.Fatalf("%s: %v", code, err)
	}
	p, _ := errors.AsType[*document.Problems](err)
	var lines []int
	for _, one := range p.List {
		lines = append(lines, one.Line)
	}
	if want := []int{4, 9}; !slices.Equal(lines, want) {
		t.Errorf("problems on lines %v, want %v:\n%s", lines, want, p.Render())
	}
}

func FuzzParse(f *testing.F) {
	found, _ := filepath.Glob("testdata/*/*.yaml")
	for _, path := range append(found, "../../playbooks/monthly.yaml", "testdata/later.yaml") {
		f.Add(read(f, path))
	}
	hosts := inv(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, with := range []*inventory.Inventory{nil, hosts} {
			book, err := Parse("fuzz.yaml", src, with)
			if err == nil {
				checkBook(t, book)
				continue
			}
			if _, ok := errors.AsType[*document.Problems](err); !ok || book != nil {
				t.Errorf("%T: %v", err, err)
			}
		}
	})
}
