package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// Packages and images are too large to be held in memory.

// ErrContent is what Take wraps where the content does not have its digest, or is too
// large: then nothing was kept.
var ErrContent = errors.New("not the content that was to come")

// Has tells whether the store has content of this digest. Only reading it tells whether
// it is undamaged. It is young again, as with Put.
func (s *Store) Has(digest patch.Digest) bool {
	if _, err := patch.ParseDigest(string(digest)); err != nil {
		return false
	}
	return s.root.Chtimes(place(digest), time.Time{}, time.Now()) == nil
}

// Take keeps what content gives, if it has the digest and at most limit bytes. When it
// returns without an error, it is durable.
func (s *Store) Take(content io.Reader, want patch.Digest, limit int64) error {
	if _, err := patch.ParseDigest(string(want)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	release, err := s.lock(false)
	if err != nil {
		return fmt.Errorf("store %s: %w", want.Short(), err)
	}
	defer release()
	dir := path.Dir(place(want))
	if err := s.root.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store %s: %w", want.Short(), err)
	}
	temp := path.Join(dir, tempPrefix+rand.Text())
	if err := s.receiveOnly(temp, content, want, limit); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", want.Short(), err), s.discard(temp))
	}
	return s.settle(temp, want)
}

// receiveOnly writes content to temp, and compares what came with its digest.
func (s *Store) receiveOnly(temp string, content io.Reader, want patch.Digest, limit int64) error {
	sum := sha256.New()
	if _, err := s.receive(temp, content, limit, sum); err != nil {
		return err
	}
	if got := digestOf(sum); got != want {
		return fmt.Errorf("%w: its digest is %s", ErrContent, got.Short())
	}
	return nil
}

// receive writes content to temp, durably, and to the sums; it gives how many bytes came.
func (s *Store) receive(temp string, content io.Reader, limit int64, sums ...io.Writer) (int64, error) {
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller names the content
	}
	n, err := io.Copy(io.MultiWriter(append(sums, f)...), io.LimitReader(content, limit+1))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	if n > limit {
		return n, fmt.Errorf("%w: more than %d bytes", ErrContent, limit)
	}
	return n, nil
}

func digestOf(sum hash.Hash) patch.Digest {
	return patch.Digest("sha256:" + hex.EncodeToString(sum.Sum(nil)))
}

// Open gives content to be read in pieces. At its end, content that does not have its
// digest is an error in place of io.EOF.
func (s *Store) Open(digest patch.Digest) (io.ReadCloser, error) {
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
	return &reading{f: f, want: digest, sum: sha256.New()}, nil
}

// reading compares what was read with the digest when it comes to the end.
type reading struct {
	f    *os.File
	want patch.Digest
	sum  hash.Hash
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.f.Read(p)
	r.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && digestOf(r.sum) != r.want {
		return n, damaged(r.want)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

func (r *reading) Close() error { return r.f.Close() }
