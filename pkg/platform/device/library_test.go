package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchring/patchring/pkg/document"
)

// TestWith: what a user writes or changes is unchecked, whatever it says of itself.
func TestWith(t *testing.T) {
	ours, err := Library{}.with(fstest.MapFS{"acme_os.yaml": {Data: []byte(smallYAML)}}, "")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := ours.Find("acme_os")
	changed := strings.Replace(smallYAML, "proof: vendor_document", "proof: real", 1)
	theirs, err := ours.With(fstest.MapFS{"acme_os.yaml": {Data: []byte(changed)}, "README.md": {}})
	if err != nil {
		t.Fatal(err)
	}
	after, ok := theirs.Find("acme_os")
	if !ok || after.Definition.Proof != unchecked || after.Digest == before.Digest || before.Definition.Proof != "vendor_document" || len(theirs.All()) != 1 {
		t.Errorf("%q, %q", before.Definition.Proof, after.Definition.Proof)
	}
	if f, _ := after.Read(smallOutputs(), sampled()); f.Device.Proof != unchecked {
		t.Errorf("%q", f.Device.Proof)
	}
}

func TestWithRefuses(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"has another name":  {"other.yaml": {Data: []byte(smallYAML)}},
		"is no platform":    {"acme_os.yaml": {Data: []byte(strings.Replace(smallYAML, "match:\n", "match:\n  over: [nobody]\n", 1))}},
		"lacks `name`":      {"x.yaml": {Data: []byte("title: x\n")}},
		"the file is empty": {"x.yaml": {}},
	} {
		if _, err := (Library{}).With(files); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDigest: the layout of a file does not count, what it says does.
func TestDigest(t *testing.T) {
	digestOf := func(src string) string {
		p, err := Parse("acme_os.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return string(p.Digest)
	}
	first := digestOf(smallYAML)
	if again := digestOf("# a comment\n\n" + strings.Replace(smallYAML, "vendor: acme\n", "vendor:    \"acme\"\n\n", 1)); again != first {
		t.Error("the layout changed the digest")
	}
	for _, change := range [][2]string{{"Acme OS (\\S+)", "Acme OS +(\\S+)"}, {"grain: 1m", "grain: 2m"}, {"Active: active, Standby: standby", "Standby: standby, Active: active"}} {
		if digestOf(strings.Replace(smallYAML, change[0], change[1], 1)) == first {
			t.Errorf("%q: the digest is the same", change)
		}
	}
}

// TestSchema: the JSON Schema takes every embedded definition, and refuses what is wrong.
func TestSchema(t *testing.T) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("platform.json", raw); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("platform.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(map[string]any{"name": "x"}); err == nil {
		t.Error("a definition with only a name was taken")
	}
	if !json.Valid(Schema()) || !bytes.Contains(Schema(), []byte(`"all_equal"`)) {
		t.Error("the schema lacks keys")
	}
}

var update = flag.Bool("update", false, "write testdata/bad/*.golden anew")

// TestLint: every mistake is told with its place and a hint.
func TestLint(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) { lintOf(t, name) })
	}
}

func lintOf(t *testing.T, name string) {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse(filepath.Base(name), src)
	problems, ok := errors.AsType[*document.Problems](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	golden := strings.TrimSuffix(name, ".yaml") + ".golden"
	if *update {
		if err := os.WriteFile(golden, []byte(problems.Render()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := problems.Render(); got != string(want) {
		t.Errorf("\n%s", got)
	}
	for _, p := range problems.List {
		if p.Line < 2 && !strings.Contains(p.What, "needed") {
			t.Errorf("%s: no place", p)
		}
	}
}

func TestReads(t *testing.T) {
	for _, cmd := range []string{
		"show version", "display version", "get system status", "dir flash:", "file checksum sha-256 {path}", "system image show", "storage failover show",
		"/system resource print", "verify /sha512 {path}", "cat /etc/version", "show running-config | include hostname",
	} {
		if !reads(cmd, nil) {
			t.Errorf("%q reads", cmd)
		}
	}
	for _, cmd := range []string{
		"", "reload", "install activate", "configure terminal", "show version; reload", "show version > flash:x", "cat x && reboot", "show run | redirect flash:x", "cat x | sh", "request system reboot",
		"delete flash:x", "system reboot show", "execute reboot", "cat $(reboot)", "reset saved-configuration", "request system snapshot",
	} {
		if reads(cmd, nil) {
			t.Errorf("%q changes", cmd)
		}
	}
	if !reads("request system software info", []string{"request system software info"}) {
		t.Error("what a definition lists reads")
	}
}
