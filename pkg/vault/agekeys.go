package vault

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"filippo.io/age"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// maxWork caps scrypt at 2^20 rounds, 1 GiB and some seconds; `age -p` takes 2^18.
const maxWork = 20

// identityPath is the operator's own file; see Options.Identity.
func (v *Vault) identityPath() string {
	if v.o.Identity != "" {
		return v.o.Identity
	}
	return filepath.Join("~", ".config", "patchring", "age.txt")
}

// identities reads the operator's identity file: age identities, one a line, an SSH
// private key, or either of them encrypted by a passphrase.
func (v *Vault) identities(ctx context.Context) ([]age.Identity, error) {
	path := v.identityPath()
	raw, err := v.read(path, private)
	if err != nil {
		hint := fault.HintOf(err)
		if v.o.Identity == "" {
			hint = "name your age identity or SSH key with --age-identity FILE, or make one: age-keygen -o " + path
		}
		return nil, fault.Usagef(hint, "the identity %s: %v", path, err)
	}
	ids, err := v.parseIdentities(ctx, path, raw)
	if err != nil {
		return nil, identityFault(path, err)
	}
	return ids, nil
}

func identityFault(path string, err error) error {
	if own := (*fault.Error)(nil); errors.As(err, &own) {
		return fault.Usagef(own.Hint, "the identity %s: %v", path, own)
	}
	return fault.Usagef("it holds lines AGE-SECRET-KEY-1… as age-keygen writes them, or an SSH private key (ed25519 or RSA); plugins are not run", "the identity %s can't be read: %v", path, err)
}

func (v *Vault) parseIdentities(ctx context.Context, path string, raw []byte) ([]age.Identity, error) {
	if isAge(raw) {
		opened, err := v.unlocked(ctx, path, raw)
		if err != nil {
			return nil, err
		}
		raw = []byte(opened.Reveal())
	}
	if bytes.Contains(raw, []byte("-----BEGIN")) {
		id, err := v.sshIdentity(ctx, path, raw)
		return []age.Identity{id}, err
	}
	return age.ParseIdentities(bytes.NewReader(raw)) //nolint:wrapcheck // its caller says of which file
}

// unlocked opens an identity file that was made with age -p, once for all secrets: each
// time takes some seconds, and up to 1 GiB.
func (v *Vault) unlocked(ctx context.Context, path string, raw []byte) (secret.Secret, error) {
	return v.once(ctx, "identity "+path, func() (secret.Secret, error) {
		opened, err := decryptAge(raw, []age.Identity{&passphrase{ctx: ctx, vault: v, label: "passphrase of " + path}})
		return secret.New(string(opened)), err
	})
}

// ask asks a person, once for all files.
func (v *Vault) ask(ctx context.Context, label string) (secret.Secret, error) {
	prompt, err := secret.ParseRef("prompt")
	if err != nil {
		return secret.Secret{}, err //nolint:wrapcheck // it can't fail
	}
	return v.Resolve(ctx, prompt, label)
}

// passphrase is an identity that asks a person, and caps the work that a file can demand.
type passphrase struct {
	ctx   context.Context //nolint:containedctx // age's interface has none
	vault *Vault
	label string
}

// Unwrap is age.Identity's.
func (p *passphrase) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	typed, err := p.vault.ask(p.ctx, p.label)
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(typed.Reveal())
	if err != nil {
		return nil, fault.Usagef("type it again", "%v", err)
	}
	id.SetMaxWorkFactor(maxWork)
	if p.ctx.Err() != nil {
		return nil, context.Cause(p.ctx)
	}
	key, err := id.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fault.Usagef("type it again", "the passphrase is wrong")
	}
	return key, err //nolint:wrapcheck // age's own words
}
