package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/remote"
	"github.com/patchring/patchring/pkg/secret"
)

// maxOffered is how many keys one login offers, a certificate and its plain key being two:
// sshd hangs up at six failures (MaxAuthTries), and a password may have to follow.
const maxOffered = 5

// candidate is one key, or one certificate, that a login may offer.
type candidate struct {
	public ssh.PublicKey    // what is offered
	cert   *ssh.Certificate // public, where it is a certificate
	signer ssh.Signer       // of a key file; nil: the agent holds the key
	agent  *agentKeys
	held   ssh.PublicKey // what the agent knows the key by
	from   string        // the file, or what the agent says of the key
}

// name tells a person which key is meant.
func (c candidate) name() string {
	if c.cert != nil && c.cert.KeyId != "" {
		return c.from + " (certificate " + remote.Clean(c.cert.KeyId, 60) + ")"
	}
	return c.from + " (" + ssh.FingerprintSHA256(bareKeys(c.public)[0]) + ")"
}

// touched tells whether the key sits in a security key, which may want a touch.
func (c candidate) touched() bool { return strings.HasPrefix(c.public.Type(), "sk-") }

// cost is how many of the server's tries it may take: the library tries an RSA certificate
// twice (servers of OpenSSH 7.2 to 7.7 take it only with the old signature).
func (c candidate) cost() int {
	if c.cert != nil && bareKeys(c.public)[0].Type() == ssh.KeyAlgoRSA {
		return 2
	}
	return 1
}

// offer is the keys for one login, and where they are from.
type offer struct {
	candidates []candidate
	source     string
	notes      []string // what is not among them, and why
}

func (o offer) has(key ssh.PublicKey) bool {
	return slices.ContainsFunc(o.candidates, func(c candidate) bool { return bytes.Equal(c.public.Marshal(), key.Marshal()) })
}

// credential of an offer is that exact set of keys for that user.
func (o offer) credential(user string) credential {
	var prints []string
	for _, c := range o.candidates {
		prints = append(prints, ssh.FingerprintSHA256(c.public))
	}
	slices.Sort(prints)
	return credential{id: "keys " + user + " " + strings.Join(prints, " "), name: o.source + " for user " + user}
}

// keyring loads key files, each once.
type keyring struct {
	home    string
	secrets Secrets
	mu      sync.Mutex
	files   map[string]func(context.Context) (ssh.Signer, error)
}

func newKeyring(home string, s Secrets) *keyring {
	return &keyring{home: home, secrets: s, files: map[string]func(context.Context) (ssh.Signer, error){}}
}

// errEncrypted: the key needs a passphrase, and no reference to one is given.
var errEncrypted = errors.New("the key has a passphrase")

// load gives the key of a file.
func (k *keyring) load(ctx context.Context, path string, passphrase secret.Ref) (ssh.Signer, error) {
	k.mu.Lock()
	id := path + "\x00" + passphrase.String()
	once := k.files[id]
	if once == nil {
		once = onceGood(func(ctx context.Context) (ssh.Signer, error) { return k.read(ctx, path, passphrase) })
		k.files[id] = once
	}
	k.mu.Unlock()
	return once(ctx)
}

// onceGood runs load until it succeeds, one call at a time, and keeps that result.
// An error is kept as well, unless it came from the caller's own context.
func onceGood[T any](load func(context.Context) (T, error)) func(context.Context) (T, error) {
	turn := make(chan struct{}, 1)
	var value T
	var err error
	done := false
	return func(ctx context.Context) (T, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
		defer func() { <-turn }()
		if !done {
			value, err = load(ctx)
			done = err == nil || ctx.Err() == nil
		}
		return value, err
	}
}

func (k *keyring) read(ctx context.Context, path string, passphrase secret.Ref) (ssh.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, notAFile("private key " + path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, &fault.Error{
			Kind: fault.GiveUp, Code: fault.Auth, What: "private key " + path + " can be read by others",
			Hint: "chmod 600 " + path,
		}
	}
	pem, err := readPlain(path)
	if err != nil {
		return nil, err
	}
	return k.parse(ctx, path, pem, passphrase)
}

func notAFile(what string) error {
	return fault.Usagef("name the file of the key itself", "%s is not a plain file", what)
}

// maxKeyFile is far more than any key or certificate takes.
const maxKeyFile = 1 << 20

// readPlain reads a small file of the user's own. Nothing but a plain file is opened: a FIFO
// would hold the login for ever.
func readPlain(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, notAFile(path)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("%s is larger than any key", path)
	}
	return os.ReadFile(path) //nolint:gosec // the user's own key
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
	phrase, err := k.phrase(ctx, passphrase, path)
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

// phraseWait is how long a person may take for a passphrase.
const phraseWait = 2 * time.Minute

var errNoPhrase = fmt.Errorf("nobody gave it within %s", phraseWait)

// phrase gets a passphrase. Who does not give it in time is not asked for it again: its
// error is kept.
func (k *keyring) phrase(ctx context.Context, ref secret.Ref, path string) (secret.Secret, error) {
	limited, cancel := context.WithTimeoutCause(ctx, phraseWait, errNoPhrase)
	defer cancel()
	value, err := k.secrets.Resolve(limited, ref, "passphrase of "+path)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return value, fault.Usagef("run the same command again and answer, or load the key: ssh-add "+path,
			"passphrase of %s: %v", path, context.Cause(limited))
	}
	return value, err
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
