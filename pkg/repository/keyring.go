package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

const (
	maxKeyFile = 8 << 20 // Arch Linux ships 1.5 MB of keys
	maxKeys    = 4096
)

// Keyring holds the OpenPGP keys that are trusted to sign one repository. The zero
// value trusts nobody. It may be used by several goroutines.
type Keyring struct {
	mu   sync.Mutex // the library notes in a key what it has checked of it
	keys openpgp.EntityList
}

// Len is how many keys there are.
func (k *Keyring) Len() int {
	if k == nil {
		return 0
	}
	return len(k.keys)
}

// ParseKeyring reads key files as apt, rpm and pacman ship them: binary or armored,
// each with one or more public keys; text around armored blocks is passed over. What
// is no public key is refused: a keyring that silently lacks one is worse than none.
func ParseKeyring(files ...[]byte) (*Keyring, error) {
	ring := &Keyring{}
	for i, file := range files {
		keys, err := parseKeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("key file %d of %d: %w", i+1, len(files), err)
		}
		if ring.keys = append(ring.keys, keys...); len(ring.keys) > maxKeys {
			return nil, fmt.Errorf("keys: %w", ErrTooBig)
		}
	}
	return ring, nil
}

func parseKeyFile(file []byte) (openpgp.EntityList, error) {
	switch {
	case len(file) > maxKeyFile:
		return nil, ErrTooBig
	case len(file) >= 12 && string(file[8:12]) == "KBXf":
		return nil, fmt.Errorf("a GnuPG keybox; export its keys (gpg --export): %w", ErrFormat)
	case bytes.Contains(file, []byte("-----BEGIN PGP ")):
		return parseArmoredKeys(file)
	}
	return parseKeys(bytes.NewReader(file))
}

// parseArmoredKeys reads one armored block after the other.
func parseArmoredKeys(file []byte) (all openpgp.EntityList, err error) {
	blocks, err := armored(file, openpgp.PublicKeyType)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		keys, err := parseKeys(bytes.NewReader(block))
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	return all, nil
}

func parseKeys(r io.Reader) (keys openpgp.EntityList, err error) {
	err = guarded(func() error {
		keys, err = openpgp.ReadKeyRing(r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("public keys (%s): %w", clean(err.Error()), ErrFormat)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("no public key in it: %w", ErrFormat)
	}
	for _, key := range keys {
		if key.PrivateKey != nil {
			return nil, fmt.Errorf("a private key has no place here: %w", ErrFormat)
		}
	}
	return keys, nil
}

// armored takes the content out of each armored block of a kind. The armor library
// reads one block and then more than it; so the text is cut before it gets there.
func armored(text []byte, kind string) (bodies [][]byte, err error) {
	begin, end := "-----BEGIN "+kind+"-----", "-----END "+kind+"-----"
	for rest := string(text); ; {
		_, after, found := strings.Cut(rest, begin)
		if !found {
			break
		}
		inner, left, found := strings.Cut(after, end)
		if !found {
			return nil, fmt.Errorf("an armored block without end: %w", ErrFormat)
		}
		body, err := dearmor(begin + inner + end + "\n")
		if err != nil {
			return nil, err
		}
		bodies, rest = append(bodies, body), left
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("no %s in it: %w", strings.ToLower(kind), ErrFormat)
	}
	return bodies, nil
}

func dearmor(block string) (body []byte, err error) {
	err = guarded(func() error {
		decoded, err := armor.Decode(strings.NewReader(block))
		if err == nil {
			body, err = io.ReadAll(decoded.Body)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("armored block (%s): %w", clean(err.Error()), ErrFormat)
	}
	return body, nil
}

var errPanic = errors.New("a library could not cope with this input")

// guarded keeps a mistake in a library that reads foreign bytes from ending the
// whole run: a host that can make one worker panic could stop every other host's patching.
func guarded(work func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	return work()
}
