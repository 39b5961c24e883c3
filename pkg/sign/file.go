package sign

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/sshsig"
)

const maxKeyFile = 64 << 10

// fileSealer signs with a key that was read from a file. ctx is of no use: it takes
// milliseconds.
type fileSealer struct{ signer ssh.Signer }

func (fileSealer) touch() bool { return false }

func (f fileSealer) seal(_ context.Context, namespace string, message []byte) ([]byte, error) {
	return sshsig.Seal(rand.Reader, f.signer, namespace, message)
}

// certified puts a certificate around a signer; nil leaves it as it is.
func certified(signer ssh.Signer, cert *ssh.Certificate) (ssh.Signer, error) {
	if cert == nil {
		return signer, nil
	}
	return ssh.NewCertSigner(cert, signer)
}

// readBounded reads a file of at most maxKeyFile bytes.
func readBounded(path string, look func(os.FileInfo) error) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the user's own key
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a file")
	}
	if err := look(info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("longer than %d bytes", maxKeyFile)
	}
	return text, err
}

// errOpen: ssh refuses such a key as well.
var errOpen = errors.New("the private key can be read by others")

func private(info os.FileInfo) error {
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 { // there, modes say nothing
		return errOpen
	}
	return nil
}

func public(os.FileInfo) error { return nil }

// readPublic reads a .pub or -cert.pub file.
func readPublic(path string) (ssh.PublicKey, error) {
	text, err := readBounded(path, public)
	if err != nil {
		return nil, err
	}
	return parsePublic(text)
}

// parsePublic takes the first line alone, and no options: "type base64 [comment]".
func parsePublic(text []byte) (ssh.PublicKey, error) {
	line, _, _ := strings.Cut(string(text), "\n")
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 {
		return nil, errors.New("not a public key")
	}
	return key, nil
}

// errPassphrase: the key is there, but closed.
var errPassphrase = errors.New("the key has a passphrase")

// errHardware: the file only points at a security key.
var errHardware = errors.New("the key is in a security key")

// parsePrivate reads a private key. With errPassphrase and errHardware the public key is
// given where the file tells it.
func parsePrivate(text []byte) (ssh.Signer, ssh.PublicKey, error) {
	told := toldPublic(text)
	if told != nil && isSecurityKey(told) {
		return nil, told, errHardware
	}
	signer, err := ssh.ParsePrivateKey(text)
	switch {
	case errors.As(err, new(*ssh.PassphraseMissingError)):
		return nil, told, errPassphrase
	case err != nil:
		return nil, nil, errors.New(remote.Clean(err.Error(), 200))
	}
	return signer, signer.PublicKey(), nil
}

// toldPublic is the public key that OpenSSH's format (PROTOCOL.key) gives in the clear, or nil.
func toldPublic(text []byte) ssh.PublicKey {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "OPENSSH PRIVATE KEY" {
		return nil
	}
	body, ok := bytes.CutPrefix(block.Bytes, []byte("openssh-key-v1\x00"))
	if !ok {
		return nil
	}
	var head struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public                  []byte
		Rest                    []byte `ssh:"rest"`
	}
	if ssh.Unmarshal(body, &head) != nil {
		return nil
	}
	key, err := ssh.ParsePublicKey(head.Public)
	if err != nil {
		return nil
	}
	return key
}

// unlock asks for the passphrase, once.
func (o Options) unlock(ctx context.Context, path string, text []byte) (ssh.Signer, error) {
	if o.Secrets == nil {
		return nil, unusable(path, errPassphrase, "add it to the SSH agent: ssh-add "+path)
	}
	ref := o.Passphrase
	if ref.IsZero() {
		asked, err := secret.ParseRef("prompt")
		if err != nil {
			return nil, err
		}
		ref = asked
	}
	phrase, err := o.Secrets.Resolve(ctx, ref, "passphrase of "+path)
	if err != nil {
		return nil, unusable(path, err, "add it to the SSH agent: ssh-add "+path)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(phrase.Reveal()))
	if err != nil { // its own words could only be about the passphrase
		return nil, unusable(path, errors.New("the passphrase does not open it"), "try it by hand: ssh-keygen -y -f "+path)
	}
	return signer, nil
}
