package connect

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
)

func keyText(tb testing.TB) string {
	tb.Helper()
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(edKey(tb).PublicKey())))
}

func TestParseKnown(t *testing.T) {
	key := keyText(t)
	good := []string{"web1 " + key, "# comment", "", "@cert-authority *.x " + key, "@revoked * " + key, hashedName("web1") + " " + key + " comment"}
	bad := map[string]string{
		"web1":                                        "want host",
		"web1 ssh-ed25519":                            "want host",
		"web1 ssh-ed25519 !!!":                        "base64",
		"web1 ssh-ed25519 AAAA":                       "can't be read",
		"web1 ssh-rsa " + strings.Fields(key)[1]:      "another type",
		"|2|AAAA|BBBB " + key:                         "hashed",
		"|1|AAAA|BBBB " + key:                         "hashed",
		"[web1:22 " + key:                             "bad host name",
		strings.Repeat("x", maxPattern+1) + " " + key: "too long",
		strings.Repeat("x", maxKnownLine) + " " + key: "too long",
	}
	for line, reason := range bad {
		lines, skipped, err := parseKnown("kh", good[0]+"\n"+line+"\n"+good[0]+"\n")
		if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0], "kh:2: ") || !strings.Contains(skipped[0], reason) {
			t.Errorf("%.40q: %q, %v", line, skipped, err)
		}
		if len(lines) != 2 || lines[0].line != 1 || lines[1].line != 3 {
			t.Errorf("%.40q: line numbers moved: %+v", line, lines)
		}
	}
	for _, line := range []string{"@revoked * ssh-ed25519 AAAA", "@cert-authority", "@strange web1 " + key, "@revoked @revoked web1 " + key, "@", "@revoked", "@revoked\t*\t" + key} {
		if _, _, err := parseKnown("kh", line); err == nil || !strings.Contains(err.Error(), "kh:1") {
			t.Errorf("%q was skipped: %v", line, err)
		}
	}
	lines, skipped, err := parseKnown("kh", strings.Join(good, "\n"))
	if err != nil || len(skipped) != 0 || len(lines) != 4 || lines[1].mark != markAuthority || lines[2].mark != markRevoked {
		t.Errorf("%+v, %q, %v", lines, skipped, err)
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
