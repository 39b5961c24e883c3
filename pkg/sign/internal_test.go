package sign

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/sshsig"
)

// What the real ssh-keygen is told to do makes a signature; an ordinary key stands for the
// security key that no test machine has.
func TestProgramsArgv(t *testing.T) {
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen here to run")
	}
	path := filepath.Join(t.TempDir(), "-key")
	public, err := Create(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range [][]byte{[]byte("text\n"), bytes.Repeat([]byte("x\x00"), 1<<19), {}} {
		armored, err := programSealer{program, path}.seal(t.Context(), sshsig.NamespaceEvidence, message)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sshsig.Check(armored, message, sshsig.NamespaceEvidence)
		if err != nil || !strings.HasPrefix(string(ssh.MarshalAuthorizedKey(s.Key)), public) {
			t.Error(err)
		}
	}
}

// Key files are the user's own, but may be anything.
func FuzzKeyFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "key")
	if _, err := Create(path, "test"); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{path, path + ".pub"} {
		text, err := readBounded(name, public)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := parsePublic(text); err == nil && key == nil {
			t.Error("no key and no error")
		}
		signer, told, err := parsePrivate(text)
		if err == nil && (signer == nil || told == nil) {
			t.Error("no key and no error")
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\r") {
			t.Errorf("the error reads %q", err)
		}
	})
}

// What is already in the file is found if and only if it is a whole line there, however
// long the other lines are.
func FuzzScan(f *testing.F) {
	f.Add([]byte("a\nb\n"), []byte("b"))
	f.Add([]byte("xb\nb"), []byte("b"))
	f.Add([]byte("long line that is longer\nb\n"), []byte("b"))
	f.Add(bytes.Repeat([]byte("y"), 40), []byte("yyyyyyyyyyyyyyyyy"))
	f.Fuzz(func(t *testing.T, there, line []byte) {
		if bytes.Contains(line, []byte("\n")) {
			t.Skip("a statement is one line")
		}
		line = append(bytes.Clone(line), '\n')
		wantKnown := false
		for l := range bytes.Lines(there) {
			wantKnown = wantKnown || bytes.Equal(l, line)
		}
		wantTorn := len(there) > 0 && !bytes.HasSuffix(there, []byte("\n"))
		known, torn, err := scan(bytes.NewReader(there), line)
		if err != nil || known != wantKnown || torn != wantTorn {
			t.Fatalf("known %v, torn %v, %v; want %v, %v", known, torn, err, wantKnown, wantTorn)
		}
	})
}
