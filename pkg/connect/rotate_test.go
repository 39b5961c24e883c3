package connect

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// dsaBlob is a key of a kind that nobody should learn any more: P, Q, G, Y.
func dsaBlob() []byte {
	number := func(bits int) []byte { return append([]byte{0, 0x80}, bytes.Repeat([]byte{0x11}, bits/8-1)...) }
	return listOf([]byte(kindDSA), number(1024), number(160), []byte{2}, []byte{4})
}

func rsaBlob(bits int) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.SetBit(n, 0, 1)
	key, err := ssh.NewPublicKey(&rsa.PublicKey{N: n, E: 65537})
	if err != nil {
		return nil
	}
	return key.Marshal()
}

func listOf(blobs ...[]byte) []byte {
	var out []byte
	for _, b := range blobs {
		out = appendString(out, b)
	}
	return out
}

func TestParseAnnounced(t *testing.T) {
	ed, ec := edKey(t).PublicKey().Marshal(), ecKey(t).PublicKey().Marshal()
	var many [][]byte
	for range maxTold + 1 {
		many = append(many, edKey(t).PublicKey().Marshal())
	}
	cert := hostCert(t, edKey(t), edKey(t), "web", noEnd()).PublicKey().Marshal()
	cases := []struct {
		name    string
		payload []byte
		keys    int
		skipped string
		refused string
	}{
		{name: "honest", payload: listOf(ed, ec), keys: 2},
		{name: "with a DSA key", payload: listOf(ed, dsaBlob()), keys: 1, skipped: "kind ssh-dss"},
		{name: "with a short RSA key", payload: listOf(ed, rsaBlob(1024)), keys: 1, skipped: "1024 bits"},
		{name: "with a huge RSA key", payload: listOf(ed, rsaBlob(16384)), keys: 2},
		{name: "with a larger one", payload: listOf(ed, rsaBlob(16392)), keys: 1, skipped: "can't be read"},
		{name: "with a certificate", payload: listOf(ed, cert), keys: 1, skipped: "cert-v01"},
		{name: "with garbage", payload: listOf(ed, []byte("\x1b[31mred")), keys: 1, skipped: "can't be read"},
		{name: "with bytes behind a key", payload: listOf(ed, append(slices.Clone(ec), 0)), keys: 1, skipped: "can't be read"},
		{name: "nothing", refused: "no key that can be used"},
		{name: "DSA alone", payload: listOf(dsaBlob()), refused: "no key that can be used"},
		{name: "twice the same", payload: listOf(ed, ec, ed), refused: "twice"},
		{name: "hundreds", payload: listOf(many...), refused: "more than 16"},
		{name: "a giant", payload: listOf(ed, make([]byte, maxKeyBlob+1)), refused: "4097 bytes"},
		{name: "cut off", payload: listOf(ed, ec)[:60], refused: "cut off"},
		{name: "a length that lies", payload: append(listOf(ed), 0xff, 0xff, 0xff, 0xff), refused: "cut off"},
		{name: "longer than anything", payload: make([]byte, maxAnnounced+1), refused: "longer than"},
	}
	for _, c := range cases {
		got, err := parseAnnounced(c.payload)
		if c.refused != "" {
			if !errors.Is(err, errAnnounced) || !strings.Contains(err.Error(), c.refused) || len(got.keys) > 0 {
				t.Errorf("%s: %d keys, %v", c.name, len(got.keys), err)
			}
			continue
		}
		all := strings.Join(got.skipped, "; ")
		if err != nil || len(got.keys) != c.keys || !strings.Contains(all, c.skipped) || strings.ContainsRune(all, 0x1b) {
			t.Errorf("%s: %d keys, %q, %v", c.name, len(got.keys), all, err)
		}
	}
}

// proofBy signs as an honest server does, by way of format where it is set.
func proofBy(tb testing.TB, session []byte, format string, signer ssh.Signer) []byte {
	tb.Helper()
	sign := func() (*ssh.Signature, error) {
		return signer.Sign(rand.Reader, proofText(session, signer.PublicKey()))
	}
	if format != "" {
		sign = func() (*ssh.Signature, error) {
			return signer.(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, proofText(session, signer.PublicKey()), format)
		}
	}
	sig, err := sign()
	if err != nil {
		tb.Fatal(err)
	}
	return listOf(listOf([]byte(sig.Format), sig.Blob))
}

