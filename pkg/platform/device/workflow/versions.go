package workflow

import (
	"cmp"
	"strings"

	"github.com/patchring/patchring/pkg/version"
)

// is tells whether a version that a device prints is the one that is meant: the same,
// whatever its zeros and separators ("17.12.04" is 17.12.4), or a build of it
// ("17.12.04.0.6"). 17.12.4a is another, and so is 22.4R3-S2 where 22.4R3 is meant.
func is(have, want string) bool {
	h, w := parts(have), parts(want)
	if len(w) == 0 || len(h) < len(w) {
		return false
	}
	for i := range w {
		if h[i] != w[i] {
			return false
		}
	}
	return len(h) == len(w) || numeric(h[len(w)])
}

// order compares two versions as the platform's scheme does.
func (t *task) order(a, b string) int {
	if compare, known := version.Scheme(t.def.Order); known {
		return compare(a, b)
	}
	return natural(a, b)
}

// older tells whether a is older than b, whatever the scheme.
func older(a, b string) bool { return natural(a, b) < 0 }

// natural orders numbers by their value, letters by the alphabet, and of two that begin
// alike the longer is the newer.
func natural(a, b string) int {
	compare, _ := version.Scheme("generic")
	return compare(a, b)
}

func numeric(part string) bool { return part != "" && '0' <= part[0] && part[0] <= '9' }

// parts are the runs of digits, without leading zeros, and of letters, in lower case.
func parts(text string) []string {
	var list []string
	last := byte(' ')
	for _, c := range []byte(strings.ToLower(text)) {
		kind := kindOf(c)
		switch kind {
		case ' ':
		case last:
			list[len(list)-1] += string(c)
		default:
			list = append(list, string(c))
		}
		last = kind
	}
	for i, part := range list {
		if numeric(part) {
			list[i] = cmp.Or(strings.TrimLeft(part, "0"), "0")
		}
	}
	return list
}

func kindOf(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return '0'
	case 'a' <= c && c <= 'z':
		return 'a'
	}
	return ' '
}
