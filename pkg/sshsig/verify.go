package sshsig

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Who is a person whose signature was verified.
type Who struct {
	Principal   string
	Fingerprint string // of the key that signed, "SHA256:…"
	KeyType     string // "ssh-ed25519", …
	Authority   string // the fingerprint of the certificate's authority; "" for a plain key
	Touched     bool   // a security key signed, and says that somebody touched it
}

// Verify tells whether principal signed message in this namespace and was allowed to at that
// time: as ssh-keygen -Y verify. A nil error is the only yes.
func (a *Allowed) Verify(armored, message []byte, namespace, principal string, at time.Time) (Who, error) {
	s, err := Check(armored, message, namespace)
	if err != nil {
		return Who{}, err
	}
	if !validPrincipal(principal) {
		return Who{}, fmt.Errorf("%w: %.64q is no name", ErrNotAllowed, principal)
	}
	var no refusals
	for _, l := range a.lines {
		if !l.principals.match(principal) {
			continue
		}
		if no.add(l, l.refuses(s, principal, at)) {
			return who(s, principal), nil
		}
	}
	return Who{}, no.err(fmt.Sprintf("%q does not sign with key %s", principal, s.Fingerprint()))
}

// Whose finds who signed: as ssh-keygen -Y find-principals, then verify. A line that gives
// only patterns names nobody; of several names on a line the first counts.
func (a *Allowed) Whose(armored, message []byte, namespace string, at time.Time) (Who, error) {
	s, err := Check(armored, message, namespace)
	if err != nil {
		return Who{}, err
	}
	var no refusals
	for _, l := range a.lines {
		for _, name := range l.candidates(s) {
			if no.add(l, l.refuses(s, name, at)) {
				return who(s, name), nil
			}
		}
	}
	return Who{}, no.err("nobody there has key " + s.Fingerprint() + " by name")
}

// candidates are the people that a line names for the signature.
func (l *line) candidates(s Signature) []string {
	cert, ok := s.Key.(*ssh.Certificate)
	if !l.authority {
		return l.principals.names()
	}
	if !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(cert.ValidPrincipals), func(name string) bool {
		return !validPrincipal(name) || !l.principals.match(name)
	})
}

// validPrincipal: an answer names one person, so patterns are none.
func validPrincipal(name string) bool {
	return name != "" && len(name) < maxPattern && printable(name) && !strings.ContainsAny(name, "*?!,")
}

// refuses gives the reason why a line does not allow the signature, or nil.
func (l *line) refuses(s Signature, principal string, at time.Time) error {
	cert, certified := s.Key.(*ssh.Certificate)
	switch {
	case l.authority && certified && same(cert.SignatureKey, l.key):
		if err := checkCertificate(cert, s.flags(), principal, at); err != nil {
			return err
		}
	case l.authority || !same(s.Key, l.key): // never the key inside a certificate
		return errOtherKey
	}
	now := at.Unix() // whole seconds, as OpenSSH counts
	switch {
	case l.namespaces != nil && !l.namespaces.match(s.Namespace):
		return fmt.Errorf("the key may not sign in namespace %q", s.Namespace)
	case !l.after.IsZero() && now < l.after.Unix():
		return fmt.Errorf("the key is valid only after %s", stamp(l.after))
	case !l.before.IsZero() && now > l.before.Unix():
		return fmt.Errorf("the key was valid only before %s", stamp(l.before))
	}
	return nil
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// verifyRequired is the one critical option that means something for a signature: the
// security key must have asked for its PIN or a fingerprint.
const verifyRequired = "verify-required"

// checkCertificate: OpenSSH's rules for a user certificate that must name its holder, and
// no critical option that can't be enforced here.
func checkCertificate(cert *ssh.Certificate, flags byte, principal string, at time.Time) error {
	now := uint64(max(at.Unix(), 0))
	switch {
	case cert.CertType != ssh.UserCert:
		return errors.New("not a user certificate")
	case !slices.Contains(cert.ValidPrincipals, principal):
		return fmt.Errorf("the certificate is not for %q", principal)
	case now < cert.ValidAfter:
		return errors.New("the certificate was not valid yet")
	case now >= cert.ValidBefore:
		return errors.New("the certificate had expired")
	}
	for option := range cert.CriticalOptions {
		if option != verifyRequired || flags&userVerified == 0 {
			return fmt.Errorf("the certificate's critical option %.64q is not met", option)
		}
	}
	return nil
}

func who(s Signature, principal string) Who {
	w := Who{Principal: principal, Fingerprint: s.Fingerprint(), KeyType: plain(s.Key).Type(), Touched: s.touched()}
	if cert, ok := s.Key.(*ssh.Certificate); ok {
		w.Authority = fingerprint(cert.SignatureKey)
	}
	return w
}

var errOtherKey = errors.New("another key")

// refusals keeps why the lines that had the right key said no.
type refusals []string

// add keeps a reason, and tells whether there was none.
func (r *refusals) add(l *line, err error) (allowed bool) {
	if err != nil && !errors.Is(err, errOtherKey) {
		*r = append(*r, l.at+": "+err.Error())
	}
	return err == nil
}

func (r *refusals) err(otherwise string) error {
	if len(*r) == 0 {
		return fmt.Errorf("%w: %s", ErrNotAllowed, otherwise)
	}
	return fmt.Errorf("%w: %s", ErrNotAllowed, strings.Join(slices.Compact(*r), "; "))
}

// Could finds who could sign with the key in this namespace at that time, before anything is
// signed: principal, or, where that is "", the first who is named.
func (a *Allowed) Could(key ssh.PublicKey, namespace, principal string, at time.Time) (string, error) {
	s := Signature{Namespace: namespace, Key: key}
	var no refusals
	for _, l := range a.lines {
		names := l.candidates(s)
		if principal != "" {
			names = nil
			if l.principals.match(principal) {
				names = []string{principal}
			}
		}
		for _, name := range names {
			if no.add(l, l.refuses(s, name, at)) {
				return name, nil
			}
		}
	}
	return "", no.err("nobody there has key " + fingerprint(plain(key)) + " by name")
}

// Names tells whether any line could let principal sign in this namespace, with whatever key
// and at whatever time.
func (a *Allowed) Names(principal, namespace string) bool {
	return slices.ContainsFunc(a.lines, func(l *line) bool {
		return l.principals.match(principal) && (l.namespaces == nil || l.namespaces.match(namespace))
	})
}
