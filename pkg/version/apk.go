package version

import "strings"

// Apk orders Alpine versions as apk-tools 3 does:
// number{.number}{letter}{_suffix{number}}{~hash}{-rN}.
// The longer of two versions with a common beginning is the greater, unless what it
// has more is a suffix of before the release (_alpha, _beta, _pre, _rc) or no version
// at all. From where both are no version, they are equal: apk refuses to compare them.
//
// apk-tools 2 differs: older ones know no ~hash, and where a number after a dot is only
// zeros they put 1.0_rc1 after 1.0, and 1.00 before it. What such a host itself says of
// its updates counts more than this. Numbers from 2^64 on are compared by value here;
// in apk they begin anew.
func Apk(a, b string) int {
	tokenA, tokenB := apkFirst(a), apkFirst(b)
	for tokenA.kind == tokenB.kind && tokenA.kind < apkEnd {
		if c := apkCompare(tokenA, tokenB); c != 0 {
			return c
		}
		tokenA, tokenB = tokenA.next(), tokenB.next()
	}
	beforeA, beforeB := tokenA.beforeRelease(), tokenB.beforeRelease()
	switch {
	case beforeA == beforeB:
		return sign(int(tokenB.kind) - int(tokenA.kind))
	case beforeA:
		return -1
	}
	return 1
}

// apkKind is what a piece of a version is; where two versions part, the one whose
// piece is of the later kind is the lesser.
type apkKind int

const (
	apkInitial apkKind = iota
	apkNumber
	apkLetter
	apkSuffix
	apkSuffixNumber
	apkHash
	apkRevision
	apkEnd
	apkInvalid
)

// apkToken is one piece of a version, and the text after it.
type apkToken struct {
	kind  apkKind
	value string
	rank  int // of a suffix; those of before the release are negative
	rest  string
}

func apkFirst(v string) apkToken { return apkDigits(apkInitial, v) }

// apkDigits is a token of at least one digit.
func apkDigits(kind apkKind, s string) apkToken {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if end == 0 {
		return apkToken{kind: apkInvalid}
	}
	return apkToken{kind: kind, value: s[:end], rest: s[end:]}
}

// next is the token after t. What may follow depends on the kind of t alone.
func (t apkToken) next() apkToken {
	if t.rest == "" {
		return apkToken{kind: apkEnd}
	}
	first, rest := t.rest[0], t.rest[1:]
	switch {
	case first == '.' && t.kind <= apkNumber:
		return apkDigits(apkNumber, rest)
	case isDigit(first) && t.kind == apkSuffix:
		return apkDigits(apkSuffixNumber, t.rest)
	case isLower(first) && t.kind <= apkNumber:
		return apkToken{kind: apkLetter, value: t.rest[:1], rest: rest}
	case first == '_' && t.kind <= apkSuffixNumber:
		return apkSuffixToken(rest)
	case first == '~' && t.kind < apkHash:
		return apkHashToken(rest)
	case first == '-' && t.kind < apkRevision && strings.HasPrefix(rest, "r"):
		return apkDigits(apkRevision, rest[1:])
	}
	return apkToken{kind: apkInvalid}
}

// apkRank is negative for the suffixes of before the release; the release itself, with
// none, would be 0.
func apkRank(suffix string) (rank int, known bool) {
	for i, s := range [...]string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"} {
		if s == suffix && s != "" {
			return i - 4, true
		}
	}
	return 0, false
}

func apkSuffixToken(s string) apkToken {
	end := 0
	for end < len(s) && isLower(s[end]) {
		end++
	}
	rank, known := apkRank(s[:end])
	if !known {
		return apkToken{kind: apkInvalid}
	}
	return apkToken{kind: apkSuffix, value: s[:end], rank: rank, rest: s[end:]}
}

func apkHashToken(s string) apkToken {
	end := len(s) - len(strings.TrimLeft(s, "0123456789abcdef"))
	if end == 0 {
		return apkToken{kind: apkInvalid}
	}
	return apkToken{kind: apkHash, value: s[:end], rest: s[end:]}
}

func (t apkToken) beforeRelease() bool { return t.kind == apkSuffix && t.rank < 0 }

// apkCompare compares two tokens of one kind.
func apkCompare(a, b apkToken) int {
	switch a.kind {
	case apkSuffix:
		return sign(a.rank - b.rank)
	case apkLetter, apkHash:
		return strings.Compare(a.value, b.value)
	case apkNumber:
		// As decimals after the point: 1.05 is before 1.1.
		if a.value[0] == '0' || b.value[0] == '0' {
			return strings.Compare(a.value, b.value)
		}
	}
	numberA, _ := digits(a.value)
	numberB, _ := digits(b.value)
	return compareNumbers(numberA, numberB)
}
