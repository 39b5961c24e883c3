package sshsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"
)

// The namespaces of what patchring signs. The namespaces option of an allowed_signers line
// says which of them its key may sign.
const (
	NamespaceApproval   = "patchring-approval"
	NamespaceCheckpoint = "patchring-checkpoint"
	NamespacePlan       = "patchring-plan"
	NamespaceEvidence   = "patchring-evidence"
)

// What Check, Verify and Whose may say no for; each error wraps one of these.
var (
	ErrMalformed  = errors.New("not an SSH signature")
	ErrNamespace  = errors.New("the signature was made for another purpose")
	ErrMismatch   = errors.New("the signature does not match")
	ErrNotAllowed = errors.New("the signer is not allowed")
)

const (
	hashSHA256 = "sha256"
	hashSHA512 = "sha512"
)

// Signature is an SSH signature that was read, not one that was verified.
type Signature struct {
	Namespace string
	Hash      string        // "sha256" or "sha512": how the message was hashed
	Key       ssh.PublicKey // a *ssh.Certificate where a certificate signed

	sig *ssh.Signature
}

// Fingerprint is that of the key that signed ("SHA256:…"); of a certificate, that of its
// key, as OpenSSH shows it.
func (s Signature) Fingerprint() string { return fingerprint(s.Key) }

func fingerprint(key ssh.PublicKey) string {
	if key == nil {
		return ""
	}
	return ssh.FingerprintSHA256(plain(key))
}

// plain is the key itself, without the certificate around it.
func plain(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

// signedData is what the key really signs: the message's digest within its namespace.
func signedData(namespace, hash string, message []byte) ([]byte, error) {
	digest, err := digestOf(hash, message)
	if err != nil {
		return nil, err
	}
	return append([]byte(magic), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Digest                    []byte
	}{namespace, "", hash, digest})...), nil
}

func digestOf(hash string, message []byte) ([]byte, error) {
	switch hash {
	case hashSHA256:
		sum := sha256.Sum256(message)
		return sum[:], nil
	case hashSHA512:
		sum := sha512.Sum512(message)
		return sum[:], nil
	}
	return nil, fmt.Errorf("%w: hash %q, neither sha256 nor sha512", ErrMalformed, hash)
}

// Check tells whether armored is a good signature of message in this namespace, by whomever:
// as ssh-keygen -Y check-novalidate. It says nothing about whose key that is.
func Check(armored, message []byte, namespace string) (Signature, error) {
	s, err := Parse(armored)
	if err != nil {
		return Signature{}, err
	}
	if namespace == "" || s.Namespace != namespace {
		return Signature{}, fmt.Errorf("%w: %q, not %q", ErrNamespace, s.Namespace, namespace)
	}
	if err := s.check(message); err != nil {
		return Signature{}, err
	}
	return s, nil
}

func (s Signature) check(message []byte) error {
	data, err := signedData(s.Namespace, s.Hash, message)
	if err != nil {
		return err
	}
	if s.touchable() && !s.touched() {
		return fmt.Errorf("%w: nobody touched the security key %s", ErrMismatch, s.Fingerprint())
	}
	if err := s.Key.Verify(data, s.sig); err != nil {
		return fmt.Errorf("%w: the message or the signature was changed, or key %s did not make it", ErrMismatch, s.Fingerprint())
	}
	return nil
}

// Seal signs message in a namespace and gives the armoured signature, hashed with sha512 and,
// for RSA, made with rsa-sha2-512. What the signer gives back is checked: an agent is another
// program. Ed25519 and RSA give the same bytes for the same message, the other kinds never.
func Seal(rand io.Reader, signer ssh.Signer, namespace string, message []byte) ([]byte, error) {
	if err := validNamespace(namespace); err != nil {
		return nil, err
	}
	key, err := parseKey(signer.PublicKey().Marshal()) // an agent's key knows only its bytes
	if err != nil {
		return nil, err
	}
	s := Signature{Namespace: namespace, Hash: hashSHA512, Key: key}
	data, err := signedData(s.Namespace, s.Hash, message)
	if err != nil {
		return nil, err
	}
	if s.sig, err = sign(rand, signer, plain(key).Type(), data); err != nil {
		return nil, err
	}
	armored := s.Armored()
	_, err = Check(armored, message, namespace)
	return armored, err
}

func sign(rand io.Reader, signer ssh.Signer, keyType string, data []byte) (*ssh.Signature, error) {
	if keyType != ssh.KeyAlgoRSA {
		return signer.Sign(rand, data)
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the RSA key can only sign with SHA-1, which nobody may trust")
	}
	return able.SignWithAlgorithm(rand, data, ssh.KeyAlgoRSASHA512)
}

// Begins is when the certificate that signed becomes valid; the zero time for a plain key,
// and for a certificate without such a time.
func (s Signature) Begins() time.Time {
	cert, ok := s.Key.(*ssh.Certificate)
	if !ok || cert.ValidAfter == 0 || cert.ValidAfter > 1<<62 {
		return time.Time{}
	}
	return time.Unix(int64(cert.ValidAfter), 0)
}
