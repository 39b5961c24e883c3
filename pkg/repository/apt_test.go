package repository

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/patchring/patchring/pkg/patch"
)

func recordedApt(t testing.TB) AptSource {
	t.Helper()
	return AptSource{
		InRelease: recorded(t, "apt/InRelease"),
		Files:     map[string][]byte{"main/binary-amd64/Packages.xz": recorded(t, "apt/main/binary-amd64/Packages.xz")},
	}
}

func TestAptAsAptFtparchiveWritesIt(t *testing.T) {
	for _, form := range []string{"", ".gz", ".xz"} {
		src := recordedApt(t)
		src.Files = map[string][]byte{"main/binary-amd64/Packages" + form: recorded(t, "apt/main/binary-amd64/Packages"+form)}
		x, err := Apt(recordedRing(t, "key.gpg"), src, Options{Now: today()})
		if err != nil || x.Assurance != SignedIndex || x.Problem != nil || x.Reason() != "" {
			t.Fatalf("%q: %v, %+v", form, err, x)
		}
		if x.Signer.UserID != "Test Archive <archive@test.example>" || x.Release.Codename != "ring" || x.Release.Suite != "stable" {
			t.Errorf("%+v, %+v", x.Signer, x.Release)
		}
		wantHello(t, x)
	}
}

