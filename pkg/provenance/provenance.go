// Package provenance gives digests of package files that rest on a repository's
// signature instead of a host's word. The index files are read from a host, which may
// have changed them; the keys are the operator's, and everything from the signature
// down to the entry is verified here.
//
// Lists are large, and the hosts of a ring share them: what a signature vouches for is
// fetched once, kept in the store, and read once for the packages of all of them.
package provenance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/patchring/patchring/pkg/fact"
	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/repository"
)

// Store keeps lists by their content; *store.Store is one.
type Store interface {
	Put(content []byte) (patch.Digest, error)
	Take(content io.Reader, want patch.Digest, limit int64) error
	Get(digest patch.Digest, limit int64) ([]byte, error)
	Has(digest patch.Digest) bool
}

// Keys are the public keys that may sign the indexes of a host's repositories.
type Keys struct {
	ring *repository.Keyring
	id   string // the same for the same files
}

// ParseKeys reads key files, binary or armored.
func ParseKeys(files ...[]byte) (*Keys, error) {
	ring, err := repository.ParseKeyring(files...)
	if err != nil {
		return nil, err //nolint:wrapcheck // says which file, and what is wrong with it
	}
	sum := sha256.New()
	for _, file := range files {
		_, _ = io.WriteString(sum, string(patch.DigestOf(file)))
	}
	return &Keys{ring, hex.EncodeToString(sum.Sum(nil))}, nil
}

// Reader looks up digests in the indexes of hosts. It is safe for concurrent use, and
// remembers what it has verified.
type Reader struct {
	store Store
	keys  func(fact.HostID) *Keys
	now   func() time.Time
	slots chan struct{} // one for each list in memory
	mu    sync.Mutex
	lists map[patch.Digest]*list
}

// parallel lists are read at a time: each may take some hundred MB.
const parallel = 2

// New makes a Reader. keys gives nil for hosts that no keys are named for.
func New(store Store, keys func(fact.HostID) *Keys, now func() time.Time) *Reader {
	return &Reader{store: store, keys: keys, now: now, slots: make(chan struct{}, parallel), lists: map[patch.Digest]*list{}}
}

// Signed gives those of want that a signed index of the host's repositories has, with
// what it says of their files. For all others a note, one line, says why their digest is
// the host's word alone.
func (r *Reader) Signed(ctx context.Context, s remote.Session, driver platform.Driver, f fact.Facts, want []patch.Proven) (known []patch.Proven, notes []string) {
	if len(want) == 0 {
		return nil, nil
	}
	keys := r.keys(f.Host)
	if keys == nil || keys.ring.Len() == 0 {
		return nil, []string{hostsWord(want, "the inventory names no keys of its repositories (keyrings:)")}
	}
	ctx, cancel := context.WithTimeout(ctx, patienceInAll)
	defer cancel()
	files, err := indexes(ctx, s, driver, f)
	if err != nil {
		return nil, []string{hostsWord(want, remote.Clean(err.Error(), maxReason))}
	}
	v := &visit{reader: r, files: s.Files, keys: keys, codename: f.OS.Codename, names: namesOf(want), left: maxVisit}
	for _, source := range sources(files) {
		v.read(ctx, source)
	}
	return v.answer(want)
}

func indexes(ctx context.Context, s remote.Session, driver platform.Driver, f fact.Facts) ([]platform.IndexFile, error) {
	indexer, ok := driver.(platform.Indexer)
	if !ok || s.Runner == nil || s.Files == nil {
		return nil, errors.New("no index can be read from a host of this kind")
	}
	answer, err := s.Runner.Run(ctx, indexer.Indexes(f))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what happened
	}
	files, err := indexer.ReadIndexes(f, answer)
	if err == nil && len(files) == 0 {
		err = errors.New("no index of a repository was found on it")
	}
	return files, err //nolint:wrapcheck // says what happened
}

func namesOf(want []patch.Proven) []string {
	var names []string
	for _, p := range want {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
