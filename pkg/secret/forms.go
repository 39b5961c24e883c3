package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
)

// Of what is filtered.
const (
	leastValue = 8   // bytes; a shorter one is too often a part of other words
	leastCut   = 4   // bytes of one that was cut: its ellipsis tells
	longest    = 128 // bytes of a pattern: a longer value is known by its pieces
	piece      = 64  // bytes of such a piece
)

// forms are all the texts by which a value may leave: as it is, its lines, and each as
// base64, hex, in a URL, in JSON, in HTML, quoted for a shell or for CSV.
func forms(value string) map[string]bool {
	out := map[string]bool{}
	for _, v := range parts(value) {
		keep(out, v)
		for _, other := range append(quoted(v), encoded(v)...) {
			keep(out, other)
		}
	}
	return out
}

// parts are the value and, where it has several, its lines: a host shows them one by one.
func parts(value string) []string {
	out := []string{value}
	for _, other := range []string{strings.TrimSpace(value), oneLine(value)} {
		if other != value && len(other) >= leastValue {
			out = append(out, other)
		}
	}
	lines := strings.Split(value, "\n")
	if len(lines) == 1 {
		return out
	}
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if len(line) >= leastValue && !strings.HasPrefix(line, "-----") {
			out = append(out, line)
		}
	}
	return out
}

// oneLine is what is left of a value where blanks are not told apart.
func oneLine(value string) string { return strings.Join(strings.Fields(value), " ") }

// keep adds a form; a long one by pieces that cover it.
func keep(out map[string]bool, text string) {
	for len(text) > longest {
		out[text[:piece]] = true
		text = text[piece:]
	}
	out[text] = true
}

// quoted are the forms that keep most of the value legible; those that are the value
// itself cost nothing.
func quoted(v string) []string {
	plain, _ := json.Marshal(v) //nolint:errchkjson // a string can't fail
	ascii := strconv.QuoteToASCII(v)
	goish := strconv.Quote(v)
	return []string{
		inner(string(plain)), inner(unescapedHTML(v)), inner(ascii), inner(goish),
		url.QueryEscape(v), url.PathEscape(v), lowerEscapes(url.QueryEscape(v)), lowerEscapes(url.PathEscape(v)),
		strings.ReplaceAll(url.QueryEscape(v), "+", "%20"),
		html.EscapeString(v), strings.ReplaceAll(v, `"`, `""`),
		strings.ReplaceAll(v, "'", `'\''`), strings.ReplaceAll(v, "'", `'"'"'`), backslashed(v),
	}
}

// inner is a quoted text without its quotes.
func inner(text string) string { return text[1 : len(text)-1] }

// unescapedHTML is JSON as encoders write it that leave < and > alone.
func unescapedHTML(v string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) //nolint:errchkjson // a string can't fail
	return strings.TrimSuffix(b.String(), "\n")
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(out)
}

// backslashed is what bash's printf %q makes of most texts.
func backslashed(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if strings.IndexByte(" \t!\"#$&'()*,;<>?[\\]^`{|}~", v[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// encoded are base64, wherever in a longer text the value began, and hex.
func encoded(v string) []string {
	lower := hex.EncodeToString([]byte(v))
	out := []string{lower, strings.ToUpper(lower), base64.RawStdEncoding.EncodeToString([]byte(v)), base64.RawURLEncoding.EncodeToString([]byte(v))}
	for shift := range 3 {
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			out = append(out, coreOf(v, shift, alphabet))
		}
	}
	return out
}

// coreOf is the base64 that depends on the value alone, where shift bytes stand before it.
func coreOf(v string, shift int, alphabet *base64.Encoding) string {
	text := alphabet.EncodeToString([]byte(strings.Repeat("\x00", shift) + v))
	from, to := (shift*8+5)/6, (shift+len(v))*8/6
	return text[from:to]
}

// window is a piece of a value in base64 or hex. Tools break these into lines, anywhere in a
// value: base64 behind 76 characters, openssl behind 64, xxd behind 60.
type window struct {
	text    string
	repeats kind // as many bytes as the next window has in common with it
}

// wrapped are the windows of a value's lines. They begin where a line can.
func wrapped(value string) []window {
	var out []window
	for line := range strings.SplitSeq(value, "\n") {
		if len(line) < leastValue || strings.HasPrefix(line, "-----") {
			continue
		}
		lower := hex.EncodeToString([]byte(line))
		out = append(append(out, windows(lower, 2, 10)...), windows(strings.ToUpper(lower), 2, 10)...)
		for shift := range 3 {
			begins := (4 - (shift*8+5)/6%4) % 4 // of the first four characters that stand for this line alone
			for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				out = append(out, windows(coreOf(line, shift, alphabet)[begins:], 4, 4)...)
			}
		}
	}
	return out
}

func windows(text string, step int, repeats kind) []window {
	var out []window
	size := step + int(repeats)
	for at := 0; at+size <= len(text); at += step {
		out = append(out, window{text[at : at+size], repeats})
	}
	return out
}
