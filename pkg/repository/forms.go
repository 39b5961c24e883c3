package repository

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"
)

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// check holds an entry to plain forms: a little wider than any family's own policy,
// and nothing in them can move a cursor, be an option, or leave a folder.
func (e *Entry) check() error {
	switch {
	case !formed(e.Name, alnum+"_@", alnum+"+._@-", 200):
		return fmt.Errorf("package name %s: %w", quote(e.Name), ErrFormat)
	case !formed(e.Version, alnum, alnum+".+:~^_-", 200):
		return fmt.Errorf("version %s of %s: %w", quote(e.Version), e.Name, ErrFormat)
	case !formed(e.Arch, alnum, alnum+"_-", 32):
		return fmt.Errorf("architecture %s of %s: %w", quote(e.Arch), e.Name, ErrFormat)
	case e.Size < 0:
		return fmt.Errorf("size of %s: %w", e.Name, ErrFormat)
	}
	file, ok := inside(e.File)
	if !ok {
		return fmt.Errorf("file %s of %s: %w", quote(e.File), e.Name, ErrFormat)
	}
	e.File = file
	return nil
}

// formed: 1 to most bytes, the first of which is of first and the others of rest.
func formed(s, first, rest string, most int) bool {
	if s == "" || len(s) > most || strings.IndexByte(first, s[0]) < 0 {
		return false
	}
	return strings.Trim(s[1:], rest) == ""
}

// inside gives the plain form of a path that stays below where it starts. "./x" is
// what flat apt repositories write; any ".." is refused, even one that would be harmless.
func inside(file string) (string, bool) {
	odd := func(r rune) bool {
		return r == unicode.ReplacementChar || r == '\\' || !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r)
	}
	if file == "" || len(file) > 1024 || file[0] == '/' || strings.TrimSpace(file) != file || strings.ContainsFunc(file, odd) {
		return "", false
	}
	for part := range strings.SplitSeq(file, "/") {
		if part == ".." {
			return "", false
		}
	}
	plain := path.Clean(file)
	return plain, plain != "." && plain[0] != '-'
}

// clean makes foreign text harmless for terminals and records.
func clean(text string) string {
	const most = 200
	out := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
			return '?'
		}
		return r
	}, text[:min(len(text), most)])
	return strings.TrimSpace(out)
}

func quote(text string) string { return strconv.QuoteToASCII(text[:min(len(text), 60)]) }

// number reads a decimal count of bytes. Nothing at all is 0, unknown.
func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		return 0, fmt.Errorf("number %s: %w", quote(text), ErrFormat)
	}
	return int64(n), nil
}
