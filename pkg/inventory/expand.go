package inventory

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchring/patchring/pkg/fault"
)

// maxHosts bounds what ranges can make of a small file.
const maxHosts = 100_000

const rangeHint = "write web-[01:04], web-[1:9:2] (every second) or rack-[a:f]"

// expand turns "web-[01:03]" into web-01, web-02, web-03. A leading zero keeps the
// width; several ranges multiply, the last running fastest. A text without brackets
// is itself.
func expand(text string) ([]string, error) {
	names := []string{""}
	rest := text
	for rest != "" {
		literal, inner, after, err := cutRange(rest)
		if err != nil {
			return nil, err
		}
		parts := []string{""}
		if inner != "" {
			if parts, err = span(inner); err != nil {
				return nil, err
			}
		}
		if len(names)*len(parts) > maxHosts {
			return nil, fault.Usagef("", "the range `%s` stands for more than %d hosts", text, maxHosts)
		}
		names = product(names, literal, parts)
		rest = after
	}
	return names, nil
}

// cutRange gives what stands before the first bracket, in it, and after it.
func cutRange(text string) (literal, inner, after string, err error) {
	open := strings.IndexAny(text, "[]")
	if open < 0 {
		return text, "", "", nil
	}
	length := strings.IndexAny(text[open+1:], "[]")
	if text[open] == ']' || length <= 0 || text[open+1+length] != ']' {
		return "", "", "", fault.Usagef(rangeHint, "the brackets of a range don't match")
	}
	return text[:open], text[open+1 : open+1+length], text[open+2+length:], nil
}

// product appends literal and each part to each name.
func product(names []string, literal string, parts []string) []string {
	made := make([]string, 0, len(names)*len(parts))
	for _, name := range names {
		for _, part := range parts {
			made = append(made, name+literal+part)
		}
	}
	return made
}

// span lists what a range like "01:04", "1:9:2" or "a:f" stands for.
func span(inner string) ([]string, error) {
	ends := strings.Split(inner, ":")
	step := 1
	if len(ends) == 3 {
		n, err := digits(ends[2])
		if err != nil || n < 1 {
			return nil, fault.Usagef(rangeHint, "the step of the range [%s] is not a number above 0", inner)
		}
		step = n
	}
	if len(ends) != 2 && len(ends) != 3 {
		return nil, fault.Usagef(rangeHint, "[%s] is not a range", inner)
	}
	if isLetter(ends[0]) && isLetter(ends[1]) {
		return letters(ends[0][0], ends[1][0], step, inner)
	}
	return numbers(ends[0], ends[1], step, inner)
}

func isLetter(text string) bool {
	return len(text) == 1 && (text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z')
}

func letters(from, to byte, step int, inner string) ([]string, error) {
	if from > to || (from <= 'Z') != (to <= 'Z') {
		return nil, fault.Usagef(rangeHint, "the range [%s] runs backwards or mixes cases", inner)
	}
	var list []string
	for i := 0; i <= int(to-from) && i < 26; i += min(step, 26) {
		list = append(list, string(from+byte(i)))
	}
	return list, nil
}

// digits reads a number without a sign. Its size leaves room for a step more.
func digits(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

func numbers(from, to string, step int, inner string) ([]string, error) {
	first, err1 := digits(from)
	last, err2 := digits(to)
	width := 0
	if strings.HasPrefix(from, "0") && len(from) > 1 {
		width = len(from)
	}
	switch {
	case err1 != nil || err2 != nil:
		return nil, fault.Usagef(rangeHint, "[%s] is not a range", inner)
	case first > last:
		return nil, fault.Usagef(rangeHint, "the range [%s] runs backwards", inner)
	case width > 0 && len(to) != width:
		return nil, fault.Usagef("write both ends with as many digits", "the ends of the range [%s] are padded differently", inner)
	case (last-first)/step >= maxHosts:
		return nil, fault.Usagef("", "the range [%s] stands for more than %d hosts", inner, maxHosts)
	}
	var list []string
	for n := first; n <= last; n += step {
		list = append(list, fmt.Sprintf("%0*d", width, n))
	}
	return list, nil
}
