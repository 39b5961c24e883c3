package sshsig_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/patchring/patchring/pkg/sshsig"
)

func TestVerify(t *testing.T) {
	jane, ca := ed(1), ed(9)
	for name, c := range map[string]struct {
		lines   []string
		signer  ssh.Signer
		who     string
		at      time.Time
		refused string // "" : allowed
	}{
		"by name":               {[]string{"jane " + public(jane)}, jane, "jane", noon(), ""},
		"by pattern":            {[]string{"*@hq " + public(jane)}, jane, "jane@hq", noon(), ""},
		"quoted names":          {[]string{`"omar,jane" ` + public(jane)}, jane, "jane", noon(), ""},
		"negated":               {[]string{"*,!jane " + public(jane)}, jane, "jane", noon(), "does not sign with key"},
		"negated first":         {[]string{"!jane,* " + public(jane)}, jane, "jane", noon(), "does not sign with key"},
		"somebody else":         {[]string{"jane " + public(jane)}, jane, "omar", noon(), "does not sign with key"},
		"another key":           {[]string{"jane " + public(ed(2))}, jane, "jane", noon(), "does not sign with key"},
		"nobody":                {nil, jane, "jane", noon(), "does not sign with key"},
		"no name":               {[]string{"* " + public(jane)}, jane, "", noon(), "is no name"},
		"a pattern as name":     {[]string{"* " + public(jane)}, jane, "*", noon(), "is no name"},
		"the second line":       {[]string{"jane " + public(ed(2)), "jane " + public(jane)}, jane, "jane", noon(), ""},
		"expired, then renewed": {[]string{`jane valid-before="20260101Z" ` + public(jane), "jane " + public(jane)}, jane, "jane", noon(), ""},
		"its namespace":         {[]string{`jane namespaces="git,` + ns + `" ` + public(jane)}, jane, "jane", noon(), ""},
		"namespace pattern":     {[]string{`jane namespaces="patchring-*" ` + public(jane)}, jane, "jane", noon(), ""},
		"another namespace":     {[]string{`jane namespaces="git" ` + public(jane)}, jane, "jane", noon(), "allowed_signers:1: the key may not sign in namespace"},
		"namespace negated":     {[]string{`jane namespaces="*,!patchring-approval" ` + public(jane)}, jane, "jane", noon(), "may not sign"},
		"at its beginning":      {[]string{`jane valid-after="20261122120000Z" ` + public(jane)}, jane, "jane", noon(), ""},
		"a second too early":    {[]string{`jane valid-after="20261122120001Z" ` + public(jane)}, jane, "jane", noon(), "valid only after 2026-11-22T12:00:01Z"},
		"at its end":            {[]string{`jane valid-before="202611221200Z" ` + public(jane)}, jane, "jane", noon().Add(time.Second - 1), ""},
		"a second too late":     {[]string{`jane valid-before="202611221200Z" ` + public(jane)}, jane, "jane", noon().Add(time.Second), "valid only before"},

		"certificate":                {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon(), ""},
		"certificate of another":     {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil, "omar"), "jane", noon(), "not for \"jane\""},
		"certificate for all":        {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil), "jane", noon(), "not for \"jane\""},
		"line for another":           {[]string{"omar cert-authority " + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon(), "does not sign with key"},
		"another authority":          {[]string{"* cert-authority " + public(ed(8))}, certificate(jane, ca, nil, "jane"), "jane", noon(), "does not sign with key"},
		"authority as a plain key":   {[]string{"* " + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon(), "does not sign with key"},
		"the authority itself":       {[]string{"* cert-authority " + public(ca)}, ca, "jane", noon(), "does not sign with key"},
		"key inside a certificate":   {[]string{"jane " + public(jane)}, certificate(jane, ca, nil, "jane"), "jane", noon(), "does not sign with key"},
		"certificate before its day": {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon().Add(-time.Hour - 1), "not valid yet"},
		"certificate at its end":     {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon().Add(time.Hour), "had expired"},
		"host certificate": {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, func(c *ssh.Certificate) {
			c.CertType = ssh.HostCert
		}, "jane"), "jane", noon(), "not a user certificate"},
		"critical option": {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, func(c *ssh.Certificate) {
			c.CriticalOptions = map[string]string{"force-command": "true"}
		}, "jane"), "jane", noon(), "critical option"},
		"certificate and namespace": {[]string{`* cert-authority,namespaces="git" ` + public(ca)}, certificate(jane, ca, nil, "jane"), "jane", noon(), "may not sign"},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := allow(t, c.lines...).Verify(seal(t, c.signer, ns, text), []byte(text), ns, c.who, c.at)
			if c.refused == "" {
				if err != nil || who.Principal != c.who || who.Fingerprint != ssh.FingerprintSHA256(jane.PublicKey()) || who.KeyType != "ssh-ed25519" {
					t.Errorf("got %+v, %v", who, err)
				}
				return
			}
			if !errors.Is(err, sshsig.ErrNotAllowed) || !strings.Contains(err.Error(), c.refused) || who != (sshsig.Who{}) {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

func TestVerifyTellsTheAuthorityAndTheTouch(t *testing.T) {
	ca, sk := ed(9), kinds()["sk-ed25519"]
	allowed := allow(t, "jane "+public(sk), "omar cert-authority "+public(ca))
	who, err := allowed.Verify(seal(t, sk, ns, text), []byte(text), ns, "jane", noon())
	if err != nil || !who.Touched || who.KeyType != ssh.KeyAlgoSKED25519 || who.Authority != "" {
		t.Errorf("got %+v, %v", who, err)
	}
	who, err = allowed.Verify(seal(t, certificate(ed(1), ca, nil, "omar"), ns, text), []byte(text), ns, "omar", noon())
	if err != nil || who.Touched || who.Authority != ssh.FingerprintSHA256(ca.PublicKey()) {
		t.Errorf("got %+v, %v", who, err)
	}
}

// verify-required means: the security key asked for more than a touch.
func TestVerifyRequired(t *testing.T) {
	ca, sk := ed(9), kinds()["sk-ed25519"].(token)
	demand := func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"verify-required": ""} }
	allowed := allow(t, "* cert-authority "+public(ca))
	for flags, want := range map[byte]bool{1: false, 1 | 4: true} {
		sk.flags = flags
		_, err := allowed.Verify(seal(t, certificate(sk, ca, demand, "jane"), ns, text), []byte(text), ns, "jane", noon())
		if (err == nil) != want {
			t.Errorf("flags %d: %v", flags, err)
		}
	}
}

