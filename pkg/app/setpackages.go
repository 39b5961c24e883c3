package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// The packages of a patch set on their way to another state folder: files in one folder,
// known by their digests, whatever their names are.

// maxPackageFile bounds one of them.
const maxPackageFile = 4 << 30

// exportPackages writes what the store has of a set's files.
func (e Env) exportPackages(o PatchSetOptions, set patch.PatchSet) error {
	from, closed, err := o.openStore()
	if err != nil {
		return err
	}
	defer closed()
	if err := os.MkdirAll(o.Packages, 0o700); err != nil {
		return fault.Usagef("name a folder that can be written", "write the packages: %v", err)
	}
	into, err := os.OpenRoot(o.Packages)
	if err != nil {
		return fault.Usagef("name a folder that can be written", "write the packages: %v", err)
	}
	defer func() { _ = into.Close() }()
	written, without := 0, 0
	for _, p := range set.Proven {
		if from == nil || p.Digest == "" || !from.Has(p.Digest) {
			without++
			continue
		}
		content, err := from.Open(p.Digest)
		if err != nil {
			return err //nolint:wrapcheck // names the content
		}
		if err := errors.Join(writeFrom(into, packageName(p), content), content.Close()); err != nil {
			return fmt.Errorf("write %s %s: %w", p.Name, p.Version, err)
		}
		written++
	}
	e.say("%d package files written to %s; %d are not in the store", written, o.Packages, without)
	return nil
}

// packageName is the file's own name where it is known and looks like one, behind its
// digest: two distributions may call different files the same, and a host or a repository
// may call one what it likes.
func packageName(p patch.Proven) string {
	if base := path.Base(p.File); packageFile.MatchString(base) {
		return p.Digest.Short() + "-" + base
	}
	return p.Digest.Short()
}

var packageFile = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._~%^=-]{0,199}$`)

// writeFrom stays in the folder, whatever lies there.
func writeFrom(into *os.Root, name string, content io.Reader) error {
	f, err := into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// importPackages takes those files of a folder into the store that the set names by their
// digests; others are not taken.
func (e Env) importPackages(o PatchSetOptions, set patch.PatchSet) error {
	wanted := map[patch.Digest]bool{}
	for _, p := range set.Proven {
		if p.Digest != "" {
			wanted[p.Digest] = true
		}
	}
	to, closed, err := o.openStore()
	if err != nil {
		return err
	}
	defer closed()
	entries, err := os.ReadDir(o.Packages)
	if err != nil {
		return fault.Usagef("name the folder that patchset export --packages wrote", "read the packages: %v", err)
	}
	taken, other := map[patch.Digest]bool{}, 0
	for _, entry := range entries {
		name := filepath.Join(o.Packages, entry.Name())
		digest, err := digestOfFile(name)
		if err != nil || !wanted[digest] {
			other++
			continue
		}
		f, err := os.Open(name) //nolint:gosec // the user names the folder
		if err != nil {
			return err //nolint:wrapcheck // names the file
		}
		if err := errors.Join(to.Take(f, digest, maxPackageFile), f.Close()); err != nil {
			return fmt.Errorf("take %s: %w", name, err)
		}
		taken[digest] = true
	}
	e.say("%d of %d package files are in the store now; %d files of %s are none of this set's", len(taken), len(wanted), other, o.Packages)
	return nil
}

func digestOfFile(name string) (patch.Digest, error) {
	f, err := os.Open(name) //nolint:gosec // the user names the folder
	if err != nil {
		return "", err //nolint:wrapcheck // names the file
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", errors.Join(err, f.Close())
	}
	return patch.Digest("sha256:" + hex.EncodeToString(sum.Sum(nil))), f.Close() //nolint:wrapcheck // names the file
}
