package sshsig_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/sshsig"
)

func messages() map[string][]byte {
	binary := make([]byte, 4096)
	for i := range binary {
		binary[i] = byte(i)
	}
	return map[string][]byte{
		"empty": {}, "text": []byte(text), "binary": binary, "no last LF": []byte("x"), "1 MiB": bytes.Repeat([]byte("patch\x00\r\n"), 1<<17),
	}
}

// Each side takes what the other signs, for every kind of key, hash and message; where the
// kind is deterministic, both write the same bytes.
func TestSignaturesGoBothWays(t *testing.T) {
	k := newKeygen(t)
	keys := k.keys(t)
	for name, signer := range keys {
		allowed := allow(t, "jane "+public(signer))
		for size, message := range messages() {
			ours := seal(t, signer, ns, string(message))
			for _, hash := range []string{"sha256", "sha512"} {
				theirs := k.must(t, message, "-q", "-Y", "sign", "-f", name, "-n", ns, "-Ohashalg="+hash)
				who, err := allowed.Verify(theirs, message, ns, "jane", noon())
				if err != nil || who.Fingerprint != ssh.FingerprintSHA256(signer.PublicKey()) {
					t.Errorf("%s, %s, %s: ours refuses theirs: %v", name, size, hash, err)
				}
				if s, err := sshsig.Parse(theirs); err != nil || s.Hash != hash || !bytes.Equal(s.Armored(), theirs) {
					t.Errorf("%s, %s, %s: theirs is not written as it was read: %v", name, size, hash, err)
				}
				if _, err := sshsig.Check(theirs, append(bytes.Clone(message), 'x'), ns); err == nil {
					t.Errorf("%s, %s, %s: ours takes another message", name, size, hash)
				}
				if hash == "sha512" && !strings.HasPrefix(name, "ecdsa") && !bytes.Equal(ours, theirs) {
					t.Errorf("%s, %s: the bytes differ", name, size)
				}
			}
			if !k.verify(t, "jane "+public(signer), ours, message, ns, "jane", noon()) {
				t.Errorf("%s, %s: theirs refuses ours", name, size)
			}
		}
	}
}

// random writes allowed_signers, and asks about them.
type random struct {
	*rand.Rand
	signers []ssh.Signer // the last is the certificates' authority
}

func (r random) of(list ...string) string { return list[r.IntN(len(list))] }

func (r random) line() string {
	names := r.of("jane", "omar", "*", "jane,omar", "j*", "*,!jane", "!omar,*", `"jane,omar"`, "?ane", "*@hq", "jane@hq,*@acme", "!j*,omar", "jane*,!*hq")
	var options []string
	if r.IntN(4) == 0 {
		options = append(options, "cert-authority")
	}
	if r.IntN(3) == 0 {
		options = append(options, `namespaces="`+r.of(ns, "git", "git,"+ns, "patchring-*", "*,!"+ns, "?atchring-plan", "*")+`"`)
	}
	if r.IntN(3) == 0 {
		options = append(options, r.of("valid-after", "VALID-AFTER")+`="`+r.of("20261122115959Z", "20261122120000Z", "20261122120001Z", "20261122Z", "202611221200Z", "20270101Z")+`"`)
	}
	if r.IntN(3) == 0 {
		options = append(options, `valid-before="`+r.of("20261122115958Z", "20261122115959Z", "20261122120000Z", "20261122120002Z", "20280101Z")+`"`)
	}
	key := public(r.signers[r.IntN(len(r.signers))]) + r.of("", " a comment", "\t# x")
	return strings.Join(append([]string{names}, strings.Join(options, ",")), " ") + r.of(" ", "  ", "\t") + key + r.of("", "", "\r")
}

func (r random) file() string {
	var lines []string
	for range 1 + r.IntN(4) {
		lines = append(lines, r.of("", "", "", "# a comment\n", "\n", "  \t\n")+r.line())
	}
	return strings.Join(lines, "\n") + r.of("\n", "")
}

