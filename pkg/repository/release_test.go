package repository

import (
	"strings"
	"testing"
)

func TestReleaseFiles(t *testing.T) {
	line := " " + hexOf("a") + " 5 p\n"
	for name, text := range map[string]string{
		"no list": "Suite: s\n", "md5 alone": "MD5Sum:\n" + line, "field twice": "Suite: a\nsuite: b\nSHA256:\n" + line,
		"two digests": "SHA256:\n" + line + strings.Replace(line, "a", "b", 1), "leaves": "SHA256:\n" + strings.Replace(line, " p", " ../p", 1),
		"bad date": "Date: soon\nSHA256:\n" + line, "another zone": "Date: Sat, 21 Nov 2026 00:00:00 CET\nSHA256:\n" + line,
		"two paragraphs": "Suite: a\nSHA256:\n" + line + "\nSuite: b\n", "two words": "SHA256:\n " + hexOf("a") + " 5\n",
		"bad digest": "SHA256:\n abc 5 p\n", "bad size": "SHA256:\n " + hexOf("a") + " x p\n", "huge": strings.Repeat("a", maxRelease+1),
	} {
		if _, err := parseRelease([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	r, err := parseRelease([]byte("Suite: s\x1b[0m\nDate: Sat, 1 Aug 2026 01:02:03 GMT\nValid-Until: Sun, 02 Aug 2026 01:02:03 +0000\nSHA256:\n" + line + line + "\n"))
	if err != nil || len(r.Files) != 1 || r.Date.Day() != 1 || r.ValidUntil.Day() != 2 || r.Suite != "s?[0m" {
		t.Errorf("%+v, %v", r, err)
	}
}
