package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// fromAge opens an age file: all of it is the secret. Its mode is not looked at: it may
// lie in a repository for all to read, the identity keeps it secret.
func (v *Vault) fromAge(ctx context.Context, ref secret.Ref) (secret.Secret, error) {
	raw, err := v.read(ref.Target(), encrypted)
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	opened, err := v.openAge(ctx, raw, ref.Target())
	if err != nil {
		return secret.Secret{}, told(ref, err)
	}
	return valueOf(ref, opened)
}

// openAge decrypts what the operator's identities open, or a passphrase where it was
// encrypted with one. The name is for the person who is asked.
func (v *Vault) openAge(ctx context.Context, raw []byte, name string) ([]byte, error) {
	if !isAge(raw) {
		return nil, fault.Usagef("encrypt it with: age -r RECIPIENT -o FILE.age FILE", "not an age file")
	}
	var ids []age.Identity
	if byPassphrase(raw) {
		ids = []age.Identity{&passphrase{ctx: ctx, vault: v, label: "passphrase of " + name}}
	} else {
		var err error
		if ids, err = v.identities(ctx); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return v.openWith(raw, ids)
}

// openWith decrypts what one of the identities opens.
func (v *Vault) openWith(raw []byte, ids []age.Identity) ([]byte, error) {
	opened, err := decryptAge(raw, ids)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, fault.Usagef("name the right one with --age-identity FILE, or have the file encrypted for its recipient", "the identity %s does not open it", v.identityPath())
	}
	return opened, err
}

const (
	ageIntro   = "age-encryption.org/"
	ageScrypt  = "-> scrypt "
	armorIntro = armor.Header
)

func isAge(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte(ageIntro)) || bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte(armorIntro))
}

// maxHead bounds what stands before the content: some hundred recipients, each of which
// costs every identity work.
const maxHead = 64 << 10

// longHead tells of a file for more recipients than anybody has.
func longHead(raw []byte) bool {
	head := make([]byte, maxHead)
	n, _ := io.ReadFull(unarmored(raw), head)
	return n == maxHead && !bytes.Contains(head, []byte("\n--- "))
}

// byPassphrase tells whether the first stanza wants a passphrase: it is then the only one.
func byPassphrase(raw []byte) bool {
	head := make([]byte, 256)
	n, _ := io.ReadFull(unarmored(raw), head) // what is cut is no age file, which decrypting tells
	_, stanza, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.HasPrefix(stanza, []byte(ageScrypt))
}

func unarmored(raw []byte) io.Reader {
	if bytes.HasPrefix(raw, []byte(ageIntro)) {
		return bytes.NewReader(raw)
	}
	return armor.NewReader(bytes.NewReader(raw))
}

// decryptAge is bounded: the identities are ours, a passphrase's work factor is capped,
// and the output can't be longer than the input.
func decryptAge(raw []byte, ids []age.Identity) ([]byte, error) {
	if longHead(raw) {
		return nil, damaged(fmt.Errorf("more than %d KiB stand before its content", maxHead>>10))
	}
	r, err := age.Decrypt(unarmored(raw), ids...)
	if err != nil {
		if own := (*fault.Error)(nil); errors.As(err, &own) {
			return nil, own
		}
		if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
			return nil, none
		}
		return nil, sshFault(err)
	}
	opened, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, damaged(err)
	}
	return opened, nil
}

// sshFault tells a passphrase of an SSH key from a damaged file. Age hands its library's
// errors on as texts.
func sshFault(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "failed to decrypt SSH key file"):
		return fault.Usagef("type it again", "the passphrase of the SSH key is wrong")
	case strings.Contains(text, "failed to obtain passphrase"):
		return fault.Usagef("run it at a terminal, or name an identity without a passphrase with --age-identity FILE", "nobody could be asked for the passphrase of the SSH key")
	}
	return damaged(err)
}

// damaged: authenticated encryption tells a changed file from a wrong key.
func damaged(err error) error {
	return fault.Usagef("take it from where it was made once more", "it is damaged, or was changed: %v", err)
}
