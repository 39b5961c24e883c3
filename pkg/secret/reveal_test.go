package secret_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// revealers are the only files of the product that may take a value out of a Secret: why
// each has to. Whoever adds one has to say here to which peer it goes.
func revealers() map[string]string {
	return map[string]string{
		"pkg/secret/filter.go":           "to know what must not leave",
		"pkg/vault/agekeys.go":           "the passphrase of an identity, to age",
		"pkg/vault/ansible.go":           "the password of a vault file, to its key derivation",
		"pkg/connect/auth.go":            "the SSH password, to the server that was authenticated by its host key",
		"pkg/connect/keys.go":            "the passphrase of a private key, to its parser",
		"pkg/connect/elevate.go":         "the password for sudo, doas or su, to standard input behind a prompt with a nonce",
		"pkg/sign/file.go":               "the passphrase of a signing key, to its parser",
		"pkg/vault/agessh.go":            "the passphrase of an SSH key as identity, to its parser",
		"pkg/connect/run.go":             "the first line of a command's standard input, to the command that asked for it",
		"pkg/connect/console_secrets.go": "the enable password, to the device's own prompt",
		"pkg/connect/console_talk.go":    "to take out of a device's echo what was just given",
		"pkg/connect/console_redact.go":  "to take a device's passwords out of what it prints",
		"pkg/connect/faults.go":          "to take what was answered out of what the server says",
		"pkg/connect/interactive.go":     "the password or the code, to the server's own question at login",
		"pkg/connect/secrets.go":         "to take passwords out of what a host prints",
		"pkg/hook/http.go":               "the token, to the server that the playbook names",
	}
}

func TestOnlyTheseFilesReveal(t *testing.T) {
	allowed := revealers()
	found := map[string]bool{}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := fs.ReadFile(root, path)
		if err == nil && reveals(t, path, src) {
			found[path] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		if allowed[path] == "" {
			t.Errorf("%s takes a value out of a Secret: hand the Secret on instead, or say in this test to whom it goes", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(allowed)) {
		if !found[path] {
			t.Errorf("%s reveals no more: take it off the list", path)
		}
	}
}

// reveals tells whether a file names the method Reveal, called or handed on.
func reveals(t *testing.T, path string, src []byte) bool {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Logf("%s: %v", path, err)
		return false
	}
	named := false
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
			named = true
		}
		return !named
	})
	return named
}

func TestRevealsIsFoundWhereItHides(t *testing.T) {
	for _, src := range []string{"x := s.Reveal()", "f := s.Reveal; _ = f", "_ = secret.Secret.Reveal"} {
		if !reveals(t, "x.go", []byte("package x\nfunc f() { "+src+" }")) {
			t.Errorf("%s was not found", src)
		}
	}
	if reveals(t, "x.go", []byte("package x\n// s.Reveal()\nfunc Reveal() {}")) {
		t.Error("found where there is nothing")
	}
}
