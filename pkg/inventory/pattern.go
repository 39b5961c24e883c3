package inventory

import (
	"path"
	"slices"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// maxPattern bounds a pattern's length in bytes.
const maxPattern = 1 << 20

// term is one part of a pattern.
type term struct {
	op   byte   // 0: add, '&': keep only, '!': leave out
	text string // what it names
}

// parsePattern splits at colons and commas outside of brackets, and orders the parts
// as Ansible does: what is added first, then what is kept, then what is left out,
// wherever they stand. Where nothing is added, everything is.
func parsePattern(pattern string) ([]term, error) {
	if len(pattern) > maxPattern {
		return nil, fault.Usagef("put the hosts into a file and write @FILE", "the pattern is longer than %d bytes", maxPattern)
	}
	var terms []term
	for _, part := range split(pattern) {
		t := term{text: part}
		if part[0] == '&' || part[0] == '!' {
			t = term{op: part[0], text: strings.TrimSpace(part[1:])}
		}
		if t.text == "" {
			return nil, fault.Usagef("write a name behind it", "nothing stands behind the %q of the pattern", part)
		}
		terms = append(terms, t)
	}
	if len(terms) == 0 {
		return nil, fault.Usagef(`write "all" if you mean every host`, "the pattern is empty")
	}
	slices.SortStableFunc(terms, func(a, b term) int { return rank(a.op) - rank(b.op) })
	if terms[0].op != 0 {
		terms = slices.Insert(terms, 0, term{text: "all"})
	}
	return terms, nil
}

func rank(op byte) int { return strings.IndexByte("\x00&!", op) }

// split gives the parts of a pattern without empty ones.
func split(pattern string) []string {
	var parts []string
	depth, start := 0, 0
	add := func(end int) {
		if part := strings.TrimSpace(pattern[start:end]); part != "" {
			parts = append(parts, part)
		}
	}
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case (c == ':' || c == ',') && depth == 0:
			add(i)
			start = i + 1
		}
	}
	add(len(pattern))
	return parts
}

// isGlob tells whether a name stands for several.
func isGlob(text string) bool { return strings.ContainsAny(text, "*?[") }

// glob makes a matcher of a shell-like pattern. [!a] is the same as [^a].
func glob(text string) (func(string) bool, error) {
	text = strings.ReplaceAll(text, "[!", "[^")
	if _, err := path.Match(text, ""); err != nil || strings.ContainsRune(text, '\\') {
		return nil, fault.Usagef("* is any text, ? one character, [abc] one of these", "`%s` is not a pattern", text)
	}
	return func(name string) bool {
		ok, _ := path.Match(text, name)
		return ok
	}, nil
}

// hasRange tells a range of the inventory (web-[01:04]) from a glob's class ([abc]).
func hasRange(text string) bool {
	open := strings.IndexByte(text, '[')
	return open >= 0 && strings.Contains(text[open:], ":")
}

// CheckPattern tells whether a pattern can be read, whatever hosts there are.
func CheckPattern(pattern string) error {
	terms, err := parsePattern(pattern)
	if err != nil {
		return err
	}
	for _, t := range terms {
		check := t.text
		if hasRange(check) {
			_, err = expand(check)
		} else if isGlob(check) {
			_, err = glob(check)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
