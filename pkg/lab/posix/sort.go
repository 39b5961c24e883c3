package posix

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
)

func sortLines(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "unrVk:t:b", "version-sort|V", "unique|u", "reverse|r")
	if !ok {
		return Usage
	}
	var all []string
	code := p.each("sort", o.Args, func(_ string, r io.Reader) error {
		return lines(r, func(line string) bool {
			all = append(all, strings.TrimSuffix(line, "\n"))
			return true
		})
	})
	compare := comparer(o)
	slices.SortStableFunc(all, compare)
	if o.Has("u") {
		all = slices.CompactFunc(all, func(a, b string) bool { return compare(a, b) == 0 })
	}
	for _, line := range all {
		p.Printf("%s\n", line)
	}
	return code
}

func comparer(o Options) func(a, b string) int {
	key := func(line string) string { return sortKey(line, o) }
	return func(a, b string) int {
		x, y := key(a), key(b)
		var order int
		switch {
		case o.Has("V"):
			order = natural(x, y)
		case o.Has("n") || strings.ContainsRune(o.Value("k"), 'n'):
			order = cmp.Compare(leading(x), leading(y))
		default:
			order = strings.Compare(x, y)
		}
		if order == 0 && !o.Has("u") {
			order = strings.Compare(a, b)
		}
		if o.Has("r") {
			return -order
		}
		return order
	}
}

func sortKey(line string, o Options) string {
	if !o.Has("k") {
		return line
	}
	fields := strings.Fields(line)
	if o.Has("t") {
		fields = strings.Split(line, o.Value("t"))
	}
	from, to, ranged := strings.Cut(strings.TrimRight(o.Value("k"), "nrb"), ",")
	low, high := number(from, 1), number(to, len(fields))
	if !ranged {
		high = len(fields)
	}
	if low > len(fields) {
		return ""
	}
	return strings.Join(fields[low-1:min(max(high, low), len(fields))], " ")
}

func leading(text string) float64 {
	text = strings.TrimSpace(text)
	end := 0
	for end < len(text) && strings.IndexByte("0123456789.-", text[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil {
		return 0
	}
	return n
}

// natural compares with digit runs as numbers, as sort -V does.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := chunk(a), chunk(b)
		a, b = a[len(x):], b[len(y):]
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if order := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); order != 0 {
				return order
			}
			continue
		}
		if order := strings.Compare(x, y); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}

func chunk(s string) string {
	end := 1
	for end < len(s) && isDigit(s[end]) == isDigit(s[0]) {
		end++
	}
	return s[:end]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func uniq(_ context.Context, p *Proc, args []string) int {
	o, ok := p.Parse(args, "cdu")
	if !ok || len(o.Args) > 1 {
		return Usage
	}
	last, count := "", 0
	flush := func() {
		if count == 0 || o.Has("d") && count < 2 || o.Has("u") && count > 1 {
			return
		}
		if o.Has("c") {
			p.Printf("%7d ", count)
		}
		p.Printf("%s\n", last)
	}
	code := p.each("uniq", o.Args, func(_ string, r io.Reader) error {
		return lines(r, func(line string) bool {
			line = strings.TrimSuffix(line, "\n")
			if count > 0 && line == last {
				count++
				return true
			}
			flush()
			last, count = line, 1
			return true
		})
	})
	flush()
	return code
}
