package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

func fresh(t *testing.T) (*Store, string) {
	t.Helper()
	path := t.TempDir()
	root, err := os.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return Open(root), path
}

func put(t *testing.T, s *Store, content string) patch.Digest {
	t.Helper()
	digest, err := s.Put([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestPutGet(t *testing.T) {
	s, path := fresh(t)
	for _, content := range []string{"", "facts", strings.Repeat("x", 1<<20)} {
		digest := put(t, s, content)
		if digest != patch.DigestOf([]byte(content)) || put(t, s, content) != digest {
			t.Error("the digest is not that of the content")
		}
		got, err := s.Get(digest, int64(len(content)))
		if err != nil || string(got) != content {
			t.Errorf("%d bytes came back, %v", len(got), err)
		}
	}
	checkTree(t, path)
}

// checkTree: nothing is left behind, and nobody else may read.
func checkTree(t *testing.T, path string) {
	t.Helper()
	err := filepath.Walk(filepath.Join(path, "sha256"), func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if strings.Contains(name, ".new-") {
			t.Errorf("%s was left behind", name)
		}
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[info.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestGetRefuses(t *testing.T) {
	s, path := fresh(t)
	digest := put(t, s, "facts")
	if _, err := s.Get(digest, 4); err == nil {
		t.Error("more than the limit was read")
	}
	if _, err := s.Get(patch.DigestOf([]byte("never put")), 10); !errors.Is(err, ErrNotFound) {
		t.Errorf("what was never put: %v", err)
	}
	for _, odd := range []patch.Digest{"", "sha256:", "sha256:../../../../etc/passwd", "md5:00", patch.Digest("sha256:" + strings.Repeat("A", 64))} {
		if _, err := s.Get(odd, 10); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("digest %q: %v", odd, err)
		}
	}
	file := filepath.Join(path, filepath.FromSlash(place(digest)))
	if err := os.WriteFile(file, []byte("fakes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(digest, 10); err == nil || fault.HintOf(err) == "" {
		t.Errorf("content without its digest: %v", err)
	}
	// Keeping it again mends it.
	put(t, s, "facts")
	if got, err := s.Get(digest, 10); err != nil || string(got) != "facts" {
		t.Errorf("after it was put again: %q, %v", got, err)
	}
}

// A link in the store leads nowhere outside of it.
func TestLinksStayInside(t *testing.T) {
	s, path := fresh(t)
	secret := []byte("elsewhere")
	outside := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(outside, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(path, filepath.FromSlash(place(patch.DigestOf(secret))))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name); err != nil {
		t.Skip("needs symbolic links: " + err.Error())
	}
	if got, err := s.Get(patch.DigestOf(secret), 100); err == nil {
		t.Errorf("read %q through a link that leads outside", got)
	}
}

func TestPutAtOnce(t *testing.T) {
	s, path := fresh(t)
	content := bytes.Repeat([]byte("y"), 1<<16)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Put(content); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := s.Get(patch.DigestOf(content), 1<<20); err != nil || !bytes.Equal(got, content) {
		t.Error(err)
	}
	checkTree(t, path)
}

func TestPutFails(t *testing.T) {
	s, path := fresh(t)
	if err := os.WriteFile(filepath.Join(path, "sha256"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put([]byte("facts")); err == nil {
		t.Error("a file stands where the folder should, and nobody said so")
	}
}