// wantHello: both versions are there, and each entry can be found again.
func wantHello(t *testing.T, x *Index) {
	t.Helper()
	all := x.Entries()
	if len(all) != 2 {
		t.Fatalf("entries %+v", all)
	}
	for _, e := range all {
		got, err := x.Find(e.Name, e.Arch, e.Version)
		if err != nil || got != e || e.Size < 100 || len(e.Digest) != 71 || e.Name != "hello-ring" {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if _, err := x.Find("hello-ring", "", "9"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
}

func TestAptWithADetachedSignature(t *testing.T) {
	src := AptSource{Release: recorded(t, "apt/Release"), ReleaseGPG: recorded(t, "apt/Release.gpg")}
	x, err := Apt(recordedRing(t, "key.asc"), src, Options{Now: today()})
	if err != nil || x.Assurance != SignedIndex {
		t.Fatalf("%v, %v", err, x)
	}
	src.ReleaseGPG = nil
	if x, err = Apt(recordedRing(t, "key.asc"), src, Options{Now: today()}); err != nil || x.Assurance != HostsWord || !errors.Is(x.Problem, ErrNoSignature) {
		t.Errorf("%v, %v", err, x)
	}
}

// Debian's own files, as apt keeps them on a host: two signers, lists recompressed.
func TestAptAsDebianShipsIt(t *testing.T) {
	src := AptSource{
		InRelease: recorded(t, "debian/updates.InRelease"),
		Files:     map[string][]byte{"main/binary-amd64/Packages.lz4": recorded(t, "debian/updates.Packages.lz4")},
	}
	keys := recordedRing(t, "debian/bookworm-automatic.asc")
	x, err := Apt(keys, src, Options{Now: today(), Names: []string{"tzdata", "no-such-package"}})
	if err != nil || x.Assurance != SignedIndex {
		t.Fatalf("%v, %+v", err, x)
	}
	if !strings.Contains(x.Signer.UserID, "12/bookworm") || x.Release.Codename != "bookworm-updates" || x.Release.Date.IsZero() {
		t.Errorf("%+v, %+v", x.Signer, x.Release.Codename)
	}
	all := x.Entries()
	if len(all) != 1 || all[0].Name != "tzdata" || all[0].Arch != "all" || !strings.HasPrefix(all[0].File, "pool/main/t/tzdata/") {
		t.Errorf("entries %+v", all)
	}
}

func TestAptPastItsEndOfValidity(t *testing.T) {
	key := newKey(t, "K")
	release := "Date: Sat, 21 Nov 2026 00:00:00 UTC\nValid-Until: Sat, 28 Nov 2026 00:00:00 UTC\nSHA256:\n " + hexOf("a") + " 5 p\n"
	src := AptSource{InRelease: clearSigned(t, []byte(release), today(), key)}
	for _, test := range []struct {
		days   int
		accept bool
		want   Assurance
	}{
		{0, false, SignedIndex}, {30, false, HostsWord}, {30, true, SignedIndex},
	} {
		opt := Options{Now: today().AddDate(0, 0, test.days), AcceptStale: test.accept}
		x, err := Apt(ring(t, key), src, opt)
		if err != nil || x.Assurance != test.want || (x.Signer == Signer{}) != (test.want == HostsWord) {
			t.Fatalf("%+v: %v, %+v", test, err, x)
		}
		if test.want == HostsWord && !errors.Is(x.Problem, ErrStale) {
			t.Errorf("%+v: %v", test, x.Problem)
		}
	}
	x, err := Apt(nil, src, Options{Now: today().AddDate(0, 1, 0)})
	if err != nil || !errors.Is(x.Problem, ErrStale) || !errors.Is(x.Problem, ErrUnknownKey) || strings.Contains(x.Reason(), "\n") {
		t.Errorf("%v, %q", err, x.Reason())
	}
}

func TestAptWhoseSignatureDoesNotCount(t *testing.T) {
	stranger := ring(t, newKey(t, "Stranger"))
	tampered := recordedApt(t)
	tampered.InRelease = bytes.Replace(tampered.InRelease, []byte("Label: Test"), []byte("Label: Evil"), 1)
	sha1 := recordedApt(t)
	sha1.InRelease = recorded(t, "apt/InRelease.sha1")
	own := recordedRing(t, "key.asc")
	for _, test := range []struct {
		name string
		keys *Keyring
		src  AptSource
		now  time.Time
		want error
	}{
		{"unknown key", stranger, recordedApt(t), today(), ErrUnknownKey},
		{"no keys", nil, recordedApt(t), today(), ErrUnknownKey},
		{"tampered", own, tampered, today(), ErrBadSignature},
		{"sha1", own, sha1, today(), ErrWeak},
		{"expired", own, recordedApt(t), today().AddDate(20, 0, 0), ErrExpiredKey},
		{"before it was made", own, recordedApt(t), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ErrExpiredSignature},
	} {
		x, err := Apt(test.keys, test.src, Options{Now: test.now})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if x.Assurance != HostsWord || !errors.Is(x.Problem, test.want) || x.Signer != (Signer{}) || x.Reason() == "" {
			t.Errorf("%s: %v, %q", test.name, x.Assurance, x.Reason())
		}
		wantHello(t, x)
	}
}

// signedApt makes a repository with one Packages file.
type signedApt struct {
	key *openpgp.Entity
}

func (s signedApt) source(t testing.TB, packages string) AptSource {
	t.Helper()
	sum := sha256.Sum256([]byte(packages))
	release := fmt.Sprintf("Suite: s\nDate: Sat, 21 Nov 2026 00:00:00 UTC\nSHA256:\n %s %d p/Packages\n", hex.EncodeToString(sum[:]), len(packages))
	return AptSource{InRelease: clearSigned(t, []byte(release), today(), s.key), Files: map[string][]byte{"p/Packages": []byte(packages)}}
}

func stanzaText(name, version, arch, file, digest string) string {
	return fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nFilename: %s\nSize: 5\nSHA256: %s\nDescription: d\n more\n\n", name, version, arch, file, digest)
}

func hexOf(c string) string { return strings.Repeat(c, 64) }

// A signature is no promise of sense: what is signed is held to the same forms.
func TestHostilePackagesAreRefused(t *testing.T) {
	s := signedApt{newKey(t, "K")}
	a := hexOf("a")
	full := func(old, replacement string) string {
		return strings.Replace(stanzaText("x", "1", "all", "f", hexOf("a")), old, replacement, 1)
	}
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"leaves its folder":      {stanzaText("x", "1", "all", "pool/../../etc/passwd", a), ErrFormat},
		"absolute":               {stanzaText("x", "1", "all", "/etc/passwd", a), ErrFormat},
		"escape in the path":     {stanzaText("x", "1", "all", "pool/\x1b[2J", a), ErrFormat},
		"nul in the path":        {stanzaText("x", "1", "all", "pool/\x00", a), ErrFormat},
		"not utf-8":              {stanzaText("x", "1", "all", "pool/\xff", a), ErrFormat},
		"an option as path":      {stanzaText("x", "1", "all", "--evil", a), ErrFormat},
		"an option as name":      {stanzaText("-x", "1", "all", "f", a), ErrFormat},
		"space in the version":   {stanzaText("x", "1 2", "all", "f", a), ErrFormat},
		"no version":             {full("Version: 1\n", ""), ErrFormat},
		"slash in the arch":      {stanzaText("x", "1", "a/b", "f", a), ErrFormat},
		"short digest":           {stanzaText("x", "1", "all", "f", "abc"), ErrFormat},
		"upper-case digest":      {stanzaText("x", "1", "all", "f", hexOf("A")), ErrFormat},
		"negative size":          {full("Size: 5", "Size: -1"), ErrFormat},
		"size beyond all sizes":  {full("Size: 5", "Size: 99999999999999999999"), ErrFormat},
		"field twice":            {full("Version: 1\n", "Version: 1\nversion: 2\n"), ErrFormat},
		"name on two lines":      {full("Version: 1\n", "Version: 1\n 2\n"), ErrFormat},
		"no package":             {full("Package: x\n", ""), ErrFormat},
		"no colon":               {full("Size: 5", "Size 5"), ErrFormat},
		"huge field":             {full("Size: 5", "Size: "+strings.Repeat("0", 5000)+"5"), ErrFormat},
		"endless field":          {full("Version: 1\n", "Version: 1"+strings.Repeat("0", 200_000)+"\n"), ErrFormat},
		"too many contradictory": {manyVariants(), ErrTooBig},
	} {
		x, err := Apt(ring(t, s.key), s.source(t, test.text), Options{Now: today()})
		if !errors.Is(err, test.want) || x != nil {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		} else if strings.ContainsAny(err.Error(), "\x1b\x00\n") {
			t.Errorf("%s: %q is not clean", name, err)
		}
	}
}

func manyVariants() string {
	var b strings.Builder
	for i := range maxVariants + 1 {
		b.WriteString(stanzaText("x", "1", "all", "f", fmt.Sprintf("%064x", i)))
	}
	return b.String()
}

func TestOddButHonestPackagesAreRead(t *testing.T) {
	s := signedApt{newKey(t, "K")}
	text := "\n\n" + stanzaText("x", "1", "amd64", "./x_1%3a2~b+c.deb", hexOf("a")) + "\r\n" +
		strings.ReplaceAll(stanzaText("y", "2", "all", "pool/y..deb", hexOf("b")), "\n", "\r\n") +
		"Package: z\nVersion: 3\nArchitecture: all\nFilename: z\nDescription: " + strings.Repeat("long ", 40_000) // and no line end
	x, err := Apt(ring(t, s.key), s.source(t, text), Options{Now: today()})
	if err != nil {
		t.Fatal(err)
	}
	got := x.Entries()
	if len(got) != 3 || got[0].File != "x_1%3a2~b+c.deb" || got[1].Digest != patch.Digest("sha256:"+hexOf("b")) || got[2].Digest != "" {
		t.Errorf("%+v", got)
	}
}

func TestFindRefusesToGuess(t *testing.T) {
	s := signedApt{newKey(t, "K")}
	text := stanzaText("two", "1", "all", "f", hexOf("a")) + stanzaText("two", "1", "all", "g", hexOf("b")) +
		stanzaText("same", "1", "all", "f", hexOf("a")) + stanzaText("same", "1", "all", "g", hexOf("a")) +
		stanzaText("arches", "1", "amd64", "f", hexOf("a")) + stanzaText("arches", "1", "i386", "g", hexOf("b"))
	x, err := Apt(ring(t, s.key), s.source(t, text), Options{Now: today()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, arch string
		want       error
	}{
		{"two", "all", ErrAmbiguous}, {"two", "", ErrAmbiguous}, {"two", "amd64", ErrAmbiguous},
		{"same", "all", nil}, {"same", "amd64", nil}, {"arches", "amd64", nil}, {"arches", "i386", nil},
		{"arches", "", ErrAmbiguous}, {"arches", "arm64", ErrMissing}, {"none", "", ErrMissing},
	} {
		e, err := x.Find(test.name, test.arch, "1")
		if !errors.Is(err, test.want) || err == nil && (e.Name != test.name || test.arch == "i386" && e.Digest[7] != 'b') {
			t.Errorf("%s %s: %v, %v", test.name, test.arch, e, err)
		}
	}
	if len(x.Entries()) != 5 {
		t.Errorf("%d entries", len(x.Entries()))
	}
}

func TestFilesThatAreNotAsListed(t *testing.T) {
	s := signedApt{newKey(t, "K")}
	text := stanzaText("x", "1", "all", "f", hexOf("a"))
	keys := ring(t, s.key)
	for name, test := range map[string]struct {
		path string
		file []byte
		want error
	}{
		"changed":                {"p/Packages", []byte(strings.Replace(text, "Size: 5", "Size: 6", 1)), ErrMismatch},
		"cut":                    {"p/Packages", []byte(text[:len(text)-1]), ErrMismatch},
		"empty":                  {"p/Packages", nil, ErrMismatch},
		"not listed":             {"q/Packages", []byte(text), ErrUnlisted},
		"more, compressed":       {"p/Packages.gz", gzipped(t, []byte(text+"\n")), ErrTooBig},
		"a bomb":                 {"p/Packages.gz", gzipped(t, make([]byte, 64<<20)), ErrTooBig},
		"broken gzip":            {"p/Packages.gz", []byte("\x1f\x8b\x08\x00 broken"), ErrFormat},
		"good, compressed":       {"p/Packages.gz", gzipped(t, []byte(text)), nil},
		"good, under any ending": {"p/Packages.xz", gzipped(t, []byte(text)), nil},
	} {
		src := s.source(t, text)
		src.Files = map[string][]byte{test.path: test.file}
		if _, err := Apt(keys, src, Options{Now: today()}); !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
