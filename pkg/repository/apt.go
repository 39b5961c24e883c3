package repository

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AptSource are the bytes of one apt repository: InRelease, or Release and its
// detached signature Release.gpg, and Packages files by the path that the Release
// file lists ("main/binary-amd64/Packages.xz"). A file may be compressed otherwise
// than its path says, as apt recompresses what it keeps: then its content is held
// against the path without ".xz" and the like.
type AptSource struct {
	InRelease           []byte
	Release, ReleaseGPG []byte
	Files               map[string][]byte
}

// Apt verifies one apt repository: the keys' signature over the Release file, each
// Packages file against the digest listed there. Nothing of a Packages file is read
// before its digest is known to be right.
//
// A signature that does not count is no error: the index is then the host's word, and
// Problem says why. A file that is not as listed is an error in any case.
func Apt(keys *Keyring, src AptSource, opt Options) (*Index, error) {
	text, signer, problem := src.release(keys, opt)
	if text == nil {
		return nil, problem
	}
	x := &Index{}
	x.settle(signer, problem)
	var err error
	if x.Release, err = parseRelease(text); err != nil {
		return nil, err
	}
	if err := x.Release.stale(opt); err != nil && !opt.AcceptStale {
		x.doubt(err)
	}
	for _, name := range slices.Sorted(maps.Keys(src.Files)) {
		if err := x.readListed(name, src.Files[name], opt.wanted()); err != nil {
			return nil, fmt.Errorf("%s: %w", quote(name), err)
		}
	}
	return x, nil
}

// release gives the text of the Release file, and whether it counts as signed.
func (src AptSource) release(keys *Keyring, opt Options) ([]byte, Signer, error) {
	if len(src.InRelease) > 0 {
		return keys.VerifyClear(src.InRelease, opt.Now)
	}
	if len(src.Release) == 0 {
		return nil, Signer{}, fmt.Errorf("neither InRelease nor Release: %w", ErrFormat)
	}
	s, err := keys.Verify(src.Release, src.ReleaseGPG, opt.Now)
	return src.Release, s, err
}

func (r Release) stale(opt Options) error {
	switch {
	case !r.ValidUntil.IsZero() && opt.Now.After(r.ValidUntil):
		return fmt.Errorf("%w: %s", ErrStale, r.ValidUntil.UTC().Format("2006-01-02 15:04 UTC"))
	case r.Date.After(opt.Now.Add(clockSkew)):
		return fmt.Errorf("%w: it is dated %s, after now", ErrStale, r.Date.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return nil
}

func (x *Index) readListed(name string, file []byte, want wanted) error {
	limit, err := x.Release.matches(name, file)
	if err != nil {
		return err
	}
	return readPackages(open(file, limit), want, x.add)
}

// matches holds a file against the list: as it is, or else its content against the
// path without compression. It gives how large the content can be.
func (r Release) matches(name string, file []byte) (limit int64, err error) {
	plain := plainPath(name)
	content, known := r.Files[plain]
	limit = maxInflated
	if known {
		limit = min(content.Size, maxInflated)
	}
	listed, exact := r.Files[name]
	if exact && int64(len(file)) == listed.Size {
		if same, err := listed.sum().of(bytes.NewReader(file)); same || err != nil {
			return limit, err
		}
	}
	switch {
	case !exact && !known:
		return 0, ErrUnlisted
	case !known:
		return 0, ErrMismatch
	}
	same, err := content.sum().of(open(file, limit))
	if err == nil && !same {
		err = ErrMismatch
	}
	return limit, err
}

func (l Listed) sum() sum { return sum{"sha256", l.SHA256} }

func plainPath(name string) string {
	for _, end := range [...]string{".xz", ".gz", ".bz2", ".zst", ".lz4"} {
		if plain, cut := strings.CutSuffix(name, end); cut {
			return plain
		}
	}
	return name
}
