package inventory

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// unseen begins files that break a rule between distant parts, which no schema can see.
const unseen = "# no schema can see this\n"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("inventory.json", raw); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("inventory.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func glob1(t *testing.T, pattern string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func TestGoodFilesPleaseBothJudges(t *testing.T) {
	schema := compileSchema(t)
	for _, path := range append(glob1(t, "testdata/good/*.yaml", 3), glob1(t, "../../inventory*.yaml", 1)...) {
		src := read(t, path)
		inv, err := Parse(filepath.Base(path), src)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if len(inv.Notes) > 0 && strings.Contains(path, "example") {
			t.Errorf("%s: notes: %q", path, inv.Notes)
		}
		value, err := document.Plain(src)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: the schema refuses it: %v", path, err)
		}
	}
}

func TestBadFilesPleaseNoJudge(t *testing.T) {
	schema := compileSchema(t)
	for _, path := range glob1(t, "testdata/bad/*.yaml", 20) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			src := read(t, path)
			inv, err := Parse(filepath.Base(path), src)
			problems, ok := errors.AsType[*document.Problems](err)
			if !ok || inv != nil {
				t.Fatalf("accepted: %v", err)
			}
			if code := fault.CodeOf(err); code != fault.Usage && code != fault.Unsupported {
				t.Errorf("code = %s", code)
			}
			text := problems.Render()
			if strings.Contains(text, "hunter2") {
				t.Error("a secret is shown")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".golden", text)
			value, err := document.Plain(src)
			if err != nil {
				t.Fatal(err)
			}
			if refused := schema.Validate(value) != nil; refused == bytes.HasPrefix(src, []byte(unseen)) {
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

func TestUnsupportedIsItsOwnCode(t *testing.T) {
	for _, src := range []string{
		"version: 1\nhosts: {a: {host_key_aliases: [b]}}\n",
		"version: 1\nsites: {hq: {known_hosts: x, hosts: {a: }}}\n",
	} {
		_, err := Parse("x", []byte(src))
		if code := fault.CodeOf(err); code != fault.Unsupported {
			t.Errorf("%q: %s: %v", src, code, err)
		}
	}
}
