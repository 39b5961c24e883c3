package provenance

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/patch"
	"github.com/patchring/patchring/pkg/platform"
	"github.com/patchring/patchring/pkg/repository"
)

// family is how a repository's index is made up.
type family uint8

const (
	apt    family = iota // InRelease, or Release and Release.gpg, over Packages files
	rpm                  // repomd.xml.asc over repomd.xml over a primary.xml
	pacman               // a signature over the database
)

// source is one repository on the host.
type source struct {
	repository string
	family     family
	small      []platform.IndexFile // what is signed, and the signature
	lists      []platform.IndexFile // by name, then path
}

const (
	maxSources = 200 // repositories of one host
	maxLists   = 100 // of one repository
)

// sources puts the files of each repository together. The first file of a kind counts.
// What a host names beyond the bounds is left out: then it proves nothing.
func sources(files []platform.IndexFile) []source {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b platform.IndexFile) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	var all []source
	for _, f := range files {
		if len(all) == 0 || all[len(all)-1].repository != f.Repository {
			if len(all) == maxSources {
				break
			}
			all = append(all, source{repository: f.Repository})
		}
		all[len(all)-1].add(f)
	}
	return slices.DeleteFunc(all, func(s source) bool { return len(s.lists) == 0 })
}

func (s *source) add(f platform.IndexFile) {
	switch f.Kind {
	case "packages", "primary", "pacman.db":
		if len(s.lists) < maxLists {
			s.lists = append(s.lists, f)
		}
	case "inrelease", "release", "release.gpg", "repomd", "repomd.asc", "pacman.sig":
		if !s.has(f.Kind) {
			s.small = append(s.small, f)
		}
	}
	switch f.Kind {
	case "repomd", "primary":
		s.family = rpm
	case "pacman.db":
		s.family = pacman
	}
}

func (s *source) has(kind string) bool {
	return slices.ContainsFunc(s.small, func(f platform.IndexFile) bool { return f.Kind == kind })
}

// heads are the contents of a source's small files, by kind.
type heads map[string][]byte

// id is the same for the same files: what they vouch for is then the same too.
func (h heads) id() string {
	var text strings.Builder
	for _, kind := range [...]string{"inrelease", "release", "release.gpg", "repomd", "repomd.asc", "pacman.sig"} {
		text.WriteString(kind + " " + string(patch.DigestOf(h[kind])) + "\n")
	}
	return text.String()
}

// release verifies what is signed, before any list is here. What pacman signs is the list
// itself, so nothing but a missing signature can be told of it yet.
func (h heads) release(of family, keys *repository.Keyring, opt repository.Options) (repository.Release, error) {
	switch {
	case of == pacman && len(h["pacman.sig"]) == 0:
		return repository.Release{}, repository.ErrNoSignature
	case of == pacman:
		return repository.Release{}, nil
	case of == rpm && len(h["repomd.asc"]) == 0:
		return repository.Release{}, fmt.Errorf("%w; dnf fetches one only where repo_gpgcheck is set", repository.ErrNoSignature)
	}
	x, err := h.verify(of, "", nil, keys, opt)
	if err != nil {
		return repository.Release{}, err
	}
	return x.Release, nil
}

// verify walks the chain from the keys down to a list, or to where it is signed without
// one. What does not count as signed is an error.
func (h heads) verify(of family, name string, list []byte, keys *repository.Keyring, opt repository.Options) (x *repository.Index, err error) {
	switch of {
	case apt:
		src := repository.AptSource{InRelease: h["inrelease"], Release: h["release"], ReleaseGPG: h["release.gpg"]}
		if list != nil {
			src.Files = map[string][]byte{name: list}
		}
		x, err = repository.Apt(keys, src, opt)
	case rpm:
		x, err = repository.RPM(keys, repository.RPMSource{Repomd: h["repomd"], Signature: h["repomd.asc"], Primary: list}, opt)
	case pacman:
		x, err = repository.Pacman(keys, list, h["pacman.sig"], opt)
	}
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // says what is wrong
	case x.Assurance != repository.SignedIndex:
		return nil, x.Problem
	}
	return x, nil
}

// group tells which lists are the same one in several forms, or several that were left
// behind: one of them is enough.
func (s *source) group() [][]platform.IndexFile {
	var all [][]platform.IndexFile
	for _, f := range s.lists {
		last := len(all) - 1
		if last >= 0 && (s.family != apt || all[last][0].Name == f.Name) {
			all[last] = append(all[last], f)
			continue
		}
		all = append(all, []platform.IndexFile{f})
	}
	return all
}

// promised is the digest that a list must have, as far as that can be told before it is
// here: from the signed index for apt's uncompressed ones, else from the name that rpm
// repositories give them. Only what is verified later counts; this saves the way.
func promised(of family, r repository.Release, file platform.IndexFile) patch.Digest {
	hexes := ""
	switch of {
	case apt:
		if listed, ok := r.Files[file.Name]; ok && listed.Size == file.Size {
			hexes = listed.SHA256
		}
	case rpm:
		hexes, _, _ = strings.Cut(path.Base(file.Name), "-")
	case pacman:
	}
	digest, err := patch.ParseDigest("sha256:" + hexes)
	if err != nil {
		return ""
	}
	return digest
}

var errChunked = errors.New("its list is in zchunk form, which patchring does not read")
