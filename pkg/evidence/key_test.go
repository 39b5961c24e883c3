package evidence_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// key signs as PROTOCOL.sshsig says, by hand: what verifies it shall not be what made it.
type key struct {
	name    string
	private ed25519.PrivateKey
}

func newKey(name string) key {
	seed := sha256.Sum256([]byte(name))
	return key{name, ed25519.NewKeyFromSeed(seed[:])}
}

// field is an SSH string.
func field(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func fields(all ...string) []byte {
	var out []byte
	for _, f := range all {
		out = append(out, field([]byte(f))...)
	}
	return out
}

func (k key) blob() string {
	public, ok := k.private.Public().(ed25519.PublicKey)
	if !ok {
		panic("an ed25519 key has an ed25519 public key")
	}
	return string(fields("ssh-ed25519", string(public)))
}

func (k key) fingerprint() string {
	sum := sha256.Sum256([]byte(k.blob()))
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// allowed is the key's line in allowed_signers.
func (k key) allowed(options string) string {
	return fmt.Sprintf("%s %s ssh-ed25519 %s\n", k.name, options, base64.StdEncoding.EncodeToString([]byte(k.blob())))
}

func (k key) sign(namespace string, message []byte) string {
	hash := sha512.Sum512(message)
	signed := append([]byte("SSHSIG"), fields(namespace, "", "sha512", string(hash[:]))...)
	signature := fields("ssh-ed25519", string(ed25519.Sign(k.private, signed)))
	blob := append([]byte("SSHSIG\x00\x00\x00\x01"), fields(k.blob(), namespace, "", "sha512", string(signature))...)
	var out strings.Builder
	out.WriteString("-----BEGIN SSH SIGNATURE-----\n")
	text := base64.StdEncoding.EncodeToString(blob)
	for len(text) > 70 {
		out.WriteString(text[:70] + "\n")
		text = text[70:]
	}
	out.WriteString(text + "\n-----END SSH SIGNATURE-----\n")
	return out.String()
}

// signer signs manifests.
func (k key) signer(manifest []byte) ([]byte, error) {
	return bytes.Clone([]byte(k.sign("patchring-evidence", manifest))), nil
}
