package repository

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

func TestDetachedSignatures(t *testing.T) {
	text := []byte("line one\n- dash\n")
	good, other := newKey(t, "Good"), newKey(t, "Other")
	expired := newKey(t, "Expired", lifetime(30))
	revoked := newKey(t, "Revoked")
	before := today().AddDate(0, -1, 0)
	byRevoked := detached(t, text, before, revoked)
	if err := revoked.Revoke(packet.KeyRetired, "gone", at(today().AddDate(0, 0, -1))); err != nil {
		t.Fatal(err)
	}
	// Signed while the key was still valid: it no longer is.
	byExpired := detached(t, text, today().AddDate(-2, 0, 10), expired)
	byGood, byOther := detached(t, text, before, good), detached(t, text, before, other)
	trusted := ring(t, good, expired, revoked)
	tests := []struct {
		name      string
		text, sig []byte
		want      error
	}{
		{"good", text, byGood, nil},
		{"armored", text, armoredAs(t, "PGP SIGNATURE", byGood), nil},
		{"second one is good", text, bytes.Join([][]byte{byOther, byGood}, nil), nil},
		{"second block is good", text, append(armoredAs(t, "PGP SIGNATURE", byOther), armoredAs(t, "PGP SIGNATURE", byGood)...), nil},
		{"a signature of tomorrow's kind before a good one", text, append([]byte{0xc2, 3, 99, 0, 1}, byGood...), nil},
		{"tampered", []byte("line one\n- dash!\n"), byGood, ErrBadSignature},
		{"unknown key", text, byOther, ErrUnknownKey},
		{"expired key", text, byExpired, ErrExpiredKey},
		{"revoked key", text, byRevoked, ErrRevokedKey},
		{"empty", text, nil, ErrNoSignature},
		{"garbage", text, []byte("garbage"), ErrNoSignature},
		{"a key instead", text, public(t, good), ErrFormat},
		{"cut", text, byGood[:len(byGood)-3], ErrNoSignature},
		{"from the future", text, detached(t, text, today().Add(time.Hour), good), ErrExpiredSignature},
		{"a little ahead of our clock", text, detached(t, text, today().Add(time.Minute), good), nil},
		{"huge", text, make([]byte, maxSignature+1), ErrTooBig},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signer, err := trusted.Verify(test.text, test.sig, today())
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err != nil {
				if signer != (Signer{}) {
					t.Errorf("a refused signature names a signer: %+v", signer)
				}
				return
			}
			if !strings.HasPrefix(signer.UserID, "Good") || len(signer.Fingerprint) != 40 || signer.Time.IsZero() {
				t.Errorf("signer %+v", signer)
			}
		})
	}
}

func TestAnOldCopyOfAKeyDoesNotHideTheRenewedOne(t *testing.T) {
	key := newKey(t, "Renewed", lifetime(30))
	old := public(t, key)
	for name, id := range key.Identities {
		later := at(today().AddDate(-1, 0, 0))
		sig := *id.SelfCertifications[0].Packet
		sig.CreationTime, sig.KeyLifetimeSecs = later.Now(), nil
		if err := sig.SignUserId(name, key.PrimaryKey, key.PrivateKey, later); err != nil {
			t.Fatal(err)
		}
		id.SelfCertifications = append(id.SelfCertifications, packet.NewVerifiableSig(&sig))
	}
	renewed := public(t, key)
	text := []byte("x")
	sig := detached(t, text, today().AddDate(0, -1, 0), key)
	for _, files := range [][][]byte{{old, renewed}, {renewed, old}} {
		k, err := ParseKeyring(files...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Verify(text, sig, today()); err != nil {
			t.Error(err)
		}
	}
	k, _ := ParseKeyring(old)
	if _, err := k.Verify(text, sig, today()); !errors.Is(err, ErrExpiredKey) && !errors.Is(err, ErrBadSignature) {
		t.Errorf("the old copy alone: %v", err)
	}
}

func TestTheZeroKeyringTrustsNobody(t *testing.T) {
	key := newKey(t, "K")
	sig := detached(t, []byte("x"), today(), key)
	for _, k := range []*Keyring{nil, {}} {
		if _, err := k.Verify([]byte("x"), sig, today()); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("got %v", err)
		}
		if k.Len() != 0 {
			t.Error("it has keys")
		}
	}
}

// The library takes the zero time for "no time checks".
func TestWithoutATimeNothingIsSigned(t *testing.T) {
	key := newKey(t, "K", lifetime(1))
	sig := detached(t, []byte("x"), today().AddDate(-2, 0, 0), key)
	if _, err := ring(t, key).Verify([]byte("x"), sig, time.Time{}); !errors.Is(err, ErrNoTime) {
		t.Errorf("got %v", err)
	}
}

