package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/patchring/patchring/pkg/fault"
)

func TestAge(t *testing.T) {
	id, idFile := ageKey(t)
	_, otherFile := ageKey(t)
	o := Options{Identity: idFile}
	good := keep(t, "a.age", sealed(t, false, value+"\n", id.Recipient()))
	wants(t, o, "age:"+good, value, "")
	wants(t, o, "age:"+keep(t, "b.age", sealed(t, true, value, id.Recipient())), value, "")
	wants(t, Options{Identity: otherFile}, "age:"+good, "", "does not open it")
	wants(t, o, "age:"+keep(t, "c", []byte(value)), "", "not an age file")
	wants(t, o, "age:"+keep(t, "d.age", sealed(t, false, "", id.Recipient())), "", "it is empty")
	wants(t, o, "age:/nonexistent/x", "", "no such file")
	wants(t, Options{}, "age:"+good, "", "no home folder")
	wants(t, Options{Home: t.TempDir()}, "age:"+good, "", "age.txt: no such file")
	wants(t, Options{Identity: keep(t, "plugin", []byte("AGE-PLUGIN-RUN-ME-1ABC\n"))}, "age:"+good, "", "unknown identity type")
}

func TestDamagedAgeIsToldFromAWrongKey(t *testing.T) {
	id, idFile := ageKey(t)
	raw := sealed(t, false, value, id.Recipient())
	raw[len(raw)-1] ^= 1
	wants(t, Options{Identity: idFile}, "age:"+keep(t, "a.age", raw), "", "damaged")
	wants(t, Options{Identity: idFile}, "age:"+keep(t, "b.age", raw[:len(raw)-3]), "", "damaged")
	wants(t, Options{Identity: idFile}, "age:"+keep(t, "c.age", raw[:40]), "", "damaged")
}

// A file that others can read is no place for an identity; for an age file it is.
func TestModesOfAge(t *testing.T) {
	id, _ := ageKey(t)
	sealedFile := write(t, string(sealed(t, false, value, id.Recipient())), 0o644)
	wants(t, Options{Identity: write(t, id.String(), 0o600)}, "age:"+sealedFile, value, "")
	wants(t, Options{Identity: write(t, id.String(), 0o640)}, "age:"+sealedFile, "", "others can read it (mode 640)")
}

func TestAgeByPassphrase(t *testing.T) {
	by, err := age.NewScryptRecipient("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	by.SetWorkFactor(10)
	file := "age:" + keep(t, "a.age", sealed(t, true, value, by))
	wants(t, Options{Ask: answers(map[string]string{"passphrase of": "open sesame"})}, file, value, "")
	wants(t, Options{Ask: answers(map[string]string{"passphrase of": "wrong"})}, file, "", "passphrase is wrong")
	wants(t, Options{}, file, "", "nobody to ask")
	id, _ := ageKey(t)
	locked := keep(t, "age.txt", sealed(t, true, id.String()+"\n", by))
	o := Options{Identity: locked, Ask: answers(map[string]string{"passphrase of " + locked: "open sesame"})}
	wants(t, o, "age:"+keep(t, "b.age", sealed(t, false, value, id.Recipient())), value, "")
}

// A hostile file can demand any work of scrypt: beyond the cap nothing is computed.
func TestAgeCapsTheWork(t *testing.T) {
	by, err := age.NewScryptRecipient("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	by.SetWorkFactor(10)
	raw := bytes.Replace(sealed(t, false, value, by), []byte(" 10\n"), []byte(" 30\n"), 1)
	wants(t, Options{Ask: answers(map[string]string{"passphrase of": "open sesame"})}, "age:"+keep(t, "a.age", raw), "", "work factor too large")
}

// Nor does it try the identities on thousands of recipients.
func TestAgeCapsTheRecipients(t *testing.T) {
	_, idFile := ageKey(t)
	raw := "age-encryption.org/v1\n" + strings.Repeat("-> X25519 "+strings.Repeat("A", 43)+"\n"+strings.Repeat("A", 43)+"\n", 1000)
	wants(t, Options{Identity: idFile}, "age:"+keep(t, "a.age", []byte(raw+"--- x\n")), "", "stand before its content")
}

// To close another user's file to them is not for us to advise.
func TestHintOfAnOpenFile(t *testing.T) {
	path := write(t, value, 0o644)
	if _, err := New(Options{}).Resolve(t.Context(), ref(t, "file:"+path), "test"); fault.HintOf(err) != "chmod 600 "+path {
		t.Errorf("%v: %s", err, fault.HintOf(err))
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{}).Resolve(t.Context(), ref(t, "file:"+path), "test"); err == nil || strings.Contains(fault.HintOf(err), "chmod") {
		t.Errorf("%v: %s", err, fault.HintOf(err))
	}
	wants(t, Options{}, "file:"+t.TempDir(), "", "not a plain file")
}

func TestAgeWithSSHKeys(t *testing.T) {
	keygen := tool(t, "ssh-keygen")
	for _, c := range []struct{ name, phrase, kind string }{
		{"ed25519", "", "ed25519"}, {"ed25519 with a passphrase", "open sesame", "ed25519"}, {"rsa", "", "rsa"}, {"rsa with a passphrase", "open sesame", "rsa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "key")
			run(t, nil, keygen, "-q", "-t", c.kind, "-b", "2048", "-N", c.phrase, "-f", key)
			to, err := agessh.ParseRecipient(run(t, nil, keygen, "-y", "-P", c.phrase, "-f", key))
			if err != nil {
				t.Fatal(err)
			}
			file := "age:" + keep(t, "a.age", sealed(t, true, value, to))
			wants(t, Options{Identity: key, Ask: answers(map[string]string{"passphrase of " + key: c.phrase})}, file, value, "")
			if c.phrase != "" {
				wants(t, Options{Identity: key, Ask: answers(map[string]string{"passphrase of " + key: "wrong"})}, file, "", "passphrase of the SSH key is wrong")
				wants(t, Options{Identity: key}, file, "", "nobody could be asked")
			}
		})
	}
	ecdsa := filepath.Join(t.TempDir(), "key")
	run(t, nil, keygen, "-q", "-t", "ecdsa", "-N", "", "-f", ecdsa)
	id, _ := ageKey(t)
	wants(t, Options{Identity: ecdsa}, "age:"+keep(t, "b.age", sealed(t, false, value, id.Recipient())), "", "unsupported SSH identity type")
}

// FuzzAge: no file makes it panic, and what it gives was encrypted for us.
func FuzzAge(f *testing.F) {
	for _, seed := range []string{"", "age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\n", "age-encryption.org/v1\n-> X25519 x\n\n--- x", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----"} {
		f.Add([]byte(seed))
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = byPassphrase(raw)
		if opened, err := decryptAge(raw, []age.Identity{id}); err == nil {
			t.Fatalf("%q was opened: %q", raw, opened)
		} else if strings.Contains(err.Error(), id.String()) {
			t.Fatal("the error holds the identity")
		}
	})
}
