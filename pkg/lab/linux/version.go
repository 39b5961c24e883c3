package linux

import (
	"cmp"
	"strconv"
	"strings"
)

// compare orders versions: negative when a is older. Debian's rules serve for RPM
// too: the versions of a fleet file use neither ^ nor letters in odd places.
func compare(a, b string) int {
	ae, av := epoch(a)
	be, bv := epoch(b)
	if ae != be {
		return cmp.Compare(ae, be)
	}
	au, ar := revision(av)
	bu, br := revision(bv)
	return cmp.Or(compareParts(au, bu), compareParts(ar, br))
}

func epoch(v string) (int, string) {
	before, after, ok := strings.Cut(v, ":")
	if !ok {
		return 0, v
	}
	n, err := strconv.Atoi(before)
	if err != nil {
		return 0, v
	}
	return n, after
}

func revision(v string) (upstream, rev string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// compareParts alternates between runs of non-digits and of digits.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		x, y := run(a, false), run(b, false)
		a, b = a[len(x):], b[len(y):]
		if order := compareText(x, y); order != 0 {
			return order
		}
		x, y = run(a, true), run(b, true)
		a, b = a[len(x):], b[len(y):]
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if order := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); order != 0 {
			return order
		}
	}
	return 0
}

func run(s string, digits bool) string {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9') == digits {
		end++
	}
	return s[:end]
}

// compareText: a tilde sorts before the end, letters before everything else.
func compareText(a, b string) int {
	for i := range max(len(a), len(b)) {
		if order := cmp.Compare(weight(a, i), weight(b, i)); order != 0 {
			return order
		}
	}
	return 0
}

func weight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	c := s[i]
	switch {
	case c == '~':
		return -1
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return int(c)
	}
	return int(c) + 256
}
