package version

import "strings"

// Dpkg orders Debian versions, [epoch:]upstream[-revision], as deb-version(7) says
// and `dpkg --compare-versions` does: "~" sorts before the end of the text, letters
// before everything else, numbers by value.
func Dpkg(a, b string) int {
	epochA, a := cutEpoch(a)
	epochB, b := cutEpoch(b)
	if c := compareNumbers(epochA, epochB); c != 0 {
		return c
	}
	upstreamA, revisionA := cutRevision(a)
	upstreamB, revisionB := cutRevision(b)
	if c := dpkgPart(upstreamA, upstreamB); c != 0 {
		return c
	}
	return dpkgPart(revisionA, revisionB)
}

// cutRevision splits at the last hyphen.
func cutRevision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// dpkgPart compares runs of non-digits and runs of digits in turn.
func dpkgPart(a, b string) int {
	for a != "" || b != "" {
		for (a != "" && !isDigit(a[0])) || (b != "" && !isDigit(b[0])) {
			if c := dpkgOrder(a) - dpkgOrder(b); c != 0 {
				return sign(c)
			}
			a, b = dropByte(a), dropByte(b)
		}
		var numberA, numberB string
		numberA, a = digits(a)
		numberB, b = digits(b)
		if c := compareNumbers(numberA, numberB); c != 0 {
			return c
		}
	}
	return 0
}

// dpkgOrder is the weight of the first byte; the end of the text and a digit weigh 0.
func dpkgOrder(s string) int {
	switch {
	case s == "", isDigit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case isAlpha(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

func dropByte(s string) string {
	if s == "" {
		return ""
	}
	return s[1:]
}
