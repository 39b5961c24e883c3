package repository

import (
	"bytes"
	"crypto"
	"os"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// today is when the recorded repositories were fresh.
func today() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func at(t time.Time, more ...func(*packet.Config)) *packet.Config {
	c := &packet.Config{Time: func() time.Time { return t }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512}
	for _, m := range more {
		m(c)
	}
	return c
}

// newKey makes a key that was born two years before today.
func newKey(t testing.TB, name string, more ...func(*packet.Config)) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity(name, "", "archive@test.example", at(today().AddDate(-2, 0, 0), more...))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func lifetime(days uint32) func(*packet.Config) {
	return func(c *packet.Config) { c.KeyLifetimeSecs = days * 86400 }
}

// public is the key as it would be shipped.
func public(t testing.TB, key *openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := key.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func ring(t testing.TB, keys ...*openpgp.Entity) *Keyring {
	t.Helper()
	var files [][]byte
	for _, key := range keys {
		files = append(files, public(t, key))
	}
	k, err := ParseKeyring(files...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func detached(t testing.TB, text []byte, when time.Time, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.DetachSign(&out, keys, bytes.NewReader(text), at(when)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func clearSigned(t testing.TB, text []byte, when time.Time, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var private []*packet.PrivateKey
	for _, key := range keys {
		private = append(private, key.PrivateKey)
	}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, private, at(when))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func armoredAs(t testing.TB, kind string, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func recordedRing(t testing.TB, name string) *Keyring {
	t.Helper()
	k, err := ParseKeyring(recorded(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return k
}
