package sshsig_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/fault"
	"github.com/patchring/patchring/pkg/sshsig"
)

func TestParseAllowedRefusesAWholeFileForOneLine(t *testing.T) {
	key := public(ed(1))
	blob := strings.Fields(key)[1]
	weak := public(must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 1024)))))
	for name, c := range map[string]struct{ line, want string }{
		"no key":                {"jane", "key is missing"},
		"half a key":            {"jane ssh-ed25519", "key is missing"},
		"not base64":            {"jane ssh-ed25519 !!!", "not base64"},
		"loose base64":          {"jane " + key + "=", "not base64"},
		"cut short":             {"jane ssh-ed25519 " + blob[:40], "the key:"},
		"another type":          {"jane ecdsa-sha2-nistp256 " + blob, "the line says"},
		"DSA":                   {"jane ssh-dss " + blob, "the line says"},
		"a short RSA key":       {"jane " + weak, "1024 bits"},
		"a certificate":         {"jane " + public(certificate(ed(1), ed(9), nil, "jane")), "certificate instead"},
		"a control character":   {"jane " + key + " \x1b[2J", "can't be shown"},
		"unclosed quote":        {`"jane ` + key, "never closed"},
		"text after quote":      {`"jane"x ` + key, "right after"},
		"quote inside":          {`ja"ne" ` + key, "quote within"},
		"an empty name":         {"jane,,omar " + key, "empty name"},
		"a lone negation":       {"!jane " + key, "who is not meant"},
		"empty quotes":          {`"" ` + key, "empty name"},
		"unknown option":        {"jane verify-required " + key, "neither an option"},
		"negated option":        {"jane no-cert-authority " + key, "neither an option"},
		"unknown with value":    {`jane from="10.0.0.1" ` + key, "neither an option"},
		"authority with value":  {`jane cert-authority="x" ` + key, "neither an option"},
		"namespaces alone":      {"jane namespaces " + key, "neither an option"},
		"unquoted value":        {"jane namespaces=git " + key, "double quotes"},
		"unclosed value":        {`jane namespaces="git ` + key, "never closed"},
		"no comma":              {`jane namespaces="git"cert-authority ` + key, "after its closing quote"},
		"twice":                 {`jane namespaces="a",NAMESPACES="b" ` + key, "there twice"},
		"authority twice":       {"jane cert-authority,cert-authority " + key, "there twice"},
		"a last comma":          {"jane cert-authority, " + key, "neither an option"},
		"no namespaces":         {`jane namespaces="" ` + key, "empty name"},
		"no time zone":          {`jane valid-before="20270101" ` + key, "names no time zone"},
		"no such day":           {`jane valid-before="20270231Z" ` + key, "is not YYYYMMDDZ"},
		"not a date":            {`jane valid-after="tomorrow" ` + key, "is not YYYYMMDDZ"},
		"a date of ten digits":  {`jane valid-after="2027010112Z" ` + key, "is not YYYYMMDDZ"},
		"the epoch":             {`jane valid-after="19700101Z" ` + key, "is not YYYYMMDDZ"},
		"the end at the start":  {`jane valid-after="20270101Z",valid-before="20270101Z" ` + key, "not after"},
		"options without a key": {"jane cert-authority", "key is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sshsig.ParseAllowed("trust/allowed", []byte("# ours\n\njane "+key+"\n"+c.line+"\n"))
			if err == nil || !strings.HasPrefix(err.Error(), "trust/allowed:4: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatal(err)
			}
			if fault.CodeOf(err) != fault.Usage || fault.HintOf(err) == "" {
				t.Errorf("code %q, hint %q", fault.CodeOf(err), fault.HintOf(err))
			}
		})
	}
}

func TestParseAllowedReadsWhatOpenSSHReads(t *testing.T) {
	signed := seal(t, ed(1), ns, text)
	key := public(ed(1))
	for name, src := range map[string]string{
		"comments and blanks": "# who\n\n \t\njane " + key + "\n",
		"a comment after":     "jane " + key + " jane's \"laptop\" # 2026\n",
		"CR LF":               "jane " + key + "\r\n",
		"no last LF":          "jane " + key,
		"leading blanks":      " \tjane\t " + key,
		"options in capitals": `jane Namespaces="*",VALID-AFTER="20200101z" ` + key,
		"UTC":                 `jane valid-after="20200101UTC" ` + key,
		"minutes":             `jane valid-after="202001010000Z",valid-before="20300101000000Z" ` + key,
		"a quote in a value":  `jane namespaces="a\"b,` + ns + `" ` + key,
		"a blank in a value":  `jane namespaces="a b,` + ns + `" ` + key,
	} {
		allowed, err := sshsig.ParseAllowed("f", []byte(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if who, err := allowed.Whose(signed, []byte(text), ns, noon()); err != nil || who.Principal != "jane" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
}

func TestParseAllowedIsBounded(t *testing.T) {
	if _, err := sshsig.ParseAllowed("f", []byte(strings.Repeat("#\n", 1<<19)+"#")); err == nil {
		t.Error("more than 1 MiB was read")
	}
}
