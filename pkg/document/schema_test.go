package document

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema("sample", sample{})))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sample.json", raw); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sample.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaAgrees: a second judge, made from the same types, refuses what Decode
// refuses. What only a reader of YAML can see is listed.
func TestSchemaAgrees(t *testing.T) {
	onlyYAML := []string{"duplicates.yaml", "merge-key.yaml", "self-alias.yaml", "two-documents.yaml", "tags.yaml", "utf16.yaml"}
	s := compile(t)
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	judged := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		value, err := Plain(src)
		if err != nil || slices.Contains(onlyYAML, filepath.Base(path)) {
			continue // no JSON can be made of it, so there is nothing to judge
		}
		judged++
		if s.Validate(value) == nil {
			t.Errorf("%s: the schema accepts it", path)
		}
	}
	if judged < 15 {
		t.Errorf("only %d files were judged", judged)
	}
}

func TestSchemaAcceptsWhatDecodeAccepts(t *testing.T) {
	src := []byte("version: 1\ntext: 9.10\nmode: fast\nwait: 5m\nlist: [a, 1, true]\nhosts: {a: , b: {port: 1}}\nplain: {m: {k: v}, p: {}}\nextra: x\n")
	var v sample
	if err := Decode("x", src, &v).Err(); err != nil {
		t.Fatal(err)
	}
	value, err := Plain(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(t).Validate(value); err != nil {
		t.Error(err)
	}
}

func TestSchemaIsStable(t *testing.T) {
	if !bytes.Equal(Schema("sample", sample{}), Schema("sample", sample{})) {
		t.Error("two runs give different schemas")
	}
}
