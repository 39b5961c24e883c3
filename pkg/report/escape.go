package report

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeJSON rewrites JSON so that it can be printed anywhere and still means the same:
// what a terminal, an editor or the log of a CI server would act on becomes \uNNNN. It is
// safe to do on finished JSON, since nothing of that stands outside of strings.
func EscapeJSON(raw []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(raw) + len(raw)/16)
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		switch {
		case r == '#' && bytes.HasSuffix(out.Bytes(), []byte("#")): // ##vso[, ##teamcity[, ##[
			out.WriteString(`\u0023`)
		case r < utf8.RuneSelf && r != unicode.MaxASCII: // which is DEL
			out.WriteByte(raw[0])
		case r == utf8.RuneError && size == 1:
			out.WriteString(`\ufffd`) // no string of Go's own gets so far
		case !unicode.IsPrint(r) || unicode.In(r, unicode.Mn, unicode.Me):
			escapeRune(&out, r)
		default:
			out.Write(raw[:size])
		}
		raw = raw[size:]
	}
	return out.Bytes()
}

func escapeRune(out *bytes.Buffer, r rune) {
	if r <= 0xffff {
		fmt.Fprintf(out, `\u%04x`, r)
		return
	}
	high, low := utf16.EncodeRune(r)
	fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
}
