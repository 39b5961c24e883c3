package version

import (
	"strconv"
	"strings"
)

// FreeBSD orders version[_revision][,epoch] as pkg does (pkg version -t): the epoch,
// then the version, then the port's revision. A version is made of components, each a
// number, a letter and a patch level, and missing components are 0: 1 is 1.0. Case and
// the kind of separator do not matter. The name of a package before the last hyphen is
// left out, as pkg leaves it out.
func FreeBSD(a, b string) int {
	versionA, revisionA, epochA := freebsdSplit(a)
	versionB, revisionB, epochB := freebsdSplit(b)
	if epochA != epochB {
		return order(epochA < epochB)
	}
	if c := freebsdParts(versionA, versionB); c != 0 {
		return c
	}
	if revisionA != revisionB {
		return order(revisionA < revisionB)
	}
	return 0
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

// freebsdSplit looks for the epoch only after the revision, if there is one.
func freebsdSplit(v string) (version string, revision, epoch uint64) {
	if _, after, found := cutLast(v, '-'); found {
		v = after
	}
	version, tail, hasRevision := cutLast(v, '_')
	if hasRevision {
		_, number, _ := cutLast(tail, ',')
		return version, freebsdNumber(tail), freebsdNumber(number)
	}
	version, number, _ := cutLast(v, ',')
	return version, 0, freebsdNumber(number)
}

// freebsdNumber reads leading digits as C does: a number too big is the biggest.
func freebsdNumber(s string) uint64 {
	number, _ := digits(strings.TrimPrefix(strings.TrimLeft(s, " \t\n\v\f\r"), "+"))
	value, _ := strconv.ParseUint("0"+number, 10, 64)
	return value
}

// freebsdParts compares component by component; a "+" begins a new block, which
// counts only where all of the block before is equal: 1.0.1+0 is greater than 1+9.
func freebsdParts(a, b string) int {
	for a != "" || b != "" {
		endA, endB := freebsdBlockEnd(a), freebsdBlockEnd(b)
		if endA && endB {
			a, b = dropByte(a), dropByte(b)
			continue
		}
		var partA, partB freebsdPart
		if !endA {
			partA, a = freebsdNext(a)
		}
		if !endB {
			partB, b = freebsdNext(b)
		}
		if c := partA.compare(partB); c != 0 {
			return c
		}
	}
	return 0
}

func freebsdBlockEnd(s string) bool { return s == "" || s[0] == '+' }

// freebsdPart is one component; the zero value is what a missing one counts as.
type freebsdPart struct {
	number int64 // -1 where there is none, -2 for "*"
	letter int   // 1 for a
	patch  int64 // -1 where there is a letter, and no number after it
}

func (p freebsdPart) compare(q freebsdPart) int {
	switch {
	case p.number != q.number:
		return order(p.number < q.number)
	case p.letter != q.letter:
		return order(p.letter < q.letter)
	case p.patch != q.patch:
		return order(p.patch < q.patch)
	}
	return 0
}

// freebsdNext splits off one component, with the separators after it. Text that is not
// empty always gets shorter.
func freebsdNext(s string) (part freebsdPart, rest string) {
	bare := false
	switch {
	case isDigit(s[0]):
		part.number, s = freebsdInt(s)
	case s[0] == '*':
		part.number = -2
		s = s[blockLength(s):]
	default:
		part.number, bare = -1, true
	}
	letter, length, stage := freebsdLetter(s)
	if length > 0 && (bare || !stage) {
		part.letter, part.patch, s = letter, -1, s[length:]
		if s != "" && isDigit(s[0]) {
			part.patch, s = freebsdInt(s)
		}
	}
	return part, strings.TrimLeftFunc(s, freebsdSeparator)
}

func blockLength(s string) int {
	if i := strings.IndexByte(s, '+'); i >= 0 {
		return i
	}
	return len(s)
}

func freebsdSeparator(r rune) bool {
	return r >= 0x80 || !isDigit(byte(r&0x7f)) && !isAlpha(byte(r&0x7f)) && r != '+' && r != '*'
}

// freebsdInt reads digits; a number too big is the biggest.
func freebsdInt(s string) (value int64, rest string) {
	number, rest := digits(s)
	value, _ = strconv.ParseInt("0"+number, 10, 64)
	return value, rest
}

// freebsdLetter reads a word, of which the first letter counts. A word that is a stage
// of a release never belongs to the number before it: 1rc2 is 1 and then rc2. "pl"
// sorts before every letter.
func freebsdLetter(s string) (letter, length int, stage bool) {
	length = letters(s)
	if length == 0 {
		return 0, 0, false
	}
	word := strings.ToLower(s[:length])
	switch word {
	case "pl":
		return 0, length, true
	case "alpha", "beta", "pre", "rc":
		stage = true
	}
	return int(word[0]-'a') + 1, length, stage
}
