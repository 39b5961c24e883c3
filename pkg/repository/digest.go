package repository

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
)

// sum is a digest as indexes write it: an algorithm and its hex digits.
type sum struct{ kind, hexes string }

// newHash gives the algorithms that may carry trust from one file to the next; MD5
// and SHA-1 are not among them.
func (s sum) newHash() (hash.Hash, error) {
	var h hash.Hash
	switch s.kind {
	case "sha256":
		h = sha256.New()
	case "sha384":
		h = sha512.New384()
	case "sha512":
		h = sha512.New()
	default:
		return nil, fmt.Errorf("checksum by %s: %w", quote(s.kind), ErrWeak)
	}
	if len(s.hexes) != 2*h.Size() || strings.Trim(s.hexes, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("checksum %s: %w", quote(s.hexes), ErrFormat)
	}
	return h, nil
}

// of tells whether s is the digest of what r gives.
func (s sum) of(r io.Reader) (bool, error) {
	h, err := s.newHash()
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	return hex.EncodeToString(h.Sum(nil)) == s.hexes, nil
}

// sha256Digest refuses a broken digest where one is given: that is no missing one.
func sha256Digest(hexes string) (patch.Digest, error) {
	d, err := patch.ParseDigest("sha256:" + hexes)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", quote(hexes), ErrFormat)
	}
	return d, nil
}
