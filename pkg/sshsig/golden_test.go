package sshsig_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/sshsig"
)

// What OpenSSH 9.2's ssh-keygen signed: one file for each kind of key and hash, named by
// principal and hash. The private keys are gone. Invariant: each is good for its own
// principal alone, and is written as it was read.
func TestSignaturesOfSSHKeygen(t *testing.T) {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("testdata", "ssh-keygen", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	allowed, err := sshsig.ParseAllowed("allowed_signers", read("allowed_signers"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/ssh-keygen/*.sig")
	if err != nil || len(files) != 11 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		armored := read(name)
		person, _, _ := strings.Cut(name, "-sha")
		who, err := allowed.Whose(armored, read("message"), ns, noon())
		if err != nil || who.Principal != person {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
		if s, err := sshsig.Parse(armored); err != nil || !bytes.Equal(s.Armored(), armored) || !strings.Contains(name, s.Hash) {
			t.Errorf("%s: written otherwise: %v", name, err)
		}
		if _, err := allowed.Verify(armored, read("message"), ns, "somebody", noon()); err == nil {
			t.Errorf("%s: good for anybody", name)
		}
	}
}
