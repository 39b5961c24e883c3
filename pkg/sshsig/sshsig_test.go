package sshsig_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/patchring/patchring/pkg/sshsig"
)

func TestSealedIsGoodForItsMessageAndNamespaceAlone(t *testing.T) {
	for name, signer := range kinds() {
		t.Run(name, func(t *testing.T) {
			armored := seal(t, signer, ns, text)
			s, err := sshsig.Check(armored, []byte(text), ns)
			if err != nil || s.Namespace != ns || s.Hash != "sha512" || s.Fingerprint() != ssh.FingerprintSHA256(signer.PublicKey()) {
				t.Fatalf("got %+v, %v", s, err)
			}
			if !bytes.Equal(s.Armored(), armored) {
				t.Error("what is read is not written the same")
			}
			if _, err := sshsig.Check(armored, []byte(text+"x"), ns); !errors.Is(err, sshsig.ErrMismatch) {
				t.Errorf("another message: %v", err)
			}
			for _, other := range []string{sshsig.NamespacePlan, ""} {
				if _, err := sshsig.Check(armored, []byte(text), other); !errors.Is(err, sshsig.ErrNamespace) {
					t.Errorf("namespace %q: %v", other, err)
				}
			}
		})
	}
}

// A signature with any byte of its blob changed is good for nothing.
func TestChangedSignatures(t *testing.T) {
	for name, signer := range kinds() {
		blob := blobOf(seal(t, signer, ns, text))
		for i := range blob {
			changed := bytes.Clone(blob)
			changed[i] ^= 1
			if _, err := sshsig.Check(armor(changed), []byte(text), ns); err == nil {
				t.Errorf("%s: byte %d may be changed", name, i)
			}
		}
	}
}