func TestCheckProofs(t *testing.T) {
	session := []byte("this session")
	ed, ec, rs := edKey(t), ecKey(t), rsaKey(t)
	keys := []ssh.PublicKey{ed.PublicKey(), ec.PublicKey(), rs.PublicKey()}
	good := func(rsaWay string) []byte {
		return slices.Concat(proofBy(t, session, "", ed), proofBy(t, session, "", ec), proofBy(t, session, rsaWay, rs))
	}
	flipped := good(ssh.KeyAlgoRSASHA512)
	flipped[len(flipped)-1] ^= 1
	cases := map[string]struct {
		answer []byte
		right  bool
	}{
		"sha2-512":                   {good(ssh.KeyAlgoRSASHA512), true},
		"sha2-256":                   {good(ssh.KeyAlgoRSASHA256), true},
		"SHA-1":                      {good(ssh.KeyAlgoRSA), false},
		"nothing":                    {nil, false},
		"one missing":                {good(ssh.KeyAlgoRSASHA512)[:len(proofBy(t, session, "", ed))], false},
		"more than asked":            {append(good(ssh.KeyAlgoRSASHA512), 0), false},
		"a bit flipped":              {flipped, false},
		"another order":              {slices.Concat(proofBy(t, session, "", ec), proofBy(t, session, "", ed), proofBy(t, session, ssh.KeyAlgoRSASHA512, rs)), false},
		"of another session":         {slices.Concat(proofBy(t, []byte("another"), "", ed), proofBy(t, session, "", ec), proofBy(t, session, ssh.KeyAlgoRSASHA512, rs)), false},
		"by a key of another host":   {slices.Concat(proofBy(t, session, "", edKey(t)), proofBy(t, session, "", ec), proofBy(t, session, ssh.KeyAlgoRSASHA512, rs)), false},
		"bytes behind the signature": {slices.Concat(appendString(nil, append(listOf([]byte(ssh.KeyAlgoED25519), make([]byte, 64)), 1))), false},
		"a format that lies":         {listOf(listOf([]byte("\x1b]0;x"), nil)), false},
	}
	for name, c := range cases {
		err := checkProofs(session, keys, c.answer)
		if (err == nil) != c.right || err != nil && (!errors.Is(err, errProof) || strings.ContainsRune(err.Error(), 0x1b)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a server sends as a list: bounded, no key twice, and it reads back as it was.
func FuzzParseAnnounced(f *testing.F) {
	f.Add(listOf(edKey(f).PublicKey().Marshal(), ecKey(f).PublicKey().Marshal()))
	f.Add(listOf(dsaBlob(), rsaBlob(1024)))
	f.Add([]byte{0, 0, 0, 1})
	f.Add(listOf([]byte(ssh.KeyAlgoED25519)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := parseAnnounced(payload)
		if err != nil {
			if len(got.keys) > 0 {
				t.Fatal("keys beside an error")
			}
			return
		}
		if len(got.keys)+len(got.skipped) > maxTold || len(got.keys) == 0 {
			t.Fatalf("%d keys, %d left out", len(got.keys), len(got.skipped))
		}
		for _, key := range got.keys {
			if !bytes.Contains(payload, key.Marshal()) || !got.blobs[string(key.Marshal())] || isCertificate(key) {
				t.Fatal("a key that was not sent")
			}
		}
		again, err := parseAnnounced(askProofs(got.keys))
		if err != nil || len(again.keys) != len(got.keys) {
			t.Fatalf("the keys don't read back: %v", err)
		}
	})
}

// No bytes are a proof for a key whose private half nobody has used.
func FuzzCheckProofs(f *testing.F) {
	ed, ec := edKey(f), ecKey(f)
	session := []byte("s")
	f.Add(proofBy(f, session, "", ed), session)
	f.Add(slices.Concat(proofBy(f, []byte("t"), "", ed), proofBy(f, session, "", ec)), session)
	f.Add([]byte{0, 0, 0, 0}, session)
	keys := []ssh.PublicKey{edKey(f).PublicKey(), ecKey(f).PublicKey()}
	f.Fuzz(func(t *testing.T, answer, session []byte) {
		if checkProofs(session, keys, answer) == nil {
			t.Fatal("a forged proof")
		}
	})
}
