// Package version holds the orderings of package versions, one file a scheme, each
// as the scheme's own tool orders them. All functions return -1, 0 or +1, accept
// any text, and never fail: an odd version sorts somewhere, always in the same place.
package version

import "strings"

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// cutLast splits at the last sep.
func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// digits splits off the leading digits, without their leading zeros.
func digits(s string) (number, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

// compareNumbers compares digit strings of any length without leading zeros.
func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

// cutEpoch splits "epoch:rest"; the epoch is without leading zeros. Where what
// stands before the colon is not a number, there is no epoch.
func cutEpoch(v string) (epoch, rest string) {
	before, after, found := strings.Cut(v, ":")
	number, left := digits(before)
	if !found || left != "" {
		return "", v
	}
	return number, after
}
