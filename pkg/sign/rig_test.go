package sign_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
)

const (
	ns         = sshsig.NamespaceCheckpoint
	text       = "patchring checkpoint v1\n"
	passphrase = "planted-passphrase"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// secrets answers every question with one passphrase, and remembers the questions.
type secrets struct {
	phrase string
	err    error
	asked  []string
}

func (s *secrets) Resolve(_ context.Context, ref secret.Ref, label string) (secret.Secret, error) {
	s.asked = append(s.asked, ref.String()+" "+label)
	return secret.New(s.phrase), s.err
}

// keyFile writes a new key; phrase "" leaves it open. It gives the path and the public key.
func keyFile(t *testing.T, private any, phrase string) (string, ssh.PublicKey) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(private, "test")
	if phrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(phrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	write(t, path, pem.EncodeToMemory(block))
	write(t, path+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()))
	return path, signer.PublicKey()
}

func newEd25519(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// socket gives a path that is short enough for a socket.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sign") //nolint:usetesting // the test's name in it would make it too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // nothing depends on it
	return filepath.Join(dir, "agent")
}

// serve gives each connection to a new socket to handle, until the test ends.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	path := socket(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return path
}

// serveAgent serves an agent in memory.
func serveAgent(t *testing.T, keys agent.Agent) string {
	t.Helper()
	return serve(t, func(conn net.Conn) { _ = agent.ServeAgent(keys, conn) }) // ends with the connection
}

// refuser is an agent whose person always says no.
type refuser struct{ agent.Agent }

func (refuser) Sign(ssh.PublicKey, []byte) (*ssh.Signature, error) {
	return nil, errors.New("the person said no")
}

func (r refuser) SignWithFlags(key ssh.PublicKey, data []byte, _ agent.SignatureFlags) (*ssh.Signature, error) {
	return r.Sign(key, data)
}

func (refuser) Extension(string, []byte) ([]byte, error) { return nil, agent.ErrExtensionUnsupported }

// realAgent starts ssh-agent, and adds keys with ssh-add.
func realAgent(t *testing.T, env []string, add ...string) string {
	t.Helper()
	program, err := exec.LookPath("ssh-agent")
	if err != nil {
		t.Skip("no ssh-agent here to sign with")
	}
	path := socket(t)
	cmd := exec.Command(program, "-D", "-a", path)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is ours
		_ = cmd.Wait()
	})
	if _, err := out.Read(make([]byte, 1)); err != nil { // it tells its socket once that is there
		t.Fatal(err)
	}
	if len(add) == 0 {
		return path
	}
	adding := exec.Command("ssh-add", append([]string{"-q"}, add...)...)
	adding.Env = append(os.Environ(), "SSH_AUTH_SOCK="+path)
	if said, err := adding.CombinedOutput(); err != nil {
		t.Fatalf("ssh-add: %v: %s", err, said)
	}
	return path
}

// signed signs with the options and holds the signature against the key.
func signed(t *testing.T, o sign.Options, public ssh.PublicKey) []byte {
	t.Helper()
	key, err := sign.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	armored, err := key.Sign(t.Context(), ns, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sshsig.Check(armored, []byte(text), ns)
	if err != nil || key.Fingerprint() != ssh.FingerprintSHA256(public) || s.Fingerprint() != key.Fingerprint() {
		t.Fatalf("signed by %s, opened %s, wanted %s: %v", s.Fingerprint(), key.Fingerprint(), ssh.FingerprintSHA256(public), err)
	}
	return armored
}

// wantError: err says want, with a hint, and never the passphrase.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want %q", err, want)
	}
	if strings.Contains(err.Error(), passphrase) {
		t.Fatalf("the passphrase stands in %v", err)
	}
}
