package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/lab"
)

// plantedSecrets are the secrets of testdata/secrets, each to be had in another way.
func plantedSecrets() map[string]string {
	return map[string]string{
		loginSecret:              "pl4nt-Sudo&Login<word>",
		passphraseSecret:         "pl4nt-Passphrase/of+the=key",
		"vault password (file:)": "pl4nt-Vault-Master",
		"enable (file:)":         "pl4nt-Enable/Word==",
		"token (exec:)":          "pl4nt-Token-of-Alerts",
	}
}

// Those that hosts repeat.
const (
	loginSecret      = "login and sudo (age:, env:, ansible-vault:)"
	passphraseSecret = "passphrase (sops:)"
)

// traces are the forms in which a secret is looked for: written here anew, so that the
// filter's own list is not what it is measured by.
func traces(value string) []string {
	quoted, _ := json.Marshal(value)
	out := []string{value, strings.Trim(string(quoted), `"`), url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value)))}
	for _, before := range []string{"", "x", "xy"} {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := e.EncodeToString([]byte(before + value))
			out = append(out, text[4:len(text)-4]) // its ends depend on what is beside it
		}
	}
	return out
}

// leaksIn tells which planted secrets stand in a text.
func leaksIn(text []byte) []string {
	var found []string
	for name, value := range plantedSecrets() {
		for _, trace := range traces(value) {
			if bytes.Contains(text, []byte(trace)) {
				found = append(found, name+" as "+trace)
			}
		}
	}
	return found
}

// newVaultedStory is a fleet that wants secrets at every turn, and hosts that repeat them.
func newVaultedStory(t *testing.T) *story {
	t.Helper()
	s := &story{dir: t.TempDir(), seen: map[string]int{}}
	s.fleet = startFleet(t)
	s.alerts = &alertmanager{log: filepath.Join(s.dir, "alerts.log"), host: map[string]string{}}
	server := s.alerts.serve()
	t.Cleanup(server.Close)
	s.manager = server.URL
	s.lay(t)
	var echo strings.Builder
	for _, name := range []string{loginSecret, passphraseSecret} {
		value := plantedSecrets()[name]
		echo.WriteString(strings.Join([]string{value, base64.StdEncoding.EncodeToString([]byte("ann:" + value)), url.QueryEscape(value), hex.EncodeToString([]byte(value))}, " ") + "\n")
	}
	for _, host := range []string{"t1", "p1"} {
		if code := s.fleet.Host(host).Exec(t.Context(), io.Discard, io.Discard, "/bin/sh", "-c", `printf %s "$1" > /etc/echo`, "sh", echo.String()); code != 0 {
			t.Fatalf("%s: exit code %d", host, code)
		}
	}
	return s
}

func startFleet(t *testing.T) *lab.Fleet {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "secrets", "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := lab.Load(raw)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := lab.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	return fleet
}

// lay puts the files into place: what is secret into secrets/ and keys/, which are not
// searched for traces.
func (s *story) lay(t *testing.T) {
	t.Helper()
	if err := s.fleet.Write(filepath.Join(s.dir, "keys")); err != nil {
		t.Fatal(err)
	}
	inventory, err := os.ReadFile(filepath.Join(s.dir, "keys", "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "inventory.yaml", string(inventory)+s.file(t, "site.yaml"), 0o600)
	s.put(t, "monthly.yaml", strings.ReplaceAll(s.file(t, "monthly.yaml"), "$AM", s.manager), 0o600)
	for _, name := range []string{"login.age", "sops.yaml", "vault.yml", "age.txt"} {
		s.put(t, filepath.Join("secrets", name), s.file(t, name), 0o600)
	}
	s.put(t, "secrets/vault-password", plantedSecrets()["vault password (file:)"]+"\n", 0o600)
	s.put(t, "secrets/op", "#!/bin/sh\nsleep 0.1 & wait\necho "+plantedSecrets()["token (exec:)"]+"\n", 0o700)
	for _, name := range []string{"tmp", "home"} {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.lock(t)
}

// lock gives the user's key a passphrase.
func (s *story) lock(t *testing.T) {
	t.Helper()
	keygen := installed(t, "ssh-keygen")
	out, err := s.tool(t, keygen, "-q", "-p", "-N", plantedSecrets()[passphraseSecret], "-f", filepath.Join(s.dir, "keys", "id_ed25519")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (*story) file(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "secrets", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (s *story) put(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// search looks through everything that was written, but for where the secrets are kept.
func (s *story) search(t *testing.T) (files int) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "secrets" || d.Name() == "keys") {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		raw, err := os.ReadFile(path)
		for _, leak := range leaksIn(raw) {
			t.Errorf("%s holds the %s", path, leak)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
