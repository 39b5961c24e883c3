package store

import (
	"crypto/md5" //nolint:gosec // what vendors publish, and devices can compute; never a proof by itself
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"github.com/patchring/patchring/pkg/patch"
)

// Image is a file that was imported: what it is known by here, by its vendor, and by the
// commands of devices. The sums are small hex digits without a prefix.
type Image struct {
	Digest patch.Digest
	MD5    string
	SHA1   string
	SHA256 string
	SHA512 string
	Size   int64 // bytes
}

// Import keeps what content gives, whatever it is, if it has at most limit bytes, and
// measures it on the way: once, in pieces. When it returns without an error, it is durable.
func (s *Store) Import(content io.Reader, limit int64) (Image, error) {
	release, err := s.lock(false)
	if err != nil {
		return Image{}, fmt.Errorf("store an image: %w", err)
	}
	defer release()
	if err := s.root.MkdirAll("sha256", 0o700); err != nil {
		return Image{}, fmt.Errorf("store an image: %w", err)
	}
	temp := "sha256/" + tempPrefix + rand.Text()
	m := newMeasure()
	size, err := s.receive(temp, content, limit, m.writers()...)
	if err != nil {
		return Image{}, errors.Join(fmt.Errorf("store an image: %w", err), s.discard(temp))
	}
	image := m.image(size)
	return image, s.adopt(temp, image.Digest)
}

// adopt gives the file of a digest that was not known before its place.
func (s *Store) adopt(temp string, digest patch.Digest) error {
	if err := s.root.MkdirAll(folder(digest), 0o700); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", digest.Short(), err), s.discard(temp))
	}
	return s.settle(temp, digest)
}

// Size gives how many bytes content has, without reading it.
func (s *Store) Size(digest patch.Digest) (int64, error) {
	if _, err := patch.ParseDigest(string(digest)); err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	info, err := s.root.Lstat(place(digest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%s: %w", digest.Short(), ErrNotFound)
	case err != nil:
		return 0, fmt.Errorf("store %s: %w", digest.Short(), err)
	case !info.Mode().IsRegular():
		return 0, damaged(digest)
	}
	return info.Size(), nil
}

// measure takes all sums of what is written to it.
type measure struct{ md5, sha1, sha256, sha512 hash.Hash }

func newMeasure() measure {
	return measure{md5.New(), sha1.New(), sha256.New(), sha512.New()} //nolint:gosec // see the imports
}

func (m measure) writers() []io.Writer { return []io.Writer{m.md5, m.sha1, m.sha256, m.sha512} }

func (m measure) image(size int64) Image {
	sum := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
	return Image{
		Digest: digestOf(m.sha256), Size: size,
		MD5: sum(m.md5), SHA1: sum(m.sha1), SHA256: sum(m.sha256), SHA512: sum(m.sha512),
	}
}
