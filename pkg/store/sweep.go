package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/statedir"
)

// grace is how long content stays after it was last put, though nothing refers to it:
// who puts it writes the reference a little later.
const grace = 24 * time.Hour

// Sweep removes all content that is neither in used, nor named in JSON that stays, nor
// younger than a day, and gives it, sorted. A dry run only tells. Several processes may
// Put meanwhile. It fits statedir.Pruning.
func (s *Store) Sweep(used map[patch.Digest]bool, now time.Time, dryRun bool) ([]statedir.Pruned, error) {
	used, err := s.reach(used)
	if err != nil {
		return nil, fmt.Errorf("sweep the store: %w", err)
	}
	var out []statedir.Pruned
	err = s.walk(func(name string, digest patch.Digest) error {
		if digest != "" && used[digest] {
			return nil
		}
		gone, old, err := s.remove(name, now.Add(-grace), dryRun)
		if old {
			gone.Object = digest
			if digest == "" {
				gone.Left = path.Join("store", name)
			}
			out = append(out, gone)
		}
		return err
	})
	if err != nil {
		return out, fmt.Errorf("sweep the store: %w", err)
	}
	return out, nil
}

// reach adds what the used content itself refers to, however far. Only JSON documents
// refer to anything; a package or an image does not.
func (s *Store) reach(used map[patch.Digest]bool) (map[patch.Digest]bool, error) {
	all, todo := map[patch.Digest]bool{}, used
	for len(todo) > 0 {
		found := map[patch.Digest]bool{}
		for digest := range todo {
			all[digest] = true
			if err := s.references(digest, found); err != nil {
				return nil, err
			}
		}
		for digest := range all {
			delete(found, digest)
		}
		todo = found
	}
	return all, nil
}

func (s *Store) references(digest patch.Digest, found map[patch.Digest]bool) error {
	f, err := s.root.Open(place(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // not every digest is of content that was kept
	}
	if err != nil {
		return err
	}
	var first [1]byte
	if n, err := f.ReadAt(first[:], 0); n == 0 || first[0] != '{' && first[0] != '[' {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(err, f.Close())
	}
	return errors.Join(statedir.Digests(f, found), f.Close())
}

// walk gives each file in order, with its digest; what a Put that was killed has left
// comes without one. What is neither is not the store's, and is left alone.
func (s *Store) walk(fn func(name string, digest patch.Digest) error) error {
	err := fs.WalkDir(s.root.FS(), "sha256", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		dir, file := path.Split(name)
		if strings.HasPrefix(file, tempPrefix) {
			return fn(name, "")
		}
		digest, err := patch.ParseDigest("sha256:" + path.Base(dir) + file)
		if err != nil || place(digest) != name {
			return nil //nolint:nilerr // no name of ours
		}
		return fn(name, digest)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// remove removes a file unless it was put again since before.
func (s *Store) remove(name string, before time.Time, dryRun bool) (gone statedir.Pruned, old bool, err error) {
	release, err := s.lock(true)
	if err != nil {
		return gone, false, err
	}
	defer release()
	info, err := s.root.Lstat(name)
	if err != nil || info.ModTime().After(before) {
		return gone, false, err
	}
	if !dryRun {
		if err := s.root.Remove(name); err != nil {
			return gone, false, err
		}
	}
	return statedir.Pruned{Bytes: info.Size(), Last: info.ModTime().UTC()}, true, nil
}

// lock keeps putting and removing apart.
func (s *Store) lock(alone bool) (release func(), err error) {
	f, err := s.root.OpenFile("lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := statedir.Flock(f, alone); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks it
}
