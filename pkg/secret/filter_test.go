package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/patchring/patchring/pkg/secret"
)

// awkward needs escaping everywhere.
const awkward = `p"a's<s> w/ö&rd+%\7`

func filterOf(values ...string) *secret.Filter {
	f := secret.NewFilter()
	for _, v := range values {
		f.Add(secret.New(v))
	}
	return f
}

// disguises are the ways in which hosts, tools and formats show a value.
func disguises(v string) map[string]string {
	quoted, _ := json.Marshal(v)
	out := map[string]string{
		"raw": v, "json": string(quoted), "go": strconv.Quote(v), "ascii": strconv.QuoteToASCII(v),
		"query": url.QueryEscape(v), "path": url.PathEscape(v), "html": html.EscapeString(v),
		"shell": "'" + strings.ReplaceAll(v, "'", `'\''`) + "'", "csv": `"` + strings.ReplaceAll(v, `"`, `""`) + `"`,
		"hex": hex.EncodeToString([]byte(v)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(v))),
		"userinfo": "https://" + url.UserPassword("ann", v).String() + "@host/",
	}
	for name, e := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw std": base64.RawStdEncoding} {
		for _, before := range []string{"", "u", "us", "user:"} {
			out[name+" behind "+before] = e.EncodeToString([]byte(before + v + "\n"))
			out[name+" alone behind "+before] = e.EncodeToString([]byte(before + v))
		}
	}
	return out
}

func TestFilterKnowsEveryDisguise(t *testing.T) {
	for _, value := range []string{"hunter2-planted", awkward, "Tr0ub4dor&3", "пароль-слово"} {
		f := filterOf(value)
		for name, text := range disguises(value) {
			got := f.Text("before " + text + " after")
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, secret.Hidden) {
				t.Errorf("%s as %s: %q", value, name, got)
			}
			if rest := longestCommon(got, text); rest > 12 && rest > len(text)/2 {
				t.Errorf("%s as %s: %d bytes of it are left: %q", value, name, rest, got)
			}
		}
	}
}

// longestCommon is the length of the longest text that stands in both.
func longestCommon(a, b string) int {
	best := 0
	for i := range b {
		for best < len(b)-i && strings.Contains(a, b[i:i+best+1]) {
			best++
		}
	}
	return best
}

