package version

import "strings"

// RPM orders [epoch:]version[-release] as rpm does: no epoch is epoch 0; then the
// version, then the release, each by rpmvercmp. A side without a release compares
// by the version alone, as rpm's own dependencies do. zypper orders the same (zypper
// versioncmp -m); without -m it puts a version without a release before its releases.
func RPM(a, b string) int {
	epochA, a := cutEpoch(a)
	epochB, b := cutEpoch(b)
	if c := compareNumbers(epochA, epochB); c != 0 {
		return c
	}
	versionA, releaseA := cutRevision(a)
	versionB, releaseB := cutRevision(b)
	if c := rpmPart(versionA, versionB); c != 0 || releaseA == "" || releaseB == "" {
		return c
	}
	return rpmPart(releaseA, releaseB)
}

// rpmPart is rpmvercmp: separators only separate, "~" sorts before everything and
// "^" before everything but the end, numbers after letters.
func rpmPart(a, b string) int {
	for a != "" || b != "" {
		a, b = strings.TrimLeftFunc(a, rpmSeparator), strings.TrimLeftFunc(b, rpmSeparator)
		if c, decided, again := rpmMarks(&a, &b); decided || again {
			if decided {
				return c
			}
			continue
		}
		if a == "" || b == "" {
			break
		}
		c, restA, restB := rpmSegment(a, b)
		if c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return sign(len(a) - len(b))
}

func rpmSeparator(r rune) bool {
	return r >= 0x80 || !isDigit(byte(r&0x7f)) && !isAlpha(byte(r&0x7f)) && r != '~' && r != '^'
}

// rpmMarks handles a leading "~" or "^". It has either decided, or consumed the
// mark on both sides and the comparison goes on (again), or met no mark.
func rpmMarks(a, b *string) (order int, decided, again bool) {
	for _, mark := range [...]string{"~", "^"} {
		hasA, hasB := strings.HasPrefix(*a, mark), strings.HasPrefix(*b, mark)
		switch {
		case hasA && hasB:
			*a, *b = (*a)[1:], (*b)[1:]
			return 0, false, true
		case !hasA && !hasB:
			continue
		case mark == "^" && *a == "":
			return -1, true, false
		case mark == "^" && *b == "":
			return 1, true, false
		case hasA:
			return -1, true, false
		}
		return 1, true, false
	}
	return 0, false, false
}

// rpmSegment compares the leading run of digits or of letters, as a's first byte is.
func rpmSegment(a, b string) (order int, restA, restB string) {
	if isDigit(a[0]) {
		if !isDigit(b[0]) {
			return 1, a, b
		}
		numberA, restA := digits(a)
		numberB, restB := digits(b)
		return compareNumbers(numberA, numberB), restA, restB
	}
	if !isAlpha(b[0]) {
		return -1, a, b
	}
	endA, endB := letters(a), letters(b)
	return strings.Compare(a[:endA], b[:endB]), a[endA:], b[endB:]
}

func letters(s string) int {
	end := 0
	for end < len(s) && isAlpha(s[end]) {
		end++
	}
	return end
}
