// Package repository reads and verifies the signed indexes of package repositories:
// apt, rpm-md, pacman and Alpine. It works on bytes, wherever they came from: a host
// that hands over its own package lists can leave something out or hand over old
// ones, but it can't change a digest in them while the signature still holds.
//
// Every family has one function (Apt, RPM, Pacman, Alpine) that walks the whole
// chain: trusted key, signature, digest of the list, entry. What it gives says which
// of the two it is: a signed index, or the host's own word and why.
package repository

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchring/patchring/pkg/patch"
)

// Why an index is no signed one: Index.Problem wraps one or more of these.
var (
	ErrNoSignature      = errors.New("there is no signature")
	ErrUnknownKey       = errors.New("signed by a key that is not trusted")
	ErrBadSignature     = errors.New("the signature does not fit the content")
	ErrExpiredKey       = errors.New("the signing key has expired")
	ErrRevokedKey       = errors.New("the signing key was revoked")
	ErrExpiredSignature = errors.New("the signature has expired, or is from the future")
	ErrWeak             = errors.New("signed with a weak algorithm")
	ErrNoTime           = errors.New("it was not said what time it is")
	ErrStale            = errors.New("the index is past its own end of validity")
)

// Why there is no index, or no entry: errors of this package wrap one of these.
var (
	ErrFormat    = errors.New("not in the expected form")
	ErrMismatch  = errors.New("the file is not the one that the index lists")
	ErrUnlisted  = errors.New("the index does not list this file")
	ErrAmbiguous = errors.New("the index names this more than once, and differently")
	ErrTooBig    = errors.New("too large")
	ErrMissing   = errors.New("the index does not have this package version")
)

// Assurance says whose word the entries are.
type Assurance uint8

const (
	HostsWord   Assurance = iota // unsigned, or not acceptably: whoever handed over the bytes may have written them
	SignedIndex                  // by a trusted key, down to the digest of each entry
)

func (a Assurance) String() string {
	if a == SignedIndex {
		return "signed index"
	}
	return "unsigned: the host's own word"
}

// Signer made the signature that was accepted.
type Signer struct {
	Fingerprint string    // of the primary key, upper-case hex; for Alpine the key's file name
	UserID      string    // cleaned; what the key says of itself, for people
	Time        time.Time // when it was signed; zero: the format does not say
}

// Entry is one package file that an index lists. Its texts are of a plain form, so
// that they may go into reasons and file names.
type Entry struct {
	Name    string
	Arch    string
	Version string // as patch.Update.To has it
	File    string // relative to the repository, never outside it
	Size    int64  // bytes
	// Digest is empty where the index gives no SHA-256 (Alpine, old rpm repositories):
	// then the index proves the version's existence and nothing of its content.
	Digest patch.Digest
}

// Options are what a verdict depends on beside keys and bytes.
type Options struct {
	// Now judges expiry. It must be set.
	Now time.Time
	// Names are the packages to keep; nil keeps all. A distribution lists 60 000,
	// a host needs a few dozen.
	Names []string
	// AcceptStale keeps an apt index signed though its Valid-Until has passed, as a
	// frozen mirror needs. The signature still counts, the freshness does not.
	AcceptStale bool
}

// Index is what one repository offers, and on whose word.
type Index struct {
	Assurance Assurance
	// Problem is nil for a signed index; else it wraps the sentinel errors that say why not.
	Problem    error
	Signer     Signer  // zero unless signed
	Release    Release // apt only
	Advisories []Advisory
	entries    map[release][]Entry
	count      int
}

// release is a package version without its architecture.
type release struct{ name, version string }

// Reason is Problem for people; empty for a signed index.
func (x *Index) Reason() string {
	if x.Problem == nil {
		return ""
	}
	return x.Problem.Error()
}

// Entries gives every entry that was kept, by name, version and architecture. The
// same version with two digests is in it twice; Find refuses it.
func (x *Index) Entries() []Entry {
	all := make([]Entry, 0, x.count)
	for _, key := range slices.SortedFunc(maps.Keys(x.entries), compareReleases) {
		all = append(all, x.entries[key]...)
	}
	return all
}

func compareReleases(a, b release) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	return strings.Compare(a.version, b.version)
}

// Find gives the one entry of a package version. An empty arch takes any; a package
// for every architecture fits each. Two that fit and differ are ErrAmbiguous: which
// of them is meant is for nobody to guess.
func (x *Index) Find(name, arch, version string) (Entry, error) {
	all := x.entries[release{name, version}]
	fit := filter(all, func(e Entry) bool { return arch == "" || e.Arch == arch })
	if len(fit) == 0 {
		fit = filter(all, func(e Entry) bool { return neutral(e.Arch) })
	}
	switch {
	case len(fit) == 0:
		return Entry{}, fmt.Errorf("%s %s: %w", clean(name), clean(version), ErrMissing)
	case len(fit) > 1:
		return Entry{}, fmt.Errorf("%s %s: %w", clean(name), clean(version), ErrAmbiguous)
	}
	return fit[0], nil
}

func filter(all []Entry, keep func(Entry) bool) (kept []Entry) {
	for _, e := range all {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// neutral names what deb, rpm and pacman call a package for every architecture.
func neutral(arch string) bool { return arch == "all" || arch == "noarch" || arch == "any" }

const (
	maxEntries  = 1 << 20
	maxVariants = 64 // of one version: architectures, or contradictions
)

// add keeps e after checking its form. An exact repetition is no contradiction.
func (x *Index) add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	key := release{e.Name, e.Version}
	for _, had := range x.entries[key] {
		if had.Arch == e.Arch && had.Digest == e.Digest && had.Size == e.Size {
			return nil
		}
	}
	if x.count++; x.count > maxEntries || len(x.entries[key]) >= maxVariants {
		return fmt.Errorf("entries of the index: %w", ErrTooBig)
	}
	if x.entries == nil {
		x.entries = map[release][]Entry{}
	}
	x.entries[key] = append(x.entries[key], e)
	return nil
}

// wanted is the set of Options.Names; nil wants everything.
type wanted map[string]struct{}

func (o Options) wanted() wanted {
	if o.Names == nil {
		return nil
	}
	w := make(wanted, len(o.Names))
	for _, name := range o.Names {
		w[name] = struct{}{}
	}
	return w
}

// has does not allocate: it is asked of every stanza.
func (w wanted) has(name []byte) bool {
	_, ok := w[string(name)]
	return ok || w == nil
}

// settle writes the signature's verdict into the index.
func (x *Index) settle(s Signer, problem error) {
	if problem != nil {
		x.Problem = problem
		return
	}
	x.Assurance, x.Signer = SignedIndex, s
}

// doubt takes the signed state back.
func (x *Index) doubt(problem error) {
	x.Assurance, x.Signer = HostsWord, Signer{}
	if x.Problem != nil {
		problem = joined([]error{x.Problem, problem})
	}
	x.Problem = problem
}