// Hundreds of generated files, asked about with every edge of name, purpose and time:
// ssh-keygen and we say the same.
func TestVerifyAgreesWithSSHKeygen(t *testing.T) {
	k := newKeygen(t)
	r := random{rand.New(rand.NewPCG(6, 1)), []ssh.Signer{ed(1), ed(2), k.key(t, "ecdsa", "ecdsa", "256"), ed(9)}}
	yes, asked := 0, 0
	for asked < 300 {
		file := r.file()
		allowed, err := sshsig.ParseAllowed("allowed", []byte(file))
		if err != nil && strings.Contains(err.Error(), "not after") {
			continue // ours is stricter: it refuses the file, theirs the line
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		signer := r.signers[r.IntN(2)]
		if r.IntN(3) == 0 {
			signer = certificate(signer, r.signers[len(r.signers)-1-r.IntN(2)], func(c *ssh.Certificate) {
				c.ValidAfter, c.ValidBefore = uint64(noon().Unix()-int64(r.IntN(3))+1), uint64(noon().Unix()+int64(r.IntN(3)))
			}, strings.Split(r.of("jane", "omar,jane", "jane@hq", "*"), ",")...)
		}
		namespace := r.of(ns, ns, ns, "git", sshsig.NamespacePlan)
		armored := seal(t, signer, r.of(ns, ns, namespace), text)
		who, at := r.of("jane", "omar", "jane@hq", "x@acme"), noon().Add(time.Duration(r.IntN(4)-2)*time.Second)
		want := k.verify(t, file, armored, []byte(text), namespace, who, at)
		_, err = allowed.Verify(armored, []byte(text), namespace, who, at)
		if (err == nil) != want {
			t.Errorf("ssh-keygen says %v, ours %v: %s in %s at %s\n%s", want, err, who, namespace, at, file)
		}
		k.comparePrincipals(t, allowed, armored, namespace, at, file)
		asked++
		if want {
			yes++
		}
	}
	if yes < asked/20 || yes > asked*19/20 {
		t.Errorf("%d of %d were allowed: such cases compare nothing", yes, asked)
	}
}

// comparePrincipals: whom Whose names, -Y verify must allow; and where find-principals gives
// a plain name whom -Y verify allows, Whose must name somebody.
func (k keygen) comparePrincipals(t *testing.T, allowed *sshsig.Allowed, armored []byte, namespace string, at time.Time, file string) {
	t.Helper()
	who, err := allowed.Whose(armored, []byte(text), namespace, at)
	if err == nil {
		if !k.verify(t, file, armored, []byte(text), namespace, who.Principal, at) {
			t.Errorf("ours names %q, whom ssh-keygen does not allow in\n%s", who.Principal, file)
		}
		return
	}
	found, _ := k.run(nil, "-Y", "find-principals", "-f", "allowed", "-s", "sig", "-Overify-time="+at.UTC().Format("20060102150405"))
	for name := range strings.FieldsFuncSeq(string(found), func(r rune) bool { return r == ',' || r == '\n' }) {
		if !strings.ContainsAny(name, "*?!") && k.verify(t, file, armored, []byte(text), namespace, name, at) {
			t.Errorf("ssh-keygen names %q, ours says %v in\n%s", name, err, file)
		}
	}
}

// What a changed byte does to a signature, it does for both.
func TestTamperedAgreesWithSSHKeygen(t *testing.T) {
	k := newKeygen(t)
	keys := k.keys(t)
	for name, signer := range keys {
		blob := blobOf(seal(t, signer, ns, text))
		step := max(1, len(blob)/25)
		for i := 0; i < len(blob); i += step {
			changed := bytes.Clone(blob)
			changed[i] ^= 0x20
			k.write(t, "sig", armor(changed))
			_, theirs := k.run([]byte(text), "-Y", "check-novalidate", "-n", ns, "-s", "sig")
			if _, err := sshsig.Check(armor(changed), []byte(text), ns); theirs != (err == nil) {
				t.Errorf("%s, byte %d: ssh-keygen says %v, ours %v", name, i, theirs, err)
			}
		}
	}
}

// Its own certificates, with its own -V and -n.
func TestCertificatesOfSSHKeygen(t *testing.T) {
	k := newKeygen(t)
	keys := k.keys(t)
	for name, authority := range map[string]string{"ed25519": "ecdsa-256", "ecdsa-384": "rsa-3072", "rsa-2048": "ed25519"} {
		k.must(t, nil, "-q", "-s", authority, "-I", "id", "-n", "jane,omar", "-V", "20261122110000:20261122130000", name+".pub")
		armored := k.must(t, []byte(text), "-q", "-Y", "sign", "-f", name+"-cert.pub", "-n", ns)
		file := "*,!omar cert-authority " + public(keys[authority])
		for _, who := range []string{"jane", "omar", "eve"} {
			for _, hour := range []int{10, 11, 12, 13} {
				at := time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC)
				want := k.verify(t, file, armored, []byte(text), ns, who, at)
				if _, err := allow(t, file).Verify(armored, []byte(text), ns, who, at); (err == nil) != want {
					t.Errorf("%s by %s, %s at %d: ssh-keygen says %v, ours %v", name, authority, who, hour, want, err)
				}
			}
		}
	}
}

