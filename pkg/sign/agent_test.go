package sign_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/sign"
)

// The real agent signs for a .pub, for a key whose passphrase nobody types, and for one
// whose file is gone; RSA with SHA-512 through the agent's flag.
func TestRealAgent(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]any{"ed25519": newEd25519(t), "rsa": long, "ecdsa": curve} {
		t.Run(name, func(t *testing.T) {
			path, public := keyFile(t, private, "")
			at := realAgent(t, nil, path)
			block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, pemOf(block))
			signed(t, sign.Options{Key: path, Agent: at}, public)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			signed(t, sign.Options{Key: path, Agent: at}, public)
			signed(t, sign.Options{Key: path + ".pub", Agent: at}, public)
		})
	}
}

// A key that needs confirming, and a person (here: a program) who says no.
func TestConfirmRefused(t *testing.T) {
	path, _ := keyFile(t, newEd25519(t), "")
	no, err := exec.LookPath("false")
	if err != nil {
		t.Skip("no program here that says no")
	}
	at := realAgent(t, []string{"SSH_ASKPASS=" + no, "SSH_ASKPASS_REQUIRE=force"}, "-c", path)
	wantRefused(t, sign.Options{Key: path + ".pub", Agent: at}, path)
}

func wantRefused(t *testing.T, o sign.Options, path string) {
	t.Helper()
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	key, err := sign.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = key.Sign(t.Context(), ns, []byte(text))
	wantError(t, err, "refused to sign")
	if fault.KindOf(err) != fault.Ask || fault.HintOf(err) == "" {
		t.Errorf("kind %d, hint %q", fault.KindOf(err), fault.HintOf(err))
	}
}

func TestAgentRefuses(t *testing.T) {
	private := newEd25519(t)
	path, _ := keyFile(t, private, "")
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, sign.Options{Key: path + ".pub", Agent: serveAgent(t, refuser{keys})}, path)
}

// The agent is asked anew each time, hours apart: it may have lost the key, or be gone.
func TestAgentLaterOn(t *testing.T) {
	private := newEd25519(t)
	path, public := keyFile(t, private, passphrase)
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	at := serveAgent(t, keys)
	key, err := sign.Open(t.Context(), sign.Options{Key: path, Agent: at})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Sign(t.Context(), ns, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := keys.Remove(public); err != nil {
		t.Fatal(err)
	}
	_, err = key.Sign(t.Context(), ns, []byte(text))
	wantError(t, err, "no longer holds the key")
	if err := os.Remove(at); err != nil {
		t.Fatal(err)
	}
	_, err = key.Sign(t.Context(), ns, []byte(text))
	wantError(t, err, "SSH agent")
}

// An agent that says nothing holds nobody up longer than ctx.
func TestSilentAgent(t *testing.T) {
	path, _ := keyFile(t, newEd25519(t), "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the person gave up")
	at := serve(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1)) // a question came; there will be no answer
		cancel(why)
		_, _ = io.Copy(io.Discard, conn)
	})
	_, err := sign.Open(ctx, sign.Options{Key: path + ".pub", Agent: at})
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

// Nor does one that answers rubbish, hangs up, or promises more than it sends.
func TestRubbishAgents(t *testing.T) {
	path, _ := keyFile(t, newEd25519(t), "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]string{
		"nothing": "", "a huge length": "\xff\xff\xff\xff", "another message": "\x00\x00\x00\x01\x06",
		"a key cut short": "\x00\x00\x00\x09\x0c\x00\x00\x00\x01\x00\x00\x00\xff", "a failure": "\x00\x00\x00\x01\x05",
		"many keys": "\x00\x00\x00\x05\x0c\xff\xff\xff\xff",
	} {
		at := serve(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 64))
			_, _ = conn.Write([]byte(answer))
		})
		_, err := sign.Open(t.Context(), sign.Options{Key: path + ".pub", Agent: at})
		t.Run(name, func(t *testing.T) { wantError(t, err, "SSH agent") })
	}
}

// With an agent that lacks it, a key whose passphrase can be had is still used.
func TestAgentWithoutTheKey(t *testing.T) {
	path, public := keyFile(t, newEd25519(t), passphrase)
	at := serveAgent(t, agent.NewKeyring())
	signed(t, sign.Options{Key: path, Agent: at, Secrets: &secrets{phrase: passphrase}}, public)
	_, err := sign.Open(t.Context(), sign.Options{Key: filepath.Join(filepath.Dir(path), "none"), Agent: at})
	wantError(t, err, "no such file")
}
