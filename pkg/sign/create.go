package sign

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"
)

// Create makes a new Ed25519 key without a passphrase, as ssh-keygen would: the private key
// at path, which must not exist, and path.pub. It gives the public key as it stands in
// allowed_signers after the principals.
func Create(path, comment string) (public string, err error) {
	made, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	key, err := ssh.NewPublicKey(made)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	public = (&Key{public: key}).Public()
	if err := writeNew(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", err
	}
	return public, writeNew(path+".pub", []byte(public+" "+comment+"\n"), 0o644)
}

func writeNew(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // the path that the caller wants the key at
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return nil
}
