package sshsig_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/sshsig"
)

func FuzzParse(f *testing.F) {
	for _, signer := range kinds() {
		f.Add(seal(f, signer, ns, text))
	}
	f.Add(seal(f, certificate(ed(1), ed(9), nil, "jane"), ns, text))
	f.Add(armor([]byte("SSHSIG\x00\x00\x00\x01")))
	f.Fuzz(func(t *testing.T, armored []byte) {
		s, err := sshsig.Parse(armored)
		if err != nil {
			return
		}
		again, err := sshsig.Parse(s.Armored())
		if err != nil || !bytes.Equal(again.Armored(), s.Armored()) || again.Fingerprint() != s.Fingerprint() {
			t.Fatalf("read again it is another: %v", err)
		}
		if s.Namespace == "" || s.Hash != "sha256" && s.Hash != "sha512" {
			t.Fatalf("%+v", s)
		}
	})
}

// Whoever a file allows by name, it allows when asked about by that name; and nothing that
// the fuzzer writes allows a key that is not in it.
func FuzzParseAllowed(f *testing.F) {
	ca := ed(9)
	in, certified, stranger := seal(f, ed(1), ns, text), seal(f, certificate(ed(1), ca, nil, "jane"), ns, text), seal(f, ed(3), ns, text)
	for _, line := range []string{
		"jane " + public(ed(1)), "*,!x " + public(ed(1)) + " c", `"a,b" namespaces="a,b\"",valid-after="20200101Z" ` + public(ed(1)),
		"* cert-authority " + public(ca), "# x\r\n\r\njane\t" + public(ed(2)), "jane verify-required " + public(ed(1)),
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		allowed, err := sshsig.ParseAllowed("f", src)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") || strings.ContainsAny(err.Error(), "\x1b\r\n") {
				t.Fatalf("the error reads %q", err)
			}
			return
		}
		for _, armored := range [][]byte{in, certified} {
			who, err := allowed.Whose(armored, []byte(text), ns, noon())
			if err != nil {
				continue
			}
			if _, err := allowed.Verify(armored, []byte(text), ns, who.Principal, noon()); err != nil {
				t.Fatalf("%q is named, but not allowed: %v", who.Principal, err)
			}
		}
		if _, err := allowed.Whose(stranger, []byte(text), ns, noon()); err == nil && !bytes.Contains(src, []byte(strings.Fields(public(ed(3)))[1])) {
			t.Fatal("a stranger is allowed")
		}
	})
}
