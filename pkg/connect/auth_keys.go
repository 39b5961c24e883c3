package connect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

// keyRound is the keys of one login: what is left to be offered, and whether it should be.
type keyRound struct {
	left   []candidate
	cred   credential
	done   bool // the server has seen those that are left
	signed int  // index in left of the last one that signed; -1: none did
}

// more gets the rest ready once a key was accepted, but is not enough.
func (r *keyRound) more() {
	if r.signed >= 0 {
		r.left, r.signed, r.done = slices.Delete(slices.Clone(r.left), r.signed, r.signed+1), -1, false
	}
}

// publicKey offers the keys. Where one can't sign, those after it follow in another round.
func (l *loginFlow) publicKey(allowed []string) (ssh.AuthMethod, error) {
	if !slices.Contains(allowed, "publickey") {
		return nil, nil
	}
	if l.keys == nil {
		if err := l.loadKeys(); err != nil {
			return nil, err
		}
	}
	if l.keys.done || len(l.keys.left) == 0 {
		return nil, nil
	}
	l.keys.done = true
	err := l.begin(l.keys.cred)
	if fault.CodeOf(err) == fault.CredentialBlocked && !l.to.login.password.IsZero() {
		return nil, nil // the password may still be good
	}
	if err != nil {
		return nil, err
	}
	var signers []ssh.Signer
	for i, c := range l.keys.left {
		signers = append(signers, loginSigner{l, c, i})
	}
	return ssh.PublicKeys(signers...), nil
}

func (l *loginFlow) loadKeys() error {
	resume := l.leash.hold() // for the agent's list and a person's passphrase: both end in time by themselves
	defer resume()
	o, err := l.fleet.offer(l.leash.ctx, l.to)
	if err != nil {
		return err
	}
	l.keys = &keyRound{left: o.candidates, cred: o.credential(l.to.user), signed: -1}
	l.notes = append(l.notes, o.notes...)
	for _, c := range o.candidates {
		if c.cert == nil {
			continue
		}
		if note := strangeTo(c.cert, c.name(), l.to.user); note != "" {
			l.notes = append(l.notes, note)
		}
	}
	return nil
}

// remember notes the key that opened the door, for the next login of that user.
func (l *loginFlow) remember() {
	if l.keys != nil && l.keys.signed >= 0 {
		c := l.keys.left[l.keys.signed]
		l.fleet.proven.Store(l.to.site+"\x00"+l.to.user, ssh.FingerprintSHA256(c.public))
	}
}

// loginSigner is a key that signs for one login alone, so that it can tell the person which
// host wants it, and give up in time.
type loginSigner struct {
	login *loginFlow
	key   candidate
	index int
}

func (s loginSigner) PublicKey() ssh.PublicKey { return s.key.public }

func (s loginSigner) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(random, data, "")
}

// SignWithAlgorithm makes it an ssh.AlgorithmSigner, which RSA keys need.
func (s loginSigner) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	l, r := s.login, s.login.keys
	signature, err := s.sign(data, algorithm)
	if err == nil {
		r.signed = s.index
		return signature, nil
	}
	l.tell(untried)
	r.left, r.done = r.left[s.index+1:], false
	return nil, err
}

func (s loginSigner) sign(data []byte, algorithm string) (*ssh.Signature, error) {
	if s.key.signer == nil {
		return s.byAgent(data, algorithm)
	}
	if able, ok := s.key.signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return able.SignWithAlgorithm(rand.Reader, data, algorithm)
	}
	return s.key.signer.Sign(rand.Reader, data)
}

// errUntouched is the cause of a signature's context when the person's time is up.
var errUntouched = errors.New("nobody answered")

// byAgent has the agent sign, which may ask a person (ssh-add -c) or want a touch. The hop's
// clock stands still meanwhile.
func (s loginSigner) byAgent(data []byte, algorithm string) (*ssh.Signature, error) {
	l := s.login
	if s.key.touched() {
		if err := l.attend(); err != nil {
			return nil, err
		}
		l.sayTouch(s.key)
	}
	resume := l.leash.hold()
	defer resume()
	ctx, cancel := context.WithTimeoutCause(l.leash.ctx, l.fleet.opts.Patience, errUntouched)
	defer cancel()
	signature, err := s.key.agent.sign(ctx, s.key.held, data, algorithm)
	switch {
	case err == nil:
		return signature, nil
	case errors.Is(context.Cause(ctx), errUntouched):
		l.fault = l.untouched(s.key)
	case ctx.Err() == nil:
		l.notes = append(l.notes, refusedByAgent(s.key, err))
		l.fleet.warn(refusedByAgent(s.key, err))
	}
	return nil, err
}

// sayTouch tells the person, once a login and before the key blinks, which host it is for.
func (l *loginFlow) sayTouch(c candidate) {
	if !l.touched {
		l.touched = true
		l.fleet.say(fmt.Sprintf("%s: touch the security key to log in as %s: %s", l.label(), l.to.user, c.name()))
	}
}

// refusedByAgent says why an agent may not sign with a key that it lists.
func refusedByAgent(c candidate, err error) string {
	if !errors.Is(err, errRefused) {
		return fmt.Sprintf("%s could not be used: %v", c.name(), err)
	}
	if c.touched() {
		return "the SSH agent does not sign with " + c.name() + ": the security key was not touched in time, or is not plugged in"
	}
	return "the SSH agent does not sign with " + c.name() + ": it is locked (ssh-add -X), or a person said no (ssh-add -c), " +
		"or the key is bound to certain hosts (ssh-add -h), which patchring can't prove to it"
}

func (l *loginFlow) untouched(c candidate) error {
	what, hint := "nobody confirmed", "answer the agent's question (ssh-add -c)"
	if c.touched() {
		what, hint = "nobody touched the security key", "touch it when it blinks"
	}
	return &fault.Error{
		Kind: fault.Ask, Code: fault.Auth, Step: l.to.step(),
		What: l.to.what(fmt.Sprintf("%s within %s: %s", what, l.fleet.opts.Patience, c.name())),
		Hint: "run the same command again and " + hint + "; or log in once with ssh, and let patchring use that connection: control_master in the inventory",
	}
}