func TestKeyringsAreReadInEveryForm(t *testing.T) {
	a, b := newKey(t, "A"), newKey(t, "B")
	both := append(public(t, a), public(t, b)...)
	twoBlocks := append(armoredAs(t, "PGP PUBLIC KEY BLOCK", public(t, a)), armoredAs(t, "PGP PUBLIC KEY BLOCK", public(t, b))...)
	text := append([]byte("pub  4096R/FD431D51 as rpm's key files begin\n\n"), twoBlocks...)
	for name, file := range map[string][]byte{"binary": both, "armored": armoredAs(t, "PGP PUBLIC KEY BLOCK", both), "blocks": text} {
		k, err := ParseKeyring(file)
		if err != nil || k.Len() != 2 {
			t.Errorf("%s: %v, %d keys", name, err, k.Len())
		}
	}
	var private bytes.Buffer
	if err := a.SerializePrivate(&private, at(today())); err != nil {
		t.Fatal(err)
	}
	keybox := append(make([]byte, 8), []byte("KBXf....")...)
	for name, file := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"), "private": private.Bytes(), "keybox": keybox,
		"a signature": armoredAs(t, "PGP SIGNATURE", detached(t, []byte("x"), today(), a)),
		"no end":      []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabcd"), "huge": make([]byte, maxKeyFile+1),
	} {
		if _, err := ParseKeyring(file); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooBig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUserIDsAreHarmless(t *testing.T) {
	key := newKey(t, "E\x1b[31mvil\u202e")
	sig := detached(t, []byte("x"), today(), key)
	signer, err := ring(t, key).Verify([]byte("x"), sig, today())
	if err != nil || strings.ContainsAny(signer.UserID, "\x1b\u202e") {
		t.Errorf("%q, %v", signer.UserID, err)
	}
}

func TestClearSigned(t *testing.T) {
	key, other := newKey(t, "Good"), newKey(t, "Other")
	text := []byte("Origin: x\n- dashed\n--\nFrom here \nlast\n")
	message := clearSigned(t, text, today(), key)
	trusted := ring(t, key)
	got, _, err := trusted.VerifyClear(message, today())
	want := "Origin: x\r\n- dashed\r\n--\r\nFrom here\r\nlast\r\n"
	if err != nil || string(got) != want && string(got)+"\r\n" != want {
		t.Fatalf("%q, %v", got, err)
	}
	if _, s, err := trusted.VerifyClear(clearSigned(t, text, today(), other, key), today()); err != nil || s.UserID != "Good <archive@test.example>" {
		t.Errorf("two signatures: %v, %v", s, err)
	}
	crlf := bytes.ReplaceAll(message, []byte("\n"), []byte("\r\n"))
	if _, _, err := trusted.VerifyClear(crlf, today()); err != nil {
		t.Errorf("line ends changed on the way: %v", err)
	}
	bad := bytes.Replace(message, []byte("Origin: x"), []byte("Origin: y"), 1)
	if text, _, err := trusted.VerifyClear(bad, today()); !errors.Is(err, ErrBadSignature) || text == nil {
		t.Errorf("tampered: %q, %v", text, err)
	}
	unsigned, _, _ := bytes.Cut(message, []byte("-----BEGIN PGP SIGNATURE"))
	for name, odd := range map[string][]byte{
		"text before": append([]byte("Origin: evil\n\n"), message...), "text after": append(bytes.Clone(message), []byte("Origin: evil\n")...),
		"two messages": append(bytes.Clone(message), message...), "no signature": unsigned,
		"a header that hides text": bytes.Replace(message, []byte("Hash: SHA512\n"), []byte("Comment: evil\n"), 1),
		"nothing":                  nil, "plain": text,
	} {
		if text, s, err := trusted.VerifyClear(odd, today()); !errors.Is(err, ErrFormat) || text != nil || s != (Signer{}) {
			t.Errorf("%s: %q, %v, %v", name, text, s, err)
		}
	}
}

func TestSignaturesByManyAtOnce(t *testing.T) {
	key := newKey(t, "Good")
	trusted := ring(t, key)
	sig := detached(t, []byte("x"), today(), key)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := trusted.Verify([]byte("x"), sig, today()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestWeakKeysAndDigestsDoNotCount(t *testing.T) {
	k := recordedRing(t, "key.asc")
	if _, _, err := k.VerifyClear(recorded(t, "apt/InRelease.sha1"), today()); !errors.Is(err, ErrWeak) {
		t.Errorf("SHA-1: %v", err)
	}
	small := newKey(t, "Small", func(c *packet.Config) { c.Algorithm, c.RSABits = packet.PubKeyAlgoRSA, 1024 })
	var out bytes.Buffer
	lax := at(today(), func(c *packet.Config) { c.MinRSABits = 1024 })
	if err := openpgp.DetachSign(&out, []*openpgp.Entity{small}, strings.NewReader("x"), lax); err != nil {
		t.Fatal(err)
	}
	if _, err := ring(t, small).Verify([]byte("x"), out.Bytes(), today()); !errors.Is(err, ErrWeak) {
		t.Errorf("a small key: %v", err)
	}
}
