package linux

import "strings"

// What a host says of its packages must have these forms before it goes anywhere:
// into facts, into argv, to the screen. They are a little wider than the policies
// of Debian and RPM, and never begin with a hyphen. Plain loops, since detection asks
// them of every word: regular expressions were half of its CPU.

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func isName(s string) bool    { return formed(s, alnum+"_", alnum+"+._-", 200) }
func isVersion(s string) bool { return formed(s, alnum, alnum+".+:~^_-", 200) }
func isArch(s string) bool    { return formed(s, alnum, alnum+"_-", 32) }

// formed: 1 to most bytes, the first of which is of first and the others of rest.
func formed(s, first, rest string, most int) bool {
	if s == "" || len(s) > most || strings.IndexByte(first, s[0]) < 0 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if strings.IndexByte(rest, s[i]) < 0 {
			return false
		}
	}
	return true
}

// isCVE: "CVE-", a year, and a number of four digits or more.
func isCVE(s string) bool {
	const shape = "CVE-0000-0000"
	return len(s) >= len(shape) && len(s) <= len(shape)+15 && shaped(s, shape+strings.Repeat("0", len(s)-len(shape)))
}

// shaped: as the shape, with any digit where that has a 0.
func shaped(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if s[i] != shape[i] && (shape[i] != '0' || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}