func TestWhose(t *testing.T) {
	jane, ca := ed(1), ed(9)
	for name, c := range map[string]struct {
		lines  []string
		signer ssh.Signer
		want   string
	}{
		"one name":                {[]string{"jane " + public(jane)}, jane, "jane"},
		"the first of two":        {[]string{"jane,omar " + public(jane)}, jane, "jane"},
		"a pattern names nobody":  {[]string{"*@hq " + public(jane)}, jane, ""},
		"after a pattern":         {[]string{"*@hq,jane " + public(jane)}, jane, "jane"},
		"a negated name is none":  {[]string{"jane,!jane,omar " + public(jane)}, jane, "omar"},
		"the line that allows":    {[]string{`jane valid-before="20200101Z" ` + public(jane), "omar " + public(jane)}, jane, "omar"},
		"the certificate's name":  {[]string{"*@hq cert-authority " + public(ca)}, certificate(jane, ca, nil, "jane@hq"), "jane@hq"},
		"of those the line holds": {[]string{"*@hq,!jane@hq cert-authority " + public(ca)}, certificate(jane, ca, nil, "x", "jane@hq", "omar@hq"), "omar@hq"},
		"certificate expired": {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, func(c *ssh.Certificate) {
			c.ValidBefore = c.ValidAfter + 1
		}, "jane"), ""},
		"a pattern in the certificate": {[]string{"* cert-authority " + public(ca)}, certificate(jane, ca, nil, "*"), ""},
		"nobody":                       {[]string{"jane " + public(ed(2))}, jane, ""},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := allow(t, c.lines...).Whose(seal(t, c.signer, ns, text), []byte(text), ns, noon())
			if who.Principal != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

// A certificate counts only if the authority that it names did sign it.
func TestForgedCertificate(t *testing.T) {
	forged := certificate(ed(1), ed(8), nil, "jane")
	cert := *forged.PublicKey().(*ssh.Certificate)
	cert.SignatureKey = ed(9).PublicKey()
	armored := seal(t, forged, ns, text)
	blob := strings.Replace(string(blobOf(armored)), string(forged.PublicKey().Marshal()), string(cert.Marshal()), 1)
	if _, err := allow(t, "* cert-authority "+public(ed(9))).Whose(armor([]byte(blob)), []byte(text), ns, noon()); !errors.Is(err, sshsig.ErrMalformed) {
		t.Error(err)
	}
}
