package version

import "strings"

// Pacman orders [epoch:]version[-release] as vercmp and libalpm do. It is rpm's
// ordering of old, with differences: "~" and "^" only separate, more separators are
// greater than fewer, and letters that are left over sort before the end (1.0rc1 is
// before 1.0). A side without a release compares by the version alone.
func Pacman(a, b string) int {
	epochA, a := pacmanEpoch(a)
	epochB, b := pacmanEpoch(b)
	if c := compareNumbers(epochA, epochB); c != 0 {
		return c
	}
	versionA, releaseA, hasA := cutLast(a, '-')
	versionB, releaseB, hasB := cutLast(b, '-')
	if c := pacmanPart(versionA, versionB); c != 0 || !hasA || !hasB {
		return c
	}
	return pacmanPart(releaseA, releaseB)
}

// pacmanEpoch differs from cutEpoch: an empty epoch is one too.
func pacmanEpoch(v string) (epoch, rest string) {
	number, rest := digits(v)
	if after, found := strings.CutPrefix(rest, ":"); found {
		return number, after
	}
	return "", v
}

// pacmanPart is libalpm's rpmvercmp.
func pacmanPart(a, b string) int {
	for a != b && a != "" && b != "" {
		separatorsA, restA := pacmanSeparators(a)
		separatorsB, restB := pacmanSeparators(b)
		a, b = restA, restB
		if a == "" || b == "" {
			break
		}
		if separatorsA != separatorsB {
			return sign(separatorsA - separatorsB)
		}
		c, restA, restB := rpmSegment(a, b)
		if c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return pacmanLeft(a, b)
}

func pacmanSeparators(s string) (count int, rest string) {
	for count < len(s) && !isDigit(s[count]) && !isAlpha(s[count]) {
		count++
	}
	return count, s[count:]
}

// pacmanLeft decides by what is left where at least one side has ended, or where
// both are the same.
func pacmanLeft(a, b string) int {
	switch {
	case a == b:
		return 0
	case a != "" && isAlpha(a[0]), a == "" && !isAlpha(b[0]):
		return -1
	}
	return 1
}
