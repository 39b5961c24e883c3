package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/secret"
)

// The real ansible-vault encrypts; we give what it would give.
func TestAnsibleVaultReads(t *testing.T) {
	ansible := tool(t, "ansible-vault")
	password := keep(t, "password", []byte("open sesame\n"))
	o := Options{Password: ref(t, "file:"+password)}
	yaml := "root_password: " + value + "\nusers:\n  - {name: ann, pass: '" + value + "'}\nport: 22\n"
	whole := keep(t, "vault.yml", []byte(yaml))
	run(t, nil, ansible, "encrypt", "--vault-password-file", password, whole)
	wants(t, o, "ansible-vault:"+whole, strings.TrimSuffix(yaml, "\n"), "")
	wants(t, o, "ansible-vault:"+whole+"#root_password", value, "")
	wants(t, o, "ansible-vault:"+whole+"#users.0.pass", value, "")
	wants(t, o, "ansible-vault:"+whole+"#users", "", "no single value")
	wants(t, o, "ansible-vault:"+whole+"#nothing", "", "no single value")

	labelled := keep(t, "labelled.yml", []byte(yaml))
	run(t, nil, ansible, "encrypt", "--vault-id", "prod@"+password, labelled)
	asked := Options{Ask: answers(map[string]string{"ansible-vault password of vault id prod": "open sesame"})}
	wants(t, asked, "ansible-vault:"+labelled+"#root_password", value, "")
	wants(t, Options{}, "ansible-vault:"+labelled+"#root_password", "", "nobody to ask")

	single := run(t, nil, ansible, "encrypt_string", "--vault-password-file", password, "--name", "db_password", value)
	vars := keep(t, "vars.yml", []byte("open: in clear\n"+single))
	wants(t, o, "ansible-vault:"+vars+"#db_password", value, "")
	wants(t, o, "ansible-vault:"+vars+"#open", "", "stands in clear")
	wants(t, o, "ansible-vault:"+vars, "", "not a vault file as a whole")

	wrong := Options{Password: ref(t, "file:"+keep(t, "wrong", []byte("guess")))}
	wants(t, wrong, "ansible-vault:"+whole, "", "the password is wrong, or the file was changed")
	wants(t, Options{Password: ref(t, "ansible-vault:"+whole)}, "ansible-vault:"+whole, "", "can't be in one")
}

// What we take apart, the real ansible-vault does as well: it reads what we write.
func TestAnsibleVaultReadsOurs(t *testing.T) {
	ansible := tool(t, "ansible-vault")
	password := keep(t, "password", []byte("open sesame\n"))
	for _, head := range []string{"$ANSIBLE_VAULT;1.1;AES256", "$ANSIBLE_VAULT;1.2;AES256;prod"} {
		file := keep(t, "ours.yml", []byte(enveloped(t, head, "open sesame", value)))
		if got := run(t, nil, ansible, "view", "--vault-password-file", password, file); strings.TrimSuffix(got, "\n") != value {
			t.Errorf("ansible-vault reads %q", got)
		}
	}
}

// enveloped writes a vault file, by the format's description.
func enveloped(t *testing.T, head, password, opened string) string {
	t.Helper()
	salt := []byte("0123456789abcdef0123456789abcdef")
	keys, err := pbkdf2.Key(sha256.New, password, salt, vaultRounds, 80)
	if err != nil {
		t.Fatal(err)
	}
	pad := aes.BlockSize - len(opened)%aes.BlockSize
	data := []byte(opened + strings.Repeat(string(rune(pad)), pad))
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCTR(block, keys[64:]).XORKeyStream(data, data)
	mac := hmac.New(sha256.New, keys[32:64])
	mac.Write(data)
	inner := hex.EncodeToString(salt) + "\n" + hex.EncodeToString(mac.Sum(nil)) + "\n" + hex.EncodeToString(data)
	body := hex.EncodeToString([]byte(inner))
	var out strings.Builder
	out.WriteString(head)
	for body != "" {
		n := min(80, len(body))
		out.WriteString("\n" + body[:n])
		body = body[n:]
	}
	return out.String() + "\n"
}

