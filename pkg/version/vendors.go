package version

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// vendor is how a maker of devices writes versions. All of them are numbers and words in
// a row; what stands between them is only decoration: 9.3(6) and 9.3.6 are one version,
// and so are 17.03.01a and 17.3.1a. They differ in the words that come before a release,
// in what is no part of the version, and in whether a word or a number is the greater
// addition.
type vendor struct {
	before []string       // words of what comes before the release: rc, beta
	drop   *regexp.Regexp // cut out before anything is compared
	// wordsLast: 22.4R3-S1 is newer than 22.4R3.10, whose last number is only a build.
	wordsLast bool
}

// What is no part of a version.
var (
	leadingV    = regexp.MustCompile(`(?i)^v(\d)`)
	imagePrefix = regexp.MustCompile(`^[A-Z]{2}\.`)                          // AOS-CX and AOS-S: the hardware that an image is for
	channel     = regexp.MustCompile(`(?i)\s*\((stable|long-term|lts)\).*$`) // RouterOS
	buildDate   = regexp.MustCompile(`(?i),\s*build.*$`)                     // FortiOS: v7.4.7,build2731,250120 (GA.M)
)

// vendors are the schemes by name, from the makers' release notes.
func vendors() map[string]vendor {
	early := []string{"alpha", "beta", "dev", "eft", "pre", "preview", "rc"}
	plain := vendor{before: early}
	with := func(more ...string) vendor { return vendor{before: append(slices.Clone(early), more...)} }
	without := func(drop *regexp.Regexp) vendor { return vendor{before: early, drop: drop} }
	return map[string]vendor{
		"generic": plain, "dotted": plain,
		"iosxe": plain, "ios": plain, "iosxr": plain, "nxos": plain, "asa": plain, "eos": plain, "f5": plain, "esxi": plain,
		"junos":    {before: []string{"b", "i"}, wordsLast: true},
		"ontap":    with("x"),
		"panos":    with("b"),
		"fortios":  without(buildDate),
		"aoscx":    without(imagePrefix),
		"aoss":     without(imagePrefix),
		"routeros": without(channel), //nolint:misspell // the product's name
	}
}

// Schemes are the names of the vendors' orderings.
func Schemes() []string { return slices.Sorted(maps.Keys(vendors())) }

// Scheme gives a vendor's ordering by name: -1, 0 or +1. Versions that compare as 0 are
// spellings of one version.
func Scheme(name string) (compare func(a, b string) int, ok bool) {
	v, ok := vendors()[name]
	if !ok {
		return nil, false
	}
	return v.compare, true
}

func (v vendor) compare(a, b string) int {
	x, y := v.parts(a), v.parts(b)
	for i := range max(len(x), len(y)) {
		if c := v.order(at(x, i), at(y, i)); c != 0 {
			return c
		}
	}
	return 0
}

func at(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// parts are a version's numbers, without leading zeros, and its words, in lower case.
func (v vendor) parts(version string) []string {
	version = leadingV.ReplaceAllString(strings.TrimSpace(version), "$1")
	if v.drop != nil {
		version = v.drop.ReplaceAllString(version, "")
	}
	var list []string
	for rest := strings.ToLower(version); rest != ""; {
		switch {
		case isDigit(rest[0]):
			var number string
			number, rest = digits(rest)
			list = append(list, cmp.Or(number, "0"))
		case isLower(rest[0]):
			end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
			if end < 0 {
				end = len(rest)
			}
			list, rest = append(list, rest[:end]), rest[end:]
		default:
			rest = rest[1:]
		}
	}
	return list
}

// order compares two parts; the end of a version is "".
func (v vendor) order(a, b string) int {
	if x, y := v.rank(a), v.rank(b); x != y {
		return sign(x - y)
	}
	if a != "" && isDigit(a[0]) {
		return compareNumbers(zeroless(a), zeroless(b))
	}
	return strings.Compare(a, b)
}

func zeroless(number string) string { return strings.TrimLeft(number, "0") }

func (v vendor) rank(part string) int {
	switch {
	case slices.Contains(v.before, part):
		return 0
	case part == "":
		return 1
	case isDigit(part[0]) != v.wordsLast:
		return 3
	}
	return 2
}

// Canonical is a version's one spelling in a scheme: two versions that compare as 0 have
// the same one. Where nobody knows the scheme, it is the version itself.
func Canonical(scheme, version string) string {
	v, ok := vendors()[scheme]
	if !ok {
		return version
	}
	var out strings.Builder
	before := ""
	for _, part := range v.parts(version) {
		if before != "" && isDigit(before[0]) == isDigit(part[0]) {
			out.WriteByte('.')
		}
		out.WriteString(part)
		before = part
	}
	return out.String()
}
