package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// zeros gives n bytes without holding them.
func zeros(n int64) io.Reader { return io.LimitReader(nothing{}, n) }

type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// The sums of "abc" are the examples of RFC 1321 and FIPS 180-4.
func TestImport(t *testing.T) {
	s, path := fresh(t)
	got, err := s.Import(strings.NewReader("abc"), 3)
	want := Image{
		Digest: patch.DigestOf([]byte("abc")), Size: 3, MD5: "900150983cd24fb0d6963f7d28e17f72", SHA1: "a9993e364706816aba3e25717850c26c9cd0d89d",
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if content, err := s.Get(got.Digest, 3); err != nil || string(content) != "abc" {
		t.Errorf("%q came back, %v", content, err)
	}
	if again, err := s.Import(strings.NewReader("abc"), 9); err != nil || again != want {
		t.Errorf("again: %+v, %v", again, err)
	}
	checkTree(t, path)
}

func TestImportDoesNotHoldIt(t *testing.T) {
	s, _ := fresh(t)
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := s.Import(zeros(size), size); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size/8 {
		t.Errorf("%d bytes were allocated for a file of %d", allocated, size)
	}
}

// broken is a source that fails in the middle.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the stick was pulled out") }

func TestImportRefuses(t *testing.T) {
	s, path := fresh(t)
	if _, err := s.Import(zeros(11), 10); !errors.Is(err, ErrContent) {
		t.Errorf("too large: %v", err)
	}
	if _, err := s.Import(io.MultiReader(bytes.NewReader([]byte("ab")), broken{}), 10); err == nil {
		t.Error("a source that fails was taken")
	}
	checkTree(t, path)
	if got, err := s.Sweep(nil, time.Now().Add(48*time.Hour), false); err != nil || len(got) != 0 {
		t.Errorf("something was kept: %v, %v", got, err)
	}
}

// What an import that was killed has left is swept.
func TestImportThatWasKilled(t *testing.T) {
	s, path := fresh(t)
	if _, err := s.Import(strings.NewReader("abc"), 3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "sha256", tempPrefix+"x"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := map[patch.Digest]bool{patch.DigestOf([]byte("abc")): true}
	got, err := s.Sweep(used, time.Now().Add(48*time.Hour), false)
	if err != nil || len(got) != 1 || got[0].Left == "" {
		t.Errorf("swept: %+v, %v", got, err)
	}
}

func TestSize(t *testing.T) {
	s, path := fresh(t)
	digest := put(t, s, "facts")
	if n, err := s.Size(digest); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := s.Size(patch.DigestOf(nil)); !errors.Is(err, ErrNotFound) {
		t.Errorf("what was never put: %v", err)
	}
	if _, err := s.Size("sha256:../x"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("an odd digest: %v", err)
	}
	name := filepath.Join(path, filepath.FromSlash(place(digest)))
	if err := errors.Join(os.Remove(name), os.Mkdir(name, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Size(digest); err == nil {
		t.Error("a folder has a size")
	}
}
