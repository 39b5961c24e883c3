package vault

import (
	"cmp"
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"

	"filippo.io/age"

	"github.com/patchring/patchring/pkg/document"
	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// fromSOPS opens one value of a SOPS file (YAML, JSON, dotenv) that is encrypted for age.
// The whole file is decrypted and its MAC checked first, as sops does.
func (v *Vault) fromSOPS(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	path, key := splitKey(ref.Target())
	raw, err := v.read(path, encrypted)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	file, err := parseSOPS(raw)
	if err != nil {
		return secret.Secret{}, told(ref, elsewhere(path, key, err))
	}
	dataKey, err := v.dataKey(ctx, file)
	if err != nil {
		return secret.Secret{}, told(ref, elsewhere(path, key, err))
	}
	opened, err := file.open(ctx, dataKey)
	if err != nil {
		return secret.Secret{}, told(ref, elsewhere(path, key, err))
	}
	value, err := pick(opened, key)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	return valueOf(ref, []byte(value))
}

// elsewhere says how sops itself gets what we can't.
func elsewhere(path, key string, err error) error {
	if fault.HintOf(err) != "" {
		return err
	}
	var steps strings.Builder
	for step := range strings.SplitSeq(key, ".") {
		fmt.Fprintf(&steps, "[%q]", step)
	}
	return fault.Usagef(fmt.Sprintf("let sops do it: exec:sops -d --extract '%s' %s", steps.String(), path), "%v", err)
}

// pick gives the value at a path of keys; without one, the whole of a binary file.
func pick(opened document.Node, key string) (string, error) {
	if key == "" {
		if len(opened.Items) != 1 || opened.Items[0].Key != "data" {
			return "", fault.Usagef("say which value: sops:PATH#db.password", "no key behind #, and the file holds several")
		}
		key = "data"
	}
	n, ok := lookUp(opened, key)
	switch {
	case !ok || !isScalar(n):
		return "", fault.Usagef("look into it: sops -d FILE; keys are written with dots between them", "no single value at %q", key)
	case n.Tag == unvouched:
		return "", fault.Usagef("encrypt it, or have the MAC cover all values: sops rotate -i FILE, without mac_only_encrypted",
			"%q stands in clear, and the MAC covers encrypted values alone: whoever can write the file can have changed it", key)
	}
	return n.Text, nil
}

// Of the keys of a file: each costs the operator's identities work.
const (
	maxRecipients = 100
	maxRecipient  = 16 << 10 // bytes of a data key that is encrypted for one
)

// dataKey opens the file's own key with the operator's identities. Sops encrypts it for no
// passphrase; one that is would only cost time.
func (v *Vault) dataKey(ctx context.Context, f sopsFile) ([]byte, error) {
	switch {
	case len(f.keys) == 0:
		return nil, errors.New("it is not encrypted for age")
	case len(f.keys) > maxRecipients:
		return nil, fmt.Errorf("it is encrypted for more than %d recipients", maxRecipients)
	}
	ids, err := v.identities(ctx)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, key := range f.keys {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		opened, err := v.oneDataKey([]byte(key), ids)
		if err == nil {
			return opened, nil
		}
		failed = cmp.Or(failed, err)
	}
	return nil, failed
}

func (v *Vault) oneDataKey(key []byte, ids []age.Identity) ([]byte, error) {
	if len(key) > maxRecipient || byPassphrase(key) {
		return nil, errors.New("its data key is none that sops writes for age")
	}
	opened, err := v.openWith(key, ids)
	if err == nil && len(opened) != dataKeySize {
		return nil, errors.New("its data key is none")
	}
	return opened, err
}

// sopsFile is a SOPS file: its tree, and what its metadata says.
type sopsFile struct {
	tree     document.Node // without the metadata
	keys     []string      // the data key, encrypted for each recipient of age
	mac      string
	modified string
	only     bool // the MAC covers encrypted values alone
	selected selection
}

// macOnlyEncrypted begins the MAC of files in which it covers encrypted values alone: it
// is the SHA-256 of "sops" (constant of the format).
const macOnlyEncrypted = "8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69"

// opener walks a tree, decrypts it, and sums up the MAC.
type opener struct {
	file sopsFile
	key  []byte
	sum  hash.Hash
}

// open gives the tree in clear, after its MAC was found to be right.
func (f sopsFile) open(ctx context.Context, key []byte) (document.Node, error) {
	o := opener{file: f, key: key, sum: sha512.New()}
	if f.only {
		first, _ := hex.DecodeString(macOnlyEncrypted)
		o.sum.Write(first)
	}
	opened, err := o.walk(ctx, f.tree, place{})
	if err != nil {
		return document.Node{}, err
	}
	mac, err := openValue(f.mac, key, f.modified)
	if err != nil {
		return document.Node{}, damaged(fmt.Errorf("its MAC: %w", err))
	}
	if subtle.ConstantTimeCompare([]byte(strings.ToLower(mac.text)), []byte(hex.EncodeToString(o.sum.Sum(nil)))) != 1 {
		return document.Node{}, damaged(errors.New("its values are not those that its MAC was made of"))
	}
	return opened, nil
}

// place is where a value stands. The keys of mappings alone count, as SOPS has it: two items
// of a list may change places only if the MAC agrees.
type place struct {
	keys  string // each with a colon behind it
	named bool   // the metadata names one of them
}

// maxPlace bounds the keys that lead to a value, in bytes: all of them are hashed with it.
const maxPlace = 4 << 10

func (p place) below(key string, s *selection) (place, error) {
	if len(p.keys)+len(key) >= maxPlace {
		return p, fmt.Errorf("keys of more than %d bytes", maxPlace)
	}
	named, err := s.names(key)
	return place{p.keys + key + ":", p.named || named}, err
}

func (p place) String() string { return strings.ReplaceAll(strings.TrimSuffix(p.keys, ":"), ":", ".") }

// walk goes through the values in the order of the file.
func (o *opener) walk(ctx context.Context, n document.Node, at place) (document.Node, error) {
	switch {
	case ctx.Err() != nil:
		return n, context.Cause(ctx)
	case isScalar(n):
		return o.value(n, at)
	}
	out := document.Node{Key: n.Key, Tag: n.Tag}
	for _, item := range n.Items {
		below, err := at, error(nil)
		if n.Tag == "!!map" {
			below, err = at.below(item.Key, &o.file.selected)
		}
		if err != nil {
			return out, err
		}
		opened, err := o.walk(ctx, item, below)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, opened)
	}
	return out, nil
}

