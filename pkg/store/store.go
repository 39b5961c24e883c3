// Package store keeps content-addressed files in a folder: facts, snapshots, plans,
// later packages and images. A file's name is the digest of its content, so that
// what is read is what was written, or an error.
//
//	sha256/ab/cdef…    the file whose digest is sha256:abcdef…
//	lock               shared by those who put, held alone by who sweeps
package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// ErrNotFound is what Get wraps where the store has no such content.
var ErrNotFound = errors.New("not in the store")

// tempPrefix is what Put writes to before the content gets its name.
const tempPrefix = ".new-"

// Store is a folder of such files. Several processes may use one at the same time.
type Store struct{ root *os.Root }

// Open uses the folder behind root, which stays the caller's to close.
func Open(root *os.Root) *Store { return &Store{root: root} }

// Put keeps content and returns its digest. When it returns without an error, the
// content is durable. Keeping the same content again changes nothing.
func (s *Store) Put(content []byte) (patch.Digest, error) {
	digest := patch.DigestOf(content)
	release, err := s.lock(false)
	if err != nil {
		return "", fmt.Errorf("store %s: %w", digest.Short(), err)
	}
	defer release()
	if s.renew(digest, int64(len(content))) {
		return digest, nil
	}
	return digest, s.put(digest, content)
}

// renew makes content that is there already young again, since it is needed anew: it
// shall not be swept before the caller has written down that it refers to it.
func (s *Store) renew(digest patch.Digest, size int64) bool {
	if _, err := s.Get(digest, size); err != nil {
		return false
	}
	return s.root.Chtimes(place(digest), time.Time{}, time.Now()) == nil
}

func (s *Store) put(digest patch.Digest, content []byte) error {
	name := place(digest)
	if err := s.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("store %s: %w", digest.Short(), err)
	}
	temp := path.Join(path.Dir(name), tempPrefix+rand.Text())
	if err := s.write(temp, content); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", digest.Short(), err), s.discard(temp))
	}
	return s.settle(temp, digest)
}

// settle gives what was written its name, durably.
func (s *Store) settle(temp string, digest patch.Digest) error {
	name := place(digest)
	if err := s.root.Rename(temp, name); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", digest.Short(), err), s.discard(temp))
	}
	// The names on the way down must survive a power cut too.
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if err := s.syncFolder(dir); err != nil {
			return fmt.Errorf("store %s: %w", digest.Short(), err)
		}
		if dir == "." {
			return nil
		}
	}
}

func (s *Store) write(name string, content []byte) error {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// discard removes what a failed Put left; that it may not be there is fine.
func (s *Store) discard(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

func (s *Store) syncFolder(name string) error {
	dir, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Get gives the content that a digest names. Content that does not have its digest
// is an error, and so is content of more than limit bytes.
func (s *Store) Get(digest patch.Digest, limit int64) ([]byte, error) {
	if _, err := patch.ParseDigest(string(digest)); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f, err := s.root.Open(place(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", digest.Short(), ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", digest.Short(), err)
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("store %s: %w", digest.Short(), err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("store %s: more than %d bytes", digest.Short(), limit)
	}
	if patch.DigestOf(content) != digest {
		return nil, damaged(digest)
	}
	return content, nil
}

func damaged(digest patch.Digest) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Internal, What: "the store's file " + place(digest) + " is damaged: its content does not have its digest",
		Hint: "remove that file; what is needed of it is fetched or measured again",
	}
}

// folder is where a digest's file lies.
func folder(digest patch.Digest) string { return path.Dir(place(digest)) }

// place is where a digest's file lies, with slashes, below the root. The first two
// digits are a folder of their own, so that no folder gets too long.
func place(digest patch.Digest) string {
	hexes := strings.TrimPrefix(string(digest), "sha256:")
	if _, err := hex.DecodeString(hexes); err != nil || len(hexes) < 3 {
		return "invalid" // Get and Put never come here with one
	}
	return path.Join("sha256", hexes[:2], hexes[2:])
}
