package sign

import (
	"bytes"
	"context"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/sshsig"
)

// Secrets turns a reference into its value; package vault does it. Label says to a person
// what is asked for.
type Secrets interface {
	Resolve(ctx context.Context, ref secret.Ref, label string) (secret.Secret, error)
}

// Options say which key signs, and how it is had.
type Options struct {
	Key        string       // path of a private key, or of a .pub (also -cert.pub) whose key the agent holds or that lies beside it
	Agent      string       // the agent's socket; "": no agent
	Passphrase secret.Ref   // zero: a person is asked
	Secrets    Secrets      // nil: a key with a passphrase must be in the agent
	Say        func(string) // tells a person to touch a key, at once; nil: nobody is told
	Program    string       // ssh-keygen, for security keys that the agent lacks; "": as PATH has it
}

const (
	agentWait = 10 * time.Second // for the agent's list: no person is needed
	touchWait = 2 * time.Minute  // for a person: to touch, to confirm, to type a PIN
)

// Key signs messages. Safe for concurrent use: one signature at a time, since a person may
// have to touch something for each.
type Key struct {
	public ssh.PublicKey
	by     sealer
	say    func(string)
	turn   chan struct{}
}

// sealer is a way to have a message signed: a key file, the agent, or ssh-keygen.
type sealer interface {
	seal(ctx context.Context, namespace string, message []byte) ([]byte, error)
	touch() bool // whether a person may have to touch something
}

// Open finds the key, asks for its passphrase where it needs one, and holds no connection.
// A key without a passphrase is taken from its file. Any other is taken from the agent if
// that holds it; else its passphrase is asked for, or, for a security key, ssh-keygen
// signs. What can be wrong with the key is said here, before anything depends on it.
func Open(ctx context.Context, o Options) (*Key, error) {
	if o.Key == "" {
		return nil, fault.Usagef("name one with --sign-key FILE", "no key to sign with")
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	public, by, err := o.find(ctx)
	if err != nil {
		return nil, err
	}
	if err := sshsig.MaySign(public); err != nil {
		return nil, unusable(o.Key, err, "make one that can: ssh-keygen -t ed25519")
	}
	return &Key{public: public, by: by, say: o.Say, turn: make(chan struct{}, 1)}, nil
}

// Fingerprint is that of the public key: "SHA256:…".
func (k *Key) Fingerprint() string {
	if cert, ok := k.public.(*ssh.Certificate); ok {
		return ssh.FingerprintSHA256(cert.Key)
	}
	return ssh.FingerprintSHA256(k.public)
}

// Public is the key as a line of allowed_signers ends: its type and itself. For a
// certificate it is that of the authority, which such a line names.
func (k *Key) Public() string {
	public := k.public
	if cert, ok := public.(*ssh.Certificate); ok {
		public = cert.SignatureKey
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

// Could finds whom the allowed signers let sign with this key in the namespace: principal,
// or, where that is "", the first who is named. Nothing is signed for that.
func (k *Key) Could(by *sshsig.Allowed, namespace, principal string, at time.Time) (string, error) {
	return by.Could(k.public, namespace, principal, at) //nolint:wrapcheck // says who is not allowed
}

// Sign gives the armoured signature of message in a namespace of sshsig. It is checked
// before it is given: an agent and ssh-keygen are other programs.
func (k *Key) Sign(ctx context.Context, namespace string, message []byte) (armored []byte, err error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, touchWait, errTooLong)
	defer cancel()
	if k.by.touch() {
		k.say("touch your security key " + k.Fingerprint() + " to sign (" + namespace + ")")
	}
	if armored, err = k.by.seal(limited, namespace, message); err != nil {
		return nil, k.failed(err)
	}
	made, err := sshsig.Check(armored, message, namespace)
	if err != nil {
		return nil, k.failed(err)
	}
	if !bytes.Equal(made.Key.Marshal(), k.public.Marshal()) {
		return nil, k.failed(errOtherKey)
	}
	return armored, nil
}
