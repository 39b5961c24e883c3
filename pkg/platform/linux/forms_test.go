package linux

import (
	"regexp"
	"strings"
	"testing"
)

// The oracle: the same forms as regular expressions.
func FuzzForms(f *testing.F) {
	name := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9+._-]{0,199}\z`)
	version := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+:~^_,-]{0,199}\z`)
	arch := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}\z`)
	cve := regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,19}\z`)
	for _, s := range []string{"", "CVE-2026-1234", "CVE-2026-123", "CVE-2026-" + strings.Repeat("1", 20), "CVE-0000-00a0", "nginx", "-rf", "lib+_.-x", "1:2.3~deb12^4", "amd64", "a b", "a\n", "ü", strings.Repeat("a", 200), strings.Repeat("a", 201)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if IsName(s) != name.MatchString(s) || IsVersion(s) != version.MatchString(s) || IsArch(s) != arch.MatchString(s) || IsCVE(s) != cve.MatchString(s) {
			t.Errorf("%q: name %v, version %v, arch %v, CVE %v", s, IsName(s), IsVersion(s), IsArch(s), IsCVE(s))
		}
	})
}