// Whatever happens to the text of a signature, it is either refused or still the same one:
// only line breaks may move.
func TestChangedArmour(t *testing.T) {
	armored := seal(t, ed(1), ns, text)
	rapid.Check(t, func(t *rapid.T) {
		changed := bytes.Clone(armored)
		at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
		changed[at] = rapid.Byte().Draw(t, "byte")
		s, err := sshsig.Check(changed, []byte(text), ns)
		if err == nil && !bytes.Equal(s.Armored(), armored) {
			t.Fatalf("byte %d made it another signature", at)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	good := string(seal(t, ed(1), ns, text))
	blob := blobOf([]byte(good))
	field := func(b []byte) string { return string(armor(b)) }
	for name, bad := range map[string]string{
		"nothing":           "",
		"no BEGIN":          strings.TrimPrefix(good, "-----BEGIN SSH SIGNATURE-----\n"),
		"text before":       "x\n" + good,
		"a blank before":    " " + good,
		"no END":            strings.TrimSuffix(good, "-----END SSH SIGNATURE-----\n"),
		"text after":        good + "x",
		"two signatures":    good + good,
		"blanks in base64":  strings.Replace(good, "U1NI", "U1NI ", 1),
		"a lone CR":         strings.Replace(good, "U1NI", "U1NI\r", 1),
		"too long":          strings.Replace(good, "U1NI", strings.Repeat("\n", 64<<10)+"U1NI", 1),
		"cut short":         field(blob[:len(blob)-1]),
		"something follows": field(append(bytes.Clone(blob), 0)),
		"version 0":         field(append([]byte("SSHSIG\x00\x00\x00\x00"), blob[10:]...)),
		"version 2":         field(append([]byte("SSHSIG\x00\x00\x00\x02"), blob[10:]...)),
		"no magic":          field(append([]byte("SSHSIC"), blob[6:]...)),
		"reserved": field(bytes.Replace(blob, []byte(ns+"\x00\x00\x00\x00"),
			[]byte(ns+"\x00\x00\x00\x01x"), 1)),
		"sha1":               field(bytes.Replace(blob, []byte("\x06sha512"), []byte("\x04sha1"), 1)),
		"an empty namespace": field(bytes.Replace(blob, []byte("\x12"+ns), []byte("\x00"), 1)),
		"a NUL in namespace": field(bytes.Replace(blob, []byte(ns), []byte(ns[:len(ns)-1]+"\x00"), 1)),
	} {
		if _, err := sshsig.Parse([]byte(bad)); !errors.Is(err, sshsig.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, fine := range map[string]string{
		"CR LF":       strings.ReplaceAll(good, "\n", "\r\n"),
		"no last LF":  strings.TrimSuffix(good, "\n"),
		"in one line": field(blob),
	} {
		if _, err := sshsig.Parse([]byte(fine)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key has one encoding, and a signature ends where it ends: OpenSSH takes neither.
func TestOneEncoding(t *testing.T) {
	blob := blobOf(seal(t, ed(1), ns, text))
	tail := ssh.Marshal(struct{ Signature []byte }{append(bytes.Clone(blob[len(blob)-83:]), 0)})
	longer := append(bytes.Clone(blob[:len(blob)-87]), tail...)
	if _, err := sshsig.Parse(armor(longer)); err == nil || !strings.Contains(err.Error(), "something follows the signature") {
		t.Error(err)
	}
	signer := must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	loose := blobOf(seal(t, signer, ns, text))
	loose = bytes.Replace(loose, []byte{0, 0, 0, 3, 1, 0, 1}, []byte{0, 0, 0, 4, 0, 1, 0, 1}, 1)
	loose[10+3]++ // the key field is a byte longer
	if _, err := sshsig.Parse(armor(loose)); err == nil {
		t.Error("an exponent with a leading zero is taken")
	}
}

// sha1Signer is an RSA key that can't sign otherwise.
type sha1Signer struct{ ssh.Signer }

// liar says it has a key that it does not have.
type liar struct {
	ssh.Signer
	claims ssh.PublicKey
}

func (l liar) PublicKey() ssh.PublicKey { return l.claims }

func TestSealRefuses(t *testing.T) {
	weak := must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 1024))))
	strong := must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	for name, c := range map[string]struct {
		signer    ssh.Signer
		namespace string
		want      string
	}{
		"no namespace":     {ed(1), "", "namespace"},
		"a line break":     {ed(1), "a\nb", "namespace"},
		"a short RSA key":  {weak, ns, "1024 bits"},
		"SHA-1 alone":      {sha1Signer{strong}, ns, "SHA-1"},
		"another key":      {liar{ed(1), ed(2).PublicKey()}, ns, "did not make it"},
		"an untouched key": {token{key: kinds()["sk-ed25519"].(token).key}, ns, "touched"},
	} {
		if _, err := sshsig.Seal(rand.Reader, c.signer, c.namespace, []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What SHA-1 signed is refused when it is read, whatever signed it.
func TestSHA1IsRefused(t *testing.T) {
	signer := must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 2048))))
	blob := blobOf(seal(t, signer, ns, text))
	old := bytes.Replace(blob, []byte("\x00\x00\x00\x0crsa-sha2-512"), []byte("\x00\x00\x00\x07ssh-rsa"), 1)
	old = bytes.Replace(old, []byte{0, 0, 1, 0x14, 0, 0, 0, 7}, []byte{0, 0, 1, 0x0f, 0, 0, 0, 7}, 1)
	if _, err := sshsig.Parse(armor(old)); err == nil || !strings.Contains(err.Error(), `"ssh-rsa"`) {
		t.Error(err)
	}
}

func TestTheZeroValuesAllowNothing(t *testing.T) {
	if got := (sshsig.Signature{}).Armored(); got != nil {
		t.Errorf("got %q", got)
	}
	if (sshsig.Signature{}).Fingerprint() != "" {
		t.Error("no key has no fingerprint")
	}
	if _, err := new(sshsig.Allowed).Whose(seal(t, ed(1), ns, text), []byte(text), ns, noon()); !errors.Is(err, sshsig.ErrNotAllowed) {
		t.Error(err)
	}
}
