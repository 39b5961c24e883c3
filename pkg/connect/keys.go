package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
)

// maxKeys is how many keys one login offers: sshd hangs up at six failures
// (MaxAuthTries), and a password may have to follow.
const maxKeys = 5

// offer is the keys for one login, and where they are from.
type offer struct {
	signers []ssh.Signer
	source  string
}

// credential of an offer is that exact set of keys for that user.
func (o offer) credential(user string) credential {
	var prints []string
	for _, s := range o.signers {
		prints = append(prints, ssh.FingerprintSHA256(s.PublicKey()))
	}
	slices.Sort(prints)
	return credential{id: "keys " + user + " " + strings.Join(prints, " "), name: o.source + " for user " + user}
}

// keyring loads key files, each once.
type keyring struct {
	home    string
	secrets Secrets
	mu      sync.Mutex
	files   map[string]func(context.Context) ([]ssh.Signer, error)
}

func newKeyring(home string, s Secrets) *keyring {
	return &keyring{home: home, secrets: s, files: map[string]func(context.Context) ([]ssh.Signer, error){}}
}

// errEncrypted: the key needs a passphrase, and no reference to one is given.
var errEncrypted = errors.New("the key has a passphrase")

// load gives the signers of a key file: its certificate, if there is one beside it,
// then the key itself.
func (k *keyring) load(ctx context.Context, path string, passphrase secret.Ref) ([]ssh.Signer, error) {
	k.mu.Lock()
	id := path + "\x00" + passphrase.String()
	once := k.files[id]
	if once == nil {
		once = onceGood(func(ctx context.Context) ([]ssh.Signer, error) { return k.read(ctx, path, passphrase) })
		k.files[id] = once
	}
	k.mu.Unlock()
	return once(ctx)
}

// onceGood runs load until it succeeds, one call at a time, and keeps that result.
// An error is kept as well, unless it came from the caller's own context.
func onceGood[T any](load func(context.Context) (T, error)) func(context.Context) (T, error) {
	var mu sync.Mutex
	var value T
	var err error
	done := false
	return func(ctx context.Context) (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			value, err = load(ctx)
			done = err == nil || ctx.Err() == nil
		}
		return value, err
	}
}

func (k *keyring) read(ctx context.Context, path string, passphrase secret.Ref) ([]ssh.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Auth, What: "private key " + path + " can be read by others",
			Hint: "chmod 600 " + path,
		}
	}
	pem, err := os.ReadFile(path) //nolint:gosec // the user's own key
	if err != nil {
		return nil, err
	}
	signer, err := k.parse(ctx, path, pem, passphrase)
	if err != nil {
		return nil, err
	}
	return withCertificate(path, signer, time.Now())
}

func (k *keyring) parse(ctx context.Context, path string, pem []byte, passphrase secret.Ref) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(pem)
	if missing := (*ssh.PassphraseMissingError)(nil); !errors.As(err, &missing) {
		return signer, err
	}
	if passphrase.IsZero() {
		return nil, errEncrypted
	}
	if k.secrets == nil {
		return nil, errors.New("nothing to resolve secrets with")
	}
	phrase, err := k.secrets.Resolve(ctx, passphrase, "passphrase of "+path)
	if err != nil {
		return nil, err
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(phrase.Reveal()))
	if err != nil {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Auth, What: fmt.Sprintf("the passphrase from %s does not open %s", passphrase, path),
			Hint: "try it by hand: ssh-keygen -y -f " + path,
		}
	}
	return signer, nil
}

// withCertificate puts the certificate that lies beside the key first, as OpenSSH does.
func withCertificate(path string, signer ssh.Signer, now time.Time) ([]ssh.Signer, error) {
	text, err := os.ReadFile(path + "-cert.pub") //nolint:gosec // the user's own certificate
	if errors.Is(err, fs.ErrNotExist) {
		return []ssh.Signer{signer}, nil
	}
	if err != nil {
		return nil, err
	}
	cert, err := certificateFor(text, signer.PublicKey(), now)
	if err != nil {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Auth, What: path + "-cert.pub", Err: err,
			Hint: "have it signed again, or move it away to use the bare key",
		}
	}
	certified, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, err
	}
	return []ssh.Signer{certified, signer}, nil
}

// certificateFor reads a user certificate and checks what would fail later anyway.
func certificateFor(text []byte, key ssh.PublicKey, now time.Time) (*ssh.Certificate, error) {
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, err
	}
	cert, ok := public.(*ssh.Certificate)
	switch {
	case !ok || cert.CertType != ssh.UserCert:
		return nil, errors.New("not a user certificate")
	case !bytes.Equal(cert.Key.Marshal(), key.Marshal()):
		return nil, errors.New("the certificate is for another key")
	case cert.ValidBefore != ssh.CertTimeInfinity && uint64(now.Unix()) >= cert.ValidBefore: //nolint:gosec // now is after 1970
		return nil, fmt.Errorf("the certificate expired at %s", time.Unix(int64(cert.ValidBefore), 0).UTC().Format(time.RFC3339)) //nolint:gosec // shown only
	case uint64(now.Unix()) < cert.ValidAfter: //nolint:gosec // now is after 1970
		return nil, errors.New("the certificate is not valid yet")
	}
	return cert, nil
}

// defaults are the keys that ssh tries by itself.
func (k *keyring) defaults() []string {
	if k.home == "" {
		return nil
	}
	var out []string
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		out = append(out, filepath.Join(k.home, ".ssh", name))
	}
	return out
}
