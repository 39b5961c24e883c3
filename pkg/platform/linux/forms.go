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
