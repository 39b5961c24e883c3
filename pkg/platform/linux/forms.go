package linux

import (
	"strings"

	"github.com/patchring/patchring/pkg/patch"
)

// What a host says of its packages must have these forms before it goes anywhere:
// into facts, into argv, to the screen. They are a little wider than the policies
// of Debian and RPM, and never begin with a hyphen. Plain loops, since detection asks
// them of every word: regular expressions were half of its CPU.

const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// IsName tells whether it can be a package's name.
func IsName(s string) bool { return formed(s, alnum+"_", alnum+"+._-", 200) }

// IsVersion tells whether it can be a version, with its epoch and release.
func IsVersion(s string) bool { return formed(s, alnum, alnum+".+:~^_,-", 200) }

// IsArch tells whether it can be an architecture.
func IsArch(s string) bool { return formed(s, alnum, alnum+"_-", 32) }

// isPath: absolute, without anything that could lead out of it or that a package's file
// does not have in its name.
func isPath(s string) bool {
	return formed(s, "/", alnum+"/.+:~%^_,-", 1000) && !strings.Contains(s, "/.") && !strings.Contains(s, "//")
}

// isAddress: of a web server, with nothing that a shell or a browser would read more into.
func isAddress(s string) bool {
	rest, plain := strings.CutPrefix(s, "http://")
	if !plain {
		rest, plain = strings.CutPrefix(s, "https://")
	}
	return plain && formed(rest, alnum+"[", alnum+"/.+:~%_@[]-", 1000)
}

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

// IsCVE tells of "CVE-", a year, and a number of four digits or more.
func IsCVE(s string) bool {
	const shape = "CVE-0000-0000"
	return len(s) >= len(shape) && len(s) <= len(shape)+15 && Shaped(s, shape+strings.Repeat("0", len(s)-len(shape)))
}

// Shaped tells that it is as the shape, with any digit where that has a 0.
func Shaped(s, shape string) bool {
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

// WellFormed keeps everything that is not a plain name, version or architecture out.
func WellFormed(u patch.Update) bool {
	return IsName(u.Name) && IsVersion(u.To) &&
		(u.From == "" || IsVersion(u.From)) && (u.Arch == "" || IsArch(u.Arch))
}
