package sign_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/secret"
	"github.com/patchring/patchring/pkg/sign"
	"github.com/patchring/patchring/pkg/sshsig"
)

func TestEveryKindOfKeyFile(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		private any
		same    bool // two signatures are the same bytes
	}{"ed25519": {newEd25519(t), true}, "rsa": {long, true}, "ecdsa": {curve, false}} {
		t.Run(name, func(t *testing.T) {
			path, public := keyFile(t, c.private, "")
			o := sign.Options{Key: path}
			if got := bytes.Equal(signed(t, o, public), signed(t, o, public)); got != c.same {
				t.Errorf("two signatures are the same: %v", got)
			}
			signed(t, sign.Options{Key: path + ".pub"}, public)
		})
	}
}

func TestPassphrase(t *testing.T) {
	path, public := keyFile(t, newEd25519(t), passphrase)
	asked := &secrets{phrase: passphrase}
	signed(t, sign.Options{Key: path, Secrets: asked}, public)
	if want := []string{"prompt passphrase of " + path}; strings.Join(asked.asked, ";") != want[0] {
		t.Errorf("asked %q, want %q", asked.asked, want)
	}
	ref, err := secret.ParseRef("env:PHRASE")
	if err != nil {
		t.Fatal(err)
	}
	signed(t, sign.Options{Key: path, Secrets: asked, Passphrase: ref}, public)
	if asked.asked[1] != "env:PHRASE passphrase of "+path {
		t.Errorf("asked %q", asked.asked)
	}
}

func TestOpenRefuses(t *testing.T) {
	closed, _ := keyFile(t, newEd25519(t), passphrase)
	open, _ := keyFile(t, newEd25519(t), "")
	wide, _ := keyFile(t, newEd25519(t), "")
	if err := os.Chmod(wide, 0o640); err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	short, _ := keyFile(t, weak, "")
	swapped, _ := keyFile(t, newEd25519(t), "")
	text, err := os.ReadFile(open + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	write(t, swapped+".pub", text)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rubbish"), []byte("rubbish"))
	write(t, filepath.Join(dir, "rubbish.pub"), []byte(`command="x" `+string(text)))
	write(t, filepath.Join(dir, "long"), bytes.Repeat([]byte("x"), 65<<10))
	gone := filepath.Join(dir, "gone")
	write(t, gone+".pub", text)

	for name, c := range map[string]struct {
		o    sign.Options
		want string
	}{
		"no key":               {sign.Options{}, "no key to sign with"},
		"not there":            {sign.Options{Key: filepath.Join(dir, "none")}, "no such file"},
		"a folder":             {sign.Options{Key: dir}, "not a file"},
		"too long":             {sign.Options{Key: filepath.Join(dir, "long")}, "longer than"},
		"rubbish":              {sign.Options{Key: filepath.Join(dir, "rubbish")}, "no key found"},
		"options before key":   {sign.Options{Key: filepath.Join(dir, "rubbish.pub")}, "not a public key"},
		"readable by others":   {sign.Options{Key: wide}, "read by others"},
		"a short RSA key":      {sign.Options{Key: short}, "1024 bits"},
		"nobody to ask":        {sign.Options{Key: closed}, "has a passphrase"},
		"the wrong passphrase": {sign.Options{Key: closed, Secrets: &secrets{phrase: passphrase + "x"}}, "passphrase does not open it"},
		"no passphrase":        {sign.Options{Key: closed, Secrets: &secrets{err: errors.New("nobody is there")}}, "nobody is there"},
		"another public key":   {sign.Options{Key: swapped + ".pub"}, "not that of the public key"},
		"a .pub without agent": {sign.Options{Key: gone + ".pub"}, "there is no SSH agent"},
		"a socket that's gone": {sign.Options{Key: gone, Agent: filepath.Join(dir, "socket")}, "SSH agent"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := sign.Open(t.Context(), c.o)
			wantError(t, err, c.want)
			if key != nil || fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
				t.Errorf("code %q, hint %q", fault.CodeOf(err), fault.HintOf(err))
			}
		})
	}
}

// A certificate is shown with the signature when its file is named, and only then.
func TestCertificate(t *testing.T) {
	path, public := keyFile(t, newEd25519(t), "")
	authority, err := ssh.NewSignerFromKey(newEd25519(t))
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{
		Key: public, CertType: ssh.UserCert, ValidPrincipals: []string{"jane"}, ValidBefore: ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	write(t, path+"-cert.pub", ssh.MarshalAuthorizedKey(cert))
	key, err := sign.Open(t.Context(), sign.Options{Key: path + "-cert.pub"})
	if err != nil {
		t.Fatal(err)
	}
	armored, err := key.Sign(t.Context(), ns, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := sshsig.ParseAllowed("f", []byte("* cert-authority "+key.Public()+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	who, err := allowed.Whose(armored, []byte(text), ns, noon())
	if err != nil || who.Principal != "jane" || who.Fingerprint != key.Fingerprint() {
		t.Errorf("got %+v, %v", who, err)
	}
	if s, err := sshsig.Parse(signed(t, sign.Options{Key: path}, public)); err != nil || s.Key.Type() != ssh.KeyAlgoED25519 {
		t.Errorf("the bare key signed as %s, %v", s.Key.Type(), err)
	}
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo")
	public, err := sign.Create(path, "demo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Create(path, "demo"); !errors.Is(err, os.ErrExist) {
		t.Errorf("a key was overwritten: %v", err)
	}
	key, err := sign.Open(t.Context(), sign.Options{Key: path})
	if err != nil || key.Public() != public {
		t.Fatalf("%v, %v", key, err)
	}
	if program, err := exec.LookPath("ssh-keygen"); err == nil {
		out, err := exec.Command(program, "-y", "-f", path).Output()
		if err != nil || strings.TrimSpace(string(out)) != public+" demo" {
			t.Errorf("ssh-keygen reads %q, %v; we say %q", out, err, public)
		}
	}
}

// One signature at a time: who waits for the turn can still give up.
func TestSignWaitsForItsTurn(t *testing.T) {
	path, _ := keyFile(t, newEd25519(t), "")
	key, err := sign.Open(t.Context(), sign.Options{Key: path})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cancel()
	for range 50 { // either way out may be taken when both are open; never anything else
		if _, err := key.Sign(ctx, ns, []byte(text)); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}
