package sshsig_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/sshsig"
)

const (
	ns   = sshsig.NamespaceApproval
	text = "patchring approval v1\n"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// ed makes an Ed25519 key from a number, always the same.
func ed(n byte) ssh.Signer {
	return must(ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))))
}

// kinds are one signer of each kind that may sign.
func kinds() map[string]ssh.Signer {
	return map[string]ssh.Signer{
		"ed25519":   ed(1),
		"ecdsa-256": must(ssh.NewSignerFromKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))),
		"ecdsa-384": must(ssh.NewSignerFromKey(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))),
		"ecdsa-521": must(ssh.NewSignerFromKey(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))),
		"rsa":       must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 2048)))),
		"sk-ed25519": token{
			key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)), flags: 1,
		},
	}
}

// token is a security key in software: it signs what one would (OpenSSH's PROTOCOL.u2f).
type token struct {
	key   ed25519.PrivateKey
	flags byte // 1: touched, 4: PIN or fingerprint asked for
}

const application = "ssh:"

func (t token) PublicKey() ssh.PublicKey {
	return must(ssh.ParsePublicKey(ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, t.key.Public().(ed25519.PublicKey), application})))
}

func (t token) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	app, digest := sha256.Sum256([]byte(application)), sha256.Sum256(data)
	counter := []byte{t.flags, 0, 0, 0, 9}
	signed := append(append(app[:], counter...), digest[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(t.key, signed), Rest: counter}, nil
}

// certificate has an authority sign a key for these people.
func certificate(signer, authority ssh.Signer, change func(*ssh.Certificate), people ...string) ssh.Signer {
	cert := &ssh.Certificate{
		Key: signer.PublicKey(), CertType: ssh.UserCert, KeyId: "test", ValidPrincipals: people,
		ValidAfter: uint64(noon().Add(-time.Hour).Unix()), ValidBefore: uint64(noon().Add(time.Hour).Unix()),
	}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		panic(err)
	}
	return must(ssh.NewCertSigner(cert, signer))
}

// public is a signer's key as a line of allowed_signers has it.
func public(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

func seal(t testing.TB, s ssh.Signer, namespace, message string) []byte {
	t.Helper()
	armored, err := sshsig.Seal(rand.Reader, s, namespace, []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return armored
}

func allow(t testing.TB, lines ...string) *sshsig.Allowed {
	t.Helper()
	allowed, err := sshsig.ParseAllowed("allowed_signers", []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return allowed
}

func sum512(message string) []byte {
	sum := sha512.Sum512([]byte(message))
	return sum[:]
}

// blobOf and armor undo and do the armour, for tests that change what is inside.
func blobOf(armored []byte) []byte {
	lines := strings.Split(strings.TrimSpace(string(armored)), "\n")
	return must(base64.StdEncoding.DecodeString(strings.Join(lines[1:len(lines)-1], "")))
}

func armor(blob []byte) []byte {
	return []byte("-----BEGIN SSH SIGNATURE-----\n" + base64.StdEncoding.EncodeToString(blob) + "\n-----END SSH SIGNATURE-----\n")
}