func TestAnsibleVaultWithoutTheTool(t *testing.T) {
	o := Options{Password: ref(t, "file:"+keep(t, "password", []byte("  open sesame \n")))}
	wants(t, o, "ansible-vault:"+write(t, enveloped(t, "$ANSIBLE_VAULT;1.1;AES256", "open sesame", value), 0o644), value, "")
	wants(t, o, "ansible-vault:"+write(t, enveloped(t, "$ANSIBLE_VAULT;1.2;AES256;x", "open sesame", "a: "+value), 0o644)+"#a", value, "")
	whole := enveloped(t, "$ANSIBLE_VAULT;1.1;AES256", "open sesame", value)
	for what, c := range map[string]struct{ text, wrong string }{
		"version": {strings.Replace(whole, "1.1", "2.0", 1), `format "2.0" is not known`}, "cipher": {strings.Replace(whole, "AES256", "AES", 1), `cipher "AES" is not known`},
		"hex": {strings.Replace(whole, "\n3", "\nz", 1), "not the hex"}, "cut": {whole[:len(whole)/2], "not"}, "a byte": {whole[:len(whole)-2] + "0\n", "wrong, or the file was changed"},
		"head alone": {"$ANSIBLE_VAULT;1.1;AES256\n", "not the three parts"}, "label missing": {strings.Replace(whole, "1.1", "1.2", 1), `format "1.2"`},
	} {
		t.Run(what, func(t *testing.T) { wants(t, o, "ansible-vault:"+keep(t, "x", []byte(c.text)), "", c.wrong) })
	}
}

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte("$ANSIBLE_VAULT;1.1;AES256\n3030\n"))
	f.Add([]byte("$ANSIBLE_VAULT;1.2;AES256;a\r\n30300a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := parseEnvelope(raw)
		if err == nil && (len(e.data)%aes.BlockSize != 0 || len(e.mac) != sha256.Size) {
			t.Fatalf("%q: %v", raw, e)
		}
	})
}

func FuzzAnsibleText(f *testing.F) {
	f.Add([]byte("a: {b: [1, x]}"), "a.b.1")
	f.Add([]byte("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3030\n"), "a")
	v := New(Options{Ask: answers(map[string]string{"ansible-vault": "open sesame"})})
	f.Fuzz(func(t *testing.T, raw []byte, key string) {
		if strings.HasPrefix(string(raw), vaultIntro) {
			t.Skip()
		}
		if opened, err := v.ansibleText(t.Context(), raw, key); err == nil {
			t.Fatalf("%q in %q is given in clear: %q", key, raw, opened)
		}
	})
}

// ring is of the tests: it has what it is given.
type tray struct {
	value string
	err   error
	hold  chan struct{}
}

func (r tray) Get(string, string) (string, error) {
	if r.hold != nil {
		<-r.hold
	}
	return r.value, r.err
}

func withRing(r ring, o Options) *Vault {
	v := New(o)
	v.ring = r
	return v
}

// The filter knows a value before whoever asked for it can print it.
func TestTheFilterIsTold(t *testing.T) {
	f := secret.NewFilter()
	t.Setenv("VAULT_TEST", value)
	v := withRing(tray{value: "from-the-ring"}, Options{Filter: f})
	for _, text := range []string{"env:VAULT_TEST", "keyring:a/b"} {
		if _, err := v.Resolve(t.Context(), ref(t, text), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.Text(value + " and from-the-ring"); got != "[secret] and [secret]" {
		t.Error(got)
	}
}

func TestUnfitSecretsAreWarnedOf(t *testing.T) {
	f := secret.NewFilter()
	f.Public("production")
	var warned []string
	v := withRing(tray{value: "short"}, Options{Filter: f, Warn: func(text string) { warned = append(warned, text) }, Ask: answers(map[string]string{"": "Production"})})
	for _, text := range []string{"keyring:a/b", "keyring:a/b", "prompt"} {
		if _, err := v.Resolve(t.Context(), ref(t, text), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if len(warned) != 2 || !strings.HasPrefix(warned[0], "the secret of keyring:a/b is shorter than 8 characters:") || !strings.HasPrefix(warned[1], "the secret of prompt x is also a name here") {
		t.Errorf("%q", warned)
	}
}

func TestHomeOfPaths(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "x"), []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, Options{Home: home}, "file:~/x", value, "")
	wants(t, Options{}, "file:~/x", "", "no home folder")
}
