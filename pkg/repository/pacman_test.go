package repository

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

func TestPacmanAsRepoAddWritesIt(t *testing.T) {
	db, sig := recorded(t, "pacman/demo.db"), recorded(t, "pacman/demo.db.sig")
	keys := recordedRing(t, "key.gpg")
	x, err := Pacman(keys, db, sig, Options{Now: today()})
	if err != nil || x.Assurance != SignedIndex {
		t.Fatalf("%v, %+v", err, x)
	}
	e, err := x.Find("hello-ring", "x86_64", "1:1.2-3")
	if err != nil || e.Arch != "any" || e.File != "hello-ring-1:1.2-3-any.pkg.tar.xz" || e.Size != 280 || len(e.Digest) != 71 {
		t.Errorf("%+v, %v", e, err)
	}
	if x, err = Pacman(keys, db, nil, Options{Now: today(), Names: []string{}}); err != nil || x.Assurance != HostsWord || len(x.Entries()) != 0 {
		t.Errorf("%v, %+v", err, x)
	}
}

type tarFile struct{ name, content string }

func tarOf(t testing.TB, files ...tarFile) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostilePacmanIsRefused(t *testing.T) {
	good := "%NAME%\nx\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%FILENAME%\nx.pkg\n\n%SHA256SUM%\n" + hexOf("a") + "\n\n"
	for name, desc := range map[string]string{
		"leaves": strings.Replace(good, "x.pkg", "../x", 1), "twice": good + "%NAME%\ny\n", "no name": "%VERSION%\n1\n",
		"two lines": strings.Replace(good, "1-1", "1-1\n2", 1), "bad digest": strings.Replace(good, "aa", "AA", 1), "loose text": "hello\n",
		"bad size": good + "%CSIZE%\n-1\n",
	} {
		if x, err := Pacman(nil, tarOf(t, tarFile{"x-1/desc", desc}), nil, Options{Now: today()}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
	for name, db := range map[string][]byte{
		"no tar": []byte("hello"), "cut": tarOf(t, tarFile{"x-1/desc", good})[:600], "broken xz": []byte("\xfd7zXZ\x00 broken"),
	} {
		if _, err := Pacman(nil, db, nil, Options{Now: today()}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	x, err := Pacman(nil, gzipped(t, tarOf(t, tarFile{"x-1/desc", good}, tarFile{"x-1/files", strings.Repeat("f", maxDesc+1)})), nil, Options{Now: today()})
	if err != nil || len(x.Entries()) != 1 {
		t.Errorf("%v %v", x, err)
	}
}

const apkIndex = "C:Q1abcdefghijklmnopqrstuvwxyz0=\nP:musl\nV:1.2.5-r0\nA:x86_64\nS:411000\nI:600000\nT:the musl c library\n\nP:zlib\nV:1.3-r1\nA:x86_64\nS:5\n\n"

// alpineOf makes an index as abuild-sign does: from documentation, unchecked.
func alpineOf(t testing.TB, key *rsa.PrivateKey, signature, index string) []byte {
	t.Helper()
	body := gzipped(t, tarOf(t, tarFile{"DESCRIPTION", "v1"}, tarFile{"APKINDEX", index}))
	if key == nil {
		return body
	}
	digest := sha256.Sum256(body)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(gzipped(t, tarOf(t, tarFile{signature, string(sig)})), body...)
}

func alpineKey(t testing.TB, bits int) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestAlpine(t *testing.T) {
	key, file := alpineKey(t, 2048)
	_, strange := alpineKey(t, 2048)
	good := alpineOf(t, key, ".SIGN.RSA256.a.rsa.pub", apkIndex)
	for _, test := range []struct {
		name  string
		keys  map[string][]byte
		index []byte
		want  error
	}{
		{"good", map[string][]byte{"a.rsa.pub": file}, good, nil},
		{"another key of that name", map[string][]byte{"a.rsa.pub": strange}, good, ErrBadSignature},
		{"unknown", map[string][]byte{"b.rsa.pub": file}, good, ErrUnknownKey},
		{"no key in the file", map[string][]byte{"a.rsa.pub": []byte("x")}, good, ErrFormat},
		{"sha-1", map[string][]byte{"a.rsa.pub": file}, alpineOf(t, key, ".SIGN.RSA.a.rsa.pub", apkIndex), ErrWeak},
		{"unsigned", nil, alpineOf(t, nil, "", apkIndex), ErrNoSignature},
	} {
		x, err := Alpine(test.keys, test.index, Options{Now: today()})
		if err != nil || !errors.Is(x.Problem, test.want) || (x.Assurance == SignedIndex) != (test.want == nil) {
			t.Errorf("%s: %v, %+v", test.name, err, x)
			continue
		}
		if e, err := x.Find("musl", "x86_64", "1.2.5-r0"); err != nil || e.Digest != "" || e.Size != 411000 || e.File != "musl-1.2.5-r0.apk" || len(x.Entries()) != 2 {
			t.Errorf("%s: %+v, %v", test.name, e, err)
		}
	}
	spliced := append(bytes.Clone(good), alpineOf(t, nil, "", "P:evil\nV:1\nA:x\n")...)
	if x, err := Alpine(map[string][]byte{"a.rsa.pub": file}, spliced, Options{Now: today()}); err == nil && x.Assurance == SignedIndex {
		t.Error("what was put behind the signed part counts as signed")
	}
	for _, bad := range []string{"P:x\nP:y\n", "hello\n", "P:../x\nV:1\nA:a\n", "P:x\nV:1\nA:a\nS:-5\n", "P:x\n"} {
		if _, err := Alpine(nil, alpineOf(t, nil, "", bad), Options{Now: today()}); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
