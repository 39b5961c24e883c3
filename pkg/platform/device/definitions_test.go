package device

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/document"
)

// TestDefinitions loads, compiles and lints every embedded definition, each by itself.
func TestDefinitions(t *testing.T) {
	names, err := fs.Glob(embedded, "definitions/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d definitions, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(path.Base(name), ".yaml"), func(t *testing.T) {
			p, err := load(embedded, name)
			if problems, ok := errors.AsType[*document.Problems](err); ok {
				t.Fatalf("\n%s", problems.Render())
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.Digest == "" || p.Dialect().Name != p.Definition.Name {
				t.Errorf("%s: digest %q", p.Name(), p.Digest)
			}
		})
	}
	l, err := Embedded()
	if err != nil && len(l.All()) == len(names) {
		t.Error(err)
	}
}
