package sshsig_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// keygen is the real ssh-keygen: what it says is right, but where doc.go says that we are
// stricter.
type keygen struct{ program, dir string }

func newKeygen(t *testing.T) keygen {
	t.Helper()
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen here to compare with")
	}
	return keygen{program, t.TempDir()}
}

// run runs ssh-keygen in its folder, with UTC as the local time.
func (k keygen) run(stdin []byte, argv ...string) (out []byte, ok bool) {
	cmd := exec.Command(k.program, argv...)
	cmd.Dir, cmd.Stdin = k.dir, bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "TZ=UTC", "SSH_AUTH_SOCK=")
	out, err := cmd.Output()
	return out, err == nil
}

func (k keygen) must(t *testing.T, stdin []byte, argv ...string) []byte {
	t.Helper()
	out, ok := k.run(stdin, argv...)
	if !ok {
		t.Fatalf("ssh-keygen %q failed", argv)
	}
	return out
}

func (k keygen) write(t *testing.T, name string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (k keygen) read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// key makes a key named by its kind, and gives it as a signer.
func (k keygen) key(t *testing.T, name, kind, bits string) ssh.Signer {
	t.Helper()
	k.must(t, nil, "-q", "-t", kind, "-b", bits, "-N", "", "-C", "test", "-f", name)
	signer, err := ssh.ParsePrivateKey(k.read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (k keygen) keys(t *testing.T) map[string]ssh.Signer {
	t.Helper()
	out := map[string]ssh.Signer{}
	for name, bits := range map[string]string{"ed25519": "256", "ecdsa-256": "256", "ecdsa-384": "384", "ecdsa-521": "521", "rsa-2048": "2048", "rsa-3072": "3072"} {
		kind, _, _ := strings.Cut(name, "-")
		out[name] = k.key(t, name, kind, bits)
	}
	return out
}

// verify is its answer to what Allowed.Verify answers.
func (k keygen) verify(t *testing.T, allowed string, armored, message []byte, namespace, who string, at time.Time) bool {
	t.Helper()
	k.write(t, "allowed", []byte(allowed))
	k.write(t, "sig", armored)
	_, ok := k.run(message, "-Y", "verify", "-f", "allowed", "-I", who, "-n", namespace, "-s", "sig", "-Overify-time="+at.UTC().Format("20060102150405"))
	return ok
}
