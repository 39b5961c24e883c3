package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/inventory"
)

// keyFile is a public key of the recorded repositories.
func keyFile(t *testing.T) []byte {
	t.Helper()
	key, err := os.ReadFile("../repository/testdata/key.asc")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyringFolder has an inventory, a key beside it, one in the home folder, and a file that is none.
func keyringFolder(t *testing.T, text string) (Env, Options) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	for name, content := range map[string][]byte{
		filepath.Join(dir, "inventory.yaml"): []byte(text), filepath.Join(dir, "lab.asc"): keyFile(t),
		filepath.Join(home, "home.asc"): keyFile(t), filepath.Join(dir, "rubbish.asc"): []byte("rubbish"),
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Env{Home: home}, Options{Inventory: filepath.Join(dir, "inventory.yaml")}
}

func TestKeyrings(t *testing.T) {
	e, o := keyringFolder(t, "version: 1\ndefaults: {keyrings: [lab.asc]}\nhosts:\n  a: {}\n  b: {keyrings: []}\n  c: {groups: [g]}\n  d: {}\ngroups:\n  g: {keyrings: [\"~/home.asc\", lab.asc]}\n")
	inv := parsed(t, o)
	keys, err := e.keyrings(inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range inv.Hosts {
		if got, want := keys[h.ID] != nil, h.ID.Name != "b"; got != want {
			t.Errorf("%s has keys: %v", h.ID, got)
		}
	}
	site := inv.Hosts[0].ID
	d := site
	d.Name = "d"
	if keys[site] != keys[d] {
		t.Error("the same files were read twice")
	}
}

func parsed(t *testing.T, o Options) *inventory.Inventory {
	t.Helper()
	inv, err := o.loadInventory()
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// A keyring that can't be read ends what would work with it, with the file and the setting.
func TestKeyringsThatAreNone(t *testing.T) {
	for name, words := range map[string]string{"gone.asc": "no such file", "rubbish.asc": "public key", "~/gone.asc": "no such file", ".": "directory"} {
		e, o := keyringFolder(t, "version: 1\nhosts:\n  a: {}\n  b: {keyrings: [lab.asc, \""+name+"\"]}\n")
		book := filepath.Join(filepath.Dir(o.Inventory), "playbook.yaml")
		if err := os.WriteFile(book, []byte("version: 1\nname: p\npatches: [{hosts: \"*\", packages: {kind: security}}]\nrings: [{name: test, hosts: a, window: any}, {name: rest, hosts: b, window: any}]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, lint := e.Lint(LintOptions{Options: o, Playbooks: []string{book}})
		_, plan := e.Plan(t.Context(), PlanOptions{Options: o, Playbook: book})
		_, run := e.Run(t.Context(), RunOptions{PlanOptions: PlanOptions{Options: o, Playbook: book}})
		for what, err := range map[string]error{"lint": lint, "plan": plan, "run": run} {
			if fault.CodeOf(err) != fault.Usage {
				t.Errorf("%s with %s: %v", what, name, err)
				continue
			}
			text := err.Error()
			var f *fault.Error
			if !strings.Contains(text, "inventory.yaml:4: keyrings: "+name) || !strings.Contains(text, words) || !errors.As(err, &f) || f.Hint == "" {
				t.Errorf("%s with %s: %s", what, name, text)
			}
		}
		if _, err := os.Stat(o.statePath()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("something was written: %v", err)
		}
	}
}
