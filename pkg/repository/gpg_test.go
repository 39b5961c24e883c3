package repository

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gpgHome makes keys and signatures with GnuPG; gpgv is the oracle.
type gpgHome struct{ dir string }

func newGPG(t *testing.T) gpgHome {
	t.Helper()
	for _, tool := range []string{"gpg", "gpgv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no " + tool + " here: its verdicts can't be compared with ours")
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", dir, "--kill", "all").Run()
	})
	return gpgHome{dir}
}

func (g gpgHome) run(t *testing.T, args ...string) string {
	t.Helper()
	all := append([]string{"--homedir", g.dir, "--batch", "--yes", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", "--allow-weak-digest-algos"}, args...)
	out, err := exec.Command("gpg", all...).CombinedOutput()
	if err != nil {
		t.Fatalf("gpg %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// accepts asks gpgv as apt does: good and valid, of a key that has not expired.
func (g gpgHome) accepts(t *testing.T, keys string, files ...string) bool {
	t.Helper()
	args := append([]string{"--homedir", g.dir, "--status-fd", "1", "--weak-digest", "SHA1", "--keyring", keys}, files...)
	out, _ := exec.Command("gpgv", args...).Output()
	status := string(out)
	return strings.Contains(status, "[GNUPG:] GOODSIG") && strings.Contains(status, "[GNUPG:] VALIDSIG")
}

func TestGPGVAgrees(t *testing.T) {
	g := newGPG(t)
	made, later := "20250101T000000", "20250110T000000"
	file := func(name string) string { return filepath.Join(g.dir, name) }
	write := func(name, text string) string {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file(name)
	}
	for _, key := range []struct{ name, algo, life string }{
		{"good", "ed25519", "0"}, {"rsa", "rsa2048", "10y"}, {"stranger", "ed25519", "0"}, {"old", "ed25519", "30d"},
	} {
		g.run(t, "--faked-system-time", made, "--quick-gen-key", key.name, key.algo, "sign", key.life)
	}
	_, primary, _ := strings.Cut(g.run(t, "--with-colons", "--list-keys", "=rsa"), "fpr:::::::::")
	primary, _, _ = strings.Cut(primary, ":")
	g.run(t, "--faked-system-time", made, "--quick-add-key", primary, "ed25519", "sign", "0")
	g.run(t, "--output", file("keys.gpg"), "--export", "=good", "=rsa", "=old")
	keys, err := os.ReadFile(file("keys.gpg"))
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := ParseKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	text := write("text", "Origin: x\n- dash\n-----BEGIN nothing\n\nend \n")
	tests := []struct {
		name, by, algo string
		tamper         bool
		want           bool
	}{
		{"good", "=good", "SHA512", false, true}, {"a subkey", "=rsa", "SHA256", false, true}, {"the primary", primary + "!", "SHA512", false, true},
		{"tampered", "=good", "SHA512", true, false}, {"stranger", "=stranger", "SHA512", false, false},
		{"expired", "=old", "SHA512", false, false}, {"sha1", "=rsa", "SHA1", false, false}, {"sha1 primary", primary + "!", "SHA1", false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base := []string{"--faked-system-time", later, "--digest-algo", test.algo, "--local-user", test.by}
			g.run(t, append(base, "--output", file("clear"), "--clearsign", text)...)
			g.run(t, append(base, "--output", file("sig"), "--detach-sign", text)...)
			g.run(t, append(base, "--armor", "--output", file("asc"), "--detach-sign", text)...)
			content, _ := os.ReadFile(text)
			message, _ := os.ReadFile(file("clear"))
			if test.tamper {
				content = []byte(strings.Replace(string(content), "Origin: x", "Origin: y", 1))
				message = []byte(strings.Replace(string(message), "Origin: x", "Origin: y", 1))
			}
			signed, whole := write("signed", string(content)), write("whole", string(message))
			_, _, err := trusted.VerifyClear(message, today())
			compare(t, test.want, err, g.accepts(t, file("keys.gpg"), whole))
			for _, name := range []string{"sig", "asc"} {
				sig, _ := os.ReadFile(file(name))
				_, err := trusted.Verify(content, sig, today())
				compare(t, test.want, err, g.accepts(t, file("keys.gpg"), file(name), signed))
			}
		})
	}
}

func compare(t *testing.T, want bool, ours error, theirs bool) {
	t.Helper()
	if (ours == nil) != want || theirs != want {
		t.Errorf("want %v; ours: %v; gpgv accepts: %v", want, ours, theirs)
	}
}
