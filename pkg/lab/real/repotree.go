//go:build linux

package real

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// tree is where a repository lies on disk. Each package file has up to three names:
// in "built" for good, in "offered" while indexes list it, in "public" as the server
// serves it. So what is tampered with in public is still indexed as it was.
type tree struct {
	dir string
	key *signer
}

func newTree(dir string, key *signer) (*tree, error) {
	t := &tree{dir: dir, key: key}
	for _, sub := range []string{"built", "offered", "public", "scratch"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) built(path string) string   { return filepath.Join(t.dir, "built", path) }
func (t *tree) offered(path string) string { return filepath.Join(t.dir, "offered", path) }
func (t *tree) public(path string) string  { return filepath.Join(t.dir, "public", path) }

// scratch gives an empty folder to build in.
func (t *tree) scratch(format, name string) (string, error) {
	dir := filepath.Join(t.dir, "scratch", format, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// names are a package file, and its signature where it has one of its own.
func (t *tree) names(path string) []string {
	if isFile(t.built(path + ".sig")) {
		return []string{path, path + ".sig"}
	}
	return []string{path}
}

// forget removes a built file, so that building it again does not write into what
// other names have.
func (t *tree) forget(path string) error {
	for _, name := range t.names(path) {
		if err := os.Remove(t.built(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// offer lets a built file be indexed and served.
func (t *tree) offer(path string) error {
	for _, name := range t.names(path) {
		if err := errors.Join(link(t.built(name), t.offered(name)), link(t.built(name), t.public(name))); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes a file out of the index and off the server.
func (t *tree) withdraw(path string) error {
	for _, name := range t.names(path) {
		if err := errors.Join(os.Remove(t.offered(name)), os.Remove(t.public(name))); err != nil {
			return err
		}
	}
	return nil
}

// tamper changes a byte of a served file, which no index learns of.
func tamper(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(content) == 0 {
		return fmt.Errorf("%s is empty", path)
	}
	content[len(content)/2] ^= 0xff
	// A new file, because the old one has other names too.
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// link gives a file another name, in place of what had it.
func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Link(from, to)
}

// publish writes an index file as the server serves it.
func (t *tree) publish(path string, content []byte) error {
	full := t.public(path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	// A new file, because the old one may be part of a snapshot.
	if err := os.Remove(full); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(full, content, 0o644)
}
