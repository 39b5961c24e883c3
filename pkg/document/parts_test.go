package document

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	good := map[string]time.Duration{
		"60s": time.Minute, "5m": 5 * time.Minute, "48h": 48 * time.Hour, "3d": 72 * time.Hour, "1h30m": 90 * time.Minute, "0s": 0,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "60", "s", "1.5h", "-1s", "5 m", "5M", "1w", "99999999d", "999999999h", strings.Repeat("1d", 30)} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q = %v", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"address", "max_unavailable", "user", "port", "up"}
	tests := map[string]string{
		"adddress": "address", "max_unavalable": "max_unavailable", "usre": "user", "USER": "user",
		"prot": "port", "addr": "address", "xyz": "", "u": "", "": "", "completely_different": "",
	}
	for text, want := range tests {
		if got := Nearest(text, words); got != want {
			t.Errorf("%q = %q, want %q", text, got, want)
		}
	}
	if got := DidYouMean("qqq", words, "otherwise"); got != "otherwise" {
		t.Error(got)
	}
}

func TestQuoteComesBack(t *testing.T) {
	for _, text := range []string{
		"web-01", "10.0.0.1", "9.10", "yes", "No", "null", "~", "", " x ", "a: b", "#x", "*", "@x", "{a}", "[1]", "a\"b", `a\b`,
		"a\nb", "tab\t", "é", "\x7f", "\ufeff", "-x", "web-[01:04]", "<<", "1e3", "0x10", "2027-02-01", "'", "prompt", strings.Repeat("long ", 100),
	} {
		var s struct {
			M []string `yaml:"m" flags:"raw"`
		}
		src := "m: [" + Quote(text) + "]\n"
		if err := Decode("x", []byte(src), &s).Err(); err != nil {
			t.Errorf("%q: %s: %v", text, src, err)
			continue
		}
		if s.M[0] != text {
			t.Errorf("%q came back as %q", text, s.M[0])
		}
	}
}

// TestSecretsAreNeverShown puts a password everywhere that people put it, beside a
// mistake on the same line.
func TestSecretsAreNeverShown(t *testing.T) {
	for _, src := range []string{
		"version: 1\ncredentials: {password: hunter2, kye: x}\n",
		"version: 1\ncredentials: {kye: x, password: 'hunter2 has spaces'}\n",
		"version: 1\ncredentials: hunter2\n",
		"version: 1\ncredentials: [hunter2]\n",
		"version: 1\npassword: hunter2\n",
		"version: 1\npasswrod: hunter2\n",
		"version: 1\nsudo_pass: \"hunter2\"\n",
		"version: 1\ncredentials: {password: hunter2: x}\n",
		"version: 1\n  password: hunter2\n",
		"version: 1\ncredentials:\n  password: [hunter2]\n",
		"version: 1\ncredentials:\n  password: {hunter2: x}\n",
		"version: 1\ncredentials:\n  password: {x: [hunter2]}\n",
		"version: 1\ncredentials:\n  password: !x hunter2\n",
		"version: 1\ncredentials:\n\tpassword: hunter2\n",
		"version: 1\ncredentials: {password: \"a\n    hunter2\", oops: 1}\n",
		"version: 1\ncredentials: {password: 'a\n    hunter2', oops: 1}\n",
		"version: 1\ncredentials: {password: |\n  hunter2\n",
		"version: 1\nx: &p hunter2\ncredentials: {password: *p}\n",
		"version: 1\nkey: |\n  -----BEGIN x\n  hunter2\n",
		"version: 1\ncredentials: {become: hunter2, x: 1}\n",
		"version: 1\nlist: [\"http://joe:hunter2@x/\", {a: b}]\n",
		"version: 1\nbecome_password: hunter2\n",
		"version: 1\npassword: \"hunter2\\q\"\n",
		"version: 1\nport: hunter2_\nport: 3\npassword: \"hunter2\x01\"\n",
	} {
		var s sample
		err := Decode("x", []byte(src), &s).Err()
		p, ok := err.(*Problems) //nolint:errorlint // Err gives nothing else
		if !ok {
			t.Errorf("%q: no problem", src)
			continue
		}
		if text := p.Render() + p.Error() + p.Unwrap().Error(); strings.Contains(text, "hunter2") {
			t.Errorf("%q is shown:\n%s", src, text)
		}
	}
}

// TestReferencesAreShown: only literals are hidden.
func TestReferencesAreShown(t *testing.T) {
	var s sample
	f := Decode("x", []byte("version: 1\ncredentials: {password: env:PW, kye: x}\n"), &s)
	p, _ := f.Err().(*Problems) //nolint:errorlint // Err gives nothing else
	if p == nil || !strings.Contains(p.Render(), "env:PW") {
		t.Errorf("%v", f.Err())
	}
}

func TestLongLinesAreCut(t *testing.T) {
	var s sample
	src := "version: 1\nlist: [" + strings.Repeat("abcdefghij, ", 1000) + "{x: 1}, " + strings.Repeat("k, ", 1000) + "]\n"
	p, _ := Decode("x", []byte(src), &s).Err().(*Problems) //nolint:errorlint // Err gives nothing else
	if p == nil || len([]rune(p.List[0].Source)) > shownBefore+shownAfter+3 {
		t.Fatalf("%+v", p)
	}
	if r := []rune(p.List[0].Source)[p.List[0].Caret-1]; r != '{' {
		t.Errorf("the caret stands under %q in %q", r, p.List[0].Source)
	}
}
