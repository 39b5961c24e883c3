package connect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

func keyText(tb testing.TB) string {
	tb.Helper()
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(edKey(tb).PublicKey())))
}

func TestFilterKnown(t *testing.T) {
	key := keyText(t)
	good := []string{"web1 " + key, "# comment", "", "@cert-authority *.x " + key, "@revoked * " + key, "|1|AAAA|BBBB " + key + " comment"}
	bad := map[string]string{
		"web1":                                        "want host",
		"web1 ssh-ed25519":                            "want host",
		"web1 ssh-ed25519 !!!":                        "base64",
		"web1 ssh-ed25519 AAAA":                       "can't be read",
		"web1 ssh-rsa " + strings.Fields(key)[1]:      "another type",
		"|2|AAAA|BBBB " + key:                         "hashed",
		"[web1:22 " + key:                             "bad host name",
		strings.Repeat("x", maxKnownLine) + " " + key: "too long",
	}
	for line, reason := range bad {
		clean, skipped, err := filterKnown("kh", good[0]+"\n"+line+"\n"+good[0]+"\n")
		if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0], "kh:2: "+reason) && !strings.Contains(skipped[0], reason) {
			t.Errorf("%.40q: %q, %v", line, skipped, err)
		}
		if lines := strings.Split(clean, "\n"); len(lines) != 4 || lines[1] != "" || lines[2] != good[0] {
			t.Errorf("%.40q: line numbers moved: %q", line, lines)
		}
	}
	for _, line := range []string{"@revoked * ssh-ed25519 AAAA", "@cert-authority", "@strange web1 " + key} {
		if _, _, err := filterKnown("kh", line); err == nil || !strings.Contains(err.Error(), "kh:1") {
			t.Errorf("%q was skipped: %v", line, err)
		}
	}
	clean, skipped, err := filterKnown("kh", strings.Join(good, "\n"))
	if err != nil || len(skipped) != 0 || strings.TrimSpace(clean) != strings.TrimSpace(strings.Join(good, "\n")) {
		t.Errorf("%q, %q, %v", clean, skipped, err)
	}
}

func TestBadLinesDoNotBreakTheFile(t *testing.T) {
	r := newRig(t, Options{})
	key := edKey(t)
	s := openServer(t, key)
	if err := os.WriteFile(r.known, []byte("garbage\nweb1 ssh-ed25519 AAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.trust(t, s.address, key.PublicKey())
	r.lease(t, host(t, "web", s.address), site())
	if len(r.warnings) != 2 || !strings.Contains(r.warnings[0], r.known+":1") {
		t.Errorf("warnings %q", r.warnings)
	}
}

func TestBadRevocationIsFatal(t *testing.T) {
	r := newRig(t, Options{AcceptNew: true})
	s := openServer(t)
	if err := os.WriteFile(r.known, []byte("@revoked * garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := r.Lease(t.Context(), host(t, "web", s.address), site())
	wantFault(t, err, fault.Usage, r.known+":1")
}

// Whatever the filter lets through, the library must read.
func FuzzFilterKnown(f *testing.F) {
	key := keyText(f)
	for _, seed := range []string{"web1 " + key, "@revoked * " + key, "|1|AA==|BB== " + key, "[a]:22,!b " + key, "a,,b " + key, "! " + key, "web1 x y\r\n", "[::1]:22 " + key, "[a]:22]: " + key} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean, skipped, err := filterKnown("kh", text)
		if err != nil {
			return
		}
		if strings.Count(clean, "\n") < strings.Count(text, "\n") {
			t.Fatalf("lines got lost: %q -> %q", text, clean)
		}
		_ = skipped
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(clean), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := knownhosts.NewDB(file); err != nil {
			t.Fatalf("%q -> %q: %v", text, clean, err)
		}
	})
}