func TestFilterLeavesOtherWords(t *testing.T) {
	for _, c := range []struct{ name, value, text, want string }{
		{"shorter than eight", "hunter2", "hunter2", "hunter2"},
		{"anywhere", "hunter22", "xhunter22y", "x[secret]y"},
		{"twice", "hunter22", "hunter22hunter22", "[secret][secret]"},
		{"lines of a key", "-----BEGIN KEY-----\nAAAABBBBCCCC\nDD==\n-----END KEY-----", "-----BEGIN KEY----- has AAAABBBBCCCC", "-----BEGIN KEY----- has [secret]"},
		{"cut for its length", "hunter2-planted", "it said: hunter2-pl…", "it said: [secret]…"},
		{"where blanks are one", "two  words\tplanted", "two words planted two words\nplanted", "[secret] two words\nplanted"},
		{"with its line break", "hunter2-planted\n", "hunter2-planted.", "[secret]."},
	} {
		if got := filterOf(c.value).Text(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What is public stays legible, whatever password somebody chose.
func TestFilterLeavesPublicNames(t *testing.T) {
	f := filterOf("production", "correct-horse")
	if got := f.Text("production correct-horse"); got != "[secret] [secret]" {
		t.Error(got)
	}
	if n := f.Public("rollout-2026-Production-01", "web") + f.Public("other"); n != 1 {
		t.Errorf("%d secrets are said to be public now", n)
	}
	if got := f.Text("production correct-horse"); got != "production [secret]" {
		t.Error(got)
	}
	for value, want := range map[string]string{"ut-2026-prod": "also a name", "short": "shorter than 8", "": "shorter than 8", "long enough": ""} {
		if got := f.Add(secret.New(value)); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	if got := f.Add(secret.Secret{}); got != "" {
		t.Errorf("of no secret it says %q", got)
	}
}

// Tools break base64 and hex into lines: little of the value is left in any of them.
func TestFilterKnowsWrappedEncodings(t *testing.T) {
	encodings := map[string]func([]byte) string{"base64": base64.StdEncoding.EncodeToString, "url": base64.URLEncoding.EncodeToString, "hex": hex.EncodeToString}
	for _, value := range []string{"a-token-of-sixty-nine-bytes.CAESIJq3xw7nJ0Zl2Y8m5oWc9vT1kPzRb4uEdFgHh", "twenty-three-of-a-plant", strings.Repeat("0123456789-abcdefghijk;", 30)} {
		f := filterOf(value)
		for _, before := range []string{"", "u", "us", "user:", strings.Repeat("b", 50)} {
			for name, encode := range encodings {
				for _, width := range []int{60, 64, 76} {
					got := f.Text(inLines(encode([]byte(before+value)), width))
					secrets := inLines(encode([]byte(strings.Repeat("\x00", len(before))+value)), width)
					if rest := longestCommon(got, secrets); rest > 12 || !strings.Contains(got, secret.Hidden) {
						t.Errorf("%s of %d+%d bytes at %d: %d characters are left: %q", name, len(before), len(value), width, rest, got)
					}
				}
			}
		}
	}
}

func inLines(text string, width int) string {
	var out strings.Builder
	for ; len(text) > width; text = text[width:] {
		out.WriteString(text[:width] + "\n")
	}
	return out.String() + text + "\n"
}

// A long value is known by its pieces, wherever it is cut.
func TestFilterTakesLongValues(t *testing.T) {
	var key strings.Builder
	for i := range 40 {
		fmt.Fprintf(&key, "%03d-long-and-not-repeating;", i)
	}
	got := filterOf(key.String()).Text("x" + key.String() + "y")
	if strings.Contains(got, "long") || !strings.HasPrefix(got, "x[secret]") {
		t.Error(got)
	}
	if got := filterOf(key.String()).Text(base64.StdEncoding.EncodeToString([]byte("1" + key.String()))); len(strings.ReplaceAll(got, secret.Hidden, "")) > 16 {
		t.Error(got)
	}
}

func TestNoFilterChangesNothing(t *testing.T) {
	var none *secret.Filter
	none.Add(secret.New("hunter22"))
	none.Public("x")
	var out bytes.Buffer
	if _, err := io.WriteString(none.Writer(&out), "hunter2"); err != nil || out.String() != "hunter2" {
		t.Errorf("%q, %v", out.String(), err)
	}
	if none.Text("hunter2") != "hunter2" || none.Holds("hunter2") || string(none.Bytes([]byte("hunter2"))) != "hunter2" {
		t.Error("no filter has filtered")
	}
	if got := filterOf("hunter22").Texts([]string{"a", "hunter22"}); got[0] != "a" || got[1] != secret.Hidden {
		t.Error(got)
	}
}

func TestWriterHoldsBackOnlyWhatMayBeASecret(t *testing.T) {
	var out bytes.Buffer
	w := filterOf("hunter2-planted").Writer(&out)
	for _, c := range []struct{ write, want string }{
		{"pass", "pass"}, {"word: hun", "password: "}, {"ter2-pl", "password: "}, {"anted", "password: [secret]"},
		{"\nhunt", "password: [secret]\n"}, {"ing\n", "password: [secret]\nhunting\n"}, {"hunter2", "password: [secret]\nhunting\n"},
	} {
		if n, err := io.WriteString(w, c.write); n != len(c.write) || err != nil {
			t.Fatal(n, err)
		}
		if out.String() != c.want {
			t.Fatalf("after %q: %q, want %q", c.write, out.String(), c.want)
		}
	}
	if err := w.Flush(); err != nil || !strings.HasSuffix(out.String(), "\nhunter2") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestWriterKeepsJSON(t *testing.T) {
	const doc = `{"hunter22": {"port": 12345678, "said": ["it is \"hunter22\"", "a\u0068unter22", 12345678, true], "": "hunter22"}}` + "\n"
	const want = `{"hunter22": {"port": 12345678, "said": ["it is \"[secret]\"", "a[secret]", 12345678, true], "": "[secret]"}}` + "\n"
	const text = "plain hunter22 {\n{not json: \"hunter22\"}\n{\"broken\nhunter22\n"
	const clean = "plain [secret] {\n{not json: \"[secret]\"}\n{\"broken\n[secret]\n"
	if got := piecewise(t, filterOf("hunter22", "12345678"), doc+text+doc, 3); got != want+clean+want {
		t.Errorf("%s", got)
	}
}

// piecewise writes a text in pieces of n bytes.
func piecewise(tb testing.TB, f *secret.Filter, text string, n int) string {
	tb.Helper()
	var out bytes.Buffer
	w := f.Writer(&out)
	for text != "" {
		cut := min(n, len(text))
		if _, err := io.WriteString(w, text[:cut]); err != nil {
			tb.Fatal(err)
		}
		text = text[cut:]
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestWriterSaysWhenItCannot(t *testing.T) {
	if _, err := io.WriteString(filterOf("hunter22").Writer(full{}), "x"); err == nil {
		t.Error("no error")
	}
}

// However a text is cut into writes, the same leaves; and no value does.
func FuzzWriter(f *testing.F) {
	f.Add("the password is hunter22", "hunter22", 1)
	f.Add(`{"a": "hunter22", "b": ["x", {"c": "hun"}]}`+"\n{}\nhunter22", "hunter22", 4)
	f.Add("{\"\x00\"", "aaaaaaaa", 2)
	f.Add("aaaaaaaaaaab", "aaaaaaab", 3)
	f.Add("{\"a\": \"b\"}\nhunter\n2line\n", "hunter\n2line", 5)
	f.Add("aHVudGVyMjItcGxhbnRlZC1ieS\n1hLXRlc3Q=\n", "hunter22-planted-by-a-test", 3)
	f.Fuzz(func(t *testing.T, text, value string, n int) {
		if n < 1 || len(text) > 4096 || len(value) > 512 {
			t.Skip()
		}
		filter := filterOf(value)
		whole, parts := piecewise(t, filter, text, len(text)+1), piecewise(t, filter, text, n)
		if whole != parts {
			t.Errorf("whole %q, in pieces of %d %q", whole, n, parts)
		}
		if len(value) >= 8 && len(value) <= 128 && !strings.Contains(text, "{") && strings.Contains(whole, value) && !overlapping(value) {
			t.Errorf("%q holds %q", whole, value)
		}
		if json.Valid([]byte(text)) && strings.HasPrefix(text, "{") && !json.Valid([]byte(whole)) {
			t.Errorf("%q was JSON, %q is none", text, whole)
		}
	})
}

// overlapping values can be made of what surrounds a replaced one.
func overlapping(value string) bool {
	return strings.ContainsAny(value[:1]+value[len(value)-1:], secret.Hidden)
}

func BenchmarkWriter(b *testing.B) {
	line := strings.Repeat("12:00:01 web-01 apply: installing openssl 3.0.11-1~deb12u2 of 14 packages\n", 100)
	for _, n := range []int{1, 100, 2000} {
		f := secret.NewFilter()
		for i := range n {
			f.Add(secret.New(fmt.Sprintf("s3cret-%d-value", i)))
		}
		b.Run(strconv.Itoa(n)+" secrets", func(b *testing.B) {
			w := f.Writer(io.Discard)
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				_, _ = io.WriteString(w, line)
			}
		})
	}
}
