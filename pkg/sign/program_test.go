package sign_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
)

func pemOf(block *pem.Block) []byte { return pem.EncodeToMemory(block) }

// token is a security key in software (OpenSSH's PROTOCOL.u2f).
type token struct{ key ed25519.PrivateKey }

func newToken() token {
	return token{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))}
}

func (t token) public() []byte {
	return ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, t.key.Public().(ed25519.PublicKey), "ssh:"})
}

func (t token) PublicKey() ssh.PublicKey {
	key, err := ssh.ParsePublicKey(t.public())
	if err != nil {
		panic(err)
	}
	return key
}

func (t token) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	app, digest := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
	counter := []byte{1, 0, 0, 0, 1}
	return &ssh.Signature{
		Format: ssh.KeyAlgoSKED25519, Rest: counter,
		Blob: ed25519.Sign(t.key, append(append(app[:], counter...), digest[:]...)),
	}, nil
}

// stub is the file that stands for a security key on disk (OpenSSH's PROTOCOL.key).
func (t token) stub(tb testing.TB) string {
	tb.Helper()
	body := append([]byte("openssh-key-v1\x00"), ssh.Marshal(struct {
		Cipher, KDF, Options string
		Keys                 uint32
		Public, Private      []byte
	}{"none", "none", "", 1, t.public(), make([]byte, 64)})...)
	path := filepath.Join(tb.TempDir(), "id_ed25519_sk")
	if err := os.WriteFile(path, pemOf(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: body}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// plays are what the test binary does instead of ssh-keygen, by name.
func plays() map[string]func() {
	return map[string]func(){
		"play.signs": func() {
			message, err := io.ReadAll(os.Stdin)
			if err != nil || strings.Join(os.Args[1:4], " ") != "-q -Y sign" || os.Args[4] != "-f" || os.Args[6] != "-n" || len(os.Args) != 8 {
				os.Exit(3)
			}
			armored, err := sshsig.Seal(nil, newToken(), os.Args[7], message)
			if err != nil {
				os.Exit(4)
			}
			_, _ = os.Stdout.Write(armored)
		},
		"play.another": func() {
			signer, err := ssh.NewSignerFromKey(newToken().key)
			if err != nil {
				os.Exit(3)
			}
			armored, err := sshsig.Seal(nil, signer, ns, []byte(text))
			if err != nil {
				os.Exit(4)
			}
			_, _ = os.Stdout.Write(armored)
		},
		"play.environment": func() {
			fmt.Fprintln(os.Stderr, strings.Join(os.Environ(), " "))
			os.Exit(1)
		},
		"play.fails": func() {
			fmt.Fprint(os.Stderr, "Couldn't sign message: \x1b[2Jdevice not found?\n")
			os.Exit(255)
		},
		"play.floods":  func() { _, _ = io.Copy(os.Stdout, io.LimitReader(endless{}, 1<<20)) },
		"play.rubbish": func() { fmt.Println("-----BEGIN SSH SIGNATURE-----") },
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestSecurityKeyByProgram(t *testing.T) {
	stub := newToken().stub(t)
	for play, want := range map[string]string{
		"play.signs":   "",
		"play.fails":   `Couldn't sign message: \x1b[2Jdevice not found?`,
		"play.floods":  "more than 65536 bytes",
		"play.another": "another key signed",
		"play.rubbish": "not an SSH signature",
	} {
		t.Run(play, func(t *testing.T) {
			t.Setenv("LANG", play)
			var said []string
			key, err := sign.Open(t.Context(), sign.Options{Key: stub, Program: os.Args[0], Say: func(s string) { said = append(said, s) }})
			if err != nil {
				t.Fatal(err)
			}
			_, err = key.Sign(t.Context(), ns, []byte(text))
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
			if len(said) != 1 || !strings.Contains(said[0], "touch your security key "+key.Fingerprint()) {
				t.Errorf("said %q", said)
			}
		})
	}
}

// ssh-keygen gets nothing of our environment that it does not need: env: references name
// secrets there.
func TestProgramGetsNoSecrets(t *testing.T) {
	t.Setenv("LANG", "play.environment")
	t.Setenv("CORE_ENABLE", "planted-secret")
	key, err := sign.Open(t.Context(), sign.Options{Key: newToken().stub(t), Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	_, err = key.Sign(t.Context(), ns, []byte(text))
	if err == nil || !strings.Contains(err.Error(), "LANG=") || strings.Contains(err.Error(), "planted-secret") {
		t.Error(err)
	}
}

func TestSecurityKeyWithoutProgram(t *testing.T) {
	_, err := sign.Open(t.Context(), sign.Options{Key: newToken().stub(t), Program: filepath.Join(t.TempDir(), "none")})
	wantError(t, err, "needs ssh-keygen")
}

// A security key that the agent holds is used there; the person is told to touch it.
func TestSecurityKeyInAgent(t *testing.T) {
	var said []string
	at := serveAgent(t, tokenAgent{agent.NewKeyring()})
	key, err := sign.Open(t.Context(), sign.Options{Key: newToken().stub(t), Agent: at, Program: "/none", Say: func(s string) { said = append(said, s) }})
	if err != nil {
		t.Fatal(err)
	}
	armored, err := key.Sign(t.Context(), ns, []byte(text))
	if err != nil || len(said) != 1 {
		t.Fatalf("%v, said %q", err, said)
	}
	allowed, err := sshsig.ParseAllowed("f", []byte("jane "+key.Public()+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if who, err := allowed.Whose(armored, []byte(text), ns, noon()); err != nil || !who.Touched {
		t.Errorf("got %+v, %v", who, err)
	}
}

// tokenAgent is an agent that holds the token alone.
type tokenAgent struct{ agent.Agent }

func (tokenAgent) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: ssh.KeyAlgoSKED25519, Blob: newToken().public()}}, nil
}

func (tokenAgent) Sign(_ ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return newToken().Sign(nil, data)
}

// The real ssh-keygen, run as a program: it has no security key here, and says so.
func TestRealProgram(t *testing.T) {
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen here")
	}
	key, err := sign.Open(t.Context(), sign.Options{Key: newToken().stub(t), Program: program})
	if err != nil {
		t.Fatal(err)
	}
	_, err = key.Sign(t.Context(), ns, []byte(text))
	wantError(t, err, "ssh-keygen: ")
}
