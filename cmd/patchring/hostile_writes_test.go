package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writers are the files of the product that name files to be written, made, moved or
// removed by themselves, and why no host or repository has a say in those names. All else
// goes through an os.Root: the state folder, its journals, the store.
func writers() map[string]string {
	return map[string]string{
		"pkg/app/carry.go":              "reports: four names of our own beside the journal, or the file that the user names",
		"pkg/app/demo.go":               "the demo's own files in a folder that the user names, or a temporary one",
		"pkg/app/evidence.go":           "the file that the user names; never over one that is there",
		"pkg/app/forecast.go":           "the file that the user names",
		"pkg/app/initial.go":            "the inventory and playbook that the user names; never over one that is there",
		"pkg/app/patchset.go":           "the file that the user names; in the state folder a name made of a digest that was parsed",
		"pkg/app/plan.go":               "the file that the user names; else site and playbook, whose grammar has no slash, and a digest",
		"pkg/app/setpackages.go":        "makes the folder that the user names; what lies in there is written through an os.Root",
		"pkg/connect/hostkeys_write.go": "known_hosts: a site's name, whose grammar has no slash, or the user's own file",
		"pkg/connect/rotate_record.go":  "likewise",
		"pkg/sign/create.go":            "the key that the user asked for; never over one that is there",
		"pkg/sign/publish_file.go":      "the file that the inventory names",
		"pkg/statedir/statedir.go":      "makes the state folder itself, and opens it as an os.Root",
	}
}

// changing are the functions of package os that change what a path names.
func changing() []string {
	return []string{
		"WriteFile", "OpenFile", "Create", "CreateTemp", "Mkdir", "MkdirAll", "MkdirTemp", "Rename", "Symlink", "Link", "Remove",
		"RemoveAll", "Chmod", "Chown", "Lchown", "Chtimes", "Truncate", "CopyFS",
	}
}

// TestWhoWrites holds the list above to what the sources do.
func TestWhoWrites(t *testing.T) {
	root := filepath.Join("..", "..")
	found := map[string]bool{}
	for _, top := range []string{"pkg", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			name, _ := filepath.Rel(root, path)
			name = filepath.ToSlash(name)
			switch {
			case err != nil:
				return err
			case d.IsDir() && (name == "pkg/lab" || d.Name() == "testdata"): // the simulated fleet is no part of the product
				return fs.SkipDir
			case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && writes(t, path):
				found[name] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if writers()[name] == "" {
			t.Errorf("%s names files by itself: use an os.Root, or say in writers() why no host has a say in the name", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(writers())) {
		if !found[name] {
			t.Errorf("%s writes nothing any more: take it from writers()", name)
		}
	}
	if len(found) < 10 {
		t.Errorf("only %d files write: the test looks in the wrong place", len(found))
	}
}

// writes tells whether a file calls one of those functions.
func writes(t *testing.T, path string) (found bool) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "os" && slices.Contains(changing(), call.Sel.Name) {
			found = true
		}
		return true
	})
	return found
}
