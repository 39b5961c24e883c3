package evidence_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/patchring/patchring/pkg/evidence"
)

func build() *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.1", Main: debug.Module{Path: "github.com/patchring/patchring", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "golang.org/x/crypto", Version: "v0.50.0", Sum: "h1:abc="},
			{Path: "example.com/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/new", Version: "v2.0.0+incompatible"}},
		},
		Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "-ldflags", Value: "-X main.secret=1 -L/home/somebody"}},
	}
}

// TestSBOM: an independent reader of CycloneDX finds the modules that are linked in.
func TestSBOM(t *testing.T) {
	raw, err := evidence.SBOM(build(), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(raw), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cyclonedx.SpecVersion1_6 || bom.Metadata.Component.Version != "v1.2.3" || bom.Metadata.Component.Type != cyclonedx.ComponentTypeApplication {
		t.Errorf("%s %+v", bom.SpecVersion, bom.Metadata.Component)
	}
	var refs []string
	for _, c := range *bom.Components {
		refs = append(refs, c.PackageURL)
	}
	want := []string{"pkg:golang/example.com/new@v2.0.0%2Bincompatible", "pkg:golang/golang.org/x/crypto@v0.50.0", "pkg:golang/std@1.26.1"}
	if !slices.Equal(refs, want) || !slices.Equal(*(*bom.Dependencies)[0].Dependencies, want) {
		t.Errorf("components %v, dependencies %+v", refs, *bom.Dependencies)
	}
	if bytes.Contains(raw, []byte("somebody")) {
		t.Error("it names a folder of the machine")
	}
	again, err := evidence.SBOM(build(), "v1.2.3")
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the same build gave another text, %v", err)
	}
}

// TestOwnSBOM: that of this very binary.
func TestOwnSBOM(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("this test binary does not know what it is built from")
	}
	raw, err := evidence.SBOM(info, "test")
	if err != nil {
		t.Fatal(err)
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(raw), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if len(*bom.Components) != len(info.Deps)+1 {
		t.Errorf("%d components, and %d modules are linked in", len(*bom.Components), len(info.Deps))
	}
}

// TestSBOMSchema: the schema of CycloneDX itself finds nothing wrong.
func TestSBOMSchema(t *testing.T) {
	raw, err := evidence.SBOM(build(), "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Skipf("the schema comes with a module, and go list does not find it: %v", err)
	}
	compiler := jsonschema.NewCompiler()
	for name, file := range map[string]string{"bom-1.6.schema.json": "", "spdx.schema.json": "", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		if file == "" {
			file = name
		}
		f, err := os.Open(filepath.Join(strings.TrimSpace(string(folder)), "schema", file))
		if err != nil {
			t.Skipf("the module has no schema %s any more: %v", file, err)
		}
		schema, err := jsonschema.UnmarshalJSON(f)
		_ = f.Close()
		if err == nil {
			err = compiler.AddResource("http://cyclonedx.org/schema/"+name, schema)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
}
