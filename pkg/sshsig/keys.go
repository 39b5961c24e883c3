package sshsig

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/remote"
)

// minRSA is the fewest bits that an RSA key may have. OpenSSH takes 1024.
const minRSA = 2048

// parseKey reads a public key or certificate as it stands in a signature.
func parseKey(blob []byte) (ssh.PublicKey, error) {
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, errors.New(remote.Clean(err.Error(), 200)) // it repeats what it read
	}
	cert, certified := key.(*ssh.Certificate)
	if err := acceptable(plain(key)); err != nil {
		return nil, err
	}
	if !bytes.Equal(key.Marshal(), blob) {
		return nil, errors.New("the public key is not in its canonical form")
	}
	if certified {
		return key, signedByAuthority(cert)
	}
	return key, nil
}

// MaySign tells whether signatures of such a key, or certificate, are accepted at all.
func MaySign(key ssh.PublicKey) error {
	_, err := parseKey(key.Marshal())
	return err
}

// acceptable tells which kinds of plain keys may sign.
func acceptable(key ssh.PublicKey) error {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return nil
	case ssh.KeyAlgoRSA:
		return longEnough(key)
	}
	return fmt.Errorf("keys of type %s may not sign", key.Type())
}

func longEnough(key ssh.PublicKey) error {
	crypto, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return errors.New("an RSA key that can't be read")
	}
	public, ok := crypto.CryptoPublicKey().(*rsa.PublicKey)
	if !ok {
		return errors.New("an RSA key that can't be read")
	}
	if bits := public.N.BitLen(); bits < minRSA {
		return fmt.Errorf("an RSA key of %d bits; at least %d are needed", bits, minRSA)
	}
	return nil
}

// validSignature: the algorithm belongs to the key's kind, SHA-1 is none of them, and
// nothing follows where nothing belongs.
func validSignature(key ssh.PublicKey, sig *ssh.Signature) error {
	known := sig.Format == key.Type()
	if key.Type() == ssh.KeyAlgoRSA {
		known = sig.Format == ssh.KeyAlgoRSASHA256 || sig.Format == ssh.KeyAlgoRSASHA512
	}
	if !known {
		return fmt.Errorf("algorithm %.64q does not belong to a key of type %s", sig.Format, key.Type())
	}
	if !isSecurityKey(key) && len(sig.Rest) > 0 {
		return errors.New("something follows the signature")
	}
	return nil
}

// signedByAuthority checks a certificate's own signature, as OpenSSH does whenever it reads one.
func signedByAuthority(cert *ssh.Certificate) error {
	if err := acceptable(cert.SignatureKey); err != nil {
		return fmt.Errorf("the certificate's authority: %w", err)
	}
	if err := validSignature(cert.SignatureKey, cert.Signature); err != nil {
		return fmt.Errorf("the certificate's authority: %w", err)
	}
	bare := *cert
	bare.Signature = nil
	signed := bare.Marshal()
	signed = signed[:len(signed)-4] // without the length of the signature that is not there
	if cert.SignatureKey.Verify(signed, cert.Signature) != nil {
		return errors.New("the certificate was not signed by the authority that it names")
	}
	return nil
}

// The flags of a security key (OpenSSH's PROTOCOL.u2f).
const (
	userPresent  = 0x01
	userVerified = 0x04
)

func isSecurityKey(key ssh.PublicKey) bool {
	return key.Type() == ssh.KeyAlgoSKED25519 || key.Type() == ssh.KeyAlgoSKECDSA256
}

func (s Signature) touchable() bool { return isSecurityKey(plain(s.Key)) }

func (s Signature) touched() bool { return s.flags()&userPresent != 0 }

// flags are what a security key says of the person before it; 0 for other keys.
func (s Signature) flags() byte {
	var said struct {
		Flags   byte
		Counter uint32
	}
	if s.sig == nil || !s.touchable() || ssh.Unmarshal(s.sig.Rest, &said) != nil {
		return 0
	}
	return said.Flags
}
