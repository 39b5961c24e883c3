package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/patch"
)

// SetVersion of the file of a patch set.
const SetVersion = 1

const setKind = "patch_set"

// SetFile is a patch set on its way: what `patchset export` writes. Only Set counts; the
// rest tells people where it comes from.
type SetFile struct {
	Version  int            `json:"version"`
	Kind     string         `json:"kind"`
	Digest   patch.Digest   `json:"digest"` // SetDigest of Set
	Rollout  string         `json:"rollout"`
	Playbook string         `json:"playbook"`
	Site     string         `json:"site"`
	Ring     string         `json:"ring,omitempty"`  // the ring that is bound to it
	Frozen   time.Time      `json:"frozen,omitzero"` // when that ring's gate opened
	Set      patch.PatchSet `json:"set"`
}

// EncodeSet writes the file, with the set's digest: the same set and origin give the same bytes.
func EncodeSet(f SetFile) ([]byte, error) {
	f.Version, f.Kind, f.Set = SetVersion, setKind, Freeze(f.Set.Proven)
	f.Digest = SetDigest(f.Set)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("encode the patch set: %w", err)
	}
	return out.Bytes(), nil
}

// DecodeSet reads what EncodeSet wrote, and refuses a set that is not the one of its digest.
func DecodeSet(raw []byte) (SetFile, error) {
	var f SetFile
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return SetFile{}, notASet(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return SetFile{}, notASet(errors.New("something stands behind the patch set"))
	}
	switch {
	case f.Kind != setKind:
		return SetFile{}, notASet(fmt.Errorf("kind is %q", f.Kind))
	case f.Version != SetVersion:
		return SetFile{}, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Unsupported,
			What: fmt.Sprintf("the patch set has version %d, and this patchring reads version %d", f.Version, SetVersion),
		}
	}
	for _, p := range f.Set.Proven {
		if err := sound(p); err != nil {
			return SetFile{}, notASet(err)
		}
	}
	if !slices.Equal(Freeze(f.Set.Proven).Proven, f.Set.Proven) {
		return SetFile{}, notASet(errors.New("its lines are not in order, or one stands twice"))
	}
	if is := SetDigest(f.Set); is != f.Digest {
		return SetFile{}, notASet(fmt.Errorf("it was changed: its digest is %s, and the file says %q", is.Short(), f.Digest.Short()))
	}
	return f, nil
}

// sound holds one line from outside to the form of what hosts are told: names and versions
// travel into commands and addresses.
func sound(p patch.Proven) error {
	const most = 512
	for _, text := range []string{p.Domain, p.Name, p.Arch, p.Version, p.File, p.Repository, p.Signer} {
		if len(text) > most || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("a line about %.40q has a text that is too long, or can't be printed", p.Name)
		}
	}
	if strings.HasPrefix(p.File, "/") || slices.Contains(strings.Split(p.File, "/"), "..") {
		return fmt.Errorf("the file of %.40q leads out of its repository", p.Name)
	}
	if p.Domain == "" || p.Name == "" || p.Version == "" || strings.HasPrefix(p.Name, "-") || p.Size < 0 {
		return fmt.Errorf("a line about %.40q is not whole", p.Name)
	}
	if weight(p) < 0 || (p.Digest == "") != (p.Assurance == patch.AssuranceNone) {
		return fmt.Errorf("the digest of %.40q rests on nothing that is known", p.Name)
	}
	if p.Digest == "" {
		return nil
	}
	_, err := patch.ParseDigest(string(p.Digest))
	return err //nolint:wrapcheck // the caller says where
}

func notASet(err error) error {
	return &fault.Error{
		Kind: fault.GiveUp, Code: fault.Usage, What: "this is not a patch set that patchring has exported", Err: err,
		Hint: "export it again: patchring patchset export ROLLOUT FILE",
	}
}