func (o *opener) value(n document.Node, at place) (document.Node, error) {
	if n.Tag == "!!null" {
		return n, nil
	}
	if !o.file.selected.encrypted(at) {
		return o.open(n, at)
	}
	v, err := openValue(n.Text, o.key, at.keys)
	if err == nil && n.Tag != "!!str" {
		err = errors.New("a value that is not encrypted, but should be")
	}
	if err != nil {
		return n, damaged(fmt.Errorf("%s: %w", at, err))
	}
	if v.kind != "comment" {
		o.sum.Write([]byte(v.text))
	}
	return document.Node{Key: n.Key, Tag: "!!str", Text: v.text}, nil
}

// unvouched is the tag of a value in clear that no MAC covers: nothing says who wrote it.
const unvouched = "unvouched"

// open takes a value that stands in clear. One of a kind that we can't write as sops does
// is no damage.
func (o *opener) open(n document.Node, at place) (document.Node, error) {
	text, err := plainText(n)
	if err != nil {
		return n, fmt.Errorf("%s: %w", at, err)
	}
	if o.file.only {
		return document.Node{Key: n.Key, Tag: unvouched, Text: text}, nil
	}
	o.sum.Write([]byte(text))
	return document.Node{Key: n.Key, Tag: "!!str", Text: text}, nil
}
