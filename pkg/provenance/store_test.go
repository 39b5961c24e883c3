package provenance_test

import (
	"io"
	"os"
	"sync"
	"testing"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/provenance"
	"github.com/patchring/patchring/pkg/store"
)

func newStore(t testing.TB) *store.Store {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return store.Open(root)
}

// shelf is a store in memory, for a fuzzer that would wait for the disk.
type shelf struct {
	mu  sync.Mutex
	all map[patch.Digest][]byte
}

func (s *shelf) Put(content []byte) (patch.Digest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest := patch.DigestOf(content)
	s.all[digest] = content
	return digest, nil
}

func (s *shelf) Take(content io.Reader, want patch.Digest, limit int64) error {
	b, err := io.ReadAll(io.LimitReader(content, limit))
	if err == nil && patch.DigestOf(b) != want {
		err = store.ErrContent
	}
	if err != nil {
		return err
	}
	_, err = s.Put(b)
	return err
}

func (s *shelf) Get(digest patch.Digest, _ int64) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if content, found := s.all[digest]; found {
		return content, nil
	}
	return nil, store.ErrNotFound
}

func (s *shelf) Has(digest patch.Digest) bool {
	_, err := s.Get(digest, 0)
	return err == nil
}

// reader gives these keys to every host.
func reader(t testing.TB, keys *provenance.Keys) *provenance.Reader {
	t.Helper()
	return provenance.New(newStore(t), func(fact.HostID) *provenance.Keys { return keys }, today)
}
