package vault

import (
	"context"
	"errors"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// sshIdentity takes an SSH key as identity; its passphrase is asked for only when a file
// was encrypted for it.
func (v *Vault) sshIdentity(ctx context.Context, path string, pem []byte) (age.Identity, error) {
	id, err := agessh.ParseIdentity(pem)
	locked := (*ssh.PassphraseMissingError)(nil)
	if !errors.As(err, &locked) {
		return id, err //nolint:wrapcheck // its caller says of which file
	}
	if locked.PublicKey == nil {
		return nil, errors.New("an encrypted key of the old PEM kind: convert it with ssh-keygen -p -f FILE")
	}
	return agessh.NewEncryptedSSHIdentity(locked.PublicKey, pem, func() ([]byte, error) { //nolint:wrapcheck // its caller says of which file
		typed, err := v.ask(ctx, "passphrase of "+path)
		return []byte(typed.Reveal()), err
	})
}