// Security keys: ssh-keygen takes what our software token signs. Without a touch it takes
// it too, and we do not.
func TestSecurityKeys(t *testing.T) {
	k := newKeygen(t)
	sk := kinds()["sk-ed25519"].(token)
	line := "jane " + public(sk)
	if !k.verify(t, line, seal(t, sk, ns, text), []byte(text), ns, "jane", noon()) {
		t.Error("ssh-keygen refuses a touched key's signature")
	}
	untouched := blobOf(seal(t, sk, ns, text))
	data := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Digest                    []byte
	}{ns, "", "sha512", sum512(text)})...)
	sk.flags = 0
	sig := must(sk.Sign(nil, data))
	end := len(untouched) - len(ssh.Marshal(sig))
	armored := armor(append(untouched[:end:end], ssh.Marshal(sig)...))
	if !k.verify(t, line, armored, []byte(text), ns, "jane", noon()) {
		t.Error("ssh-keygen refuses it as well: doc.go is wrong")
	}
	if _, err := allow(t, line).Verify(armored, []byte(text), ns, "jane", noon()); err == nil || !strings.Contains(err.Error(), "touched") {
		t.Error(err)
	}
}

// Where doc.go says that we refuse more, ssh-keygen really is the one that takes it.
func TestStricterThanSSHKeygen(t *testing.T) {
	k := newKeygen(t)
	armored := seal(t, ed(1), ns, text)
	line := "jane " + public(ed(1)) + "\n"
	for name, c := range map[string]struct {
		file    string
		armored []byte
	}{
		"a bad line beside":   {"omar nonsense\n" + line, armored},
		"no time zone":        {`jane valid-before="20270101" ` + public(ed(1)), armored},
		"text after END":      {line, append(bytes.Clone(armored), "x\n"...)},
		"version 0":           {line, armor(append([]byte("SSHSIG\x00\x00\x00\x00"), blobOf(armored)[10:]...))},
		"a repeated option":   {"jane cert-authority,cert-authority " + public(ed(2)) + "\n" + line, armored},
		"an empty name":       {"jane,, " + public(ed(1)), armored},
		"quotes in principal": {`ja"ne" ` + public(ed(1)), armored},
	} {
		if !k.verify(t, c.file, c.armored, []byte(text), ns, "jane", noon()) {
			t.Errorf("%s: ssh-keygen refuses it as well", name)
		}
		allowed, err := sshsig.ParseAllowed("f", []byte(c.file))
		if err == nil {
			_, err = allowed.Verify(c.armored, []byte(text), ns, "jane", noon())
		}
		if err == nil {
			t.Errorf("%s: ours takes it", name)
		}
	}
}

// The local time zone: with Z a date means the same everywhere. Without it ssh-keygen asks
// the machine, which is why we refuse it.
func TestTimesWithoutZoneDependOnTheMachine(t *testing.T) {
	k := newKeygen(t)
	k.write(t, "sig", seal(t, ed(1), ns, text))
	ask := func(zone, date string) bool {
		k.write(t, "allowed", fmt.Appendf(nil, "jane valid-before=%q %s\n", date, public(ed(1))))
		cmd := exec.Command(k.program, "-Y", "verify", "-f", "allowed", "-I", "jane", "-n", ns, "-s", "sig", "-Overify-time=20261122120000Z")
		cmd.Dir, cmd.Stdin, cmd.Env = k.dir, strings.NewReader(text), append(os.Environ(), "TZ="+zone)
		return cmd.Run() == nil
	}
	if ask("EAST-5", "202611221300") == ask("WEST5", "202611221300") {
		t.Error("ssh-keygen does not take dates as local: doc.go is wrong")
	}
	if !ask("EAST-5", "202611221300Z") || !ask("WEST5", "202611221300Z") {
		t.Error("with Z it depends on the machine too")
	}
}
