package version

import (
	"slices"
	"strings"
)

// OpenBSD orders versions of packages as pkg_add does: numbers between dots, perhaps
// with a letter or one of alpha, beta, pre, rc and pl at the end, then pN, the package's
// own patch level, then vN, which outranks all the rest. Flavors, after a hyphen, are
// left out.
//
// As in pkg_add not everything can be ordered: pre and rc of one version are equal,
// and pN counts only where the text before it is the same (1.0p1 equals 1.00p2). Where
// such versions meet, order is not transitive.
func OpenBSD(a, b string) int {
	versionA, versionB := openbsdParse(a), openbsdParse(b)
	if c := versionA.epoch.compare(versionB.epoch); c != 0 {
		return c
	}
	if versionA.dewey == versionB.dewey {
		return versionA.patch.compare(versionB.patch)
	}
	return openbsdDewey(versionA.dewey, versionB.dewey)
}

type openbsdVersion struct {
	dewey        string
	patch, epoch openbsdLevel
}

// openbsdLevel is the number of pN or vN; without one it is before all.
type openbsdLevel struct {
	there  bool
	number string
}

func (l openbsdLevel) compare(m openbsdLevel) int {
	if l.there != m.there {
		return order(m.there)
	}
	return compareNumbers(l.number, m.number)
}

func openbsdParse(v string) openbsdVersion {
	v, _, _ = strings.Cut(v, "-")
	v, epoch := cutLevel(v, 'v')
	dewey, patch := cutLevel(v, 'p')
	return openbsdVersion{dewey: dewey, patch: patch, epoch: epoch}
}

// cutLevel takes the letter and the number after it from the end.
func cutLevel(v string, letter byte) (rest string, level openbsdLevel) {
	end := len(strings.TrimRight(v, "0123456789"))
	if end == len(v) || end == 0 || v[end-1] != letter {
		return v, openbsdLevel{}
	}
	number, _ := digits(v[end:])
	return v[:end-1], openbsdLevel{there: true, number: number}
}

func openbsdDewey(a, b string) int {
	partsA, stageA := openbsdSplit(a)
	partsB, stageB := openbsdSplit(b)
	if c := slices.CompareFunc(partsA, partsB, openbsdPart); c != 0 {
		return c
	}
	return stageA.compare(stageB)
}

// openbsdStage is the word at the end of a version, and the number after it.
type openbsdStage struct{ word, number string }

// openbsdSplit splits at the dots; dots at the end do not count.
func openbsdSplit(dewey string) (parts []string, stage openbsdStage) {
	dewey = strings.TrimRight(dewey, ".")
	if dewey == "" {
		return nil, openbsdStage{}
	}
	parts = strings.Split(dewey, ".")
	last := parts[len(parts)-1]
	word := strings.TrimLeft(last, "0123456789")
	number := strings.TrimLeft(word, "abcdefghijklmnopqrstuvwxyz")
	stage.word = strings.TrimSuffix(word, number)
	value, left := digits(number)
	if word == last || left != "" || stage.word == "" || openbsdRank(stage.word) == 0 {
		return parts, openbsdStage{}
	}
	parts[len(parts)-1] = strings.TrimSuffix(last, word)
	stage.number = value
	return parts, stage
}

// openbsdRank of the release itself, without a word, is 4; of an unknown word, 0.
func openbsdRank(word string) int {
	switch word {
	case "alpha":
		return 1
	case "beta":
		return 2
	case "pre", "rc":
		return 3
	case "":
		return 4
	case "pl":
		return 5
	}
	return 0
}

func (s openbsdStage) compare(t openbsdStage) int {
	if s.word == t.word {
		return compareNumbers(s.number, t.number)
	}
	return sign(openbsdRank(s.word) - openbsdRank(t.word))
}

// openbsdPart compares what stands between two dots: by number and then letter where
// both are a number with at most one small letter, else as text.
func openbsdPart(a, b string) int {
	numberA, letterA := digits(a)
	numberB, letterB := digits(b)
	if !openbsdPlain(a, letterA) || !openbsdPlain(b, letterB) {
		return strings.Compare(a, b)
	}
	if c := compareNumbers(numberA, numberB); c != 0 {
		return c
	}
	return strings.Compare(letterA, letterB)
}

func openbsdPlain(part, letter string) bool {
	return len(part) > len(letter) && (letter == "" || len(letter) == 1 && isLower(letter[0]))
}
